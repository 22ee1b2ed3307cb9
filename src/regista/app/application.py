"""An application as it runs: a folder's contents compiled into a Variant and its pipeline."""

import secrets
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from regista.app.caches import Caches
from regista.app.folder import Folder
from regista.app.modules import load_module
from regista.app.schema import Settings
from regista.core.nouns import Json, Variant
from regista.models.capabilities import CapabilityTable
from regista.models.metered import Metered
from regista.models.prices import Prices
from regista.models.providers import Provider, providers
from regista.serve.agents.tools import Toolbox
from regista.serve.context.library import Library
from regista.serve.exchange import Handler
from regista.serve.guardrails import Guardrail, guardrails
from regista.serve.pipeline import Parts, compile_pipeline, compile_shadow
from regista.serve.stages.route import Router


@dataclass(frozen=True)
class Routes:
    """An application's router with what it may choose, by name, and what answers a share of requests once more.

    Models are given as a provider, with everything around it, and what it is known as.
    """

    router: Router
    providers: Mapping[str, tuple[Provider, str]]
    shadow: tuple[Provider, str] | None = None


@dataclass(frozen=True)
class Application:
    """One version of an application. A saved change makes another; requests under way keep theirs."""

    folder: Folder
    variant: Variant
    handler: Handler
    toolbox: Toolbox | None
    shadow: Handler | None = None
    """Who answers a share of the requests once more, where the router says so."""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def names(self) -> tuple[str, ...]:
        """Further names it may be asked for by."""
        router = self.folder.settings.router
        return router.names if router is not None else ()


def compile_application(
    folder: Folder,
    library: Library | None,
    caches: Caches,
    provider: Provider,
    routes: Routes | None = None,
) -> Application:
    """Make an application from its folder. `provider` is its model, with everything around it.

    Raises:
        ConfigurationError: a component cannot be made, or the application's code fails when loaded.
    """
    settings = folder.settings
    model = settings.models[settings.app.model]
    prompt = folder.prompt
    canary = f"canary-{secrets.token_hex(8)}"
    guard_ports = {"canary": canary, "system_prompt": prompt.prompt.body}
    toolbox = _toolbox(folder)

    def guards(names: Sequence[str]) -> list[tuple[str, Guardrail]]:
        return [
            (name, guardrails.build(name, guard_ports, **settings.guardrails.options.get(name, {}))) for name in names
        ]

    parts = Parts(
        provider=provider,
        model=model.model,
        request_guards=guards(settings.guardrails.request),
        cache=caches.exact,
        semantic=caches.semantic,
        library=library,
        passages=settings.context.k if settings.context else 0,
        context_guards=guards(settings.guardrails.context),
        prompt=prompt,
        canary=canary,
        response_guards=guards(settings.guardrails.response),
        toolbox=toolbox,
        max_steps=settings.agents.max_steps,
        router=routes.router if routes else None,
        routed=routes.providers if routes else {},
    )
    variant = Variant(folder.name, folder.digest, library.epoch if library else 0)
    shadow = compile_shadow(parts, *routes.shadow) if routes and routes.shadow else None
    return Application(folder, variant, compile_pipeline(parts), toolbox, shadow)


def build_provider(name: str, options: Mapping[str, Any], ports: Mapping[str, Any]) -> Provider:
    """A provider; the origin it names becomes one that may be contacted."""
    provider = providers.build(name, dict(ports), **options)
    base_url: str = getattr(provider, "base_url", "")
    if base_url:
        ports["transport"].allow(base_url)
    return provider


PRICE_KEYS = {
    "input": "input",
    "output": "output",
    "cached": "cached_input",
    "write": "cache_write",
    "write_1h": "cache_write_1h",
    "audio": "audio_input",
    "batch": "batch",
    "context": "context",
}
"""The fields of a price in the catalogue, and what an application calls them."""


def prices_of(settings: Settings) -> Prices:
    """The price table with the application's own rows over it."""
    rows: dict[str, dict[str, Json]] = {}
    for name, price in settings.prices.items():
        provider, _, model = name.partition("/")
        given = {key: getattr(price, written) for key, written in PRICE_KEYS.items()}
        rows.setdefault(provider, {})[model] = {key: value for key, value in given.items() if value is not None}
    return Prices.load().with_overrides(rows)


def capabilities_of(settings: Settings) -> CapabilityTable:
    """What models can do, with what the application says of them over it."""
    own = {name: msgspec.to_builtins(facts) for name, facts in settings.capabilities.items()}
    said = {name: {key: value for key, value in facts.items() if value is not None} for name, facts in own.items()}
    return CapabilityTable.load().with_overrides(said)


def biller_of(name: str, base_url: str, prices: Prices, own: Container[str]) -> str:
    """Whose prices hold for a model: the application's own where it says so, else those of the host it is at.

    A host whose prices are not known is its own biller, so that its cost is unknown and not another's.
    """
    maker = name.partition("/")[0]
    return maker if name in own or not base_url else prices.provider_at(base_url) or base_url


def metered(provider: Provider, name: str, prices: Prices, own: Mapping[str, object]) -> Metered:
    """A provider whose calls for the model `name` (`provider/model`) are counted at the prices that hold for it."""
    model = name.partition("/")[2]
    biller = biller_of(name, getattr(provider, "base_url", ""), prices, own)
    return Metered(provider, biller, model, prices.price(biller, model), name)


def _toolbox(folder: Folder) -> Toolbox | None:
    agents = folder.settings.agents
    if not agents.tools:
        return None
    module = load_module(folder.path, Path(agents.tools).stem, folder.digest)
    return Toolbox.of(module, seconds=agents.tool_timeout_s)
