"""Batches run over a real store. Who answers their lines is a function here that says what it was asked."""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.app.batches.leases import taken_from_the_dead

from regista.app.batches import lines
from regista.app.batches.lines import Reply
from regista.app.batches.pool import LocalPool
from regista.app.batches.run import Run
from regista.app.platform import ANYONE
from regista.core.errors import RequestError, StoreError
from regista.store import Database, batches, connect, files
from regista.store.batches import Batch, LeaseLostError, Order
from regista.store.keys import Key

OK = b'{"usage": {"prompt_tokens": 2, "completion_tokens": 1}, "said": %d}'


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = connect(f"sqlite://{tmp_path / 'regista.db'}")
    yield opened
    opened.close()


def line(n: int) -> bytes:
    body = {"model": "m", "n": n}
    return json.dumps({"custom_id": f"c{n}", "method": "POST", "url": "/v1/x", "body": body}).encode() + b"\n"


def made(database: Database, lines: int, owner: str = "me") -> Batch:
    """A batch of so many lines, taken by `owner`."""
    file = files.begin(database, "t", "f", "batch")
    files.append(database, file, 0, b"".join(line(n) for n in range(1, lines + 1)))
    files.finish(database, file, "batch", "f", None)
    return batches.create(database, Order("app", "t", "", "gateway", "/v1/x", file), owner)


class Model:
    """Answers lines, and remembers which it was asked and how many at once; `says` may have it say something else."""

    def __init__(self, says: Callable[[int, int], Reply | None] = lambda n, tries: None) -> None:
        self.asked: list[int] = []
        self.most = 0
        self._says = says
        self._now = 0

    async def __call__(self, key: Key, endpoint: str, body: bytes, trace_id: str = "") -> Reply:
        n = int(json.loads(body)["n"])
        self.asked.append(n)
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        return self._says(n, self.asked.count(n)) or Reply(200, OK % n, f"trace{n}")


async def run(database: Database, batch: Batch, model: Model, workers: int = 4) -> Batch:
    return await Run(database, batch, ANYONE, 1 << 20).through(LocalPool(model, asyncio.Semaphore(workers), workers))


def rows(database: Database, file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for _, line in files.lines(database, file, 1 << 20)] if file else []


def failure(status: int, code: str = "", wait_s: float | None = None) -> Reply:
    return Reply(status, json.dumps({"error": {"message": "It failed.", "code": code}}).encode(), "", wait_s)


async def test_every_line_is_asked_once_and_answered_in_its_place(database: Database) -> None:
    model = Model()
    batch = await run(database, made(database, 700), model)
    assert (batch.status, batch.completed, batch.failed, batch.total) == ("completed", 700, 0, 700)
    assert sorted(model.asked) == list(range(1, 701)) and model.most == 4
    assert [row["response"]["body"]["said"] for row in rows(database, batch.output_file)] == list(range(1, 701))
    assert (batch.usage.input_tokens, batch.usage.output_tokens) == (1400, 700)


async def test_batches_share_the_slots_of_a_process(database: Database) -> None:
    model, slots = Model(), asyncio.Semaphore(3)
    lives = [Run(database, made(database, 100), ANYONE, 1 << 20).through(LocalPool(model, slots, 3)) for _ in range(3)]
    ended = await asyncio.gather(*lives)
    assert [batch.completed for batch in ended] == [100, 100, 100] and model.most == 3


async def test_an_answer_over_several_lines_of_text_is_one_line_of_the_output(database: Database) -> None:
    batch = await run(database, made(database, 1), Model(lambda n, tries: Reply(200, b'{\n  "a": "b\\nc"\n}\n')))
    (row,) = rows(database, batch.output_file)
    assert row["response"]["body"] == {"a": "b\nc"}


