"""Two live servers that share their caches: the exact one through Redis, the semantic one through the store."""

import time
from pathlib import Path

import httpx2
import pytest
from tests._redis import RedisServer
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, Start

from regista.store import caches, connect
from regista.store.caches import Calibration
from regista.surfaces.cli._run import run

ASKED, AGAIN = "What is the capital of Australia?", "Which is the capital of Australia?"
HELD = Calibration("hashed-384-v1", 0.7, 0.01, 0.05, 300, 0, "sample", 1)
END_S = 30


def configuration(upstream: Upstream, caches: str) -> str:
    model = f'[models.default]\nmodel = "openai/good"\nbase_url = "{upstream.url()}"\n'
    return f'[app]\nname = "shop"\n{model}[cache]\n{caches}\n[prices."openai/good"]\ninput = "1.00"\noutput = "2.00"\n'


def cached(server: Live, text: str, **headers: str) -> str:
    """What the header of an answer says of the cache."""
    body = {"model": "shop", "messages": [{"role": "user", "content": text}]}
    answer = httpx2.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    said = answer.headers["x-regista-cache"]
    assert answer.json()["regista"]["cached"] == (said in ("hit", "semantic"))
    assert answer.json()["regista"]["cost"] == 0 or said not in ("hit", "semantic")
    return said


def until(server: Live, text: str, said: str) -> None:
    """Ask until the cache says so: what another process did takes up to a second to arrive."""
    end = time.monotonic() + END_S
    while (now := cached(server, text)) != said:
        assert time.monotonic() < end, f"still {now}"
        time.sleep(0.05)


def test_two_servers_share_exact_hits_and_a_redis_that_is_gone_is_a_miss(
    start: Start, upstream: Upstream, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTA_REDIS", redis_server.url)
    asked = configuration(upstream, "exact = true")
    one, other = (start(asked, folder=folder) for folder in ("one", "other"))
    assert cached(one, "hello") == "miss"
    until(other, "hello", "hit")
    redis_server.kill()
    assert [cached(one, "hello"), cached(one, "and you?"), cached(one, "and you?")] == ["hit", "miss", "hit"]
    assert cached(other, "and you?") == "miss"
    figures = httpx2.get(f"{other.url}/metrics").text
    assert "regista_cache_shared_problems_total" in figures
    redis_server.start()
    end = time.monotonic() + END_S
    for n in range(1_000):
        assert time.monotonic() < end
        cached(one, f"question {n}")
        if cached(other, f"question {n}") == "hit":
            break
        time.sleep(0.05)


def test_two_servers_share_semantic_hits_through_their_store_and_follow_a_clearing(
    start: Start, upstream: Upstream, tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = postgres
    monkeypatch.setenv("REGISTA_STORE", store)
    monkeypatch.setenv("REGISTA_MODELS", str(tmp_path))
    database = connect(store)
    caches.calibrate(database, "shop", HELD)
    asked = configuration(upstream, "semantic = true\nshadow = 0.0")
    one, other = (start(asked, folder=folder) for folder in ("one", "other"))
    assert cached(one, ASKED) == "miss"
    until(other, AGAIN, "semantic")
    calls = len(upstream.requests)
    assert cached(other, AGAIN) == "semantic" and len(upstream.requests) == calls
    figures = httpx2.get(f"{other.url}/metrics").text
    assert "regista_semantic_cache_serving 1.0" in figures
    assert 'regista_cache_total{application="shop",result="semantic"}' in figures
    assert database.query("SELECT SUM(cost_nano) FROM traces WHERE cached = 'semantic'")[0][0] in (None, 0)
    assert run(["cache", "clear", str(one.folder)]) == 0
    for server in (one, other):
        end = time.monotonic() + END_S
        while httpx2.get(f"{server.url}/metrics").text.count("regista_semantic_cache_entries 0.0") == 0:
            assert time.monotonic() < end
            time.sleep(0.05)
    assert cached(other, AGAIN) == "miss"


def test_tenants_share_neither_cache(
    start: Start,
    upstream: Upstream,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REGISTA_MODELS", str(tmp_path))
    server = start(configuration(upstream, "exact = true\nsemantic = true\nshadow = 0.0"))
    caches.calibrate(connect(f"sqlite://{server.folder / '.regista' / 'regista.db'}"), "shop", HELD)
    keys = dict[str, str]()
    for tenant in ("acme", "globex"):
        assert run(["keys", "add", tenant, str(server.folder), "--tenant", tenant]) == 0
        keys[tenant] = f"Bearer {capsys.readouterr().out.strip()}"
    end = time.monotonic() + END_S
    while httpx2.get(f"{server.url}/v1/models").status_code != 401:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert cached(server, ASKED, authorization=keys["acme"]) == "miss"
    assert cached(server, ASKED, authorization=keys["acme"]) == "hit"
    assert cached(server, ASKED, authorization=keys["globex"]) == "miss"
    assert cached(server, AGAIN, authorization=keys["globex"]) == "semantic"
