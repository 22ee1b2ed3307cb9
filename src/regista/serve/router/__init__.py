"""Which model answers: one file per policy. A policy sees a request and the models there are, and chooses or passes.

Policies are asked in the order the application names them; the first that chooses wins. None calls a model that
answers, and none knows keys, traces or other policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Protocol, runtime_checkable

from msgspec import Meta, Struct

from regista.core.nouns import Call, Json, Request
from regista.core.registry import Registry
from regista.models.prices import Price
from regista.serve.routing.pace import Pace
from regista.serve.routing.prefixes import Link
from regista.serve.routing.signals import Carries

ModelName = Annotated[str, Meta(extra={"names": "model"})]
"""A name of `[models.*]`: an option of this type is checked where the application is read."""
ModelNames = Annotated[tuple[str, ...], Meta(extra={"names": "model"})]


@dataclass(frozen=True)
class Candidate:
    """A model that may be chosen, by its `name` in the application; `model` is `provider/its name there`.

    `calls` are the billers and names that its calls have in the ledger: several for a pool. `price` is None, `window`
    (in tokens) 0 and `features` None where they are not known. `pace` is how it does now.
    """

    name: str
    model: str
    calls: tuple[tuple[str, str], ...]
    price: Price | None = None
    window: int = 0
    features: frozenset[str] | None = None
    pace: Pace = field(default_factory=Pace)


class Asked(Struct, frozen=True):
    """What a policy sees. `candidates` are the models that can take the request, by name.

    `question` is what the trace keeps of the last user message, masked where guardrails mask. `tokens` is an estimate
    of the whole input. `chain` are the conversation's beginnings.
    """

    request: Request
    tenant: str
    question: str
    tokens: int
    candidates: Mapping[str, Candidate]
    carries: frozenset[Carries] = frozenset()
    metadata: Mapping[str, str] = {}
    chain: tuple[Link, ...] = ()


class Choice(Struct, frozen=True):
    """What a policy says. Without a `model` it passes, and `reason` says why.

    `score` is what decided and `scores` that of everything considered (models, or classes), on the policy's own scale.
    `runner_up` is the model that would be next; empty where the policy has none.
    """

    model: str = ""
    reason: str = ""
    score: float | None = None
    runner_up: str = ""
    scores: Mapping[str, float] = {}
    detail: Json = {}


class Policy(Protocol):
    """Chooses a model, or passes."""

    async def choose(self, asked: Asked) -> Choice:
        """The choice among `asked.candidates`. Another model's name counts as passing."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """What a policy has beside `choose` if something must be ready before it is asked."""

    async def prepare(self) -> None:
        """Make it ready. Raises `ConfigurationError` where it cannot be."""
        ...


@runtime_checkable
class Decides(Protocol):
    """What a policy has beside `choose` if it waits for nothing: then nobody needs to look at the clock."""

    def decide(self, asked: Asked) -> Choice:
        """What `choose` says."""
        ...


@runtime_checkable
class Learns(Protocol):
    """What a policy has beside `choose` if it remembers who answered."""

    def answered(self, asked: Asked, candidate: Candidate, call: Call) -> None:
        """`candidate` has answered by this call; it need not be the one that was chosen."""
        ...


policies = Registry[Policy](__name__, "routing policy")
