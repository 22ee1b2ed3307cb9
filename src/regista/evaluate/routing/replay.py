"""Recorded requests put to a router again, in their order and at their time. No model is called.

What a request showed when it was served is on its trace; of one that was served without a router only the question and
the tokens are known. What follows from the choices is `simulate.py`'s.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from regista.core.nouns import Call, Json, Message, Request, Trace, Usage
from regista.serve.router import Asked, Candidate
from regista.serve.router.economy import caching_of
from regista.serve.routing.prefixes import Prefixes
from regista.serve.stages.route import STAGE, Router, chain_from

NANO = 1_000_000_000


class Replayed(Struct, frozen=True):
    """A request as it was answered, and who would have answered it now.

    `actual` is a candidate's name, or `biller/model` where the model is none. `cached` tokens of the input would be
    warm at `chosen`. `group` is that of its conversation: requests of one are not independent. Times are those of the
    `calls` that ended well, added up. `seen` is False where the trace does not hold what the request showed.
    """

    trace_id: str
    question: str
    group: str
    actual: str
    actual_call: tuple[str, str]
    chosen: str
    policy: str
    calls: int
    streamed: bool
    usage: Usage
    cached: int
    cost_nano: int | None
    first_ns: int
    whole_ns: int
    seen: bool


class Clock:
    """The time of the replay, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def replay(
    router: Router,
    traces: Sequence[Trace],
    prefixes: Prefixes,
    clock: Clock,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Replayed]:
    """Put each trace's request to the router. `router` is prepared, and it and `prefixes` go by `clock`."""
    found: list[Replayed] = []
    for trace in traces:
        clock.now = trace.started_ns / NANO
        made = [call for call in trace.calls if call.status == "ok"]
        if made:
            found.append(await _one(router, trace, made, prefixes))
        progress(1)
    return found


async def _one(router: Router, trace: Trace, made: list[Call], prefixes: Prefixes) -> Replayed:
    asked, seen = _asked(router, trace, made)
    decision = await router.decide(asked)
    chosen = router.candidates[decision.model]
    actual = _actual(router, made[-1])
    cached = prefixes.warm(chosen.model, asked.chain, caching_of(chosen)).tokens
    for call in made:
        # What calls took then is known whatever is chosen now.
        if (candidate := _actual(router, call)) is not None:
            candidate.pace.note(call, streamed=asked.request.stream)
    prefixes.add(chosen.model, asked.chain)
    last = made[-1]
    first_spoken = next((link.hash.hex() for link in asked.chain if link.spoken), trace.id)
    usage = sum((call.usage for call in made), Usage())
    return Replayed(
        trace.id,
        trace.question,
        first_spoken,
        actual.name if actual is not None else f"{last.biller}/{last.model}",
        (last.biller, last.model),
        chosen.name,
        decision.policy,
        len(made),
        asked.request.stream,
        usage,
        min(cached, usage.input_tokens),
        trace.cost_nano,
        made[0].first_token_ns,
        sum(call.duration_ns for call in made),
        seen,
    )


def _asked(router: Router, trace: Trace, made: list[Call]) -> tuple[Asked, bool]:
    """The request as policies see it, and whether the trace holds what it showed."""
    routed = [span for span in trace.spans if span.stage == STAGE]
    kept: Json = routed[0].attributes if routed else {}
    streamed = bool(kept.get("stream", trace.first_token_ns < trace.duration_ns // 2))
    request = Request(trace.model, (Message("user", trace.question),), streamed)
    tokens = int(kept.get("tokens", made[0].usage.input_tokens))
    asked = Asked(
        request,
        trace.tenant,
        trace.question,
        tokens,
        router.candidates,
        frozenset(kept.get("carries", ())),
        dict(kept.get("metadata", {})),
        chain_from(kept),
    )
    return asked, bool(routed)


def _actual(router: Router, call: Call) -> Candidate | None:
    made = (call.biller, call.model)
    return next((one for one in router.candidates.values() if made in one.calls), None)
