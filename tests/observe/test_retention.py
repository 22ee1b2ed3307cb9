"""What is deleted by itself for its age: by the writer's process, beside what it stores."""

import time
from collections.abc import Callable
from contextlib import closing

import pytest
from msgspec.structs import replace
from tests.observe.test_log import until

from regista.core.nouns import Trace
from regista.observe.log import TraceLog
from regista.store import connect, retention
from regista.store.traces import recent

Make = Callable[[str], Trace]
HOUR_NS = 3_600 * 10**9


def aged(make_trace: Make, hours: int) -> Trace:
    return replace(make_trace(f"{hours} hours ago"), started_ns=time.time_ns() - hours * HOUR_NS)


async def test_what_is_too_old_goes_by_itself_and_the_rest_stays(make_trace: Make, url: str) -> None:
    log = TraceLog(url, flush_ms=5)
    log.keep(24 * 3_600)
    await log.start()
    for hours in (1, 12, 30, 100):
        log.append(aged(make_trace, hours))
    await log.stored()
    with closing(connect(url)) as database:
        await until(lambda: len(recent(database)) == 2)
        assert [row.question for row in recent(database)] == ["1 hours ago", "12 hours ago"]
        await until(lambda: (ran := retention.last(database)) is not None and ran.total == 2)
        ran = retention.last(database)
        assert ran is not None and ran.traces == 2 and not ran.problem
        assert time.time_ns() - 25 * HOUR_NS < ran.before_ns < time.time_ns() - 23 * HOUR_NS
    await log.close()
    assert log.written == 4


async def test_a_running_writer_is_told_when_that_changes(make_trace: Make, url: str) -> None:
    log = TraceLog(url, flush_ms=5)
    await log.start()
    log.append(aged(make_trace, 100))
    await log.stored()
    with closing(connect(url)) as database:
        assert retention.last(database) is None and len(recent(database)) == 1
        log.keep(3_600)
        await until(lambda: not recent(database))
    await log.close()


async def test_without_it_all_is_kept(make_trace: Make, url: str) -> None:
    log = TraceLog(url, flush_ms=5)
    await log.start()
    log.append(aged(make_trace, 100_000))
    await log.close()
    with closing(connect(url)) as database:
        assert len(recent(database)) == 1 and retention.last(database) is None


@pytest.mark.parametrize("later_ns", [0, HOUR_NS])
def test_of_several_servers_one_does_it_until_the_next_time(make_trace: Make, url: str, later_ns: int) -> None:
    with closing(connect(url)) as one, closing(connect(url)) as other:
        first = retention.run(one, HOUR_NS, HOUR_NS)
        assert first is not None and (first.traces, first.problem) == (0, "")
        second = retention.run(other, HOUR_NS, HOUR_NS - later_ns)
        assert (second is None) == (later_ns == 0)
