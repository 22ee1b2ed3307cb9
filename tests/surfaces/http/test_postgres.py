"""Serving over a PostgreSQL: several servers as one, and a database that goes while they serve and comes back."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from tests._postgres import Server
from tests.surfaces.http.conftest import Start
from tests.surfaces.http.test_serving import until, with_key

from regista.store import connect, keys, traces

ECHO = '[app]\nname = "shop"\n[models.default]\nmodel = "echo/any"\n'
READER = '[app]\nname = "shop"\n[models.default]\nmodel = "embedded/reader"\n[context]\nembedder = "hashed"\n'


def stored(url: str) -> list[str]:
    with closing(connect(url)) as database:
        return [row.id for row in traces.recent(database, limit=10_000)]


@pytest.fixture
def own() -> Iterator[Server]:
    """A server for one test to break."""
    server = Server()
    yield server
    server.close()


def test_servers_over_one_database_are_one(
    start: Start, postgres: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REGISTA_STORE", postgres)
    for name in ("one", "two"):
        (tmp_path / name / "documents").mkdir(parents=True)
        (tmp_path / name / "documents" / "tea.md").write_text("# Tea\n\nThe green tea is kept on the upper shelf.\n")
    one, two = start(READER, folder="one"), start(READER, "--port", "0", "--no-reload", folder="two")
    answers = [live.ask("shop", "Where is the green tea kept?") for live in (one, two)]
    assert all("upper shelf" in answer.text for answer in answers)
    until(lambda: set(stored(postgres)) >= {a.headers["x-regista-trace"] for a in answers}, "Both are stored.")
    (one.folder / "documents" / "tea.md").write_text("# Tea\n\nThe green tea is kept in the cellar.\n")
    until(lambda: "cellar" in two.ask("shop", "Where is the green tea kept?").text, "What one took in, two serves.")
    with closing(connect(postgres)) as database:
        token = keys.add(database, "web")
        for live in (one, two):
            until(lambda live=live: live.ask("shop").status_code == 401, "Both want a key.")
            assert with_key(live, token).status_code == 200
        keys.revoke(database, "web")
        for live in (one, two):
            until(lambda live=live: with_key(live, token).status_code == 401, "Both refuse it.")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_database_that_is_gone_for_a_while_costs_no_answer_and_no_trace(
    start: Start, own: Server, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setenv("REGISTA_STORE", own.url)
    with closing(connect(own.url)) as database:
        token = keys.add(database, "web")
    live = start(ECHO)
    ids = [with_key(live, token).headers["x-regista-trace"] for _ in range(20)]
    getattr(own, end)()
    answers = [with_key(live, token) for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}
    assert with_key(live, "rk-unknown").status_code == 401
    until(lambda: httpx2.get(f"{live.url}/healthz").json()["status"] == "degraded", "It says that something is wrong.")
    own.start()
    until(lambda: httpx2.get(f"{live.url}/healthz").json()["status"] == "ok", "It says that all is well.")
    ids += [answer.headers["x-regista-trace"] for answer in [*answers, *(with_key(live, token) for _ in range(20))]]
    until(lambda: len(stored(own.url)) == 90, "All are stored.")
    assert sorted(stored(own.url)) == sorted(ids)
    with closing(connect(own.url)) as database:
        keys.revoke(database, "web")
    until(lambda: with_key(live, token).status_code == 401, "Keys are followed again.")


def test_a_database_that_freezes_holds_up_neither_answers_nor_the_end(
    start: Start, own: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTA_STORE", own.url)
    live = start(ECHO)
    own.freeze()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(live.ask, ["shop"] * 100))
    assert {answer.status_code for answer in answers} == {200}
    own.thaw()
    until(lambda: len(stored(own.url)) == 100, "All are stored.")
    own.freeze()
    live.process.send_signal(signal.SIGTERM)
    assert live.process.wait(60) == 0


def test_no_process_shows_the_password(start: Start, own: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    password = "correct" + "horse"
    monkeypatch.setenv("REGISTA_STORE", own.url.replace("postgres@", f"postgres:{password}@"))
    live = start(ECHO, "--port", "0", "--workers", "2")
    live.ask("shop")
    until(lambda: len(stored(own.url)) == 1, "It is stored.")
    commands = [command for pid in os.listdir("/proc") if pid.isdigit() and (command := command_of(pid))]
    assert any("observe.writer" in command for command in commands)
    assert not any(password in command for command in commands)
    own.stop()
    live.ask("shop")
    until(lambda: httpx2.get(f"{live.url}/healthz").json()["problems"] or None, "It says what is wrong.")
    assert password not in httpx2.get(f"{live.url}/healthz").text

    assert password not in live.log.read_text()


def command_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""