async def test_a_limit_is_waited_for_as_long_as_it_says_and_no_line_is_lost(database: Database) -> None:
    model = Model(lambda n, tries: failure(429, "rate_limited", 0.05) if tries <= 7 else None)
    batch = await run(database, made(database, 10), model)
    assert (batch.completed, batch.failed) == (10, 0)
    assert Counter(model.asked) == dict.fromkeys(range(1, 11), 8), "A limit that says when is no failure."


async def test_while_a_limit_holds_no_other_line_is_asked(database: Database) -> None:
    began: list[float] = []

    def says(n: int, tries: int) -> Reply | None:
        began.append(time.monotonic())
        return failure(429, "", 0.3) if len(began) == 1 else None

    batch = await run(database, made(database, 20), Model(says), workers=1)
    assert batch.completed == 20 and began[1] - began[0] >= 0.29


async def test_a_failure_that_may_pass_is_tried_again_and_any_other_is_an_answer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regista.app.batches.pool.LONGEST_S", 0.01)

    def says(n: int, tries: int) -> Reply | None:
        return {1: failure(503) if tries < 3 else None, 2: failure(400), 3: failure(500)}[n]

    model = Model(says)
    batch = await run(database, made(database, 3), model)
    assert Counter(model.asked) == {1: 3, 2: 1, 3: 5}
    assert [row["custom_id"] for row in rows(database, batch.output_file)] == ["c1"]
    assert [row["response"]["status_code"] for row in rows(database, batch.error_file)] == [400, 500]


async def test_a_batch_without_money_fails_with_the_reason_and_goes_on_when_there_is_some(database: Database) -> None:
    poor = Model(lambda n, tries: failure(429, "budget_exceeded", 3600) if n > 50 else None)
    batch = await run(database, made(database, 100), poor, workers=1)
    assert batch.status == "failed" and batch.completed == 50
    (error,) = batch.errors
    assert (error.code, error.line) == ("budget_exceeded", 51) and error.message.startswith("It failed.")
    assert len(rows(database, batch.output_file)) == 50 and not rows(database, batch.error_file)
    rich = Model()
    batch = await run(database, batches.reopen(database, batch, "me"), rich)
    assert batch.status == "completed" and sorted(rich.asked) == list(range(51, 101))
    assert [row["custom_id"] for row in rows(database, batch.output_file)] == [f"c{n}" for n in range(1, 101)]


async def test_money_that_comes_again_within_a_minute_is_waited_for(database: Database) -> None:
    model = Model(lambda n, tries: failure(429, "budget_exceeded", 0.1) if tries == 1 else None)
    assert (await run(database, made(database, 5), model)).completed == 5


