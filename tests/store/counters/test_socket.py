"""Counters held by another process: what every engine promises, and what happens when one that asked dies."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
from tests.store.counters.test_counters import (
    Written,
    nothing,
    standing,
    test_a_claim_that_is_refused_takes_none_of_the_others,
    test_of_many_at_once_no_two_have_the_last_unit,
    test_owners_do_not_share_a_counter,
    test_settled_twice_counts_once,
    test_what_was_never_reserved_counts_whole,
    test_what_was_used_takes_the_place_of_what_was_reserved,
    used,
    wish,
)

from regista.core.errors import StoreError
from regista.store.counters import Claim, Counters, Recall
from regista.store.counters.memory import MemoryCounters
from regista.store.counters.socket import Desk, SocketCounters, recall_of_who_asks
from regista.surfaces.workers.channel import Channel

__all__ = [
    "test_a_claim_that_is_refused_takes_none_of_the_others",
    "test_of_many_at_once_no_two_have_the_last_unit",
    "test_owners_do_not_share_a_counter",
    "test_settled_twice_counts_once",
    "test_what_was_never_reserved_counts_whole",
    "test_what_was_used_takes_the_place_of_what_was_reserved",
]


class Office:
    """One that holds the counters, and any number that ask it and are asked back."""

    def __init__(self) -> None:
        self.counters = MemoryCounters(recall_of_who_asks)
        self.channels: list[Channel] = []
        self._running: list[asyncio.Task[None]] = []

    async def join(self, written: Recall = nothing) -> SocketCounters:
        ours, theirs = socket.socketpair()

        async def recalled(owner: str, claims: list[Any]) -> Sequence[int]:
            return await written(owner, msgspec.convert(claims, list[Claim]))

        async def recall(owner: str, claims: Sequence[Claim]) -> Sequence[int]:
            return await there.call("recall", owner, claims)

        desk = Desk(self.counters, recall)
        there = await Channel.open(ours, {"reserve": desk.reserve, "settle": desk.settle})
        here = await Channel.open(theirs, {"recall": recalled})
        self.channels.append(here)
        self._running.append(asyncio.create_task(self._give_back(there, desk)))
        return SocketCounters(here.call)

    async def _give_back(self, channel: Channel, desk: Desk) -> None:
        await channel.ended
        await desk.give_back()

    async def close(self) -> None:
        for channel in self.channels:
            channel.close()
        await asyncio.gather(*self._running)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    opened = Office()
    yield opened
    await opened.close()


@pytest.fixture
async def counters(office: Office) -> Counters:
    return await office.join()


async def test_those_who_ask_one_share_the_last_unit(office: Office) -> None:
    many = [await office.join() for _ in range(3)]
    said = await asyncio.gather(*(one.reserve(wish(50, a=1)) for _ in range(100) for one in many))
    assert said.count(None) == 50


async def test_what_one_that_died_had_reserved_is_given_back_and_what_it_used_is_not(office: Office) -> None:
    dying, living = await office.join(), await office.join()
    done, open_ = wish(10, a=4), wish(10, a=6)
    assert await dying.reserve(done) is None
    await dying.settle([used(done, 3)])
    assert await dying.reserve(open_) is None
    assert await standing(living, "a") == 9
    office.channels[0].close()
    while await standing(living, "a") != 3:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)


async def test_what_is_forgotten_is_recalled_once_by_who_asks_for_it(office: Office) -> None:
    knowing, other = Written(a=7), Written(a=0)
    one, two = await office.join(knowing.recall), await office.join(other.recall)
    assert (await asyncio.gather(*(one.reserve(wish(10, a=1)) for _ in range(20)))).count(None) == 3
    assert await two.reserve(wish(10, a=1)) is not None
    assert (knowing.asked > 0, other.asked) == (True, 0)


async def test_without_the_one_that_holds_them_reserving_fails(office: Office) -> None:
    one = await office.join()
    office.channels[0].close()
    with pytest.raises(StoreError, match="ended"):
        await one.reserve(wish(10, a=1))


async def test_who_leaves_before_what_is_written_down_is_known_holds_nothing_for_ever(office: Office) -> None:
    asked, told = asyncio.Event(), asyncio.Event()

    async def slowly(owner: str, claims: Sequence[Claim]) -> Sequence[int]:
        asked.set()
        await told.wait()
        return [0] * len(claims)

    one = await office.join(slowly)
    left = wish(10, a=4)
    leaving = asyncio.create_task(one.reserve(left))
    await asked.wait()
    leaving.cancel()
    await one.settle([used(left, 0)])
    told.set()
    assert await standing(one, "a") == 0
