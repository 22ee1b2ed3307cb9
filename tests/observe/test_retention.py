"""What is deleted by itself for its age: by the writer's process, beside what it stores."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.observe.test_log import until

import regista
from regista.core.nouns import Trace
from regista.observe import clock
from regista.observe import log as log_module
from regista.observe.log import TraceLog
from regista.observe.retention import Retention
from regista.store import connect, retention
from regista.store.traces import recent, write

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


async def test_a_file_that_cannot_be_taken_away_is_told_and_tried_again(make_trace: Make, url: str) -> None:
    with closing(connect(url)) as database:
        path = database.files()[0]
        stuck = path.with_name(f"{path.stem}-2020-W01.db")
        stuck.mkdir()  # what cannot be unlinked, whoever tries
        log = TraceLog(url, flush_ms=5)
        log.keep(100)
        await log.start()
        await until(lambda: (ran := retention.last(database)) is not None and stuck.name in ran.problem)
        stuck.rmdir()
        log.append(aged(make_trace, 1))
        await log.stored()
        await until(lambda: (ran := retention.last(database)) is not None and not ran.problem and ran.total == 1)
        await log.close()


async def test_without_it_all_is_kept(make_trace: Make, url: str) -> None:
    log = TraceLog(url, flush_ms=5)
    await log.start()
    log.append(aged(make_trace, 100_000))
    await log.close()
    with closing(connect(url)) as database:
        assert len(recent(database)) == 1 and retention.last(database) is None


async def test_nothing_is_deleted_while_the_clock_is_ahead_and_it_goes_on_after_a_new_start(
    make_trace: Make, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time server that is wrong by ten days: the server started before it was."""
    right = clock.booted_s()
    for started, kept in ((right - 10 * 24 * 3_600, 1), (right, 0)):
        monkeypatch.setattr(log_module, "booted_s", lambda started=started: started)
        log = TraceLog(url, flush_ms=5)
        log.keep(100)  # it looks every second
        await log.start()
        log.append(aged(make_trace, 100))
        await log.stored()
        assert log.held_off == kept * "The clock jumped 240.0 hours ahead, so nothing is deleted for its age. " + (
            kept * "Set it right; or, if it is right, start the server again."
        )
        with closing(connect(url)) as database:
            if kept:
                await asyncio.sleep(2.5)
                assert len(recent(database)) == 1 and retention.last(database) is None
            else:
                await until(lambda: not recent(database))
        await log.close()


async def test_a_server_says_that_its_clock_jumped_where_something_is_to_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shop"
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "answer.prompt").write_text('{{role "user"}}{{question}}')
    right = clock.booted_s()
    monkeypatch.setattr(log_module, "booted_s", lambda: right - 10 * 24 * 3_600)
    for keep, status in (("", "ok"), ('[observe]\nkeep = "30d"\n', "degraded")):
        (folder / "regista.toml").write_text(f'[app]\n[models.default]\nmodel = "echo/mirror"\n{keep}')
        async with regista.open(folder) as app:
            health = app._platform.health()  # pyright: ignore[reportPrivateUsage]
        assert health["status"] == status and len(health["problems"]) == (status != "ok")
        assert all("jumped 240.0 hours ahead" in problem for problem in health["problems"])


def test_it_goes_on_by_itself_when_the_clock_is_right_again(
    make_trace: Make, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = Retention(url)
    at.keep_s = 24 * 3_600
    with closing(connect(url)) as database:
        with database.transaction() as transaction:
            write(transaction, [aged(make_trace, 100)])
        booted = clock.booted_s()
        for ahead_s, left in ((10 * 24 * 3_600, 1), (0, 0)):
            monkeypatch.setattr(clock, "booted_s", lambda ahead_s=ahead_s: booted + ahead_s)
            at._look(0.0)  # pyright: ignore[reportPrivateUsage]
            assert len(recent(database)) == left
    at._close()  # pyright: ignore[reportPrivateUsage]


def test_time_that_passes_and_small_steps_of_the_clock_are_no_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    day = 86_400.0
    booted = clock.booted_s()
    for ahead, keep_s, held in (
        *((0.0, day, False), (600.0, day, False), (-day, day, False), (3 * 3_600.0, day, True)),
        *((600.0, 3_600.0, True), (300.0, 3_600.0, False)),
    ):
        monkeypatch.setattr(clock, "booted_s", lambda ahead=ahead: booted + ahead)
        assert bool(clock.ahead_s(booted, keep_s)) is held, (ahead, keep_s)


@pytest.mark.parametrize("later_ns", [0, HOUR_NS])
def test_of_several_servers_one_does_it_until_the_next_time(make_trace: Make, url: str, later_ns: int) -> None:
    with closing(connect(url)) as one, closing(connect(url)) as other:
        first = retention.run(one, HOUR_NS, HOUR_NS)
        assert first is not None and (first.traces, first.problem) == (0, "")
        second = retention.run(other, HOUR_NS, HOUR_NS - later_ns)
        assert (second is None) == (later_ns == 0)
