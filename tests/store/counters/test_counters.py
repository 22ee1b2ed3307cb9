"""What every engine promises: parametrised over the one in this process and a real Redis."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence

import pytest
from tests._redis import RedisServer

from regista.store.counters import Claim, Counters, Refusal, Reservation, open_counters
from regista.store.redis import Shared, connect

ENDS = int(time.time()) + 3600
_ids = itertools.count()


class Written:
    """What is written down of each counter, and how often it was asked for."""

    def __init__(self, **counts: int) -> None:
        self.counts = counts
        self.asked = 0

    async def recall(self, owner: str, claims: Sequence[Claim]) -> Sequence[int]:
        self.asked += 1
        await asyncio.sleep(0)
        return [self.counts.get(claim.counter, 0) for claim in claims]


async def nothing(owner: str, claims: Sequence[Claim]) -> Sequence[int]:
    return [0] * len(claims)


def wish(limit: int = 10, **amounts: int) -> Reservation:
    """A reservation of the owner `web`: counters and amounts, all of one limit."""
    claims = tuple(Claim(counter, amount, limit, ENDS) for counter, amount in amounts.items())
    return Reservation(f"r{next(_ids)}", "web", claims)


def used(wished: Reservation, *amounts: int) -> Reservation:
    """The same with what was used."""
    claims = tuple(
        Claim(c.counter, amount, c.limit, c.ends_s) for c, amount in zip(wished.claims, amounts, strict=True)
    )
    return Reservation(wished.id, wished.owner, claims)


async def standing(counters: Counters, counter: str) -> int:
    """What a counter is at: a claim that can never be granted says so."""
    refusal = await counters.reserve(wish(-1, **{counter: 0}))
    assert refusal is not None
    return refusal.used


@pytest.fixture(params=["memory", "redis"])
async def shared(request: pytest.FixtureRequest) -> AsyncIterator[Shared | None]:
    if request.param == "memory":
        yield None
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    opened = connect(server.url)
    yield opened
    await opened.close()


@pytest.fixture
def counters(shared: Shared | None) -> Counters:
    return open_counters(shared, nothing)


async def test_of_many_at_once_no_two_have_the_last_unit(counters: Counters) -> None:
    said = await asyncio.gather(*(counters.reserve(wish(10, a=1)) for _ in range(200)))
    assert [refusal for refusal in said if refusal is None] == [None] * 10
    assert {refusal.used for refusal in said if refusal is not None} == {10}


async def test_a_claim_that_is_refused_takes_none_of_the_others(counters: Counters) -> None:
    assert await counters.reserve(wish(10, a=1, b=10)) is None
    assert await counters.reserve(wish(10, a=1, b=1)) == Refusal(1, 10)
    assert (await standing(counters, "a"), await standing(counters, "b")) == (1, 10)


async def test_what_was_used_takes_the_place_of_what_was_reserved(counters: Counters) -> None:
    first, second = wish(10, a=8), wish(10, a=8)
    assert await counters.reserve(first) is None
    assert await counters.reserve(second) == Refusal(0, 8)
    await counters.settle([used(first, 2)])
    assert await counters.reserve(second) is None
    await counters.settle([used(second, 30)])
    assert await standing(counters, "a") == 32


async def test_settled_twice_counts_once(counters: Counters) -> None:
    wished = wish(10, a=5)
    await counters.reserve(wished)
    for _ in range(3):
        await counters.settle([used(wished, 4)])
    assert await standing(counters, "a") == 4


async def test_what_was_never_reserved_counts_whole(counters: Counters) -> None:
    await counters.reserve(wish(10, a=1))
    await counters.settle([used(wish(10, a=9), 3)])
    assert await standing(counters, "a") == 4


async def test_owners_do_not_share_a_counter(counters: Counters) -> None:
    await counters.reserve(wish(10, a=9))
    other = Reservation("other", "app", (Claim("a", 9, 10, ENDS),))
    assert await counters.reserve(other) is None


async def test_a_counter_that_is_not_known_is_recalled_once(shared: Shared | None) -> None:
    written = Written(a=7)
    counters = open_counters(shared, written.recall)
    said = await asyncio.gather(*(counters.reserve(wish(10, a=1)) for _ in range(20)))
    assert said.count(None) == 3
    asked = written.asked
    await counters.reserve(wish(10, a=1))
    assert written.asked == asked


async def test_settling_a_counter_that_is_not_known_leaves_it_to_be_recalled(shared: Shared | None) -> None:
    counters = open_counters(shared, Written(a=7).recall)
    await counters.settle([used(wish(10, a=1), 1)])
    assert await standing(counters, "a") == 7


async def test_a_reservation_that_is_settled_before_it_comes_is_not_taken(redis_server: RedisServer) -> None:
    """As after a timeout: who asked gave up, and the server reads the reservation later."""
    shared = connect(redis_server.url)
    counters = open_counters(shared, nothing)
    await counters.reserve(wish(10, a=1))
    late = wish(10, a=5)
    await counters.settle([used(late, 0)])
    await counters.reserve(late)
    assert await standing(counters, "a") == 1
    await shared.close()
