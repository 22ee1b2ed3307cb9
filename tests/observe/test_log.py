"""The way of a trace to disk, with a real writer process."""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop
from msgspec.structs import replace

from regista.core.nouns import Call, Json, Trace
from regista.observe.log import THIN_ROOM, TraceLog
from regista.observe.wire import thinned
from regista.store import connect
from regista.store.ledger import sums
from regista.store.traces import find

Make = Callable[[str], Trace]


def spent(trace: Trace) -> Trace:
    """The same with a call that cost something."""
    call = Call("openai", "gpt", "answer", "ok", trace.usage, True, trace.cost_nano, trace.started_ns, 1)
    return replace(trace, calls=(call,))


def stored(url: str) -> list[str]:
    """Ids in the order they arrived."""
    return [row[0].hex() for row in connect(url).query("SELECT id FROM traces ORDER BY n")]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nothing announces what other processes do
        await asyncio.sleep(0.01)


def writers() -> list[int]:
    """Writers of this process that run."""
    found: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if b"regista.observe.writer" in command and parent == os.getpid():
            found.append(int(process.name))
    return found


async def test_traces_arrive_whole_and_in_order(make_trace: Make, url: str) -> None:
    traces = [make_trace(str(number)) for number in range(450)]
    log = TraceLog(url, flush_ms=10)
    await log.start()
    for trace in traces:
        log.append(trace)
    assert log.depth == 450
    assert log.lag_ms > 0
    await log.close()
    assert (log.written, log.dropped, log.depth, log.lag_ms, log.last_error) == (450, 0, 0, 0, "")
    assert stored(url) == [trace.id for trace in traces]
    assert find(connect(url), traces[7].id) == traces[7]
    assert not writers()


async def test_a_single_trace_is_stored_without_a_second_one_pushing_it(make_trace: Make, url: str) -> None:
    log = TraceLog(url, flush_ms=10)
    await log.start()
    for number in range(3):
        log.append(make_trace(str(number)))
        await until(lambda: log.depth == 0)
        assert log.written == number + 1
    await log.close()


async def test_what_was_appended_so_far_is_waited_for_and_nothing_later(make_trace: Make, url: str) -> None:
    """Else nobody could wait for it where a hundred requests come in each moment."""
    log = TraceLog(url, flush_ms=5)
    await log.start()
    for number in range(100):
        log.append(make_trace(str(number)))
    coming = True

    async def come() -> None:
        # In every turn of the loop, so that there is no moment in which nothing waits.
        trace = make_trace("later")
        while coming:
            if log.depth < 1_000:
                log.append(trace)
            await asyncio.sleep(0)

    later = asyncio.create_task(come())
    await log.stored(5)
    coming = False
    await later
    assert log.written >= 100 and log.depth
    await log.close()
    assert (log.dropped, log.depth) == (0, 0)


async def test_traces_appended_before_the_start_are_stored(make_trace: Make, url: str) -> None:
    log = TraceLog(url)
    log.append(make_trace("early"))
    await log.start()
    await log.close()
    assert len(stored(url)) == 1


async def test_what_finds_no_room_is_dropped_and_counted_exactly(make_trace: Make, url: str) -> None:
    log = TraceLog(url, queue=10)
    traces = [make_trace(str(number)) for number in range(25)]
    for trace in traces:
        log.append(trace)
    assert (log.depth, log.dropped) == (10, 15)
    await log.start()
    await log.close()
    assert (log.written, log.dropped) == (10, 15)
    assert stored(url) == [trace.id for trace in traces[:10]]


async def test_a_full_queue_under_way_counts_what_it_drops(make_trace: Make, url: str) -> None:
    log = TraceLog(url, queue=300)
    await log.start()
    for number in range(2_000):
        log.append(make_trace(str(number)))
        if number % 100 == 0:
            await asyncio.sleep(0.001)
    await log.close()
    assert log.written + log.dropped == 2_000
    assert log.written == len(stored(url)) >= 300


async def test_killing_the_writer_loses_nothing_and_stores_nothing_twice(make_trace: Make, url: str) -> None:
    log = TraceLog(url, flush_ms=5)
    await log.start()
    traces = [make_trace(str(number)) for number in range(1_500)]
    for number, trace in enumerate(traces):
        log.append(trace)
        if number in (400, 900):
            await until(lambda: bool(writers()) and log.written > 0)
            os.kill(writers()[0], signal.SIGKILL)
        if number % 50 == 0:
            await asyncio.sleep(0.005)
    await log.close()
    assert (log.written, log.dropped, log.restarts) == (1_500, 0, 2)
    assert stored(url) == [trace.id for trace in traces]


@pytest.mark.parametrize(("program", "says"), [("false", "ended with status 1"), ("/none", "could not be started")])
async def test_a_writer_that_does_not_start_is_tried_again(
    make_trace: Make, url: str, monkeypatch: pytest.MonkeyPatch, program: str, says: str
) -> None:
    log = TraceLog(url, flush_ms=5)
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", shutil.which(program) or program)
        await log.start()
        log.append(make_trace("patient"))
        await until(lambda: log.restarts == 2)
        assert says in log.last_error
        assert (log.written, log.dropped, log.depth) == (0, 0, 1)
    await log.close()
    assert (log.written, log.last_error) == (1, "")


