"""One of several: the faster and the idler get more, who is left alone gets nothing, who comes back little at first."""

import asyncio
import random
from collections import Counter

import pytest
from tests.models.resilience._world import ANSWER, Client, Scripted, down, failure, metered, run
from tests.models.resilience.test_breaker import Clock

from regista.models.resilience.balance import WARM_S, Balance, Member
from regista.models.resilience.breaker import LEAST, Circuit


def pool(*members: Member) -> Balance:
    return Balance(members, random.Random(7))


def member(name: str, model: Scripted, circuit: Circuit | None = None) -> Member:
    return Member(
        name, metered(model, name, first_s=60.0, between_s=60.0), circuit, lambda: asyncio.get_event_loop().time()
    )


def test_the_faster_model_gets_more_and_the_slower_still_some() -> None:
    async def work() -> Counter[str]:
        balance = pool(member("fast", Scripted(pause_s=0.1)), member("slow", Scripted(pause_s=1.0)))
        clients = [Client() for _ in range(400)]

        async def one(client: Client, at: float) -> None:
            await asyncio.sleep(at)
            await client.ask(balance)
            assert client.text == ANSWER

        await asyncio.gather(*(one(client, n / 10) for n, client in enumerate(clients)))
        return Counter(call.model for client in clients for call in client.told)

    counts = run(work())
    assert counts["fast"] > 3 * counts["slow"] > 0


def test_equal_models_share_evenly() -> None:
    async def work() -> Counter[str]:
        balance = pool(*(member(name, Scripted(pause_s=0.2)) for name in "abcd"))
        clients = [Client() for _ in range(400)]
        for start in range(0, 400, 20):
            await asyncio.gather(*(client.ask(balance) for client in clients[start : start + 20]))
        return Counter(call.model for client in clients for call in client.told)

    counts = run(work())
    assert len(counts) == 4 and max(counts.values()) < 2 * min(counts.values())


def test_a_model_that_fails_fast_does_not_look_fast() -> None:
    async def work() -> tuple[int, int]:
        broken, well = Scripted(down(1000)), Scripted(pause_s=0.3)
        balance = pool(member("broken", broken), member("well", well))
        clients = [await Client().ask(balance) for _ in range(100)]
        assert all(client.text == ANSWER for client in clients)
        return len(broken.calls), len(well.calls)

    broken, well = run(work())
    assert well == 100
    assert broken < 25


def test_who_is_left_alone_is_not_asked() -> None:
    clock = Clock()
    circuit = Circuit("a", 0.5, clock)
    for _ in range(LEAST):
        circuit.failed(failure("500"))
    first, second = Scripted(), Scripted()
    balance = pool(Member("a", metered(first), circuit), Member("b", metered(second)))

    async def work() -> None:
        for _ in range(50):
            client = await Client().ask(balance)
            assert (client.text, client.causes) == (ANSWER, ["answer"])

    run(work())
    assert not first.calls


def test_who_comes_back_is_given_little_at_first() -> None:
    clock = Clock()
    circuit = Circuit("a", 0.5, clock)
    back = Member("a", metered(Scripted()), circuit, clock)
    back.measured(0.5)
    usual = back.load
    for _ in range(LEAST):
        circuit.failed(failure("500"))
    clock.now += circuit.seconds
    circuit.worked(probe=circuit.enter())
    back.measured(0.5)
    assert back.load == WARM_S * usual
    clock.now += WARM_S
    back.measured(0.5)
    assert back.load == usual


def test_who_has_more_to_do_has_more_load() -> None:
    async def work() -> list[float]:
        one = Member("a", metered(Scripted(pause_s=0.5)), None, Clock())
        one.measured(0.2)
        loads = [one.load]
        asking = [asyncio.ensure_future(Client().ask(one)) for _ in range(2)]
        await asyncio.sleep(0.1)
        loads.append(one.load)
        await asyncio.gather(*asking)
        return loads

    assert run(work()) == pytest.approx([0.2, 0.6])


def test_a_slow_answer_counts_at_once_and_a_fast_one_little_by_little() -> None:
    clock = Clock()
    one = Member("a", metered(Scripted()), None, clock)
    one.measured(0.1)
    clock.now += 1
    one.measured(2.0)
    assert one.load == 2.0
    clock.now += 1
    one.measured(0.1)
    assert 1.5 < one.load < 2.0
    clock.now += 100
    assert one.load < 0.01