async def test_a_batch_of_which_nothing_gets_through_is_stopped(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regista.app.batches.pool.LONGEST_S", 0.0)
    model = Model(lambda n, tries: failure(502, "provider_key_refused") if n > 10 else None)
    batch = await run(database, made(database, 500), model)
    assert batch.status == "failed" and batch.errors[0].code == "provider_key_refused"
    assert batch.completed == 10 and 20 <= batch.failed < 30


async def test_what_is_not_run_within_the_window_is_in_the_error_file(database: Database) -> None:
    batch = made(database, 2000)  # more than may wait for the store, which is where it is known that time is up

    def says(n: int, tries: int) -> Reply | None:
        if n == 30:
            with database.transaction() as transaction:
                transaction.execute("UPDATE batches SET expires_ns = 1 WHERE id = ?", (batch.id,))
        return None

    model = Model(says)
    ended = await run(database, batch, model, workers=1)
    assert ended.status == "expired" and 30 <= ended.completed < 2000
    late = rows(database, ended.error_file)
    assert {row["error"]["code"] for row in late} == {"batch_expired"}
    assert ended.completed + len(late) == 2000 and len(model.asked) == ended.completed


async def test_a_batch_that_is_left_keeps_what_was_under_way_and_can_be_taken_at_once(database: Database) -> None:
    batch = made(database, 500)
    life = Run(database, batch, ANYONE, 1 << 20)
    first = Model(lambda n, tries: life.keeper.stop("left") if n == 40 else None)
    left = await life.through(LocalPool(first, asyncio.Semaphore(4), 4))
    assert left.status == "in_progress" and left.completed == len(first.asked) < 60
    taken = batches.claim(database, "app", "other")
    assert taken is not None
    second = Model()
    assert (await run(database, taken, second)).status == "completed"
    assert Counter(first.asked + second.asked) == dict.fromkeys(range(1, 501), 1)


async def test_who_lost_a_batch_stops(database: Database) -> None:
    batch = made(database, 5000)

    def says(n: int, tries: int) -> Reply | None:
        if n == 100:
            with database.transaction() as transaction:
                transaction.execute("UPDATE batches SET owner = 'other' WHERE id = ?", (batch.id,))
        return None

    model = Model(says)
    with pytest.raises(LeaseLostError):
        await run(database, batch, model)
    assert len(model.asked) < 5000


async def test_an_input_that_can_no_longer_be_read_is_no_whole_batch(database: Database) -> None:
    batch = batches.start(database, made(database, 3), 3, "")
    files.remove(database, batch.input_file)
    ended = await run(database, batch, Model())
    assert (ended.status, ended.errors[0].code) == ("failed", "input_lost")


async def test_answers_wait_for_a_store_that_is_held_by_another(database: Database, tmp_path: Path) -> None:
    batch = made(database, 30)
    other = sqlite3.connect(tmp_path / "regista.db", isolation_level=None, check_same_thread=False)

    def says(n: int, tries: int) -> Reply | None:
        if n == 10:
            other.execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_later(6, other.execute, "ROLLBACK")
        return None

    model = Model(says)
    ended = await run(database, batch, model)
    assert ended.status == "completed" and Counter(model.asked) == dict.fromkeys(range(1, 31), 1)
    other.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25)
@given(lines=st.integers(1, 600), kills=st.lists(st.integers(1, 300), max_size=5), workers=st.sampled_from([1, 7, 40]))
def test_whenever_it_is_killed_no_line_that_is_done_is_asked_again_and_none_is_lost(
    database: Database, lines: int, kills: list[int], workers: int
) -> None:
    async def lives() -> Batch:
        batch = made(database, lines)
        for after in [*kills, 10**9]:
            taken = taken_from_the_dead(database, batch)
            if taken is None:
                break
            done = set(batches.done(database, taken)) if taken.started_ns else set[int]()
            model = Model()
            task = asyncio.create_task(run(database, taken, model, workers))
            while not task.done() and len(model.asked) < after:
                await asyncio.wait((task,), timeout=0)
            task.cancel()
            ended = (await asyncio.gather(task, return_exceptions=True))[0]
            assert not done & set(model.asked), "A line that was done is asked again."
            assert len(model.asked) == len(set(model.asked))
            if isinstance(ended, Batch):
                break
            assert isinstance(ended, asyncio.CancelledError)
        return batches.find(database, "t", batch.id)

    ended = asyncio.run(lives())
    assert (ended.status, ended.completed) == ("completed", lines)
    assert [row["custom_id"] for row in rows(database, ended.output_file)] == [f"c{n}" for n in range(1, lines + 1)]


