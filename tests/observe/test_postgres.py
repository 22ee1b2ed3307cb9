"""The way of a trace to a PostgreSQL, with real writer processes."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import closing

from tests.observe.test_log import until, writers

from regista.core.nouns import Trace
from regista.observe.log import TraceLog
from regista.store import connect
from regista.store.traces import find

Make = Callable[[str], Trace]


def stored(url: str) -> list[str]:
    with closing(connect(url)) as database:
        return [row[0].hex() for row in database.query("SELECT id FROM traces ORDER BY n")]


async def test_killing_the_writer_loses_nothing_and_stores_nothing_twice(make_trace: Make, postgres: str) -> None:
    log = TraceLog(postgres, flush_ms=5)
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
    assert stored(postgres) == [trace.id for trace in traces]
    with closing(connect(postgres)) as database:
        assert find(database, traces[7].id) == traces[7]


async def test_writers_of_several_servers_store_all_of_each_in_its_order(make_trace: Make, postgres: str) -> None:
    logs = [TraceLog(postgres, flush_ms=5) for _ in range(3)]
    traces = [[make_trace(f"{server} {number}") for number in range(500)] for server in range(3)]
    for log in logs:
        await log.start()
    for number in range(500):
        for log, own in zip(logs, traces, strict=True):
            log.append(own[number])
        if number % 50 == 0:
            await asyncio.sleep(0.005)
    for log in logs:
        await log.close()
    assert [(log.written, log.dropped, log.restarts) for log in logs] == [(500, 0, 0)] * 3
    found = stored(postgres)
    assert len(found) == 1_500
    for own in traces:
        ids = {trace.id for trace in own}
        assert [id for id in found if id in ids] == [trace.id for trace in own]


async def test_a_table_that_is_away_for_a_while_is_waited_for(make_trace: Make, postgres: str) -> None:
    """As while a copy is restored."""
    log = TraceLog(postgres, flush_ms=5)
    await log.start()
    log.append(make_trace("before"))
    await log.stored()
    with closing(connect(postgres)) as other:
        with other.transaction() as transaction:
            transaction.execute("ALTER TABLE traces RENAME TO kept")
        log.append(make_trace("meanwhile"))
        await until(lambda: bool(log.last_error))
        with other.transaction() as transaction:
            transaction.execute("ALTER TABLE kept RENAME TO traces")
    await log.close()
    assert (log.written, log.dropped) == (2, 0)
