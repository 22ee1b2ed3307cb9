"""Keys kept to their limits, over the counters of one process and over a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests._redis import RedisServer

from regista.core.errors import NotAllowedError, OverLimitError, RequestError, StoreError
from regista.core.limits import NANO, Unit, parse_all, shown
from regista.core.nouns import Call, Estimate, Usage
from regista.serve.limits import Limits
from regista.store.counters import Counters, Recall, Refusal, Reservation, open_counters
from regista.store.counters.memory import MemoryCounters
from regista.store.keys import Key
from regista.store.redis import Shared, connect

NOW = 1_790_000_017 * NANO
MINUTE_LEFT = 23
"""Seconds from `NOW` to the end of its minute."""


def a_key(*limits: str) -> Key:
    return Key("web", "default", "rk-AbCdEf", 0, limits=parse_all(limits))


async def nothing(key: Key, since_ns: int) -> dict[Unit, int]:
    return {"requests": 0, "tokens": 0, "dollars": 0}


def estimate(tokens: int, cost_nano: int | None = 0) -> Estimate:
    return Estimate("openai/good", Usage(0, tokens), cost_nano, NOW)


def call(tokens: int, cost_nano: int | None = 0) -> Call:
    return Call("openai", "good", "answer", "ok", Usage(tokens), True, cost_nano, NOW, 1)


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
async def limits(shared: Shared | None) -> AsyncIterator[Limits]:
    made = Limits(partial(open_counters, shared), nothing, clock=lambda: NOW)
    yield made
    await made.close()


async def spend(limits: Limits, key: Key, most: int, used: int) -> None:
    """One call: the most it may use, and what it did."""
    allowance = limits.of(key)
    assert allowance is not None
    (await allowance.hold(estimate(most)))(call(used))
    await limits.settled()


def test_a_key_without_limits_costs_nothing() -> None:
    async def none() -> None:
        assert Limits(MemoryCounters, nothing).of(a_key()) is None

    asyncio.run(none())


async def test_a_key_over_its_limit_is_refused_with_when_to_come_back(limits: Limits) -> None:
    key = a_key("2 requests/minute")
    for _ in range(2):
        await entered(limits, key)
    with pytest.raises(OverLimitError) as caught:
        await entered(limits, key)
    error = caught.value
    assert (error.status, error.code, error.retry_after) == (429, "rate_limited", str(MINUTE_LEFT))
    assert "'web' has used or reserved 2 requests of its 2 requests/minute" in error.message
    assert limits.refused == {"requests/minute": 1}
    assert f"2026-09-21 14:14 UTC, in {MINUTE_LEFT} s" in error.message


async def test_the_next_minute_is_a_new_one(shared: Shared | None) -> None:
    limits = Limits(partial(open_counters, shared), nothing)
    key = a_key("1 request/minute")
    await entered(limits, key)
    with pytest.raises(OverLimitError):
        await entered(limits, key)
    await entered(limits, key, NOW + MINUTE_LEFT * NANO)
    await limits.close()


async def test_tokens_are_reserved_before_a_call_and_settled_after_it(limits: Limits) -> None:
    key = a_key("100 tokens/day")
    await spend(limits, key, 80, 10)
    await spend(limits, key, 80, 30)
    with pytest.raises(OverLimitError, match="40 tokens of its 100 tokens/day, and this call may take 80 tokens"):
        await spend(limits, key, 80, 1)
    await spend(limits, key, 60, 60)


async def test_a_budget_that_is_spent_says_so(limits: Limits) -> None:
    allowance = limits.of(a_key("$0.01/month"))
    assert allowance is not None
    (await allowance.hold(estimate(1, 9_000_000)))(call(1, 9_000_000))
    with pytest.raises(OverLimitError) as caught:
        await allowance.hold(estimate(1, 2_000_000))
    assert caught.value.code == "budget_exceeded"
    assert "$0.009 of its $0.01/month, and this call may take $0.002" in caught.value.message
    assert int(caught.value.retry_after or 0) > 86_400


async def test_what_can_never_fit_is_the_request_s_own_fault(limits: Limits) -> None:
    allowance = limits.of(a_key("100 tokens/day"))
    assert allowance is not None
    with pytest.raises(RequestError, match=r"max_tokens") as caught:
        await allowance.hold(estimate(101))
    assert (caught.value.status, caught.value.retry_after) == (400, None)


async def test_money_is_not_spent_where_the_price_is_not_known(limits: Limits) -> None:
    allowance = limits.of(a_key("$5/month"))
    assert allowance is not None
    with pytest.raises(NotAllowedError, match=r'\[prices\."openai/good"\]'):
        await allowance.hold(estimate(1, None))
    without_money = limits.of(a_key("5 tokens/day"))
    assert without_money is not None
    await without_money.hold(estimate(1, None))


async def test_no_two_of_many_at_once_spend_the_last_of_a_budget(limits: Limits) -> None:
    allowance = limits.of(a_key("1000 tokens/day", "$1/month"))
    assert allowance is not None
    said = await asyncio.gather(*(allowance.hold(estimate(100, NANO // 5)) for _ in range(50)), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in said) == 5
    assert {type(one) for one in said if isinstance(one, BaseException)} == {OverLimitError}


async def test_a_request_given_up_while_it_is_counted_leaves_nothing_reserved(shared: Shared | None) -> None:
    slow = asyncio.Event()
    made: list[Counters] = []

    class Slow:
        """Counters whose answer is late: it is reserved, and nobody is told."""

        def __init__(self, recall: Recall) -> None:
            self.under = open_counters(shared, recall)
            made.append(self.under)
            self.settle, self.settle_at_once = self.under.settle, self.under.settle_at_once
            self.close = self.under.close

        async def reserve(self, reservation: Reservation) -> Refusal | None:
            refusal = await self.under.reserve(reservation)
            slow.set()
            await asyncio.Event().wait()
            return refusal

    limits = Limits(Slow, nothing, clock=lambda: NOW)
    key = a_key("100 tokens/day")
    task = asyncio.create_task(spend(limits, key, 100, 1))
    await slow.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await limits.settled()
    again = Limits(lambda recall: made[0], nothing)
    await spend(again, key, 100, 1)
    await limits.close()


async def test_a_restart_forgets_nothing_of_a_day_or_a_month() -> None:
    asked: list[int] = []

    async def written(key: Key, since_ns: int) -> dict[Unit, int]:
        asked.append(since_ns)
        return {"requests": 3, "tokens": 95, "dollars": 0}

    limits = Limits(MemoryCounters, written, clock=lambda: NOW)
    key = a_key("100 tokens/day", "1000 tokens/month", "10 tokens/minute")
    with pytest.raises(OverLimitError, match="95 tokens of its 100 tokens/day"):
        await spend(limits, key, 6, 6)
    await spend(limits, key, 5, 5)
    assert len(asked) == 2
    assert [NOW - since < 31 * 86_400 * NANO for since in asked] == [True, True]


async def test_what_another_key_of_the_same_name_used_is_not_counted() -> None:
    made = NOW - 60 * NANO

    async def written(key: Key, since_ns: int) -> dict[Unit, int]:
        return {"requests": 0, "tokens": 0 if since_ns >= made else 100, "dollars": 0}

    limits = Limits(MemoryCounters, written, clock=lambda: NOW)
    key = Key("web", "default", "rk-new", made, limits=parse_all(["100 tokens/month"]))
    await spend(limits, key, 100, 100)


async def test_without_redis_keys_with_limits_are_refused_and_later_served(redis_server: RedisServer) -> None:
    shared = connect(redis_server.url)
    limits = Limits(partial(open_counters, shared), nothing, clock=lambda: NOW)
    key = a_key("100 requests/minute")
    redis_server.kill()
    with pytest.raises(StoreError) as caught:
        await entered(limits, key)
    assert caught.value.status == 503
    assert "REGISTA_REDIS" in limits.problem
    redis_server.start()
    while limits.problem:
        try:
            await entered(limits, key)
        except StoreError:
            await asyncio.sleep(0.02)
    await limits.close()
    await shared.close()


async def test_without_redis_they_may_be_let_pass_and_what_they_used_is_counted_when_it_is_back(
    redis_server: RedisServer,
) -> None:
    shared = connect(redis_server.url)
    spent = {"tokens": 0}

    async def written(key: Key, since_ns: int) -> dict[Unit, int]:
        return {"requests": 0, "tokens": spent["tokens"], "dollars": 0}

    limits = Limits(partial(open_counters, shared), written, allow=True, clock=lambda: NOW)
    key = a_key("100 tokens/day")
    allowance = limits.of(key)
    assert allowance is not None
    redis_server.kill()
    (await allowance.hold(estimate(90)))(call(70))
    spent["tokens"] = 70  # the ledger has it before the counters do
    redis_server.start()
    await limits.settled()
    with pytest.raises(OverLimitError, match="70 tokens of its"):
        await spend(limits, key, 40, 40)
    await limits.close()
    await shared.close()


@settings(max_examples=60)
@given(
    st.integers(50, 400),
    st.lists(st.tuples(st.integers(1, 120), st.integers(0, 150), st.sampled_from("scp")), max_size=25),
)
def test_after_everything_is_settled_the_counter_is_what_was_used(
    limit: int, calls: Sequence[tuple[int, int, str]]
) -> None:
    """Calls side by side: settled, cancelled before they were allowed, or settled twice."""

    async def run() -> None:
        limits = Limits(MemoryCounters, nothing, clock=lambda: NOW)
        key, used = a_key(f"{limit} tokens/day"), 0
        allowance = limits.of(key)
        assert allowance is not None
        holding: list[asyncio.Task[Callable[[Call], None]]] = []
        for most, _, how in calls:
            holding.append(asyncio.create_task(allowance.hold(estimate(most))))
            if how == "c":
                holding[-1].cancel()
        said = await asyncio.gather(*holding, return_exceptions=True)
        for (_, took, how), one in zip(calls, said, strict=True):
            if not isinstance(one, BaseException):
                used += took
                for _ in range(2 if how == "p" else 1):
                    one(call(took))
        await limits.settled()
        if used:
            with pytest.raises(OverLimitError, match=f"reserved {shown(used, 'tokens')} of"):
                await limits.reserve(key, {"tokens": limit}, NOW)
        else:
            assert await limits.reserve(key, {"tokens": limit}, NOW) is not None
        await limits.close()

    asyncio.run(run())


async def entered(limits: Limits, key: Key, at_ns: int = NOW) -> None:
    """One request that is answered at once."""
    allowance = limits.of(key)
    assert allowance is not None
    await allowance.enter(at_ns)
    allowance.leave()
    await limits.settled()
