"""End users: whose requests these are, and how all that is kept of one is taken away while the server serves."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
import redis
from msgspec.structs import replace
from tests._redis import RedisServer
from tests.surfaces.http.conftest import Live, Start, sdk
from tests.surfaces.http.test_batches import begun, ended, jsonl, row

from regista.core.nouns import Span, Trace, Usage
from regista.data import dataset
from regista.data.dataset import Lineage
from regista.data.from_traces import examples_of
from regista.store import connect, keys, traces
from regista.store.trace_pages import Wanted, page

CONFIGURATION = """
[app]
name = "shop"
[models.default]
model = "echo/any"
[cache]
exact = true
[evaluation]
suite = "live"
share = 1.0
[feedback]
signals = "all"
"""
ANA, BOB = "ana-lindqvist-4711", "bob"
WORDS = ("quokkaberry", "zanzimarmot", "yellowplover", "hexatapir", "umbradingo", "kelpfalcon")
"""Words that are nowhere but in what Ana said."""


def shop(start: Start, tmp_path: Path, *arguments: str) -> tuple[Live, str]:
    """A server that scores all it serves, with a key that may make keys."""
    (tmp_path / "shop" / "evals").mkdir(parents=True)
    (tmp_path / "shop" / "evals" / "live.jsonl").write_text('{"id": "1", "input": "?"}\n')
    (tmp_path / "shop" / "evals" / "live.toml").write_text('cases = "live.jsonl"\n[scorers.latency]\n')
    live = start(CONFIGURATION, *arguments)
    with closing(connect(store(live))) as database:
        token = keys.add(database, "root", admin=True)
    until(lambda: ask(live, "none", "hello", "nobody").status_code == 401)
    return live, token


def store(live: Live) -> str:
    return f"sqlite://{live.folder / '.regista' / 'regista.db'}"


def ask(live: Live, token: str, text: str, user: str, **more: Any) -> httpx2.Response:
    body = {"model": "shop", "user": user, "messages": [{"role": "user", "content": text}], **more}
    return httpx2.post(
        f"{live.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {token}"}, timeout=30
    )


def until(done: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def users(live: Live) -> list[str]:
    with closing(connect(store(live))) as database:
        return [row.user for row in traces.recent(database, limit=1_000)]


def holding(folder: Path, *words: str) -> dict[str, list[str]]:
    """The files of a folder that hold some of these words, byte for byte."""
    found: dict[str, list[str]] = {}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        said = path.read_bytes()
        if some := [word for word in words if word.encode() in said]:
            found[str(path.relative_to(folder))] = some
    return found


def erase(live: Live, token: str, user: str, query: str = "") -> httpx2.Response:
    headers = {"authorization": f"Bearer {token}"}
    return httpx2.delete(f"{live.url}/v1/users/{user}{query}", headers=headers, timeout=60)


def test_whoever_asks_is_named_in_the_words_of_every_api(start: Start) -> None:
    live = start('[app]\nname = "shop"\n[models.default]\nmodel = "echo/any"\n')
    client = sdk(live)
    said: Any = [{"role": "user", "content": "hello"}]
    client.chat.completions.create(model="shop", messages=said, user="one")
    client.chat.completions.create(model="shop", messages=said, safety_identifier="two")
    client.responses.create(model="shop", input="hello", safety_identifier="three")
    client.completions.create(model="echo/any", prompt="hello", user="four")
    with anthropic.Anthropic(base_url=live.url, api_key="unused", max_retries=0) as claude:
        claude.messages.create(model="shop", max_tokens=9, messages=said, metadata={"user_id": "five"})
        claude.messages.create(model="shop", max_tokens=9, messages=said, metadata={"user_id": "x" * 200})
    client.chat.completions.create(model="shop", messages=said, user="y" * 200)
    client.chat.completions.create(model="shop", messages=said)
    until(lambda: len(users(live)) == 8)
    named = sorted(users(live))
    assert named[0] == "" and set(named) >= {"one", "two", "three", "four", "five"}
    assert all(len(name) <= 64 for name in named)
    with closing(connect(store(live))) as database:
        for user in ("three", "x" * 200, "y" * 200):
            assert len(traces.recent(database, user=user)) == 1
            assert len(page(database, Wanted(user=user), 10)) == 1


def test_a_user_is_gone_from_every_byte_while_the_server_serves(start: Start, tmp_path: Path) -> None:
    live, token = shop(start, tmp_path)
    headers = {"authorization": f"Bearer {token}"}
    answered = ask(live, token, f"Where is my {WORDS[0]}?", ANA)
    trace = answered.headers["x-regista-trace"]
    history = [{"role": "assistant", "content": "Here."}, {"role": "user", "content": f"no, I meant the {WORDS[1]}"}]
    first = [{"role": "user", "content": f"Where is my {WORDS[0]}?"}]
    ask(live, token, "", ANA, messages=[*first, *history])
    ask(live, token, f"Where is my {WORDS[0]}?", ANA)
    comment = {"trace": trace, "kind": "comment", "text": f"It knows no {WORDS[2]}."}
    until(lambda: httpx2.post(f"{live.url}/v1/feedback", json=comment, headers=headers).status_code in (200, 201))
    client = sdk(live, token)
    line = row(1, text=f"Lost: {WORDS[3]}")
    line["body"]["user"] = ANA
    batch = ended(client, begun(client, jsonl([row(0, text="Tell me of tea"), line, row(2)])))
    assert batch.output_file_id is not None and WORDS[3] in client.files.content(batch.output_file_id).text
    ask(live, token, f"A {WORDS[4]} is not yours.", BOB)
    until(lambda: users(live).count(ANA) == 4 and BOB in users(live))
    with closing(connect(store(live))) as database:
        made = examples_of(traces.answered(database, "shop"), [])
        kept = dataset.keep(live.folder, made.examples, Lineage("all", "", "shop", 1, 0, {}, {}, {}))
    assert holding(live.folder, ANA, *WORDS[:3])

    serving, answers = threading.Event(), list[int]()

    def serve() -> None:
        while not serving.is_set():
            answers.append(ask(live, token, f"Is question {len(answers)} answered?", BOB).status_code)

    beside = threading.Thread(target=serve)
    beside.start()
    try:
        told = erase(live, token, ANA).raise_for_status().json()
    finally:
        serving.set()
        beside.join()

    assert told["verified"] and told["traces"] == 4 and told["looked_for"] >= 4
    assert told["removed"]["batch lines"] == 2 and told["removed"]["examples"] >= 3
    assert told["removed"]["feedback"] >= 1 and told["removed"]["evaluation_cases"] >= 3
    assert set(answers) == {200} and len(answers) > 5
    assert holding(live.folder, ANA, *WORDS[:4]) == {}
    assert holding(live.folder, WORDS[4])
    assert ANA not in users(live) and BOB in users(live)
    (left,) = dataset.versions(live.folder)
    assert left.version != kept.version and left.erased == told["removed"]["examples"]
    assert WORDS[4] in dataset.path_of(live.folder, left).read_text()
    rest = client.files.content(batch.output_file_id).text
    assert WORDS[3] not in rest and rest.count("\n") == 2
    assert WORDS[3] not in client.files.content(batch.input_file_id).text
    assert ask(live, token, f"Where is my {WORDS[0]}?", BOB).json()["regista"]["cached"] is False
    live.stop()
    assert holding(live.folder, ANA, *WORDS[1:4]) == {}


def test_only_who_runs_the_server_erases_and_one_tenant_at_a_time(start: Start, tmp_path: Path) -> None:
    live, token = shop(start, tmp_path)
    with closing(connect(store(live))) as database:
        other = keys.add(database, "other", "elsewhere")
    until(lambda: ask(live, other, "my own zebra", BOB).status_code == 200)
    ask(live, token, "somebody else's zebra", BOB)
    refused = erase(live, other, BOB)
    assert refused.status_code == 403 and "--admin" in refused.json()["error"]["message"]
    nobody = erase(live, token, "stranger")
    assert nobody.status_code == 404 and "Nothing is kept" in nobody.json()["error"]["message"]
    ask(live, token, "a name of two words", "team 7/ana b")
    assert erase(live, token, "team%207%2Fana%20b").json()["traces"] == 1
    told = erase(live, token, BOB).raise_for_status().json()
    assert told["tenant"] == "default" and told["elsewhere"] == {"elsewhere": 1} and told["verified"]
    assert users(live).count(BOB) == 1
    assert erase(live, token, BOB, "?tenant=elsewhere").json()["traces"] == 1
    assert BOB not in users(live)
    assert erase(live, token, "").status_code in (400, 404)


def test_answers_that_servers_share_go_too(
    start: Start, tmp_path: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTA_REDIS", redis_server.url)
    live, token = shop(start, tmp_path)
    for text, user in ((f"What is a {WORDS[0]}?", ANA), ("What is a spade?", BOB)):
        ask(live, token, text, user)
    until(lambda: {ANA, BOB} <= set(users(live)))
    with closing(opened(redis_server.url)) as shared:
        until(lambda: any(b"spade" in value for value in kept(shared)))
        before = len(kept(shared))
        assert any(WORDS[0].encode() in value for value in kept(shared))
        assert erase(live, token, ANA).raise_for_status().json()["verified"]
        assert len(kept(shared)) == before - 1 and not any(WORDS[0].encode() in value for value in kept(shared))


def opened(url: str) -> Any:
    """The server, with an untyped client."""
    return redis.Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType]


def kept(shared: Any) -> list[bytes]:
    return [shared.get(name) for name in shared.keys("regista:cache:*")]


def test_weeks_that_were_packed_are_written_anew_while_others_are_added_to_them(start: Start, tmp_path: Path) -> None:
    """Bodies lie compressed in a file a week once there are a thousand; new ones move there while it is cleaned."""
    (tmp_path / "shop" / ".regista").mkdir(parents=True)
    with closing(connect(f"sqlite://{tmp_path / 'shop' / '.regista' / 'regista.db'}")) as database:
        for first in range(0, 2_400, 200):
            with database.transaction() as transaction:
                traces.write(transaction, [stored(n) for n in range(first, first + 200)])
    live, token = shop(start, tmp_path)
    assert len(list(live.folder.glob(".regista/regista-*.db"))) == 1
    serving = threading.Event()

    def serve() -> None:
        while not serving.is_set():
            ask(live, token, "Is this one answered?", BOB, messages=MANY)

    beside = [threading.Thread(target=serve) for _ in range(2)]
    for one in beside:
        one.start()
    try:
        told = erase(live, token, ANA).raise_for_status().json()
    finally:
        serving.set()
        for one in beside:
            one.join()
    assert told["verified"] and told["traces"] == 80 and told["looked_for"] > 30
    live.stop()
    assert holding(live.folder, ANA, WORDS[0]) == {}
    with closing(connect(store(live))) as database:
        mine = [row for row in traces.recent(database, limit=10_000) if row.started_ns < LONG_AGO + 10**12]
        assert len(mine) == 2_320 and all(row.question.endswith("of bob") for row in mine)
        assert len(traces.search(database, "spade", limit=5_000)) == 2_320
        assert not traces.search(database, WORDS[0])


LONG_AGO = time.time_ns() - 10 * 86_400 * 10**9
MANY = [{"role": "user", "content": "Is this one answered?"}] * 3


def stored(n: int) -> Trace:
    """A trace of one of the two, made without a server."""
    user, word = (ANA, WORDS[0]) if n % 30 == 0 else (BOB, "spade")
    said = f"question {n}, {word}, of {user}"
    made = Trace(
        f"{n:032x}", "shop", "v", "m", "default", LONG_AGO + n, 5, 0, "ok", "", "", Usage(), 0, "", said, said, (), ()
    )
    return replace(made, user=user, spans=(Span("generate", "m", -1, 0, 4, "stop", said, {"notes": [said]}),))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_command_erases_what_a_running_server_keeps(start: Start, tmp_path: Path, workers: str) -> None:
    from regista.surfaces.cli._run import run  # noqa: PLC0415

    live, token = shop(start, tmp_path, "--port", "0", "--workers", workers)
    for n in range(5):
        ask(live, token, f"Where is the {WORDS[5]} of day {n}?", ANA)
    until(lambda: users(live).count(ANA) == 5)
    assert run(["forget", str(live.folder), "--user", ANA]) == 1
    assert run(["forget", str(live.folder), "--user", ANA, "--yes"]) == 0
    assert holding(live.folder, ANA, WORDS[5]) == {}
    assert ask(live, token, "And now?", ANA).status_code == 200
