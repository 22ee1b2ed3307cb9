"""The router of an application, made from its settings: its policies, and the models they may choose.

It knows no request. What was learned of models (their pace, what is warm where) goes from one version to the next.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from regista.app.application import Routes, build_provider, metered
from regista.app.choosing import named_models
from regista.app.folder import Folder
from regista.app.schema import Router as RouterSettings
from regista.app.schema import Settings
from regista.app.upstreams import Upstreams
from regista.models.attributes import AttributeTable
from regista.models.prices import Price, Prices
from regista.serve.router import Candidate, policies
from regista.serve.router.rules import Rule
from regista.serve.routing.pace import Pace
from regista.serve.routing.prefixes import Prefixes
from regista.serve.routing.shared import SharedPrefixes
from regista.serve.routing.vectors import Embedding, Questions
from regista.serve.stages.route import Router
from regista.store import Database
from regista.store.heads import Heads
from regista.store.redis import Shared

EMBEDDED = frozenset({"semantic", "learned"})
"""Policies that want vectors of questions."""


@dataclass
class Known:
    """What was learned while serving: warm prefixes, and the pace of each model by what its calls are billed as."""

    prefixes: Prefixes = field(default_factory=Prefixes)
    clock: Callable[[], float] = time.monotonic
    paces: dict[tuple[tuple[str, str], ...], Pace] = field(default_factory=dict[tuple[tuple[str, str], ...], Pace])

    def pace(self, calls: tuple[tuple[str, str], ...]) -> Pace:
        """One for all candidates whose calls are the same."""
        return self.paces.setdefault(calls, Pace(self.clock))


def known_here(shared: Shared | None) -> Known:
    """Nothing yet; what is warm is shared with other gateways where there is a Redis."""
    return Known(Prefixes(elsewhere=SharedPrefixes(shared) if shared is not None else None))


def wants_vectors(settings: Settings) -> bool:
    """Whether a policy of the router needs an embedder."""
    return settings.router is not None and not EMBEDDED.isdisjoint(settings.router.policies)


def router_embedder(settings: Settings) -> str:
    """The name of the embedder it gets: that of retrieval, unless that has none."""
    context = settings.context
    return context.embedder if context is not None and context.embedder != "none" else "auto"


async def open_routes(
    folder: Folder,
    upstreams: Upstreams,
    prices: Prices,
    ports: Mapping[str, Any],
    embedder: Embedding | None,
    database: Database,
    known: Known,
) -> Routes | None:
    """The router of a folder, ready to be asked; None where it has none.

    Raises:
        ConfigurationError: a policy cannot be made or made ready; says which and why.
    """
    settings = folder.settings
    if settings.router is None:
        return None
    questions = Questions(embedder) if embedder is not None else None
    router = router_of(folder, prices, ports, questions, database, known, settings.router, settings.app.model)
    await router.prepare()
    names = {name: settings.models[name].model for name in router.candidates}
    providers = {name: (upstreams.provider(name), model) for name, model in names.items()}
    shadow = settings.router.shadow
    return Routes(router, providers, (upstreams.provider(shadow), settings.models[shadow].model) if shadow else None)


def router_of(
    folder: Folder,
    prices: Prices,
    ports: Mapping[str, Any],
    questions: Questions | None,
    database: Database,
    known: Known,
    chosen: RouterSettings,
    default: str,
    others: Iterable[str] = (),
) -> Router:
    """The policies of `chosen` over the models that they name, `default` and `others`; not made ready yet."""
    settings = folder.settings
    offered = {"questions": questions, "heads": Heads(database), "folder": folder.path, "prefixes": known.prefixes}
    made = [(name, policies.build(name, offered, **chosen.options[name])) for name in chosen.policies]
    named = dict.fromkeys([default, *(name for _, name in named_models(chosen.options)), *others])
    return Router(
        made,
        {name: _candidate(name, settings, prices, ports, known) for name in named},
        default,
        chosen.patience_ms / 1000,
        metadata_keys(chosen),
        chosen.shadow,
        chosen.shadow_share,
    )


def metadata_keys(chosen: RouterSettings) -> frozenset[str]:
    """The keys of the client's metadata that rules ask about."""
    when: Mapping[str, Rule] = dict(chosen.options.get("rules", {}).get("when", {}))
    return frozenset(key for rule in when.values() for key in rule.metadata)


def _candidate(name: str, settings: Settings, prices: Prices, ports: Mapping[str, Any], known: Known) -> Candidate:
    """A model with what is known of it. A pool is taken for the dearest and the narrowest of its models."""
    model = settings.models[name]
    members = [settings.models[other] for other in model.balance] or [model]
    found: list[tuple[tuple[str, str], Price | None]] = []
    features: list[tuple[str, ...] | None] = []
    table = AttributeTable.load()
    for member in members:
        made = build_provider(member.provider, member.options, ports)
        counted = metered(made, member.model, prices, settings.prices)
        found.append(((counted.biller, counted.model), counted.price))
        features.append(table.of(member.provider, member.name).features)
    calls = tuple(call for call, _ in found)
    known_prices = [price for _, price in found if price is not None]
    dearest = max(known_prices, key=lambda price: price.rates.input) if len(known_prices) == len(found) else None
    windows = [price.context if price is not None else 0 for _, price in found]
    able = [set(each) for each in features if each is not None]
    return Candidate(
        name,
        model.model,
        calls,
        dearest,
        min(windows) if all(windows) else 0,
        frozenset(set[str].intersection(*able)) if len(able) == len(features) else None,
        known.pace(calls),
    )
