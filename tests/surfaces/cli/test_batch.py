import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests._upstream.server import Upstream
from tests.surfaces.cli.conftest import Demo, json_lines

from regista.store import batches, files, keys
from regista.store.batches import Order
from regista.store.keys import Key
from regista.surfaces.cli._run import run

Row = dict[str, Any]


def rows(count: int, model: str = "demo", **changes: Any) -> list[Row]:
    """The lines of a batch."""
    url = "/v1/chat/completions"
    bodies = [{"model": model, "messages": [{"role": "user", "content": f"Question {n}"}]} for n in range(count)]
    return [
        {"custom_id": f"c{n}", "method": "POST", "url": url, "body": body} | changes for n, body in enumerate(bodies)
    ]


def asked(demo: Demo, lines: Sequence[Row]) -> str:
    demo.write({"in.jsonl": json_lines(lines)})
    return "in.jsonl"


def answers(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_of_requests_is_answered_into_a_file_beside_it(demo: Demo) -> None:
    shown = demo.regista("batch", "run", asked(demo, rows(120)))
    assert "completed" in shown and "120 of 120 lines answered" in shown and "Written: in.out.jsonl" in shown
    found = answers(demo.folder / "in.out.jsonl")
    assert [row["custom_id"] for row in found] == [f"c{n}" for n in range(120)]
    assert found[7]["response"]["body"]["choices"][0]["message"]["content"] == "Question 7"
    assert not (demo.folder / "in.errors.jsonl").exists()


def test_what_failed_is_in_a_file_of_its_own_and_in_the_status(demo: Demo) -> None:
    lines = [*rows(2), *rows(1, "nobody/at-home", custom_id="lost")]
    shown = demo.regista("batch", "run", asked(demo, lines), "--out", "answers.jsonl", status=1)
    assert "2 of 3 lines answered, 1 failed" in shown
    assert [row["custom_id"] for row in answers(demo.folder / "answers.jsonl")] == ["c0", "c1"]
    assert [row["custom_id"] for row in answers(demo.folder / "answers.errors.jsonl")] == ["lost"]


def test_one_model_may_be_asked_in_place_of_what_the_lines_say(demo: Demo) -> None:
    made = demo.json("batch", "run", asked(demo, rows(3, "nobody/at-home")), "--model", "echo/other")
    assert (made["status"], made["model"]) == ("completed", "echo/other")


def test_other_endpoints_are_taken_from_the_lines(demo: Demo) -> None:
    body = {"model": "embedded/default", "input": "a"}
    made = demo.json("batch", "run", asked(demo, rows(2, url="/v1/embeddings", body=body)))
    assert (made["endpoint"], made["status"]) == ("/v1/embeddings", "completed")


def test_a_wrong_line_is_told_as_a_place_in_the_file(demo: Demo) -> None:
    lines = [*rows(2), *rows(1)]
    shown = demo.regista("batch", "run", asked(demo, lines), status=1)
    assert "in.jsonl:3: The custom_id 'c0' stands on an earlier line too." in shown
    assert not (demo.folder / "in.out.jsonl").exists()


def test_what_is_no_file_is_told(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["batch", "run", "none.jsonl"]) == 1
    assert "There is no file none.jsonl" in capsys.readouterr().err


def test_batches_are_listed_and_shown(demo: Demo) -> None:
    assert "No batches yet" in demo.regista("batch", "list")
    assert demo.json("batch", "list") == []
    made = demo.json("batch", "run", asked(demo, rows(4)))
    demo.json("batch", "run", asked(demo, rows(5)))
    header, newest, _ = demo.regista("batch", "list").splitlines()
    assert header.split() == ["batch", "made", "status", "done", "failed", "of", "model"]
    assert newest.split()[-5:] == ["completed", "5", "0", "5", "demo"]
    shown = demo.regista("batch", "status", made["id"][:14])
    assert made["id"] in shown and "4 of 4 lines" in shown
    assert demo.json("batch", "status", made["id"]) == made


def test_a_batch_that_has_ended_is_neither_cancelled_nor_resumed(
    demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    made = demo.json("batch", "run", asked(demo, rows(1)))
    for command in ("cancel", "resume"):
        assert run(["batch", command, made["id"]]) == 1
        assert f"is completed: there is nothing to {command}" in capsys.readouterr().err


def uploaded(demo: Demo, name: str, key: Key) -> str:
    """A batch as it is made over HTTP, which was interrupted; its file was called so by the client."""
    with closing(demo.store()) as database:
        file = files.begin(database, key.tenant, name, "batch")
        files.append(database, file, 0, json_lines(rows(2)).encode())
        files.finish(database, file, "batch", name, None)
        order = Order("demo", key.tenant, key.prefix, "gateway", "/v1/chat/completions", file)
        return batches.create(database, order).id


@pytest.fixture
def key(demo: Demo) -> Key:
    """The key of a tenant, in a store that is there."""
    demo.json("batch", "run", asked(demo, rows(1)))
    with closing(demo.store()) as database:
        keys.add(database, "theirs", "tenant")
        return keys.listing(database)[0]


@pytest.mark.parametrize("name", ["../up.jsonl", "/tmp/up.jsonl", "up.jsonl", ""])
def test_a_resumed_batch_writes_into_this_folder_whatever_its_file_was_called(demo: Demo, key: Key, name: str) -> None:
    made = uploaded(demo, name, key)
    target = "up.out.jsonl" if name else f"{made}.out.jsonl"
    assert f"Written: {target}" in demo.regista("batch", "resume", made)
    assert len(answers(demo.folder / target)) == 2


def test_a_resumed_batch_is_on_the_account_of_the_key_it_was_made_with(demo: Demo, key: Key) -> None:
    demo.json("batch", "resume", uploaded(demo, "up.jsonl", key))
    with closing(demo.store()) as database:
        found = database.query("SELECT tenant, count(*) FROM ledger GROUP BY tenant ORDER BY tenant")
    assert found == [("default", 1), ("tenant", 2)]


def test_a_batch_of_a_key_that_has_ended_is_not_resumed(demo: Demo, key: Key) -> None:
    made = uploaded(demo, "up.jsonl", key)
    with closing(demo.store()) as database:
        keys.revoke(database, "theirs")
    assert "with which the batch was made, is revoked" in demo.regista("batch", "resume", made, status=1)


def test_a_batch_that_a_provider_has_is_cancelled_by_who_can_tell_the_provider(demo: Demo, key: Key) -> None:
    made = uploaded(demo, "up.jsonl", key)
    with closing(demo.store()) as database, database.transaction() as transaction:
        transaction.execute("UPDATE batches SET upstream = '[{}]' WHERE id = ?", (made,))
    shown = demo.regista("batch", "cancel", made)
    assert "cancelling" in shown and f"regista batch resume {made}" in shown


class Running:
    """`regista batch …` as a process of its own."""

    def __init__(self, demo: Demo, *arguments: str) -> None:
        self._demo = demo
        command = [sys.executable, "-m", "regista", "batch", *arguments]
        self.process = subprocess.Popen(
            command, cwd=demo.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ.copy()
        )

    def until(self, done: int, patience_s: float = 60) -> None:
        """Wait until so many lines are done."""
        end = time.monotonic() + patience_s
        while len(self.done()) < done:
            assert self.process.poll() is None and time.monotonic() < end
            time.sleep(0.05)

    def stays(self) -> None:
        """Wait until no line more is done: what it had started has ended too."""
        before = -1
        while (now := len(self.done())) != before:
            before = now
            time.sleep(2)

    def done(self) -> set[int]:
        """The lines that are done by now."""
        if not (self._demo.folder / ".regista" / "regista.db").exists():
            return set()
        with closing(self._demo.store()) as database:
            output = next((made.output_file for made in batches.of_application(database, "demo", 1)), "")
            return {n - 1 for n in files.numbers(database, [output])}

    def ended(self, status: int, patience_s: float = 60) -> str:
        """What it printed, once it has ended so."""
        shown = self.process.communicate(timeout=patience_s)[0]
        assert self.process.returncode == status, shown
        return shown


Begin = Callable[..., Running]


@pytest.fixture
def begin(demo: Demo) -> Iterator[Begin]:
    """Begins commands as processes of their own; none outlives the test."""
    begun: list[Running] = []

    def begin(*arguments: str) -> Running:
        begun.append(Running(demo, *arguments))
        return begun[-1]

    yield begin
    for running in begun:
        running.process.kill()
        running.process.wait()


def slow(demo: Demo, upstream: Upstream) -> Callable[[], list[int]]:
    """An application whose model takes a while. Gives the numbers of the lines it was asked since the last time."""
    told = 0
    model = f'[models.default]\nmodel = "openai/m"\nbase_url = "{upstream.url("/slow")}"\n'
    demo.write({"regista.toml": f'[app]\nname = "demo"\n{model}'})

    def asked_since() -> list[int]:
        nonlocal told
        new, told = upstream.requests[told:], len(upstream.requests)
        return [int(request.json["messages"][-1]["content"].split()[-1]) for request in new]

    return asked_since


def test_ctrl_c_lets_what_is_under_way_end_and_resume_asks_nothing_twice(
    demo: Demo, upstream: Upstream, begin: Begin
) -> None:
    asked_since = slow(demo, upstream)
    first = begin("run", asked(demo, rows(150)), "--concurrency", "4")
    first.until(10)
    first.process.send_signal(signal.SIGINT)
    shown = first.ended(130)
    assert "Waiting for the lines under way" in shown and "regista batch resume batch_" in shown
    done, before = first.done(), asked_since()
    assert sorted(before) == sorted(done) and len(before) < 150, "What was under way was kept."
    second = begin("resume", "batch_"[:6] + batches.of_application(demo.store(), "demo", 1)[0].id[6:])
    assert "150 of 150 lines answered" in second.ended(0)
    assert sorted(before + asked_since()) == list(range(150))
    assert [row["custom_id"] for row in answers(demo.folder / "in.out.jsonl")] == [f"c{n}" for n in range(150)]


def test_killed_in_the_middle_it_goes_on_and_no_line_that_was_done_is_asked_again(
    demo: Demo, upstream: Upstream, begin: Begin
) -> None:
    asked_since = slow(demo, upstream)
    first = begin("run", asked(demo, rows(150)), "--concurrency", "4")
    first.until(20)
    first.process.kill()
    first.process.communicate()
    done, before = first.done(), asked_since()
    assert 20 <= len(done) <= len(before) <= len(done) + 4 + 200
    second = begin("resume", batches.of_application(demo.store(), "demo", 1)[0].id)
    assert "150 of 150 lines answered" in second.ended(0)
    again = asked_since()
    assert not done & set(again), "A line that was done is asked again."
    assert done | set(again) == set(range(150))
    found = answers(demo.folder / "in.out.jsonl")
    assert [row["custom_id"] for row in found] == [f"c{n}" for n in range(150)]


def test_a_batch_that_nobody_runs_is_cancelled_with_every_line_in_a_file(
    demo: Demo, upstream: Upstream, begin: Begin
) -> None:
    slow(demo, upstream)
    first = begin("run", asked(demo, rows(150)), "--concurrency", "4")
    first.until(10)
    first.process.send_signal(signal.SIGINT)
    first.ended(130)
    made = batches.of_application(demo.store(), "demo", 1)[0]
    cancelled = demo.json("batch", "cancel", made.id)
    assert cancelled["status"] == "cancelled"
    assert cancelled["request_counts"]["completed"] + cancelled["request_counts"]["failed"] == 150
