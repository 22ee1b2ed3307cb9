"""Which model answers, as a stage: the policies are asked in their order, and the first that chooses wins.

A policy that fails or takes too long is passed over: a request is never refused because of the router. The span holds
all of it: what was tried, the choice, the runner-up and why.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from regista.core.errors import RegistaError
from regista.core.nouns import Call, Delta, Json
from regista.models import tokens
from regista.serve.exchange import Exchange, Handler
from regista.serve.router import Asked, Candidate, Choice, Decides, Learns, Policy, Prepares
from regista.serve.routing import signals
from regista.serve.routing.prefixes import Link, chain_of
from regista.serve.routing.signals import NEEDS, Carries

STAGE = "route"
DEFAULT = "default"
"""Who decides where no policy does."""


class Step(Struct, frozen=True):
    """A policy that was asked, and what it said."""

    policy: str
    choice: Choice


class Decision(Struct, frozen=True):
    """Which model answers, who decided it, and what was tried until then. `unfit` says why a model cannot take it."""

    model: str
    policy: str
    reason: str
    runner_up: str
    steps: tuple[Step, ...]
    unfit: Mapping[str, str] = {}

    @property
    def choice(self) -> Choice | None:
        """What the policy that decided said; None where none did."""
        return self.steps[-1].choice if self.policy != DEFAULT and self.steps else None


@dataclass(frozen=True)
class Router:
    """The policies of an application in their order, over the models it may choose. `default` answers otherwise.

    A policy has `patience_s` seconds to choose. `keys` are those of the client's metadata that a trace keeps. A
    `shadow_share` of requests is left for the model `shadow` to answer as well.
    """

    policies: Sequence[tuple[str, Policy]]
    candidates: Mapping[str, Candidate]
    default: str
    patience_s: float = 0.25
    keys: frozenset[str] = frozenset()
    shadow: str = ""
    shadow_share: float = 0.0

    learners: tuple[Learns, ...] = field(init=False, repr=False, compare=False)
    """The policies that ask about the beginnings of conversations, and remember who answered."""
    _deciding: tuple[Decides | None, ...] = field(init=False, repr=False, compare=False)
    """The policies, where they wait for nothing."""

    def __post_init__(self) -> None:
        # Asked once: telling a protocol takes longer than some policies.
        learners = tuple(policy for _, policy in self.policies if isinstance(policy, Learns))
        object.__setattr__(self, "learners", learners)
        decide = tuple(policy if isinstance(policy, Decides) else None for _, policy in self.policies)
        object.__setattr__(self, "_deciding", decide)

    async def prepare(self) -> None:
        """Make every policy ready. Raises `ConfigurationError` where one cannot be."""
        for _, policy in self.policies:
            if isinstance(policy, Prepares):
                await policy.prepare()

    async def decide(self, asked: Asked) -> Decision:
        """Ask the policies. `asked.candidates` may be any models; those that cannot take the request are left out."""
        unfit = {name: why for name, one in asked.candidates.items() if (why := unfit_for(one, asked))}
        if unfit:
            able = {name: one for name, one in asked.candidates.items() if name not in unfit}
            asked = replace(asked, candidates=able)
        steps: list[Step] = []
        for (name, policy), decides in zip(self.policies, self._deciding, strict=True):
            choice = await self._ask(policy, asked) if decides is None else _able(decides.decide(asked), asked)
            steps.append(Step(name, choice))
            if choice.model:
                other = choice.runner_up or (self.default if self.default != choice.model else "")
                return Decision(choice.model, name, choice.reason, other, tuple(steps), unfit)
        reason = "no policy decided" if steps else "there are no policies"
        return Decision(self.default, DEFAULT, reason, "", tuple(steps), unfit)

    def answered(self, asked: Asked, chosen: str, calls: Sequence[Call]) -> None:
        """Take in how it went: the calls made for the request, in the order they ended."""
        last: tuple[Candidate, Call] | None = None
        for call in calls:
            candidate = self._caller(chosen, call) if call.status == "ok" else None
            if candidate is not None:
                candidate.pace.note(call, streamed=asked.request.stream)
                last = (candidate, call)
        if last is not None:
            for policy in self.learners:
                policy.answered(asked, *last)

    def _caller(self, chosen: str, call: Call) -> Candidate | None:
        """Which candidate made a call: the one that was chosen where it may have been, else any."""
        made = (call.biller, call.model)
        first = self.candidates.get(chosen)
        if first is not None and made in first.calls:
            return first
        return next((one for one in self.candidates.values() if made in one.calls), None)

    async def _ask(self, policy: Policy, asked: Asked) -> Choice:
        """What a policy says; what keeps it from saying anything is why it passes."""
        try:
            async with asyncio.timeout(self.patience_s):
                choice = await policy.choose(asked)
        except TimeoutError:
            return Choice(reason=f"it took longer than {self.patience_s * 1000:.0f} ms")
        except RegistaError as error:
            return Choice(reason=f"it failed: {error.message}")
        return _able(choice, asked)


def asked_of(router: Router, exchange: Exchange, always: frozenset[Carries] = frozenset()) -> Asked:
    """A request as policies see it. `always` is carried by every request of the application."""
    request = exchange.request
    chain = chain_of(signals.with_messages(request)) if router.learners else ()
    return Asked(
        request,
        exchange.tenant,
        exchange.question,
        tokens.of_request(request),
        router.candidates,
        signals.carries(request) | always,
        signals.metadata(request),
        chain,
    )


def unfit_for(candidate: Candidate, asked: Asked) -> str:
    """Why a model cannot take a request, as far as is known; empty where nothing speaks against it."""
    if candidate.window and asked.tokens > candidate.window:
        return f"{asked.tokens:,} tokens do not fit into its window of {candidate.window:,}"
    if candidate.features is not None:
        missing = [thing for thing in asked.carries if thing in NEEDS and NEEDS[thing] not in candidate.features]
        if missing:
            return f"it takes no {missing[0]}"
    return ""


def route(handlers: Mapping[str, Handler], router: Router, always: frozenset[Carries] = frozenset()) -> Handler:
    """Let the model answer that the router chooses; `handlers` are by the models' names in the application."""

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        asked = asked_of(router, exchange, always)
        with exchange.recorder.span(STAGE) as span:
            decision = await router.decide(asked)
            then = f"; then {decision.runner_up}" if decision.runner_up else ""
            span.decide(decision.model, f"{decision.policy}: {decision.reason}{then}")
            span.set(**attributes_of(decision, asked, router.keys))
        if router.shadow not in ("", decision.model) and sampled(exchange.recorder.trace_id, router.shadow_share):
            exchange.shadowed = exchange.request
        before = len(exchange.calls)
        try:
            async with aclosing(handlers[decision.model](exchange)) as deltas:
                async for delta in deltas:
                    yield delta
        finally:
            router.answered(asked, decision.model, exchange.calls[before:])

    return handler


