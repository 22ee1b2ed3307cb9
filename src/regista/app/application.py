"""An application as it runs: a folder's contents compiled into a Variant and its pipeline."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regista.app.folder import Folder
from regista.app.modules import load_module
from regista.app.schema import Settings
from regista.core.nouns import Json, Variant
from regista.models.metered import Metered
from regista.models.prices import Prices
from regista.models.providers import Provider, providers
from regista.serve.agents.tools import Toolbox
from regista.serve.caches.exact import ExactCache
from regista.serve.context.library import Library
from regista.serve.exchange import Handler
from regista.serve.guardrails import Guardrail, guardrails
from regista.serve.pipeline import Parts, compile_pipeline


@dataclass(frozen=True)
class Application:
    """One version of an application. A saved change makes another; requests under way keep theirs."""

    folder: Folder
    variant: Variant
    handler: Handler
    toolbox: Toolbox | None

    @property
    def name(self) -> str:
        return self.folder.name


def compile_application(
    folder: Folder, library: Library | None, cache: ExactCache | None, prices: Prices, ports: Mapping[str, Any]
) -> Application:
    """Make an application from its folder. `ports` are what components may ask for: transport, embed.

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

    provider = build_provider(model.provider, model.options, ports)
    parts = Parts(
        provider=metered(provider, model.model, prices, settings.prices),
        model=model.model,
        parameters=model.parameters,
        request_guards=guards(settings.guardrails.request),
        cache=cache,
        library=library,
        passages=settings.context.k if settings.context else 0,
        context_guards=guards(settings.guardrails.context),
        prompt=prompt,
        canary=canary,
        response_guards=guards(settings.guardrails.response),
        toolbox=toolbox,
        max_steps=settings.agents.max_steps,
    )
    variant = Variant(folder.name, folder.digest, library.epoch if library else 0)
    return Application(folder, variant, compile_pipeline(parts), toolbox)


def build_provider(name: str, options: Mapping[str, Any], ports: Mapping[str, Any]) -> Provider:
    """A provider; the origin it names becomes one that may be contacted."""
    provider = providers.build(name, dict(ports), **options)
    base_url: str = getattr(provider, "base_url", "")
    if base_url:
        ports["transport"].allow(base_url)
    return provider


def prices_of(settings: Settings) -> Prices:
    """The price table with the application's own rows over it."""
    rows: dict[str, dict[str, Json]] = {}
    for name, price in settings.prices.items():
        provider, _, model = name.partition("/")
        row = {"input": price.input, "output": price.output, "cached": price.cached_input}
        rows.setdefault(provider, {})[model] = {key: value for key, value in row.items() if value is not None}
    return Prices.load().with_overrides(rows)


def metered(provider: Provider, name: str, prices: Prices, own: Mapping[str, object]) -> Metered:
    """A provider whose calls for the model `name` (`provider/model`) are counted at the prices that hold for it.

    Those are the application's own where it says so, else those of the host it is at. A host whose prices are not known
    is its own biller, so that its cost is unknown and not another's.
    """
    maker, _, model = name.partition("/")
    base_url: str = getattr(provider, "base_url", "")
    biller = maker if name in own or not base_url else prices.provider_at(base_url) or base_url
    return Metered(provider, biller, model, prices.price(biller, model))


def _toolbox(folder: Folder) -> Toolbox | None:
    agents = folder.settings.agents
    if not agents.tools:
        return None
    module = load_module(folder.path, Path(agents.tools).stem, folder.digest)
    return Toolbox.of(module, seconds=agents.tool_timeout_s)