def test_a_writer_that_ends_before_it_is_spoken_to_is_followed_by_another(
    make_trace: Make, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = TraceLog(url, flush_ms=5)

    async def busily() -> None:
        while True:
            time.sleep(0.03)  # noqa: ASYNC251 - meanwhile a process begins and ends
            await asyncio.sleep(0)

    async def main() -> None:
        busy = asyncio.create_task(busily())
        with monkeypatch.context() as broken:
            broken.setattr(sys, "executable", shutil.which("false"))
            await log.start()
            log.append(make_trace("patient"))
            async with asyncio.timeout(30):
                await until(lambda: log.restarts == 3)
        busy.cancel()
        await log.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    assert (log.written, log.dropped) == (1, 0)


async def test_a_batch_that_ends_every_writer_is_given_up_and_counted(
    make_trace: Make, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regista.observe.log.PAUSES_S", (0.0,))
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    log = TraceLog(url, flush_ms=5)
    log.append(make_trace("poison"))
    await log.start()
    await until(lambda: log.dropped == 1)
    assert log.depth == 0
    await log.close()


async def test_signals_meant_for_the_server_do_not_end_the_writer(make_trace: Make, url: str) -> None:
    log = TraceLog(url, flush_ms=5)
    await log.start()
    log.append(make_trace("before"))
    await until(lambda: log.written == 1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(writers()[0], number)
    log.append(make_trace("after"))
    await log.close()
    assert (log.written, log.restarts) == (2, 0)


async def test_a_locked_database_loses_nothing(make_trace: Make, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(url).close()
    other = sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    log = TraceLog(url, flush_ms=5)
    await log.start()
    for number in range(300):
        log.append(make_trace(str(number)))
    await until(lambda: log.last_error != "")
    assert "locked" in log.last_error
    assert (log.written, log.dropped, log.depth) == (0, 0, 300)
    other.execute("COMMIT")
    other.close()
    await log.close()
    assert (log.written, log.dropped, log.last_error) == (300, 0, "")
    assert len(stored(url)) == 300


async def test_a_store_that_cannot_be_written_says_so_and_serving_goes_on(make_trace: Make, tmp_path: Path) -> None:
    path = tmp_path / "regista.db"
    path.mkdir()  # where the file should be
    url = f"sqlite://{path}"
    log = TraceLog(url, queue=20, flush_ms=5)
    await log.start()
    for number in range(30):
        log.append(make_trace(str(number)))
    await until(lambda: log.last_error != "")
    assert "unable to open" in log.last_error
    assert (log.written, log.dropped, log.depth) == (0, 10, 20)
    path.rmdir()
    await until(lambda: log.depth == 0)
    await log.close()
    assert (log.written, log.last_error) == (20, "")


async def test_closing_on_a_store_that_cannot_be_written_ends_and_counts(make_trace: Make, tmp_path: Path) -> None:
    log = TraceLog(f"sqlite://{tmp_path}", flush_ms=5)
    await log.start()
    log.append(make_trace("lost"))
    await log.close(patience_s=0.5)
    assert (log.written, log.dropped, log.depth) == (0, 1, 0)


@pytest.mark.parametrize("change", [{"id": "not hexadecimal"}, {"started_ns": 2**63}, {"usage": None}])
async def test_a_trace_no_store_will_take_spoils_no_other(make_trace: Make, url: str, change: Json) -> None:
    log = TraceLog(url)
    await log.start()
    log.append(make_trace("before"))
    log.append(replace(make_trace("bad"), **change))
    log.append(make_trace("after"))
    await log.close()
    assert (log.written, log.dropped, log.last_error) == (2, 1, "The store refused a trace.")
    assert len(stored(url)) == 2


def test_a_trace_that_cannot_be_encoded_raises_nothing(make_trace: Make, url: str) -> None:
    log = TraceLog(url)
    log.append(replace(make_trace("bad"), model="\ud800"))
    assert (log.depth, log.dropped) == (0, 1)
    assert "UnicodeEncodeError" in log.last_error


async def test_what_cannot_be_encoded_of_a_trace_costs_no_money(make_trace: Make, url: str) -> None:
    log = TraceLog(url)
    await log.start()
    trace = spent(make_trace("\ud800"))
    log.append(trace)
    await log.close()
    assert (log.written, log.dropped, log.thinned) == (1, 0, 1)
    assert find(connect(url), trace.id) == thinned(trace)


async def test_a_full_queue_drops_what_was_said_and_no_money(make_trace: Make, url: str) -> None:
    log = TraceLog(url, queue=10)
    traces = [spent(make_trace(str(number))) for number in range(25)]
    for trace in [*traces, make_trace("nothing was spent")]:
        log.append(trace)
    assert (log.depth, log.thinned, log.dropped) == (25, 15, 1)
    await log.start()
    await log.close()
    store = connect(url)
    assert [find(store, trace.id) for trace in traces] == traces[:10] + [thinned(trace) for trace in traces[10:]]
    assert sum(one.exact_nano for one in sums(store, "model")) == 25 * 1500


async def test_even_for_money_there_is_an_end_to_the_queue(make_trace: Make, url: str) -> None:
    log = TraceLog(url, queue=3)
    for number in range(40):
        log.append(spent(make_trace(str(number))))
    assert (log.depth, log.dropped) == (3 * THIN_ROOM, 40 - 3 * THIN_ROOM)


async def test_a_trace_that_ends_every_writer_is_stored_without_what_was_said(
    make_trace: Make, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regista.observe.log.PAUSES_S", (0.0,))
    log = TraceLog(url, flush_ms=5)
    trace = spent(make_trace("poison"))
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", shutil.which("false"))
        log.append(trace)
        await log.start()
        await until(lambda: log.thinned == 1)
    await log.close()
    assert (log.written, log.dropped) == (1, 0)
    assert find(connect(url), trace.id) == thinned(trace)


async def test_a_trace_after_the_end_is_counted_as_dropped(make_trace: Make, url: str) -> None:
    log = TraceLog(url)
    await log.start()
    await log.close()
    log.append(make_trace("late"))
    assert log.dropped == 1
