"""All wrappers together, under any faults in any order: the whole answer or an error, and nothing left behind."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from tests.models.resilience._world import ANSWER, STEPS, Client, Scripted, metered, run

from regista.models.providers import Provider
from regista.models.resilience.balance import Balance, Member
from regista.models.resilience.breaker import Breaker, Circuit
from regista.models.resilience.continuation import Continuation, Successor
from regista.models.resilience.deadline import Deadline
from regista.models.resilience.fallback import Fallback
from regista.models.resilience.hedge import Hedge
from regista.models.resilience.limited import Gate, Limited
from regista.models.resilience.prefill import Prefill
from regista.models.resilience.retry import Retry


@dataclass
class Setup:
    """Models with what is around them."""

    provider: Provider
    models: list[Scripted]
    gates: list[Gate]


@st.composite
def setups(draw: st.DrawFn) -> Setup:
    """Any composition that a configuration can make, over models with any faults."""
    gates: list[Gate] = []
    models: list[Scripted] = []
    step = st.sampled_from(STEPS)

    def one(name: str) -> Provider:
        models.append(
            Scripted(
                draw(st.lists(step, max_size=6)),
                size=draw(st.integers(1, 40)),
                said=draw(st.integers(1, 200)),
                back=draw(st.integers(-1, 2)),
                pause_s=draw(st.sampled_from([0.0, 0.0, 0.3, 0.9])),
            )
        )
        return metered(models[-1], name)

    def own(name: str) -> Provider:
        provider = one(name)
        if draw(st.booleans()):
            gates.append(Gate(name, draw(st.integers(1, 3)), draw(st.integers(0, 4)), 3.0))
            provider = Limited(provider, gates[-1])
        if draw(st.booleans()):
            provider = Breaker(provider, Circuit(name, 0.5))
        return Retry(provider, draw(st.integers(1, 3))) if draw(st.booleans()) else provider

    first = Balance([Member(n, own(n)) for n in ("p", "q")]) if draw(st.booleans()) else own("a")
    others = [(name, own(name)) for name in "bc"[: draw(st.integers(0, 2))]]
    provider: Provider = first
    if draw(st.booleans()):
        provider = Hedge(provider, others[0][1] if others else provider, draw(st.sampled_from([0.2, 0.8])))
    if others:
        provider = Fallback([("a", provider), *others])
    prefill = draw(st.sampled_from([None, Prefill()]))
    if draw(st.booleans()):
        provider = Continuation(provider, [Successor(other, prefill) for _, other in others or [("a", first)]])
    if draw(st.booleans()):
        provider = Deadline(provider, draw(st.sampled_from([1.0, 4.0, 60.0])))
    return Setup(provider, models, gates)


def settled(setup: Setup, clients: list[Client]) -> None:
    """Every call was told once, and nothing is open."""
    assert sum(len(model.calls) for model in setup.models) == sum(len(client.told) for client in clients)
    assert all(not model.open for model in setup.models)
    assert all((gate.running, gate.waiting) == (0, 0) for gate in setup.gates)


@given(setups(), st.integers(1, 8))
def test_whole_answers_or_errors(setup: Setup, asks: int) -> None:
    async def all_at_once() -> list[Client]:
        return list(await asyncio.gather(*(Client().ask(setup.provider) for _ in range(asks))))

    clients = run(all_at_once())
    for client in clients:
        if client.error is None:
            assert (client.text, client.finishes) == (ANSWER, ["stop"])
            assert client.usage is not None
            spoke = [call.usage for call in client.told if call.status != "cancelled" and call.first_token_ns]
            assert client.usage in spoke or client.usage.output_tokens <= sum(usage.output_tokens for usage in spoke)
        else:
            assert ANSWER.startswith(client.text) and not client.finishes
    settled(setup, clients)


@given(setups(), st.lists(st.tuples(st.integers(1, 30), st.floats(0.0, 5.0)), min_size=1, max_size=6))
def test_clients_that_leave_leave_nothing_behind(setup: Setup, leavings: list[tuple[int, float]]) -> None:
    clients = [Client() for _ in leavings]

    async def leave(client: Client, deltas: int, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await client.ask(setup.provider, leaves_after=deltas)

    async def all_at_once() -> None:
        await asyncio.gather(*(leave(client, *leaving) for client, leaving in zip(clients, leavings, strict=True)))

    run(all_at_once())
    settled(setup, clients)
