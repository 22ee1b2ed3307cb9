"""Calls between two ends of a real socket."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from regista.core.errors import OverloadedError, RegistaError, UnknownNameError
from regista.surfaces.workers.channel import Answers, Channel, ChannelClosed


@asynccontextmanager
async def pair(answers: Answers, others: Answers | None = None) -> AsyncGenerator[tuple[Channel, Channel]]:
    """A channel that calls, and the one that answers."""
    one, other = socket.socketpair()
    channels = await Channel.open(one, others or {}), await Channel.open(other, answers)
    yield channels
    for channel in channels:
        channel.close()
    await asyncio.sleep(0)


async def double(value: int) -> int:
    await asyncio.sleep(0)
    return 2 * value


async def test_answers_find_their_calls_however_many_there_are_at_once() -> None:
    async with pair({"double": double}) as (here, _):
        assert await asyncio.gather(*(here.call("double", n) for n in range(500))) == [2 * n for n in range(500)]


async def test_a_later_call_does_not_wait_for_an_earlier_one() -> None:
    let_go = asyncio.Event()

    async def slow() -> str:
        await let_go.wait()
        return "slow"

    async with pair({"slow": slow, "double": double}) as (here, _):
        first = asyncio.create_task(here.call("slow"))
        assert await here.call("double", 1) == 2
        let_go.set()
        assert await first == "slow"


async def test_who_answers_may_call_back() -> None:
    async with pair({"ask": lambda: there_.call("double", 4)}, {"double": double}) as (here, there_):
        assert await here.call("ask") == 8


async def test_large_values_arrive_whole() -> None:
    async def echo(value: bytes) -> bytes:
        return value

    async with pair({"echo": echo}) as (here, _):
        body = bytes(range(256)) * 20_000
        assert await here.call("echo", body) == body


@pytest.mark.parametrize("error", [OverloadedError("Too many."), UnknownNameError("model", "a", ["b"])])
async def test_an_error_comes_back_as_what_it_was(error: RegistaError) -> None:
    async def fail() -> Any:
        raise error

    async with pair({"fail": fail}) as (here, _):
        with pytest.raises(RegistaError) as caught:
            await here.call("fail")
    assert (caught.value.message, caught.value.code, caught.value.status) == (error.message, error.code, error.status)


async def test_a_fault_over_there_is_told_without_its_details(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> Any:
        raise KeyError("a secret")

    async with pair({"fail": fail}) as (here, _):
        with pytest.raises(RegistaError, match="fail: KeyError") as caught:
            await here.call("fail")
    assert "secret" not in caught.value.message
    assert "a secret" in caplog.text


async def test_the_end_of_the_other_side_is_told_to_who_waits_and_to_who_asks_later() -> None:
    called = asyncio.Event()

    async def never() -> None:
        called.set()
        await asyncio.Event().wait()

    async with pair({"never": never}) as (here, there):
        waiting = asyncio.create_task(here.call("never"))
        await called.wait()
        there.close()
        for call in (waiting, here.call("never")):
            with pytest.raises(ChannelClosed):
                await call
        here.tell("never")


async def test_a_caller_that_leaves_disturbs_nobody() -> None:
    called, let_go = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        called.set()
        await let_go.wait()
        return "late"

    async with pair({"slow": slow, "double": double}) as (here, _):
        leaving = asyncio.create_task(here.call("slow"))
        await called.wait()
        leaving.cancel()
        let_go.set()
        assert await here.call("double", 3) == 6