def sampled(trace_id: str, share: float) -> bool:
    """Whether a request is of a share: told by the end of its trace's id, so that every process says the same.

    >>> sampled(24 * "0" + "0fffffff", 0.1), sampled("f" * 32, 0.1)
    (True, False)
    """
    return int(trace_id[-8:], 16) < share * (1 << 32)


def attributes_of(decision: Decision, asked: Asked, keys: frozenset[str]) -> Json:
    """What the trace keeps of a decision: enough to explain it, and to ask other policies about it later."""
    kept: Json = {
        "policy": decision.policy,
        "runner_up": decision.runner_up,
        "steps": [_kept(step) for step in decision.steps],
        "tokens": asked.tokens,
        "stream": asked.request.stream,
    }
    if decision.unfit:
        kept["unfit"] = decision.unfit
    if asked.carries:
        kept["carries"] = sorted(asked.carries)
    if metadata := {key: value for key, value in asked.metadata.items() if key in keys}:
        kept["metadata"] = metadata
    if asked.chain:
        kept["chain"] = [[link.hash.hex(), link.tokens, link.spoken] for link in asked.chain]
    return kept


def chain_from(attributes: Json) -> tuple[Link, ...]:
    """The chain that `attributes_of` kept."""
    return tuple(Link(bytes.fromhex(hashed), count, spoken) for hashed, count, spoken in attributes.get("chain", ()))


def _kept(step: Step) -> Json:
    kept: Json = {"policy": step.policy}
    for name in Choice.__struct_fields__:
        if (value := getattr(step.choice, name)) not in (None, "", {}) or name == "reason":
            kept[name] = value
    return kept


def _able(choice: Choice, asked: Asked) -> Choice:
    """A choice, unless it is of a model that cannot take the request: that is none."""
    if not choice.model or choice.model in asked.candidates:
        return choice
    return Choice("", f"{choice.model} cannot take it ({choice.reason})", choice.score, "", choice.scores)
