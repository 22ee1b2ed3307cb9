"""So many at once, the others in their turn: nobody waits behind a neighbour's thousand calls, and nobody for ever."""

import asyncio
from collections.abc import AsyncGenerator

from hypothesis import given
from hypothesis import strategies as st
from tests.models.resilience._world import ANSWER, Client, Scripted, metered, run

from regista.core.errors import OverloadedError
from regista.core.nouns import Delta, Request
from regista.models.resilience.deadline import Deadline
from regista.models.resilience.limited import Gate, Limited


class Works:
    """Answers after a while, and counts how many it answers at once, and whom in which order."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self.now = self.most = 0
        self.served: list[str] = []

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        self.now += 1
        self.most = max(self.most, self.now)
        self.served.append(request.account.tenant)
        try:
            await asyncio.sleep(self.seconds)
            yield Delta("done", finish="stop")
        finally:
            self.now -= 1


async def ask(limited: Limited, tenant: str) -> str:
    client = Client()
    try:
        async for _ in limited.generate(client.request(tenant)):
            pass
    except OverloadedError as error:
        assert error.status == 429 and error.retry_after is not None and int(error.retry_after) >= 1
        return "sent away"
    return "answered"


@given(st.integers(1, 5), st.lists(st.sampled_from("abc"), max_size=40))
def test_never_more_than_the_limit_and_all_are_answered(limit: int, tenants: list[str]) -> None:
    works, gate = Works(), Gate("m", limit, 100, 1000.0)

    async def all_at_once() -> list[str]:
        return list(await asyncio.gather(*(ask(Limited(works, gate), tenant) for tenant in tenants)))

    assert run(all_at_once()) == ["answered"] * len(tenants)
    assert works.most <= limit
    assert (gate.running, gate.waiting) == (0, 0)


@given(st.integers(1, 3), st.integers(1, 60), st.integers(1, 6))
def test_a_tenant_with_many_calls_waits_for_itself(limit: int, many: int, few: int) -> None:
    works, gate = Works(), Gate("m", limit, 1000, 1000.0)

    async def all_at_once() -> None:
        greedy = [asyncio.ensure_future(ask(Limited(works, gate), "greedy")) for _ in range(many)]
        await asyncio.sleep(0.1)
        modest = [asyncio.ensure_future(ask(Limited(works, gate), "modest")) for _ in range(few)]
        await asyncio.gather(*greedy, *modest)

    run(all_at_once())
    waited = works.served[limit:]
    for position, tenant in enumerate(waited):
        if tenant == "modest":
            behind = waited[:position]
            assert behind.count("greedy") <= behind.count("modest") + 1


def test_tenants_take_turns_as_long_as_they_wait() -> None:
    works, gate = Works(), Gate("m", 1, 1000, 1000.0)

    async def all_at_once() -> None:
        await asyncio.gather(*(ask(Limited(works, gate), tenant) for tenant in "a" * 10 + "b" * 5 + "c" * 3))

    run(all_at_once())
    assert "".join(works.served) == "a" + "abc" * 3 + "ab" * 2 + "a" * 4


def test_calls_of_one_tenant_come_in_their_order() -> None:
    order: list[int] = []

    async def one(gate: Gate, number: int) -> None:
        await gate.enter("t")
        order.append(number)
        await asyncio.sleep(1)
        gate.leave()

    async def all_at_once() -> None:
        gate = Gate("m", 1, 100, 1000.0)
        await asyncio.gather(*(one(gate, number) for number in range(20)))

    run(all_at_once())
    assert order == list(range(20))


def test_a_full_queue_and_a_long_wait_send_away_with_when_to_come_back() -> None:
    works, gate = Works(seconds=4.0), Gate("m", 1, 2, 5.0)

    async def all_at_once() -> list[str]:
        return list(await asyncio.gather(*(ask(Limited(works, gate), "t") for _ in range(5))))

    # One is answered and one waits for it; the third waits too long, and for two more there is no room.
    assert run(all_at_once()) == ["answered", "answered", "sent away", "sent away", "sent away"]
    assert gate.shed == 3
    assert (gate.running, gate.waiting) == (0, 0)


def test_when_to_come_back_follows_from_how_fast_places_come_free() -> None:
    async def work() -> list[int]:
        gate = Gate("m", 1, 0, 1.0)
        told: list[int] = []
        for seconds in (0.0, 30.0):
            gate.interval = seconds
            await gate.enter("t")
            try:
                await gate.enter("t")
            except OverloadedError as error:
                told.append(int(error.retry_after or 0))
            gate.leave()
        return told

    assert run(work()) == [1, 30]


def test_nobody_waits_longer_than_its_answer_may_take() -> None:
    async def work() -> float:
        gate = Gate("m", 1, 10, 1000.0)
        await gate.enter("t")
        begun = asyncio.get_running_loop().time()
        client = await Client().ask(Deadline(Limited(Scripted(), gate), 2.0))
        assert isinstance(client.error, OverloadedError)
        gate.leave()
        return asyncio.get_running_loop().time() - begun

    assert 2.0 <= run(work()) < 2.5


def test_a_place_that_is_given_to_who_has_just_left_goes_on_to_the_next() -> None:
    async def work() -> None:
        gate = Gate("m", 1, 10, 1000.0)
        await gate.enter("a")
        left, stays = (asyncio.ensure_future(gate.enter(tenant)) for tenant in "bc")
        await asyncio.sleep(0.1)
        gate.leave()
        left.cancel()
        assert await asyncio.wait_for(stays, 1.0) > 0
        gate.leave()
        assert (gate.running, gate.waiting) == (0, 0)

    run(work())


def test_nobody_waits_at_an_empty_gate_behind_one_who_is_just_leaving() -> None:
    async def work() -> None:
        gate = Gate("m", 1, 10, 1000.0)
        await gate.enter("a")
        left = asyncio.ensure_future(gate.enter("b"))
        await asyncio.sleep(0.1)
        comes = asyncio.ensure_future(gate.enter("c"))
        left.cancel()
        gate.leave()
        # From here on nobody has a place, and who comes does so before the one that has left the queue hears of it.
        assert await comes == 0.0
        assert left.cancelled()
        gate.leave()
        assert (gate.running, gate.waiting) == (0, 0)

    run(work())


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc"), st.integers(0, 30)), max_size=30))
def test_clients_that_leave_the_queue_take_no_place_with_them(comings: list[tuple[int, str, int]]) -> None:
    works, gate = Works(), Gate("m", 2, 100, 10.0)

    async def come(at: int, tenant: str, stays: int) -> None:
        await asyncio.sleep(at / 10)
        try:
            async with asyncio.timeout(stays / 10):
                await ask(Limited(works, gate), tenant)
        except TimeoutError:
            pass

    async def all_of_them() -> None:
        await asyncio.gather(*(come(*coming) for coming in comings))
        assert (gate.running, gate.waiting) == (0, 0)
        client = await Client().ask(Limited(metered(Scripted()), gate))
        assert client.text == ANSWER

    run(all_of_them())
    assert works.most <= 2
