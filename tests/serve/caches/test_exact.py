"""The exact cache in memory: hits, flights, bounds; with another cache beside it that may be slow, empty or ended."""

import asyncio
from time import time_ns

from hypothesis import given
from hypothesis import strategies as st

from regista.core.nouns import Response
from regista.serve.caches.exact import IN_VAIN, NANO, ExactCache
from regista.serve.caches.worth import Keep

YES, NO = Response("yes", finish="stop"), Response("no", finish="stop")


async def test_what_was_answered_is_answered_again() -> None:
    cache = ExactCache()
    assert await cache.claim(b"k") == (None, "miss")
    cache.settle(b"k", YES)
    assert await cache.claim(b"k") == (YES, "hit")
    assert cache.kept(b"k") == YES
    assert await cache.claim(b"other") == (None, "miss")


async def test_the_same_question_at_once_is_answered_once() -> None:
    cache = ExactCache()
    await cache.claim(b"k")
    waiting = [asyncio.create_task(cache.claim(b"k")) for _ in range(5)]
    await asyncio.sleep(0)
    cache.settle(b"k", YES)
    assert await asyncio.gather(*waiting) == [(YES, "coalesced")] * 5


async def test_when_the_first_fails_the_others_answer_for_themselves() -> None:
    cache = ExactCache()
    await cache.claim(b"k")
    waiting = [asyncio.create_task(cache.claim(b"k")) for _ in range(3)]
    await asyncio.sleep(0)
    cache.settle(b"k", None)
    assert await asyncio.gather(*waiting) == [(None, IN_VAIN)] * 3


async def test_who_answers_for_itself_ends_nobody_elses_flight() -> None:
    cache = ExactCache()
    await cache.claim(b"k")
    in_vain = asyncio.create_task(cache.claim(b"k"))
    await asyncio.sleep(0)
    cache.settle(b"k", None)
    _, how = await in_vain
    assert await cache.claim(b"k") == (None, "miss")
    waiting = asyncio.create_task(cache.claim(b"k"))
    await asyncio.sleep(0)
    cache.settle(b"k", None, alone=how == IN_VAIN)
    await asyncio.sleep(0)
    assert not waiting.done()
    cache.settle(b"k", YES)
    assert await waiting == (YES, "coalesced")


async def test_a_waiter_that_leaves_takes_nothing_from_the_others() -> None:
    cache = ExactCache()
    await cache.claim(b"k")
    leaving, staying = (asyncio.create_task(cache.claim(b"k")) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    cache.settle(b"k", YES)
    assert await staying == (YES, "coalesced")


async def test_what_is_not_to_be_kept_is_shared_and_forgotten() -> None:
    cache = ExactCache()
    await cache.claim(b"k")
    waiting = asyncio.create_task(cache.claim(b"k"))
    await asyncio.sleep(0)
    cache.settle(b"k", YES, "not")
    assert await waiting == (YES, "coalesced")
    assert await cache.claim(b"k") == (None, "miss")


async def test_the_one_unused_longest_goes_first() -> None:
    cache = ExactCache(entries=2)
    for key, response in ((b"a", YES), (b"b", NO)):
        await cache.claim(key)
        cache.settle(key, response)
    await cache.claim(b"a")
    await cache.claim(b"c")
    cache.settle(b"c", YES)
    assert await cache.claim(b"a") == (YES, "hit")
    assert await cache.claim(b"b") == (None, "miss")


async def test_an_answer_grows_too_old_and_a_brief_one_sooner() -> None:
    for cache, keep in ((ExactCache(ttl_s=-1), "whole"), (ExactCache(ttl_s=3600, brief_s=-1), "briefly")):
        await cache.claim(b"k")
        cache.settle(b"k", YES, keep)  # type: ignore[arg-type]
        assert cache.kept(b"k") is None
        assert await cache.claim(b"k") == (None, "miss")


class Beside:
    """Another cache, in this process, that can be asked what it was given."""

    def __init__(self, expires_ns: int = 0) -> None:
        self.has: dict[bytes, tuple[int, Response]] = {b"k": (expires_ns, YES)} if expires_ns else {}
        self.asked = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()

    async def get(self, key: bytes) -> tuple[int, Response] | None:
        self.asked.set()
        await self.answers.wait()
        return self.has.get(key)

    def put(self, key: bytes, expires_ns: int, response: Response) -> None:
        self.has[key] = (expires_ns, response)


async def test_what_another_process_answered_is_a_hit_that_is_asked_for_once() -> None:
    beside = Beside(time_ns() + 60 * NANO)
    cache = ExactCache(elsewhere=beside)
    beside.answers.clear()
    asking = [asyncio.create_task(cache.claim(b"k")) for _ in range(3)]
    await beside.asked.wait()
    beside.answers.set()
    assert sorted(how for _, how in await asyncio.gather(*asking)) == ["coalesced", "coalesced", "hit"]
    beside.has.clear()
    assert await cache.claim(b"k") == (YES, "hit")


async def test_what_expired_elsewhere_is_a_miss() -> None:
    cache = ExactCache(elsewhere=Beside(time_ns() - 1))
    assert await cache.claim(b"k") == (None, "miss")


async def test_who_leaves_while_the_other_cache_is_asked_leaves_no_flight_behind() -> None:
    beside = Beside()
    cache = ExactCache(elsewhere=beside)
    beside.answers.clear()
    leaving = asyncio.create_task(cache.claim(b"k"))
    await beside.asked.wait()
    waiting = asyncio.create_task(cache.claim(b"k"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await waiting == (None, IN_VAIN)
    beside.answers.set()
    assert await cache.claim(b"k") == (None, "miss")


async def test_what_is_kept_here_is_kept_there_until_the_same_moment() -> None:
    beside = Beside()
    cache = ExactCache(ttl_s=60, elsewhere=beside)
    before = time_ns()
    await cache.claim(b"k")
    cache.settle(b"k", YES)
    expires, response = beside.has[b"k"]
    assert response == YES and before < expires - 60 * NANO <= time_ns()


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from(["whole", "briefly", "not", "fails"]))))
def test_however_requests_come_a_key_is_answered_once_at_a_time_and_with_its_own_answer(
    requests: list[tuple[bytes, Keep]],
) -> None:
    async def run() -> None:
        cache, flying = ExactCache(entries=2), dict[bytes, int]()

        async def ask(key: bytes, keep: str) -> None:
            found, how = await cache.claim(key)
            if found is not None:
                assert found.text == key.decode() and how in ("hit", "coalesced")
                return
            flying[key] = flying.get(key, 0) + 1
            await asyncio.sleep(0)
            whole = keep != "fails"
            cache.settle(key, Response(key.decode()) if whole else None, keep if whole else "not", alone=how == IN_VAIN)  # type: ignore[arg-type]
            flying[key] -= 1

        await asyncio.gather(*(ask(key, keep) for key, keep in requests))
        assert set(flying.values()) <= {0}

    asyncio.run(run())
