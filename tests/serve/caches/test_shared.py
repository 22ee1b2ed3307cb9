"""Responses shared through a real Redis: found by another gateway, and a miss at once where it is gone or silent."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests._redis import RedisServer

from regista.core.nouns import Citation, Response, Thought, Usage
from regista.serve.caches import shared as shared_answers
from regista.serve.caches.exact import NANO, ExactCache
from regista.serve.caches.shared import LARGEST, SharedAnswers
from regista.store import redis
from regista.store.redis import PAUSE_S, connect

KEY = b"k" * 16
WHOLE = Response(
    "Open until six [1].",
    (),
    "stop",
    Usage(12, 6, 3, 1),
    (Citation("hours.md", 0, 15, "Open until six.", 1),),
    ({"token": "Open", "logprob": -0.1},),
    (Thought("They ask when.", "seal"),),
)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with much to do does not make a Redis that answers one that is silent."""
    monkeypatch.setattr(shared_answers, "PATIENCE_S", 2.0)


@asynccontextmanager
async def gateway(server: RedisServer, application: str = "shop") -> AsyncGenerator[SharedAnswers]:
    shared = connect(server.url)
    answers = SharedAnswers(shared, application)
    yield answers
    await answers.close()
    await shared.close()


async def kept(answers: SharedAnswers, seconds: float = 60) -> int:
    expires = time.time_ns() + int(seconds * NANO)
    answers.put(KEY, expires, WHOLE)
    await answers.close()
    return expires


async def found_again(answers: SharedAnswers) -> object:
    """What is found once the server answers in time: a busy machine may need a few tries."""
    for _ in range(200):
        await asyncio.sleep(PAUSE_S / 5)
        if (found := await answers.get(KEY)) is not None:
            return found
    return None


async def test_what_one_gateway_keeps_another_serves_whole(redis_server: RedisServer) -> None:
    async with gateway(redis_server) as one, gateway(redis_server) as other:
        expires = await kept(one)
        assert await other.get(KEY) == (expires, WHOLE)
        assert await ExactCache(elsewhere=other).claim(KEY) == (WHOLE, "hit")


async def test_applications_on_one_server_share_nothing(redis_server: RedisServer) -> None:
    async with gateway(redis_server) as one, gateway(redis_server, "club") as other:
        await kept(one)
        assert await other.get(KEY) is None


async def test_redis_forgets_what_expired(redis_server: RedisServer) -> None:
    async with gateway(redis_server) as answers:
        await kept(answers, 0.05)
        await asyncio.sleep(0.1)
        assert await answers.get(KEY) is None
        client: Any = answers._shared.client  # pyright: ignore[reportPrivateUsage]
        assert await client.dbsize() == 0


@pytest.mark.parametrize("value", [b"", b"\x00anything", b"\x01\xc1", b"\x01" + b"\x93" * 9])
async def test_a_value_of_another_form_is_a_miss(redis_server: RedisServer, value: bytes) -> None:
    async with gateway(redis_server) as answers:
        await answers._shared.client.set(b"regista:cache:shop:" + KEY, value)  # pyright: ignore[reportPrivateUsage]
        assert await answers.get(KEY) is None and answers.problems == 0


async def test_what_is_too_large_is_not_shared(redis_server: RedisServer) -> None:
    async with gateway(redis_server) as answers:
        answers.put(KEY, time.time_ns() + NANO, Response("x" * LARGEST))
        await answers.close()
        assert await answers.get(KEY) is None and answers.problems == 0


async def test_a_redis_that_is_gone_is_a_miss_told_once_and_used_again_when_it_is_back(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "regista")
    async with gateway(redis_server) as answers:
        await kept(answers)
        redis_server.kill()
        for _ in range(20):
            assert await answers.get(KEY) is None
        await kept(answers)
        assert answers.problems >= 21
        redis_server.start()
        for _ in range(200):
            expires = await kept(answers)
            if await answers.get(KEY) == (expires, WHOLE):
                break
            await asyncio.sleep(PAUSE_S / 5)
        else:
            raise AssertionError("it is not used again")
    told = [record.getMessage() for record in caplog.records if record.name.startswith("regista")]
    assert len(told) % 2 == 0 and "not shared for now" in told[0] and "shared again" in told[1]


async def test_a_redis_that_says_nothing_holds_nobody_up(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "TIMEOUT_S", 60.0)  # the patience is the cache's own
    async with gateway(redis_server) as answers:
        expires = await kept(answers)
        redis_server.freeze()
        found = await asyncio.wait_for(asyncio.gather(*(answers.get(KEY) for _ in range(50))), 5)
        assert found == [None] * 50 and answers.problems == 50
        redis_server.thaw()
        assert await found_again(answers) == (expires, WHOLE)
