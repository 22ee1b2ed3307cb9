"""Several workers on one address, as a user starts them: they are killed, stopped, told to reload, and keep count."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, Start, write
from tests.surfaces.http.test_serving import store, stored, with_key
from tests.surfaces.workers.conftest import ECHO, children, ended, figure, kill, until, workers

from regista.store import keys, traces

READER = ECHO.replace("echo/any", "embedded/reader") + '[context]\nembedder = "hashed"\n'
SLOW = '[app]\nname = "shop"\n[models.default]\nmodel = "openai/slow"\nbase_url = "{url}"\n'


def asks(live: Live, times: int, threads: int = 8) -> list[httpx2.Response]:
    """So many answers, each over a connection of its own."""
    with ThreadPoolExecutor(threads) as pool:
        asked = [pool.submit(live.ask, "shop", f"question {n}") for n in range(times)]
        return [answer.result() for answer in asked]


def test_workers_are_dealt_connections_in_turn(three: Live) -> None:
    port = int(three.url.rpartition(":")[2])
    open_ = [httpx2.Client() for _ in range(12)]
    try:
        for client in open_:
            client.get(f"{three.url}/healthz").raise_for_status()
        held = [connections(pid, port) for pid in workers(three)]
        assert sorted(held) == [4, 4, 4]
    finally:
        for client in open_:
            client.close()


def connections(pid: int, port: int) -> int:
    """How many connections to a port a process holds."""
    ours = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if is_to(line, port)}
    links = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    return sum(link.removeprefix("socket:[").removesuffix("]") in ours for link in links)


def is_to(line: str, port: int) -> bool:
    local, state = line.split()[1], line.split()[3]
    return int(local.rpartition(":")[2], 16) == port and state == "01"


def test_whichever_worker_is_asked_tells_the_figures_of_all(three: Live) -> None:
    assert {answer.status_code for answer in asks(three, 30)} == {200}
    for _ in range(6):
        assert figure(three, "regista_requests_total") == 30
        assert figure(three, "regista_workers") == 3
    until(lambda: figure(three, "regista_traces_written_total") == 30, "All traces are stored.")
    assert len(stored(three)) == 30


def test_a_worker_that_is_killed_is_replaced_and_no_total_falls(three: Live) -> None:
    asks(three, 30)
    assert figure(three, "regista_requests_total") == 30
    for victim in workers(three)[:2]:
        kill(victim)
        until(lambda victim=victim: ended(victim) and len(workers(three)) == 3, "Another worker is there.")
    until(lambda: figure(three, "regista_workers") == 3, "Three serve.")
    assert figure(three, "regista_requests_total") >= 30
    assert figure(three, "regista_worker_restarts_total") == 2
    assert {answer.status_code for answer in asks(three, 30)} == {200}
    assert figure(three, "regista_requests_total") == 60


def test_while_a_worker_is_replaced_the_others_answer_everyone(three: Live) -> None:
    def ask(n: int) -> int:
        try:
            return three.ask("shop", f"question {n}").status_code
        except httpx2.HTTPError:
            return 0

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, n) for n in range(300)]
        kill(workers(three)[1])
        codes = [asked.result() for asked in asking]
    # Who was connected to it just then is cut off; who comes after that notices nothing.
    assert codes.count(200) + codes.count(0) == 300
    assert codes.count(0) <= 4


def test_a_stop_lets_answers_end_on_every_worker_and_stores_their_traces(start: Start, upstream: Upstream) -> None:
    live = start(SLOW.format(url=upstream.url("/slow")), "--port", "0", "--workers", "2")
    upstream.pause = 0.05
    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(live.ask, "shop", f"before the end {n}", stream=True) for n in range(6)]
        until(lambda: len(upstream.requests) == 6, "The requests are under way.")
        were = workers(live)
        assert live.stop() == 0
        assert all(answer.result().text.rstrip().endswith("data: [DONE]") for answer in answers)
    assert stored(live) >= {answer.result().headers["x-regista-trace"] for answer in answers}
    assert all(ended(pid) for pid in were)
    assert not (live.folder / ".regista" / "server.json").exists()


def test_killing_the_supervisor_ends_its_workers_after_what_is_under_way(start: Start, upstream: Upstream) -> None:
    live = start(SLOW.format(url=upstream.url("/slow")), "--port", "0", "--workers", "2")
    upstream.pause = 0.05
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(live.ask, "shop", "before the end", stream=True)
        until(lambda: upstream.requests, "The request is under way.")
        were = workers(live)
        live.process.kill()
        live.process.wait()
        assert answer.result().text.rstrip().endswith("data: [DONE]")
    until(lambda: all(ended(pid) for pid in were), "The workers have ended.")
    assert answer.result().headers["x-regista-trace"] in stored(live)
    with socket.create_server(("127.0.0.1", int(live.url.rpartition(":")[2]))):
        pass


def test_on_a_hang_up_every_worker_serves_the_folder_as_it_is_then(start: Start) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a suite begun with nohup has it ignored
    live = start(ECHO, "--port", "0", "--workers", "3", "--no-reload")
    signal.signal(signal.SIGHUP, before)
    first = variants(live)
    write(live.folder, ECHO, '{{role "system"}}\nAnother.\n{{role "user"}}\n{{question}}\n')
    assert variants(live) == first
    live.process.send_signal(signal.SIGHUP)
    until(lambda: first.isdisjoint(variants(live)), "All serve the new one.", live)
    assert len(variants(live)) == 1


def test_what_is_saved_is_served_by_every_worker(three: Live) -> None:
    first = variants(three)
    write(three.folder, ECHO, '{{role "system"}}\nAnother.\n{{role "user"}}\n{{question}}\n')
    until(lambda: first.isdisjoint(variants(three)) and len(variants(three)) == 1, "All serve the new one.")


def variants(live: Live) -> set[str]:
    return told(live, "variant")


def told(live: Live, what: str) -> set[Any]:
    """What the workers say of what they serve: connections are dealt in turn."""
    return {httpx2.get(f"{live.url}/healthz", timeout=30).json()[what] for _ in range(9)}


def test_a_document_that_is_saved_is_found_by_every_worker_whoever_of_them_dies(start: Start, tmp_path: Path) -> None:
    (tmp_path / "shop" / "documents").mkdir(parents=True)
    (tmp_path / "shop" / "documents" / "tea.md").write_text("# Tea\n\nThe green tea is kept on the upper shelf.\n")
    live = start(READER, "--port", "0", "--workers", "3")
    assert all("upper shelf" in answer.text for answer in question(live, "Where is the green tea kept?"))
    assert [children(pid, "worker_process") for pid in workers(live)] == [[], [], []]
    assert len(children(live.process.pid, "worker_process")) == 1
    (live.folder / "documents" / "coffee.md").write_text("# Coffee\n\nThe black coffee is kept in the cellar.\n")
    everywhere(live, "Where is the black coffee kept?", "cellar")
    until(lambda: told(live, "epoch") == {2}, "All know that it is another epoch: so do their caches.")
    kill(workers(live)[0])
    (live.folder / "documents" / "milk.md").write_text("# Milk\n\nThe cold milk is kept in the pantry.\n")
    everywhere(live, "Where is the cold milk kept?", "pantry")


def question(live: Live, text: str) -> list[httpx2.Response]:
    return [live.ask("shop", text) for _ in range(6)]


def everywhere(live: Live, text: str, expected: str) -> None:
    def known() -> bool:
        try:
            return all(expected in answer.text for answer in question(live, text))
        except httpx2.HTTPError:
            return False

    until(known, f"All workers know of the {expected}.")


def test_a_key_opens_and_is_refused_on_every_worker(three: Live) -> None:
    with closing(store(three)) as database:
        token = keys.add(database, "web")
        until(lambda: {with_key(three, "").status_code for _ in range(6)} == {401}, "All want a key.")
        assert {with_key(three, token).status_code for _ in range(6)} == {200}
        keys.revoke(database, "web")
        until(lambda: {with_key(three, token).status_code for _ in range(6)} == {401}, "All refuse it.")


def test_what_is_wrong_with_an_application_is_told_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "shop", ECHO.replace("[app]", "[ap]"))
    command = [sys.executable, "-m", "regista", "up", str(folder), "--port", "0", "--workers", "3"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("no section 'ap'") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("workers", ["0", "-1", "1000"])
def test_a_number_of_workers_that_makes_no_sense_is_refused(tmp_path: Path, workers: str) -> None:
    folder = write(tmp_path / "shop", ECHO)
    command = [sys.executable, "-m", "regista", "up", str(folder), "--port", "0", "--workers", workers]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, "--workers" in ended.stderr) == (1, True)


def test_the_note_names_the_supervisor(three: Live) -> None:
    note = json.loads((three.folder / ".regista" / "server.json").read_text())
    assert note == {"url": three.url, "pid": three.process.pid, "workers": 3}


def test_a_draining_server_says_so_and_answers_what_still_comes(start: Start, upstream: Upstream) -> None:
    live = start(SLOW.format(url=upstream.url("/slow")))
    upstream.pause = 0.3
    with httpx2.Client() as idle, ThreadPoolExecutor(1) as pool:
        assert idle.get(f"{live.url}/healthz").json()["status"] == "ok"
        answer = pool.submit(live.ask, "shop", "under way", stream=True)
        until(lambda: upstream.requests, "The request is under way.")
        live.process.send_signal(signal.SIGTERM)
        told: list[httpx2.Response] = []

        def leaving() -> bool:
            told.append(idle.get(f"{live.url}/healthz"))
            return told[-1].headers.get("connection") == "close"

        until(leaving, "It sends its clients away.")
        assert (told[-1].status_code, told[-1].json()["status"]) == (503, "draining")
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{live.url}/healthz")
        assert answer.result().text.rstrip().endswith("data: [DONE]")
    assert live.process.wait(30) == 0


def test_a_limit_is_one_limit_for_all_workers_and_outlives_them(three: Live) -> None:
    with closing(store(three)) as database:
        token = keys.add(database, "web", limits=["40 requests/month"])
    until(lambda: codes(three, "", 6) == {401: 6}, "All want a key.")
    assert codes(three, token, 30) == {200: 30}
    until(lambda: written(three) == 30, "They are stored.")
    for pid in workers(three):
        kill(pid)
    until(lambda: figure_of(three, token) == 3, "Others are there.")
    assert codes(three, token, 30) == {200: 10, 429: 20}


def test_a_limit_is_known_again_after_the_whole_server_was_killed(start: Start) -> None:
    live = start(ECHO, "--port", "0", "--workers", "2")
    with closing(store(live)) as database:
        token = keys.add(database, "web", limits=["20 requests/month"])
    until(lambda: codes(live, "", 6) == {401: 6}, "All want a key.")
    assert codes(live, token, 15) == {200: 15}
    until(lambda: written(live) == 15, "They are stored.")
    for pid in (live.process.pid, *workers(live)):
        kill(pid)
    live.process.wait()
    again = start(ECHO, "--port", "0", "--workers", "2")
    assert codes(again, token, 15) == {200: 5, 429: 10}


def codes(live: Live, token: str, times: int) -> Counter[int]:
    with ThreadPoolExecutor(8) as pool:
        return Counter(answer.status_code for answer in pool.map(with_key, [live] * times, [token] * times))


def written(live: Live) -> int:
    """Requests of the key `web` that are written down."""
    with closing(store(live)) as database:
        return int(database.query("SELECT count(*) FROM traces WHERE key = 'web'")[0][0])


def figure_of(live: Live, token: str) -> float:
    try:
        return figure(live, "regista_workers", token)
    except (httpx2.HTTPError, ValueError):
        return 0


def test_a_stop_that_every_process_is_told_of_is_as_polite(start: Start, upstream: Upstream) -> None:
    """As systemd does by default: the workers hear of it twice."""
    live = start(SLOW.format(url=upstream.url("/slow")), "--port", "0", "--workers", "2")
    upstream.pause = 0.1
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(live.ask, "shop", f"before the end {n}", stream=True) for n in range(2)]
        until(lambda: len(upstream.requests) == 2, "The requests are under way.")
        for pid in (live.process.pid, *workers(live)):
            os.kill(pid, signal.SIGTERM)
        assert all(answer.result().text.rstrip().endswith("data: [DONE]") for answer in answers)
    assert live.process.wait(30) == 0


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_second_stop_does_not_wait(start: Start, upstream: Upstream, count: str) -> None:
    live = start(SLOW.format(url=upstream.url("/endless")), "--port", "0", "--workers", count)
    upstream.pause = 0.1
    with httpx2.stream("POST", f"{live.url}/v1/chat/completions", json=ENDLESS, timeout=30) as answer:
        next(answer.iter_bytes())
        live.process.send_signal(signal.SIGINT)
        until(lambda: refused(live), "It takes no more.")
        assert live.process.poll() is None
        live.process.send_signal(signal.SIGINT)
        assert live.process.wait(30) == 0


def test_an_answer_that_does_not_end_is_cut_off_in_time(
    start: Start, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTA_DRAIN_S", "1")
    live = start(SLOW.format(url=upstream.url("/endless")), "--port", "0", "--workers", "2")
    with httpx2.stream("POST", f"{live.url}/v1/chat/completions", json=ENDLESS, timeout=30) as answer:
        pieces = answer.iter_bytes()
        next(pieces)
        trace = answer.headers["x-regista-trace"]
        assert live.stop() == 0
        with pytest.raises(httpx2.RemoteProtocolError):
            list(pieces)
    with closing(store(live)) as database:
        assert traces.find(database, trace).status == "cancelled"


ENDLESS = {"model": "shop", "messages": [{"role": "user", "content": "on and on"}], "stream": True}


def refused(live: Live) -> bool:
    try:
        httpx2.get(f"{live.url}/healthz")
    except httpx2.ConnectError:
        return True
    return False


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_second_server_on_one_file_is_refused_until_the_first_is_gone(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv("REGISTA_STORE", f"sqlite://{tmp_path / 'shared.db'}")
    arguments = ("--port", "0", "--workers", workers)
    one = start(ECHO, *arguments, folder="one")
    with pytest.raises(AssertionError, match=rf"shared.db is served already, by process {one.process.pid}\."):
        start(ECHO, *arguments, folder="two")
    assert httpx2.get(f"{one.url}/healthz").is_success
    one.process.kill()
    one.process.wait()
    assert httpx2.get(f"{start(ECHO, *arguments, folder='two').url}/healthz").is_success


def test_a_worker_that_is_stuck_is_replaced_and_the_others_answer_meanwhile(three: Live) -> None:
    stuck = workers(three)[1]
    os.kill(stuck, signal.SIGSTOP)
    until(lambda: "answers nothing" in three.log.read_text(), "It is found out.")
    until(lambda: ended(stuck) and len(workers(three)) == 3, "Another one is there.")
    assert {answer.status_code for answer in asks(three, 30)} == {200}


def test_a_worker_that_cannot_be_started_for_a_while_is_started_when_it_can_be(three: Live) -> None:
    supervisor, usual = three.process.pid, resource.prlimit(three.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (1, usual[1]))
    kill(workers(three)[1])
    until(lambda: "could not be started" in three.log.read_text(), "It is tried.", three)
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, usual)
    until(lambda: len(workers(three)) == 3, "Another one is there.", three)
