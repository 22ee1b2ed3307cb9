"""A caller's trace goes on here, and every answer says which trace is its own."""

import re

import httpx2
import pytest
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live
from tests.surfaces.http.test_serving import trace_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PATHS = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "x"}]},
    "/v1/completions": {"prompt": "x"},
    "/v1/responses": {"input": "x"},
    "/v1/messages": {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9},
    "/v1/embeddings": {"input": "x"},
}


def post(live: Live, path: str, headers: dict[str, str] | None = None, **fields: object) -> httpx2.Response:
    return httpx2.post(live.url + path, json={"model": "openai/good", **PATHS[path], **fields}, headers=headers)


@pytest.mark.parametrize("path", PATHS)
def test_the_trace_of_the_caller_goes_on(live: Live, upstream: Upstream, path: str) -> None:
    answers = [post(live, path, {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}) for _ in range(2)]
    assert {answer.headers["x-regista-trace"] for answer in answers} == {TRACE}
    if path != "/v1/embeddings":
        ids = {answer.json()["id"] for answer in answers}
        assert len(ids) == 2 or path == "/v1/chat/completions", "Answers of one trace are told apart."


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7-01-more",
        f"00-{TRACE}-00f067aa0ba902b7",
    ],
)
def test_a_header_that_is_none_begins_a_trace(live: Live, upstream: Upstream, header: str) -> None:
    answer = post(live, "/v1/chat/completions", {"traceparent": header})
    assert answer.status_code == 200
    assert answer.headers["x-regista-trace"] != TRACE and re.fullmatch(
        "[0-9a-f]{32}", answer.headers["x-regista-trace"]
    )


def test_a_later_version_of_the_header_is_read_as_far_as_it_is_known(live: Live, upstream: Upstream) -> None:
    answer = post(live, "/v1/chat/completions", {"traceparent": f"01-{TRACE}-00f067aa0ba902b7-01-more"})
    assert answer.headers["x-regista-trace"] == TRACE


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [path for path in PATHS if path != "/v1/embeddings"])
def test_every_answer_says_its_request_id(live: Live, upstream: Upstream, path: str, stream: bool) -> None:
    name = "request-id" if path == "/v1/messages" else "x-request-id"
    for model in ("openai/good", "openai/s429"):
        answer = post(live, path, model=model, stream=stream)
        assert answer.headers[name] == answer.headers["x-regista-trace"]
    assert trace_of(live, answer).status == "error"
