"""The models of an application's settings as providers, each with what is configured around it.

They are made on first use and kept, so that all who ask for a model share its queue and what is known of its health.
It knows no request.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from regista.app.application import build_provider, capabilities_of, metered
from regista.app.generation import Functions, chosen, drawn, formed
from regista.app.schema import Model, Settings
from regista.app.vectors import Embed, vectors
from regista.core.digest import digest
from regista.core.errors import UnknownNameError
from regista.core.nouns import Json, Upstream, Usage
from regista.models.batches import BatchApi, RunsBatches
from regista.models.capabilities import Capabilities
from regista.models.choosing import Score
from regista.models.deferred import Recording, Replaying
from regista.models.parameters import Parameters
from regista.models.prices import Price, Prices
from regista.models.providers import Provider
from regista.models.resilience.balance import Balance, Member
from regista.models.resilience.breaker import Breaker, Circuit
from regista.models.resilience.continuation import Continuation, Successor
from regista.models.resilience.deadline import Deadline
from regista.models.resilience.fallback import Fallback
from regista.models.resilience.hedge import Hedge
from regista.models.resilience.limited import Gate, Limited
from regista.models.resilience.prefill import Prefill, prefill_of
from regista.models.resilience.retry import Retry
from regista.models.resilience.silence import Silence

SHARE = 0.5
"""The share of failing calls that opens a breaker where the configuration names none."""


class Upstreams:
    """All models of one version of an application."""

    def __init__(self, settings: Settings, prices: Prices, ports: Mapping[str, Any]) -> None:
        self._models = settings.models
        self._own_prices = settings.prices
        self._prices = prices
        self._own_capabilities = settings.capabilities
        self._capabilities = capabilities_of(settings)
        self._ports = dict(ports)
        named = {other for model in settings.models.values() for other in (*model.balance, *model.fallbacks)}
        self._not_alone = named | {name for name, model in settings.models.items() if model.fallbacks}
        self._whole: dict[str, Provider] = {}
        self._tries: dict[str, Provider] = {}
        self._leaves: dict[str, Silence] = {}
        self._gates: dict[str, Gate] = {}
        self._circuits: dict[str, Circuit] = {}

    def fits(self, settings: Settings, ports: Mapping[str, Any]) -> bool:
        """Whether these are the models of other settings too: then they are kept, with all that is known of them."""
        same = self._models == settings.models and self._own_prices == settings.prices
        same = same and self._own_capabilities == settings.capabilities
        return same and self._ports == dict(ports)

    def provider(self, name: str) -> Provider:
        """The model `[models.<name>]`, whole.

        Raises:
            UnknownNameError: there is no such model.
            ConfigurationError: its provider cannot be made.
        """
        if name not in self._whole:
            if name not in self._models:
                raise UnknownNameError("model", name, self._models)
            self._whole[name] = self._compose(name, self._models[name])
        return self._whole[name]

    def raw(self, model: str) -> Provider:
        """`provider/model` as the application configures it, else with the defaults of everything. Raises as above."""
        name = next((name for name, configured in self._models.items() if configured.model == model), None)
        if name is not None:
            return self.provider(name)
        bare = Model(model)
        return formed(Retry(self._drawn(bare)[0], bare.retries), bare, self._known(bare))

    def batches(self, model: str) -> BatchApi | None:
        """The batches of the provider of `provider/model`, where it has some."""
        try:
            provider = self._made(self._configured(model), self._ports["transport"])
        except UnknownNameError:
            return None
        return provider.batches() if isinstance(provider, RunsBatches) else None

    def recording(self, model: str) -> tuple[Provider, Json]:
        """`provider/model` as what it would be sent, which it raises (see `models.deferred`), and its parameters."""
        configured = self._configured(model)
        made = self._made(configured, Recording())
        return Parameters(made, configured.parameters), configured.parameters

    def replaying(self, model: str) -> Provider:
        """`provider/model`, whose answer is there already, counted at its price for batches. Raises as `raw`."""
        configured = self._configured(model)
        counted = metered(self._made(configured, Replaying()), model, self._prices, self._own_prices)
        inner = Parameters(counted.provider, configured.parameters)
        return dataclasses.replace(counted, provider=inner, price=_of_batches(counted.price))

    def batch_cost(self, model: str, usages: Sequence[Usage]) -> int | None:
        """What calls cost in a batch; None where no price is known."""
        made = self._made(self._configured(model), Recording())
        price = metered(made, model, self._prices, self._own_prices).price
        return None if price is None else sum(price.cost(usage, batch=True) for usage in usages)

    def _configured(self, model: str) -> Model:
        return next((each for each in self._models.values() if each.model == model), Model(model))

    def _made(self, model: Model, transport: object) -> Provider:
        return build_provider(model.provider, model.options, self._ports | {"transport": transport})

    def vectors(self, model: str, embed: Embed) -> Provider:
        """What makes the embeddings of `provider/model`. Raises as `regista.app.vectors.vectors` does."""
        configured = next((each for each in self._models.values() if each.model == model), Model(model))
        return vectors(configured, embed, self._prices, self._own_prices, self._ports)

    def state(self) -> list[Upstream]:
        """How each model that was asked for does just now."""
        return [self._state(name) for name in self._tries]

    def _compose(self, name: str, model: Model) -> Provider:
        """A model with its alternatives, from the inside out."""
        provider = self._once(name)
        if model.retries:
            provider = Retry(provider, model.retries)
        provider = formed(provider, model, self._known(model))
        others = [(other, self.provider(other)) for other in model.fallbacks]
        if model.hedge_s is not None:
            provider = Hedge(provider, others[0][1] if others else provider, model.hedge_s)
        alone = provider
        if others:
            provider = Fallback([(name, provider), *others])
        if model.continuation or (others and model.continuation is None):
            provider = Continuation(
                provider, [Successor(other, self._prefill(of)) for of, other in others or [(name, alone)]]
            )
        provider = chosen(provider, model, self.provider, self._score)
        return provider if model.total_s is None else Deadline(provider, model.total_s)

    def _once(self, name: str) -> Provider:
        """A model without its alternatives and retries."""
        if name in self._tries:
            return self._tries[name]
        model = self._models[name]
        provider: Provider
        if model.balance:
            provider = Balance([self._member(other) for other in model.balance])
            provider = Parameters(provider, model.parameters) if model.parameters else provider
        else:
            provider, self._leaves[name] = self._drawn(model)
        if model.concurrency is not None:
            self._gates[name] = Gate(f"[models.{name}]", model.concurrency, model.queue, model.queue_s)
            provider = Limited(provider, self._gates[name])
        circuit = self._circuit(name)
        self._tries[name] = provider if circuit is None else Breaker(provider, circuit)
        return self._tries[name]

    def _member(self, name: str) -> Member:
        """A model in a pool: the pool tries again. One that has alternatives of its own keeps them."""
        model = self._models[name]
        plain = not model.fallbacks and model.hedge_s is None and model.total_s is None and not model.continuation
        return Member(name, self._once(name) if plain else self.provider(name), self._circuit(name))

    def _circuit(self, name: str) -> Circuit | None:
        """What is known of the health of a model: one and the same for all that are the same upstream."""
        model = self._models[name]
        share = model.breaker or (SHARE if name in self._not_alone else 0.0)
        upstream = f"{model.model} {digest(model.options)}"
        return self._circuits.setdefault(upstream, Circuit(model.model, share)) if share else None

    def _drawn(self, model: Model) -> tuple[Provider, Silence]:
        """As `_metered`, asked only for what the model takes."""
        provider, silence = self._metered(model)
        return drawn(provider, model, self._known(model)), silence

    def _known(self, model: Model) -> Capabilities:
        return self._capabilities.of(model.provider, model.name)

    def _score(self, written: str) -> Score:
        functions: Functions = self._ports["functions"]
        return functions.score(written)

    def _metered(self, model: Model) -> tuple[Provider, Silence]:
        """A provider by itself, counted, and given up when it stays silent."""
        made = build_provider(model.provider, model.options, self._ports)
        silence = Silence(made, getattr(made, "first_s", 0.0), getattr(made, "between_s", 0.0))
        inner: Provider = Parameters(silence, model.parameters) if model.parameters else silence
        counted = metered(made, model.model, self._prices, self._own_prices)
        return dataclasses.replace(counted, provider=inner, parameters=model.parameters), silence

    def _prefill(self, name: str) -> Prefill | None:
        """How a model takes the beginning of its answer; for a pool, where all of it take it in the same way."""
        model = self._models[name]
        if not model.balance:
            return prefill_of(model.model)
        first, *rest = (self._prefill(other) for other in model.balance)
        return first if all(other == first for other in rest) else None

    def _state(self, name: str) -> Upstream:
        leaf, gate, circuit = self._leaves.get(name), self._gates.get(name), self._circuit(name)
        running = leaf.running if leaf is not None else gate.running if gate is not None else 0
        seen = Upstream(name, running, gate.waiting if gate else 0, gate.shed if gate else 0)
        if circuit is None:
            return seen
        reason = "" if circuit.state == "closed" else circuit.reason
        return replace(seen, state=circuit.state, opened=circuit.opened, seconds=circuit.seconds, reason=reason)


def _of_batches(price: Price | None) -> Price | None:
    """A price whose rates are those for batches, where there are some."""
    if price is None:
        return None
    return replace(price, rates=price.batch or price.rates, long=price.batch_long or price.long)
