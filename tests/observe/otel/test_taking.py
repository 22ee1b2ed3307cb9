"""Spans from the log to the store through a real writer: once, also where it dies."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from tests.observe.otel.conftest import sent

from regista.core.nouns import Trace
from regista.observe.log import TraceLog
from regista.observe.otel.nouns import OtlpSpan
from regista.observe.otel.packing import encode_span
from regista.store import connect
from regista.store.traces import of_ids


def spans(number: int, count: int = 2) -> list[bytes]:
    trace_id, first = f"{number + 1:032x}", sent()
    return [
        encode_span(msgspec.structs.replace(first, trace_id=trace_id, id=f"{at:016x}")) for at in range(1, count + 1)
    ]


def stored(url: str, count: int) -> list[Trace]:
    database = connect(url, read_only=True)
    try:
        return [trace for _, trace in of_ids(database, [f"{number + 1:032x}" for number in range(count)])]
    finally:
        database.close()


async def test_a_writer_that_is_killed_loses_no_span_and_stores_none_twice(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'a.db'}"
    log = TraceLog(url, flush_ms=1)
    await log.start()
    killed = 0
    for number in range(600):
        log.append_gathered(spans(number), "t")
        if number % 150 == 149:
            await log.stored() if number < 300 else None
            process = log._process  # pyright: ignore[reportPrivateUsage] - there is no other way to its id
            if process is not None:
                with suppress(ProcessLookupError):  # the one before may not be buried yet
                    os.kill(process.pid, signal.SIGKILL)
                    killed += 1
    await log.stored(60)
    await log.close()
    assert killed and log.restarts and log.dropped == 0
    found = stored(url, 600)
    assert len(found) == 600 and {len(trace.spans) for trace in found} == {2}


async def test_what_cannot_be_stored_spoils_nothing_else(tmp_path: Path, make_trace: Callable[[str], Trace]) -> None:
    url = f"sqlite://{tmp_path / 'a.db'}"
    log = TraceLog(url)
    await log.start()
    worse: OtlpSpan = msgspec.structs.replace(sent(), trace_id="no number")
    log.append_gathered([encode_span(worse)], "t")
    log.append_gathered([b"\xc0"], "t")
    log.append_gathered(spans(0), "t")
    log.append(make_trace("own"))
    await log.stored()
    await log.close()
    assert (log.written, log.dropped) == (2, 2)
    assert len(stored(url, 1)) == 1


async def test_a_full_log_drops_what_is_from_elsewhere(tmp_path: Path) -> None:
    log = TraceLog(f"sqlite://{tmp_path / 'a.db'}", queue=2)
    for number in range(3):
        log.append_gathered(spans(number), "t")
    assert (log.depth, log.dropped) == (2, 1)
    await log.close(0.1)
