"""Warm beginnings shared by a real Redis: a conversation is known at every gateway, and one without Redis goes on."""

import asyncio
import logging

import pytest
from tests._redis import RedisServer

from regista.core.nouns import Message
from regista.serve.routing.prefixes import COLD, Caching, Prefixes, chain_of
from regista.serve.routing.shared import SharedPrefixes
from regista.store.redis import Shared, connect

CACHING = Caching(300, 100, 1)
TALK = chain_of([Message("user", "x" * 400), Message("assistant", "yes"), Message("user", "more")])


async def known(prefixes: Prefixes, model: str = "openai/small") -> bool:
    """Whether it is told within a second that the model is warm."""
    for _ in range(100):
        await prefixes.recall(["openai/other", model], TALK)
        if prefixes.warm(model, TALK, CACHING) != COLD:
            return True
        await asyncio.sleep(0.01)
    return False


async def closed(*shared: Shared) -> None:
    for one in shared:
        await one.close()


async def test_what_one_gateway_sent_is_warm_at_another_and_only_there_where_it_was_sent(
    redis_server: RedisServer,
) -> None:
    one, two = connect(redis_server.url), connect(redis_server.url)
    here, there = Prefixes(elsewhere=SharedPrefixes(one)), Prefixes(elsewhere=SharedPrefixes(two))
    here.add("openai/small", TALK[:1])
    assert await known(there)
    found = there.warm("openai/small", TALK, CACHING)
    assert found.tokens == TALK[0].tokens and found.spoken
    assert there.warm("openai/other", TALK, CACHING) == COLD
    await closed(one, two)


async def test_a_redis_that_is_gone_leaves_what_is_known_here_and_is_told_once(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    shared = connect(redis_server.url)
    prefixes = Prefixes(elsewhere=SharedPrefixes(shared))
    redis_server.kill()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            prefixes.add("openai/small", TALK)
            await prefixes.recall(["openai/small"], TALK)
            await asyncio.sleep(0.01)
    assert prefixes.warm("openai/small", TALK, CACHING).tokens
    assert sum("does not share" in record.message for record in caplog.records) == 1
    await closed(shared)
