import asyncio

from regista.core.nouns import Response
from regista.serve.caches.exact import ExactCache

YES, NO = Response("yes", finish="stop"), Response("no", finish="stop")


async def test_what_was_answered_is_answered_again() -> None:
    cache = ExactCache()
    assert await cache.claim("k") == (None, "miss")
    cache.settle("k", YES)
    assert await cache.claim("k") == (YES, "hit")
    assert await cache.claim("other") == (None, "miss")


async def test_the_same_question_at_once_is_answered_once() -> None:
    cache = ExactCache()
    await cache.claim("k")
    waiting = [asyncio.create_task(cache.claim("k")) for _ in range(5)]
    await asyncio.sleep(0)
    cache.settle("k", YES)
    assert await asyncio.gather(*waiting) == [(YES, "coalesced")] * 5


async def test_when_the_first_fails_the_others_answer_for_themselves() -> None:
    cache = ExactCache()
    await cache.claim("k")
    waiting = [asyncio.create_task(cache.claim("k")) for _ in range(3)]
    await asyncio.sleep(0)
    cache.settle("k", None)
    assert await asyncio.gather(*waiting) == [(None, "miss")] * 3


async def test_a_waiter_that_leaves_takes_nothing_from_the_others() -> None:
    cache = ExactCache()
    await cache.claim("k")
    leaving, staying = (asyncio.create_task(cache.claim("k")) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    cache.settle("k", YES)
    assert await staying == (YES, "coalesced")


async def test_what_is_not_to_be_kept_is_shared_and_forgotten() -> None:
    cache = ExactCache()
    await cache.claim("k")
    waiting = asyncio.create_task(cache.claim("k"))
    await asyncio.sleep(0)
    cache.settle("k", YES, keep=False)
    assert await waiting == (YES, "coalesced")
    assert await cache.claim("k") == (None, "miss")


async def test_the_one_unused_longest_goes_first() -> None:
    cache = ExactCache(entries=2)
    for key, response in (("a", YES), ("b", NO)):
        await cache.claim(key)
        cache.settle(key, response)
    await cache.claim("a")
    await cache.claim("c")
    cache.settle("c", YES)
    assert await cache.claim("a") == (YES, "hit")
    assert await cache.claim("b") == (None, "miss")


async def test_an_answer_grows_too_old() -> None:
    cache = ExactCache(ttl_s=-1)
    await cache.claim("k")
    cache.settle("k", YES)
    assert await cache.claim("k") == (None, "miss")
