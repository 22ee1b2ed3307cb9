"""What a Redis adds: several servers, and that it can go and come back."""

import asyncio
import sys
import time

import pytest
from tests._redis import RedisServer
from tests.store.counters.test_counters import ENDS, Written, nothing, standing, used, wish

from regista.core.errors import ConfigurationError, MissingExtraError, StoreError
from regista.serve.caches.shared import SharedAnswers
from regista.store.counters.redis import LEASE_S, RedisCounters
from regista.store.redis import connect


async def test_servers_that_share_a_redis_share_the_last_unit(redis_server: RedisServer) -> None:
    shared = [connect(redis_server.url) for _ in range(3)]
    engines = [RedisCounters(one, nothing) for one in shared]
    wishes = [engine.reserve(wish(50, a=1)) for _ in range(100) for engine in engines]
    assert (await asyncio.gather(*wishes)).count(None) == 50
    for one in shared:
        await one.close()


async def test_the_reservation_of_a_server_that_died_is_given_back(redis_server: RedisServer) -> None:
    now = time.time()
    shared = connect(redis_server.url)
    counters = RedisCounters(shared, nothing, lambda: now)
    dead, long = wish(10, a=4), wish(10, a=4)
    await counters.reserve(dead)
    await counters.reserve(long)
    now += LEASE_S + 1
    assert await counters.reserve(wish(10, a=8)) is None
    await counters.settle([used(long, 3)])  # it was no death, only a long answer
    assert await standing(counters, "a") == 11
    await shared.close()


async def test_while_redis_is_gone_reserving_fails_and_says_what_to_do(redis_server: RedisServer) -> None:
    shared = connect(redis_server.url)
    counters = RedisCounters(shared, nothing)
    await counters.reserve(wish(10, a=1))
    redis_server.kill()
    for _ in range(3):
        with pytest.raises(StoreError, match="REGISTA_REDIS"):
            await counters.reserve(wish(10, a=1))
    redis_server.start()
    await until_back(counters)
    await shared.close()


async def test_a_redis_that_answers_nothing_is_given_up(redis_server: RedisServer) -> None:
    shared = connect(redis_server.url)
    counters = RedisCounters(shared, nothing)
    await counters.reserve(wish(10, a=1))
    redis_server.freeze()
    said = await asyncio.gather(*(counters.reserve(wish(10, a=1)) for _ in range(100)), return_exceptions=True)
    assert {type(one) for one in said} == {StoreError}
    redis_server.thaw()
    await until_back(counters)
    await shared.close()


async def test_who_is_less_patient_with_a_redis_keeps_nobody_from_counting(redis_server: RedisServer) -> None:
    shared = connect(redis_server.url)
    counters, hurried = RedisCounters(shared, nothing), SharedAnswers(shared, "shop")
    await counters.reserve(wish(10, a=1))
    redis_server.freeze()
    assert await hurried.get(b"k") is None and hurried.problems == 1
    redis_server.thaw()
    assert await counters.reserve(wish(10, a=1)) is None
    await shared.close()


async def test_a_redis_that_forgot_is_told_again(redis_server: RedisServer) -> None:
    written = Written(a=0)
    shared = connect(redis_server.url)
    counters = RedisCounters(shared, written.recall)
    await counters.reserve(wish(10, a=9))
    redis_server.kill()
    written.counts["a"] = 9
    redis_server.start()
    await until_back(counters)
    assert await standing(counters, "a") == 9
    await shared.close()


async def test_a_counter_that_is_spoilt_spoils_no_other_asked_at_once(redis_server: RedisServer) -> None:
    shared = connect(redis_server.url)
    counters = RedisCounters(shared, nothing)
    await counters.reserve(wish(10, a=1))
    await shared.client.set("regista:{web}:bad", "no number")
    first, bad, last = await asyncio.gather(
        *(counters.reserve(wish(10, **{name: 1})) for name in ("a", "bad", "a")), return_exceptions=True
    )
    assert (first, last) == (None, None)
    assert isinstance(bad, StoreError)
    assert "it answered" in bad.message
    await shared.close()


async def test_counters_end_with_their_window(redis_server: RedisServer) -> None:
    shared = connect(redis_server.url)
    counters = RedisCounters(shared, nothing)
    await counters.reserve(wish(10, a=1))
    keys = await shared.client.keys()  # pyright: ignore[reportUnknownMemberType]
    lasts = {key: await shared.client.ttl(key) for key in keys}
    assert len(lasts) == 3
    assert 0 < lasts[b"regista:{web}:a"] <= ENDS - int(time.time()) + LEASE_S + 1
    assert min(lasts.values()) > 0
    await shared.close()


@pytest.mark.parametrize("url", ["localhost", "http://localhost", "redis://host:port/0", "redis://u:s3cret@[bad/0"])
def test_what_is_no_url_of_redis_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="rediss://") as caught:
        connect(url)
    assert "s3cret" not in caught.value.message


async def test_the_password_is_nowhere_to_be_read() -> None:
    shared = connect("redis://someone:s3cret@127.0.0.1:1/0?protocol=2")
    with pytest.raises(StoreError) as caught, shared.reached():
        await shared.client.get("a")
    assert "s3cret" not in f"{shared!r} {caught.value.message}"
    await shared.close()


async def until_back(counters: RedisCounters) -> None:
    """Ask until it answers, as requests do."""
    while True:
        try:
            await counters.reserve(wish(10, back=1))
        except StoreError:
            await asyncio.sleep(0.02)
        else:
            return


def test_without_its_package_redis_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(MissingExtraError, match=r"regista\[redis\]"):
        connect("redis://localhost")
