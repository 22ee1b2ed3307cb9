"""Models that fail behind a running server: what its clients see, and what their traces say."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import msgspec
import pytest
from openai import OpenAI
from tests._upstream.answers import ANSWER, OUTPUT
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live, write

MODELS = {
    "default": ("good", "", ""),
    "s500": ("s500", "/s500", 'retries = 1\nfallbacks = ["default"]'),
    "s429": ("s429", "/s429", ""),
    "s401": ("s401", "/s401", 'fallbacks = ["default"]'),
    "flaky": ("flaky", "/flaky", ""),
    "cut": ("cut", "/cut", 'fallbacks = ["default"]'),
    "cut-alone": ("cut-alone", "/cut", ""),
    "stall": ("stall", "/stall", 'between_s = 0.3\nfallbacks = ["default"]'),
    "silent": ("silent", "/silent", 'hedge_s = 0.1\nfallbacks = ["default"]'),
    "late": ("late", "/silent", "total_s = 0.3"),
    "few": ("few", "/slow", "concurrency = 1\nqueue = 1"),
    "broken": ("broken", "/s500", "retries = 0\nbreaker = 0.5"),
}
"""By name: the provider's model, the upstream's path, further keys."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, running_upstream: Upstream) -> Iterator[Live]:
    tables = [
        f'[models.{name}]\nmodel = "openai/{model}"\nbase_url = "{running_upstream.url(path)}"\n{more}\n'
        for name, (model, path, more) in MODELS.items()
    ]
    tables.append('[models.pool]\nbalance = ["s500", "default"]\n')
    server = Live(write(tmp_path_factory.mktemp("live") / "shop", '[app]\nname = "shop"\n' + "".join(tables)))
    yield server
    server.stop()


def calls(server: Live, trace: str) -> list[dict[str, Any]]:
    """The calls of a trace, as `regista trace` tells them."""
    command = [sys.executable, "-m", "regista", "trace", trace, str(server.folder), "--json"]
    end = time.monotonic() + 30
    while (told := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
        assert time.monotonic() < end, told.stderr
        time.sleep(0.05)
    return msgspec.json.decode(told.stdout)["calls"]


def causes(server: Live, reply: httpx2.Response) -> list[tuple[str, str, str]]:
    return [(call["model"], call["cause"], call["status"]) for call in calls(server, reply.headers["x-regista-trace"])]


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_fails_is_tried_again_and_then_another_answers(
    server: Live, upstream: Upstream, stream: bool
) -> None:
    reply = server.ask("openai/s500", stream=stream)
    assert reply.status_code == 200
    assert [request.path.split("/")[1] for request in upstream.requests] == ["s500", "s500", "chat"]
    assert causes(server, reply) == [
        ("s500", "answer", "error"),
        ("s500", "retry", "error"),
        ("good", "fallback", "ok"),
    ]


def test_a_passing_failure_is_not_seen(server: Live, upstream: Upstream) -> None:
    reply = server.ask("openai/flaky")
    assert reply.json()["choices"][0]["message"]["content"] == ANSWER
    assert causes(server, reply) == [("flaky", "answer", "error"), ("flaky", "retry", "ok")]


def test_a_refused_key_is_another_models_chance(server: Live, upstream: Upstream) -> None:
    assert server.ask("openai/s401").json()["model"] == "good"


def test_a_limit_of_the_provider_is_told_with_its_time(server: Live, upstream: Upstream) -> None:
    reply = server.ask("openai/s429")
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("model", ["cut", "stall"])
def test_a_stream_that_broke_is_one_answer_to_the_official_client(server: Live, upstream: Upstream, model: str) -> None:
    with (
        OpenAI(api_key="none", base_url=f"{server.url}/v1", max_retries=0) as client,
        client.chat.completions.stream(
            model=f"openai/{model}",
            messages=[{"role": "user", "content": "?"}],
            stream_options={"include_usage": True},
        ) as stream,
    ):
        ids = {event.chunk.id for event in stream if event.type == "chunk"}
        whole = stream.get_final_completion()
    (choice,) = whole.choices
    assert (choice.message.content, choice.message.role, choice.finish_reason) == (ANSWER, "assistant", "stop")
    assert ids == {"chatcmpl-1"}
    assert whole.usage is not None and whole.usage.completion_tokens > OUTPUT
    assert [request.path.split("/")[1] for request in upstream.requests] == [model, "chat"]
    roles = [message["role"] for message in upstream.requests[1].json["messages"]]
    assert roles == ["user", "assistant", "user"]


def test_a_stream_that_broke_where_nobody_can_go_on_is_an_error(server: Live, upstream: Upstream) -> None:
    lines = server.ask("openai/cut-alone", stream=True).text.strip().splitlines()
    assert '"error"' in lines[-1] and "stream_cut" in lines[-1]
    assert "[DONE]" not in lines
    assert len(upstream.requests) == 1


async def test_a_silent_model_is_overtaken_and_its_connection_closed(server: Live, upstream: Upstream) -> None:
    reply = server.ask("openai/silent")
    assert reply.json()["choices"][0]["message"]["content"] == ANSWER
    left = await upstream.disconnected()
    assert left.path.startswith("/silent")
    assert sorted(causes(server, reply)) == [("good", "hedge", "ok"), ("silent", "answer", "cancelled")]


def test_an_answer_that_is_late_is_a_timeout(server: Live, upstream: Upstream) -> None:
    reply = server.ask("openai/late")
    assert (reply.status_code, reply.json()["error"]["code"]) == (504, "deadline_exceeded")


def test_who_is_over_the_limit_is_sent_away_with_when_to_come_back(server: Live, upstream: Upstream) -> None:
    upstream.pause = 0.2
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(server.ask, ["openai/few"] * 6))
    statuses = sorted(reply.status_code for reply in replies)
    assert statuses[:2] == [200, 200] and statuses[-1] == 429
    for reply in replies:
        if reply.status_code == 429:
            assert int(reply.headers["retry-after"]) >= 1
            assert reply.json()["error"]["type"] == "rate_limit_error"
    figures = httpx2.get(f"{server.url}/metrics").text
    assert f'regista_model_shed_total{{model="few"}} {float(statuses.count(429))}' in figures


def test_a_pool_answers_while_one_of_it_does(server: Live, upstream: Upstream) -> None:
    for _ in range(5):
        assert server.ask("pool/pool").json()["model"] == "good"


def test_who_keeps_failing_is_left_alone_and_it_is_told(server: Live, upstream: Upstream) -> None:
    replies = [server.ask("openai/broken") for _ in range(12)]
    assert len(upstream.requests) == 10
    last = replies[-1]
    assert (last.status_code, last.json()["error"]["code"]) == (503, "left_alone")
    assert int(last.headers["retry-after"]) >= 1
    assert 'regista_model_breaker{model="broken"} 2.0' in httpx2.get(f"{server.url}/metrics").text
    health = httpx2.get(f"{server.url}/healthz").json()
    assert health["status"] == "degraded"
    assert any("[models.broken] is left alone: 10 of 10 calls failed" in problem for problem in health["problems"])
