"""`regista ask` and its neighbours, as a user types them, with and without a running server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

QUESTION = "How long is the library open on Thursdays?"


def regista(*arguments: str, cwd: Path, status: int = 0) -> str:
    """What a command prints; its errors where it fails as it should."""
    command = [sys.executable, "-m", "regista", *arguments]
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if status == 0 else done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an application `demo`, as `regista new` makes it."""
    place = tmp_path_factory.mktemp("place")
    regista("new", "demo", cwd=place)
    return place


@pytest.fixture
def server(place: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "regista", "up", "demo", "--port", "0"]
    process = subprocess.Popen(command, cwd=place, stderr=subprocess.PIPE, text=True, start_new_session=True)
    note = place / "demo" / ".regista" / "server.json"
    while not note.is_file() and process.poll() is None:
        time.sleep(0.02)
    yield json.loads(note.read_text())["url"]
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert "Try, in another terminal" in said and "Traceback" not in said


def test_json_has_the_keys_it_promises(place: Path) -> None:
    answer = json.loads(regista("ask", "demo", QUESTION, "--json", cwd=place))
    assert list(answer) == ["answer", "citations", "trace_id", "variant", "usage", "cost", "cached"]
    assert answer["citations"][0]["document"] == "opening-hours.md"


def test_a_running_server_answers_the_same(place: Path, server: str) -> None:
    asked = [json.loads(regista("ask", "demo", QUESTION, "--json", cwd=place)) for _ in range(2)]
    assert asked[0]["answer"] == asked[1]["answer"] and asked[1]["cached"]
    assert asked[1]["citations"] == asked[0]["citations"] and asked[0]["citations"]
    assert regista("ask", "demo", QUESTION, "--stream", cwd=place).startswith(asked[0]["answer"].split("\n")[0])


def test_the_trace_of_an_answer_can_be_read(place: Path) -> None:
    answer = json.loads(regista("ask", "demo", QUESTION, "--json", cwd=place))
    shown = regista("trace", answer["trace_id"][:8], "demo", cwd=place)
    assert "retrieve" in shown and "opening-hours.md" in shown
    assert answer["trace_id"][:8] in regista("traces", "demo", cwd=place)


def test_ingest_says_what_changed(place: Path) -> None:
    (place / "demo" / "documents" / "new.md").write_text("# Coffee\n\nThe library serves coffee until noon.\n")
    assert "1 added" in regista("ingest", "demo", cwd=place)
    assert "coffee" in regista("retrieve", "demo", "coffee until noon", "-k", "1", cwd=place)
    (place / "demo" / "documents" / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    said = subprocess.run(
        [sys.executable, "-m", "regista", "ingest", "demo"], cwd=place, capture_output=True, text=True, check=False
    )
    assert said.returncode == 1 and "broken.pdf" in said.stdout and "Traceback" not in said.stderr
    (place / "demo" / "documents" / "broken.pdf").unlink()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("ask", "demoo", "why?"), "Did you mean"),
        (("asl", "demo", "why?"), "Did you mean 'ask'"),
        (("trace", "feedfeed", "demo"), "trace"),
        (("demo", "build"), "adds no commands"),
        (("up", "nowhere"), "nowhere"),
    ],
)
def test_a_wrong_word_is_answered_with_what_to_type(place: Path, arguments: tuple[str, ...], part: str) -> None:
    assert part in regista(*arguments, cwd=place, status=1)


def test_a_store_that_cannot_be_written_is_told_with_what_to_do(place: Path, tmp_path: Path) -> None:
    broken = tmp_path / "regista.db"
    broken.write_bytes(b"this is no database" * 100)
    environment = {**os.environ, "REGISTA_STORE": f"sqlite://{broken}"}
    done = subprocess.run(
        [sys.executable, "-m", "regista", "ask", "demo", QUESTION],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "REGISTA_STORE" in done.stderr and "Traceback" not in done.stderr
