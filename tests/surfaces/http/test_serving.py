"""What the gateway promises beside answers: keys, the cache, traces, reloading, an end that loses nothing."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import APPLICATION, Live, Start

from regista.core.errors import NotFoundError, StoreError
from regista.core.nouns import Trace
from regista.store import Database, connect, keys, traces

SEEN_WITHIN_S = 60


def store(live: Live) -> Database:
    return connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")


def trace_of(live: Live, answer: httpx2.Response) -> Trace:
    """The trace of an answer, once it is stored."""
    end = time.monotonic() + SEEN_WITHIN_S
    with closing(store(live)) as database:
        while True:
            try:
                return traces.find(database, answer.headers["x-regista-trace"])
            except (NotFoundError, StoreError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)


def until(check: Callable[[], object], what: str) -> None:
    end = time.monotonic() + SEEN_WITHIN_S
    while not check():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_an_answer_says_its_trace_its_variant_and_its_cost(live: Live, upstream: Upstream) -> None:
    answer = live.ask("shop", "what is this?").json()
    extension = answer["regista"]
    assert set(extension) == {"trace_id", "variant", "cached", "cost", "citations"}
    usage = answer["usage"]
    assert extension["cost"] == pytest.approx((usage["prompt_tokens"] + 2 * usage["completion_tokens"]) / 1e6)  # pyright: ignore[reportUnknownMemberType]


def test_every_stage_is_a_span_with_its_decision(live: Live, upstream: Upstream) -> None:
    trace = trace_of(live, live.ask("shop", "which stages?"))
    stages = {span.stage: span.decision for span in trace.spans}
    assert stages["authenticate"] == "allowed"
    assert stages["guard request"] == "pass"
    assert stages["cache"] == "miss"
    assert stages["generate"] == "stop"
    assert stages["guard response"] == "pass"
    assert trace.status == "ok" and trace.usage.input_tokens > 0 and trace.cost_nano


def test_a_raw_model_pays_for_nothing_else(live: Live, upstream: Upstream) -> None:
    answer = live.ask("openai/good")
    assert "regista" not in answer.json()
    assert [span.stage for span in trace_of(live, answer).spans] == ["authenticate", "generate"]


def test_the_same_question_is_answered_from_the_cache(live: Live, upstream: Upstream) -> None:
    first, second = (live.ask("shop", "cache me") for _ in range(2))
    assert (first.headers["x-regista-cache"], second.headers["x-regista-cache"]) == ("miss", "hit")
    assert first.json()["choices"][0]["message"]["content"] == second.json()["choices"][0]["message"]["content"]
    assert second.json()["regista"]["cached"] and second.json()["regista"]["cost"] == 0
    assert len(upstream.requests) == 1
    assert trace_of(live, second).cached == "hit"


def test_a_stream_and_a_whole_answer_share_the_cache(live: Live, upstream: Upstream) -> None:
    whole = live.ask("shop", "share me").json()["choices"][0]["message"]["content"]
    streamed = live.ask("shop", "share me", stream=True)
    events = [json.loads(line[6:]) for line in streamed.text.splitlines() if line.startswith("data: {")]
    assert "".join(event["choices"][0]["delta"].get("content", "") for event in events) == whole
    assert streamed.headers["x-regista-cache"] == "hit"


def test_the_same_question_at_once_goes_up_once(live: Live, upstream: Upstream) -> None:
    upstream.pause = 0.3
    with ThreadPoolExecutor(8) as pool:
        answers = [task.result() for task in [pool.submit(live.ask, "shop", "all at once") for _ in range(8)]]
    assert {answer.status_code for answer in answers} == {200}
    assert len(upstream.requests) == 1


def test_another_parameter_is_another_question(live: Live, upstream: Upstream) -> None:
    assert live.ask("shop", "warm?", temperature=0.1).headers["x-regista-cache"] == "miss"
    assert live.ask("shop", "warm?", temperature=0.9).headers["x-regista-cache"] == "miss"
    assert live.ask("shop", "warm?", temperature=0.9, user="u").headers["x-regista-cache"] == "hit"


def test_what_is_masked_for_the_provider_is_restored_for_the_user(live: Live, upstream: Upstream) -> None:
    mail = "ann.smith" + "@example.org"
    upstream.answer = "I would write to [EMAIL_1] today."
    for stream in (False, True):
        answer = live.ask("shop", f"write to {mail}", stream=stream)
        assert mail not in upstream.requests[0].body.decode()
        assert mail in answer.text or stream
        trace = trace_of(live, answer)
        assert mail not in trace.question + trace.answer


def test_without_a_key_nobody_asks_once_there_is_one(start: Start, upstream: Upstream) -> None:
    live = start(f'{APPLICATION}[models.default]\nmodel = "openai/good"\nbase_url = "{upstream.url()}"\n')
    with closing(store(live)) as database:
        good = keys.add(database, "good", tenant="north")
        expired = keys.add(database, "old", expires_days=1e-9)
        until(lambda: live.ask("shop").status_code == 401, "The new key is noticed.")
        codes = {"": "missing_api_key", "rk-nonsense": "invalid_api_key", expired: "expired_api_key"}
        for key, code in codes.items():
            answer = with_key(live, key)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
        assert with_key(live, good).status_code == 200
        keys.revoke(database, "good")
        until(lambda: with_key(live, good).status_code == 401, "The revoked key is refused.")
        assert good not in live.log.read_text()
        assert good not in (live.folder / ".regista" / "regista.db").read_bytes().decode("latin-1")


def with_key(live: Live, key: str) -> httpx2.Response:
    body = {"model": "shop", "messages": [{"role": "user", "content": "hello"}]}
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx2.post(f"{live.url}/v1/chat/completions", json=body, headers=headers, timeout=30)


def test_what_is_saved_is_served_and_what_is_broken_is_not(start: Start, upstream: Upstream) -> None:
    configuration = f'{APPLICATION}[models.default]\nmodel = "openai/good"\nbase_url = "{upstream.url()}"\n'
    live = start(configuration)
    first = live.ask("shop").json()["regista"]["variant"]
    (live.folder / "regista.toml").write_text(configuration.replace('"unicode", ', "").replace("[cache]", "[cash]"))
    until(lambda: httpx2.get(f"{live.url}/healthz").json()["status"] == "degraded", "The broken file is told.")
    problem = httpx2.get(f"{live.url}/healthz").json()["problems"][0]
    assert "cash" in problem and "regista.toml" in problem
    assert live.ask("shop").json()["regista"]["variant"] == first
    (live.folder / "regista.toml").write_text(configuration.replace('"unicode", ', ""))
    until(lambda: live.ask("shop").json()["regista"]["variant"] != first, "The mended file is served.")
    assert httpx2.get(f"{live.url}/healthz").json()["status"] == "ok"


def test_a_document_that_is_saved_is_retrieved_and_one_that_is_gone_is_not(start: Start, tmp_path: Path) -> None:
    (tmp_path / "shop" / "documents").mkdir(parents=True)
    (tmp_path / "shop" / "documents" / "tea.md").write_text("# Tea\n\nThe green tea is kept on the upper shelf.\n")
    live = start('[app]\nname = "shop"\n[models.default]\nmodel = "embedded/reader"\n[context]\nembedder = "none"\n')
    question = "Where is the black coffee kept?"
    assert "do not tell" in live.ask("shop", question).text
    coffee = live.folder / "documents" / "coffee.md"
    coffee.write_text("# Coffee\n\nThe black coffee is kept in the cellar.\n")
    until(lambda: "cellar" in live.ask("shop", question).text, "The new document is served.")
    coffee.unlink()
    until(lambda: "do not tell" in live.ask("shop", question).text, "The deleted document is gone.")


def test_one_answer_is_all_an_application_gives(live: Live, upstream: Upstream) -> None:
    assert live.ask("shop", n=2).status_code == 400
    assert live.ask("openai/good", n=2).status_code == 200


def test_killed_under_load_it_loses_at_most_the_last_quarter_of_a_second(start: Start, upstream: Upstream) -> None:
    live = start(f'{APPLICATION}[models.default]\nmodel = "openai/good"\nbase_url = "{upstream.url()}"\n')
    told: list[tuple[float, float, str]] = []

    def ask_on() -> None:
        with contextlib.suppress(httpx2.HTTPError):
            while True:
                begun = time.monotonic()
                answer = live.ask("openai/good")
                told.append((begun, time.monotonic(), answer.headers["x-regista-trace"]))

    def early(now: float) -> set[str]:
        """Those answered a quarter of a second ago, and as long as a loaded machine takes over an answer just now."""
        lately = max((at - begun for begun, at, _ in told[-50:]), default=0.0)
        return {trace for _, at, trace in told if at < now - 0.25 - lately}

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(ask_on)
        try:
            until(lambda: len(early(time.monotonic())) > 200, "Two hundred answers.")
            promised = early(time.monotonic())
        finally:
            live.process.kill()
    until(lambda: stored(live) >= promised, "All but the last are stored.")
    with closing(store(live)) as database:
        assert database.query("PRAGMA integrity_check") == [("ok",)]


def stored(live: Live) -> set[str]:
    with closing(store(live)) as database:
        return {row.id for row in traces.recent(database, limit=10_000)}


def test_saving_drops_no_request(start: Start, upstream: Upstream) -> None:
    configuration = f'{APPLICATION}[models.default]\nmodel = "openai/good"\nbase_url = "{upstream.url()}"\n'
    live = start(configuration)
    stop = threading.Event()

    codes: list[int] = []

    def ask_on() -> None:
        while not stop.is_set():
            codes.append(live.ask("shop", f"again {len(codes)}").status_code)

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask_on) for _ in range(4)]
        try:
            for k in range(4):
                before = len(codes)
                (live.folder / "regista.toml").write_text(
                    configuration.replace("[cache]", f"[cache]\nentries = {100 + k}")
                )
                time.sleep(0.4)
                until(lambda before=before: len(codes) >= before + 8, "They are answered on.")
        finally:
            stop.set()
        for task in asking:
            task.result()
    assert len(codes) > 20 and set(codes) == {200}


def test_a_stop_lets_answers_end_and_stores_their_traces(start: Start, upstream: Upstream) -> None:
    live = start(f'{APPLICATION}[models.default]\nmodel = "openai/slow"\nbase_url = "{upstream.url("/slow")}"\n')
    upstream.pause = 0.05
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(live.ask, "shop", "before the end", stream=True)
        until(lambda: upstream.requests, "The request is under way.")
        assert live.stop() == 0, live.log.read_text()
        assert answer.result().text.rstrip().endswith("data: [DONE]")
    assert trace_of(live, answer.result()).status == "ok"


def test_figures_for_prometheus(live: Live, upstream: Upstream) -> None:
    live.ask("shop", "count me")
    text = httpx2.get(f"{live.url}/metrics").text
    assert 'regista_requests_total{application="shop",model="shop",status="ok"}' in text
    assert "regista_traces_dropped_total 0.0" in text


def test_a_port_that_is_taken_is_told_with_another_one(live: Live, start: Start) -> None:
    port = live.url.rpartition(":")[2]
    with pytest.raises(AssertionError, match=f"(?s)--port {int(port) + 1}"):
        start(APPLICATION + '[models.default]\nmodel = "echo/any"\n', "--port", port, folder="second")