class Unread:
    """A database that cannot be read a few times, when lines of files are wanted."""

    def __init__(self, database: Database, times: int) -> None:
        self._database = database
        self._times = times

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        if "file_parts" in sql and "body" in sql and self._times:
            self._times -= 1
            raise StoreError("It is away.")
        return self._database.query(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


async def test_lines_wait_for_a_store_that_cannot_be_read_for_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regista.app.batches.run.AGAIN_S", 0.01)
    batch = batches.start(database, made(database, 700), 700, "")
    model, unread = Model(), cast("Database", Unread(database, 3))
    ended = await run(unread, batch, model)
    assert ended.status == "completed" and Counter(model.asked) == dict.fromkeys(range(1, 701), 1)


async def test_a_count_of_tokens_that_no_database_takes_is_left_out(database: Database) -> None:
    wild = b'{"usage": {"prompt_tokens": 1%s, "completion_tokens": 1}}' % (b"0" * 30)
    model = Model(lambda n, tries: Reply(200, wild) if n == 2 else None)
    ended = await run(database, made(database, 3), model)
    assert (ended.status, ended.completed, ended.usage.input_tokens) == ("completed", 3, 4)


async def test_what_was_answered_before_something_failed_that_nobody_foresaw_is_kept(database: Database) -> None:
    def says(n: int, tries: int) -> Reply | None:
        if n == 50:
            raise ZeroDivisionError
        return None

    first = Model(says)
    batch = await run(database, made(database, 100), first, workers=1)
    assert batch.status == "failed" and batch.completed == 49
    assert batch.errors[0].code == "internal_error" and "ZeroDivisionError" in batch.errors[0].message
    second = Model()
    assert (await run(database, batches.reopen(database, batch, "me"), second)).status == "completed"
    assert sorted(second.asked) == list(range(50, 101))


async def test_a_batch_whose_answers_cannot_be_stored_has_failed_and_is_not_begun_again(database: Database) -> None:
    def broken(batch: Batch) -> None:
        raise ZeroDivisionError

    model = Model()
    life = Run(database, made(database, 10), ANYONE, 1 << 20, broken)
    ended = await life.through(LocalPool(model, asyncio.Semaphore(1), 1))
    assert (ended.status, ended.errors[0].code) == ("failed", "internal_error")
    assert not batches.waiting(database, "app")


class Elsewhere:
    """A pool whose workers are other processes: they keep lines themselves. It is cancelled after ten."""

    async def work(self, run: Run) -> None:
        batch = run.keeper.batch
        async for page in run.todo():
            kept = [lines.answered(batch, line, Reply(200, b"{}")) for line in page[:10]]
            batches.commit(run.keeper.database, batch, kept)
            run.keeper.stop("cancelled")
            break


async def test_lines_that_other_processes_answered_are_in_one_file_only(database: Database) -> None:
    ended = await Run(database, made(database, 30), ANYONE, 1 << 20).through(Elsewhere())
    answered = {row["custom_id"] for row in rows(database, ended.output_file)}
    left = {row["custom_id"] for row in rows(database, ended.error_file)}
    assert (ended.status, ended.completed, ended.failed) == ("cancelled", 10, 20)
    assert answered | left == {f"c{n}" for n in range(1, 31)} and not answered & left


async def test_a_limit_that_lets_nothing_through_is_asked_less_and_less_often(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regista.app.batches.pool.SOONEST_S", 0.0001)
    life = Run(database, made(database, 1), ANYONE, 1 << 20)
    waits: list[float] = []
    pause = life.keeper.pause

    async def noted(seconds: float) -> None:
        waits.append(seconds)
        await pause(seconds)

    monkeypatch.setattr(life.keeper, "pause", noted)
    model = Model(lambda n, tries: failure(503, "overloaded", 0.0) if tries <= 20 else None)
    assert (await life.through(LocalPool(model, asyncio.Semaphore(1), 1))).completed == 1
    assert max(waits) > 0.05, "Waits of 0.1 ms have become those of 0.1 s."


async def test_a_batch_whose_answers_were_deleted_is_not_resumed(database: Database) -> None:
    poor = Model(lambda n, tries: failure(429, "budget_exceeded", 3600) if n > 5 else None)
    batch = await run(database, made(database, 10), poor, workers=1)
    files.remove(database, batch.output_file)
    with pytest.raises(RequestError, match="is gone"):
        batches.reopen(database, batch, "me")
    assert batches.find(database, "t", batch.id).status == "failed"
