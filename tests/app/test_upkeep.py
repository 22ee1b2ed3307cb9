"""The upkeep of a store: what arrives is watched, days are compared and written out, and alarms are told once."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook as Receiver
from tests.observe.test_drift import some
from tests.store.test_alarms import alarm
from tests.surfaces.cli.test_drift import opinion

from regista.app import upkeep_process
from regista.app.comparing import compare
from regista.app.upkeep import Upkeep
from regista.app.upkeep_process import LATER_NS, REMAIN_NS, Finding, Orders, Watch, close_old, settle
from regista.core.framing import read_frame
from regista.core.nouns import Trace
from regista.core.secret import Secret
from regista.egress.client import Client
from regista.observe import webhook
from regista.observe.webhook import Hook
from regista.store import Database, alarms, connect, feedback
from regista.store.parquet import files
from regista.store.traces import write

MS = 1_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DAY_NS = 86_400 * 10**9


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path / 'regista.db'}"


@pytest.fixture
def database(url: str) -> Any:
    opened = connect(url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, url: str) -> str:
    """The URL of a store on each engine."""
    return url if request.param == "sqlite" else str(request.getfixturevalue("postgres"))


def put(database: Database, traces: Sequence[Trace]) -> None:
    with database.transaction() as transaction:
        write(transaction, traces)


def day(count: int, seed: int, first: int = 0, ago_ns: int = 0, **fields: Any) -> list[Trace]:
    """Traces that end about now, or so long ago."""
    now = time.time_ns() - ago_ns
    return [replace(one, started_ns=now - (count - n) * MS, **fields) for n, one in enumerate(some(count, seed, first))]


async def until(met: Callable[[], Awaitable[bool] | bool], patience_s: float = 30.0) -> None:
    async with asyncio.timeout(patience_s):
        while True:
            found = met()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


def test_what_was_there_is_learnt_from_and_what_comes_raises_an_alarm_once(database: Database) -> None:
    put(database, day(1_000, 1))
    watch, now = Watch(database, ["shop", ""]), time.time_ns()
    assert watch.look(now) == 0 and watch.look(now) == 0
    slow = [replace(one, duration_ns=one.duration_ns * 5) for one in day(300, 2, 2_000)]
    put(database, slow)
    assert watch.look(now) == 1
    (raised,) = alarms.opened(database, ["shop"])
    assert (raised.name, raised.found, raised.aspect) == ("ms to the end", "stream", "latency")
    assert set(raised.examples) <= {one.id for one in slow} and len(raised.examples) == 3
    put(database, day(300, 3, 4_000))
    assert watch.look(now) == 0, "it is as it was again, but the first alarm is still open"
    alarms.close(database, raised.id, now)


def test_what_was_slow_before_it_began_to_watch_is_how_things_are(database: Database) -> None:
    put(database, [*day(500, 4), *(replace(one, duration_ns=one.duration_ns * 9) for one in day(500, 5, 1_000))])
    watch = Watch(database, ["shop"])
    assert watch.look(time.time_ns()) == 0 and watch.look(time.time_ns()) == 0


def test_thumbs_and_signals_are_looked_at_when_there_was_time_to_give_them(database: Database) -> None:
    before, now = day(600, 6), day(300, 7, 1_000)

    def said(traces: Sequence[Trace], down: int) -> None:
        given = [opinion(one.id, 1, "thumb", -1.0 if n % 10 < down else 1.0) for n, one in enumerate(traces)]
        given += [opinion(one.id, 1, "signal", None, "wrong") for n, one in enumerate(traces) if n % 10 < down]
        with database.transaction() as transaction:
            feedback.put(transaction, given)

    put(database, before)
    said(before, 1)
    watch, later = Watch(database, ["shop"]), time.time_ns() + LATER_NS
    assert watch.look(later) == 0
    put(database, now)
    assert watch.look(time.time_ns()) == 0, "they are too new to be looked at"
    said(now, 6)
    assert watch.look(later + LATER_NS) == 2
    assert {one.name for one in alarms.opened(database, ["shop"])} == {"thumb up", "signals against the answer"}


def test_what_is_tried_in_evaluations_is_not_watched(database: Database) -> None:
    put(database, day(500, 8))
    watch = Watch(database, ["shop"])
    watch.look(time.time_ns())
    put(database, day(300, 9, 1_000, tenant="evaluation", status="error", duration_ns=10**12))
    assert watch.look(time.time_ns()) == 0


def test_of_many_more_than_can_be_looked_at_some_are(database: Database) -> None:
    put(database, day(100, 10))
    watch = Watch(database, ["shop"])
    watch.look(time.time_ns())
    put(database, day(9_000, 11, 1_000, status="error"))
    assert watch.look(time.time_ns()) >= 1
    assert "failed" in {one.name for one in alarms.opened(database, ["shop"])}


def test_an_alarm_about_what_arrived_closes_after_a_day(database: Database) -> None:
    now = time.time_ns()
    old, new = alarm(opened_ns=now - REMAIN_NS - 1), alarm(name="dollars", opened_ns=now - REMAIN_NS + 10**9)
    compared = alarm(name="failed", found="comparison", opened_ns=0)
    for one in (old, new, compared):
        alarms.open_alarm(database, one)
    close_old(database, ["shop"], now)
    assert {one.id for one in alarms.opened(database, ["shop"])} == {new.id, compared.id}


def test_a_day_is_compared_with_the_week_before_it_and_what_has_shifted_back_is_closed(
    database: Database, url: str
) -> None:
    put(database, day(200, 12, ago_ns=3 * DAY_NS))
    put(database, day(100, 13, 1_000, question="Where is my parcel? " * 10))
    orders = Orders(url, ("shop", ""), "", "")
    now = time.time_ns()
    found = compare(orders, now)
    assert {one.name for one in found if one.alarm is not None} == {"characters of the question"}
    assert settle(database, found, now) == 1 and settle(database, compare(orders, now), now) == 0
    (raised,) = alarms.opened(database, ["shop"])
    assert raised.found == "comparison" and raised.more.startswith("more of ") and len(raised.examples) == 3
    assert settle(database, [one for one in found if one.name != raised.name], now) == 0
    assert alarms.opened(database, ["shop"]) == [raised], "nothing was said of it"
    assert settle(database, [Finding("shop", raised.aspect, raised.name, None)], now) == 0
    assert alarms.opened(database, ["shop"]) == []


def test_what_somebody_has_seen_is_not_told_again_by_the_next_comparison(database: Database) -> None:
    def found(now: int) -> list[Finding]:
        one = alarm(found="comparison", opened_ns=now)
        return [Finding("shop", one.aspect, one.name, one)]

    start = 100 * DAY_NS
    assert settle(database, found(start), start) == 1
    alarms.close(database, alarms.opened(database, ["shop"])[0].id, start)
    assert settle(database, found(later := start + 6 * DAY_NS), later) == 0
    assert settle(database, found(later := start + 8 * DAY_NS), later) == 1
    assert settle(database, [], later) == 0


def test_what_an_export_fails_at_takes_nothing_from_what_was_learnt(
    database: Database, url: str, tmp_path: Path
) -> None:
    put(database, day(200, 22, ago_ns=3 * DAY_NS))
    (tmp_path / "days").write_text("no folder")
    read, write_end = os.pipe()
    with open(read, "rb", buffering=0) as source, open(write_end, "wb", buffering=0) as answers:
        process = upkeep_process.Upkeep(source, answers)
        process._obey(Orders(url, ("shop", ""), str(tmp_path), "days"))  # pyright: ignore[reportPrivateUsage]
        process._work()  # pyright: ignore[reportPrivateUsage]
        said = [read_frame(source) for _ in range(2)]
        assert "cannot be written" in upkeep_process.decode_news(said[1]).error
        assert process._watch is not None  # pyright: ignore[reportPrivateUsage]
        process._close()  # pyright: ignore[reportPrivateUsage]


def test_what_failed_is_tried_again_soon_and_at_once_when_the_store_is_back(
    database: Database, url: str, tmp_path: Path
) -> None:
    put(database, day(200, 22, ago_ns=3 * DAY_NS))
    (tmp_path / "store").write_text("no database at all" * 100)
    read, write_end = os.pipe()
    with open(read, "rb", buffering=0) as source, open(write_end, "wb", buffering=0) as answers:
        process = upkeep_process.Upkeep(source, answers)

        def news(store: str) -> list[upkeep_process.News]:
            process._obey(Orders(store, ("shop", ""), str(tmp_path), "days"))  # pyright: ignore[reportPrivateUsage]
            process._due["look"] = time.monotonic()  # pyright: ignore[reportPrivateUsage]
            process._due["export"] = time.monotonic() + 60 * (store == url)  # pyright: ignore[reportPrivateUsage]
            process._work()  # pyright: ignore[reportPrivateUsage]
            return [upkeep_process.decode_news(read_frame(source)) for _ in range(2)]

        assert [(one.chore, bool(one.error)) for one in news(f"sqlite://{tmp_path / 'store'}")] == [
            ("look", True),
            ("export", True),
        ]
        assert process._due["export"] < time.monotonic() + upkeep_process.AGAIN_S  # pyright: ignore[reportPrivateUsage]
        for _ in range(2_000):  # a database that is gone for hours
            process._failed("export", "It is gone.")  # pyright: ignore[reportPrivateUsage]
            read_frame(source)
        assert process._due["export"] > time.monotonic() + upkeep_process.EXPORT_S - 5  # pyright: ignore[reportPrivateUsage]
        assert news(url) == [upkeep_process.News("look"), upkeep_process.News("export", days=1)]
        process._close()  # pyright: ignore[reportPrivateUsage]


@asynccontextmanager
async def receiver(
    statuses: list[int], held: asyncio.Event | None = None
) -> AsyncGenerator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Another system on loopback: its URL and what it was sent. It answers with the statuses, and then 204.

    Where there is something to wait for, it lets the first one wait for it.
    """
    taken: list[tuple[dict[str, str], bytes]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers: dict[str, str] = {}
        await reader.readline()
        while (line := (await reader.readline()).decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        taken.append((headers, await reader.readexactly(int(headers["content-length"]))))
        if held is not None and len(taken) == 1:
            await held.wait()
        status = statuses.pop(0) if statuses else 204
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/alarms", taken


async def test_an_alarm_that_is_raised_beside_the_server_is_told_until_it_is_taken_and_then_no_more(
    database: Database, url: str
) -> None:
    put(database, day(1_000, 14))
    async with receiver([500, 503]) as (hook, taken):
        egress = Client([hook])
        upkeep = Upkeep(database, egress, pauses_s=(0.02,))
        try:
            upkeep.aim(Orders(url, ("shop", ""), "", "", look_s=0.05), Hook(hook, Secret(SECRET)))
            upkeep.start(0)
            await until(lambda: upkeep.looks > 1)
            put(database, [replace(one, status="error") for one in day(300, 15, 2_000)])
            await until(lambda: len(taken) >= 3)
            await until(lambda: alarms.opened(database, ["shop"])[0].told_ns is not None)
            assert upkeep.raised == 1 and upkeep.problems == []
            upkeep.aim(Orders(url, ("shop", ""), "", "", look_s=0.05), Hook(hook, Secret(SECRET)))
            await asyncio.sleep(0.2)
        finally:
            await upkeep.close()
            await egress.close()
    assert len(taken) == 3 and len({headers["webhook-id"] for headers, _ in taken}) == 1
    for headers, body in taken:
        told = Receiver(SECRET).verify(body.decode(), headers)
        assert told["type"] == "alarm.opened" and told["data"]["name"] == "failed"
        assert headers["webhook-id"] == told["data"]["id"] and len(told["data"]["examples"]) == 3
        with pytest.raises(Exception, match="signature"):
            Receiver(SECRET).verify(body.decode().replace("failed", "fine"), headers)


async def test_of_two_servers_on_one_store_each_tells_what_the_other_does_not(store: str) -> None:
    first, second = alarm(opened_ns=time.time_ns() - 9), alarm(name="failed", opened_ns=time.time_ns())
    one, other = connect(store), connect(store)
    for each in (first, second):
        alarms.open_alarm(one, each)
    held = asyncio.Event()
    async with receiver([], held) as (hook, taken):
        egress = Client([hook])
        servers = [Upkeep(database, egress) for database in (one, other)]
        try:
            for before, server in enumerate(servers):
                await until(lambda before=before: len(taken) == before)
                server.aim(Orders(store, ("shop",), "", ""), Hook(hook, Secret(SECRET)))
                server.start(60)
            await until(lambda: alarms.untold(one, ["shop"], 0) == [first])
            held.set()
            await until(lambda: alarms.untold(one, ["shop"], 0) == [])
        finally:
            held.set()
            for server in servers:
                await server.close()
            await egress.close()
            one.close()
            other.close()
    assert [headers["webhook-id"] for headers, _ in taken] == [first.id, second.id]


async def test_what_a_server_died_over_is_told_by_another_after_a_time(
    database: Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "LOOK_S", 0.05)
    one = alarm(opened_ns=time.time_ns())
    alarms.open_alarm(database, one)
    assert alarms.claim(database, one.id, time.time_ns() - alarms.LEASE_NS + 10**9)
    async with receiver([]) as (hook, taken):
        egress = Client([hook])
        upkeep = Upkeep(database, egress)
        upkeep.aim(Orders(url, ("shop",), "", ""), Hook(hook, Secret(SECRET)))
        upkeep.start(60)
        try:
            await until(lambda: not alarms.untold(database, ["shop"], 0))
        finally:
            await upkeep.close()
            await egress.close()
    assert len(taken) == 1


async def test_a_webhook_that_is_down_is_said_to_be_and_keeps_nobody_waiting(database: Database, url: str) -> None:
    alarms.open_alarm(database, alarm(opened_ns=time.time_ns()))
    alarms.open_alarm(database, alarm(name="failed", opened_ns=time.time_ns() - 2 * DAY_NS))
    hook = "http://127.0.0.1:9/alarms"
    egress = Client([hook])
    upkeep = Upkeep(database, egress, pauses_s=(0.02,))
    upkeep.aim(Orders(url, ("shop",), "", ""), Hook(hook, Secret(SECRET)))
    upkeep.start(60)
    try:
        await until(lambda: bool(upkeep.problems))
        assert "An alarm is not told: No connection to http://127.0.0.1:9" in upkeep.problems[0]
    finally:
        started = time.monotonic()
        await upkeep.close()
        assert time.monotonic() - started < 5
        await egress.close()
    assert all(one.told_ns is None for one in alarms.opened(database, ["shop"]))


async def test_another_hook_is_told_at_once_and_the_path_of_none_is_in_what_is_said(
    database: Database, url: str
) -> None:
    alarms.open_alarm(database, alarm(opened_ns=time.time_ns()))
    async with receiver([500]) as (hook, taken):
        egress = Client([hook, "http://127.0.0.1:9"])
        upkeep = Upkeep(database, egress, pauses_s=(3_600.0,))
        orders = Orders(url, ("shop",), "", "")
        upkeep.aim(orders, Hook(f"{hook}/a-secret", Secret(SECRET)))
        upkeep.start(60)
        try:
            await until(lambda: bool(upkeep.problems))
            assert "answered HTTP 500" in upkeep.problems[0] and "a-secret" not in upkeep.problems[0]
            upkeep.aim(orders, Hook(hook, Secret(SECRET)))
            await until(lambda: alarms.opened(database, ["shop"])[0].told_ns is not None)
            assert len(taken) == 2 and upkeep.problems == []
        finally:
            await upkeep.close()
            await egress.close()


async def test_a_hook_that_cannot_be_asked_at_all_is_said_and_tried_again(database: Database, url: str) -> None:
    alarms.open_alarm(database, alarm(opened_ns=time.time_ns()))
    hook = "http://127.0.0.1:9/\N{BLACK HEART SUIT}"
    egress = Client([hook])
    upkeep = Upkeep(database, egress, pauses_s=(3_600.0,))
    orders = Orders(url, ("shop",), "", "")
    upkeep.aim(orders, Hook(hook, Secret(SECRET)))
    upkeep.start(60)
    try:
        await until(lambda: "An alarm is not told: UnicodeEncodeError." in upkeep.problems)
        async with receiver([]) as (other, taken):
            egress.allow(other)
            upkeep.aim(orders, Hook(other, Secret(SECRET)))
            await until(lambda: len(taken) == 1)
    finally:
        await upkeep.close()
        await egress.close()


async def test_closed_days_are_written_where_a_folder_is_named_also_later(
    database: Database, url: str, tmp_path: Path
) -> None:
    put(database, day(50, 16, ago_ns=3 * DAY_NS))
    egress = Client()
    upkeep = Upkeep(database, egress)
    try:
        upkeep.aim(Orders(url, ("shop",), "", ""), None)
        upkeep.start(0)
        await until(lambda: upkeep.looks > 0)
        assert files(tmp_path / "days") == []
        upkeep.aim(Orders(url, ("shop",), str(tmp_path), "days"), None)
        await until(lambda: upkeep.days == 1)
        assert len(files(tmp_path / "days")) == 1
    finally:
        await upkeep.close()
        await egress.close()


async def test_a_process_that_dies_is_followed_by_another(database: Database, url: str) -> None:
    egress = Client()
    upkeep = Upkeep(database, egress)
    try:
        upkeep.aim(Orders(url, ("shop",), "", "", look_s=0.05), None)
        upkeep.start(0)
        await until(lambda: upkeep.looks > 0)
        first = upkeep._process  # pyright: ignore[reportPrivateUsage]
        assert first is not None
        first.kill()
        await until(lambda: any("ended with status -9" in problem for problem in upkeep.problems))
        looks = upkeep.looks
        await until(lambda: upkeep.looks > looks and not upkeep.problems)
    finally:
        await upkeep.close()
        await egress.close()


async def test_a_store_that_cannot_be_used_is_told(tmp_path: Path, database: Database) -> None:
    (tmp_path / "none").write_text("no database at all" * 100)
    egress = Client()
    upkeep = Upkeep(database, egress)
    try:
        upkeep.aim(Orders(f"sqlite://{tmp_path / 'none'}", ("shop",), "", "", look_s=0.05), None)
        upkeep.start(0)
        await until(lambda: any("cannot be used" in problem for problem in upkeep.problems))
    finally:
        await upkeep.close()
        await egress.close()


def test_the_comparison_is_made_by_a_process_that_ends(database: Database, url: str) -> None:
    put(database, day(200, 20, ago_ns=3 * DAY_NS))
    put(database, day(100, 21, 1_000, question="Where is my parcel? " * 10))
    read, write_end = os.pipe()
    with open(read, "rb", buffering=0) as source, open(write_end, "wb", buffering=0) as answers:
        process = upkeep_process.Upkeep(source, answers)
        process._obey(Orders(url, ("shop", ""), "", ""))  # pyright: ignore[reportPrivateUsage]
        assert process._compare().alarms == 1  # pyright: ignore[reportPrivateUsage]
        process._close()  # pyright: ignore[reportPrivateUsage]
    (raised,) = alarms.opened(database, ["shop"])
    assert raised.name == "characters of the question"
