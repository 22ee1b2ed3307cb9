"""Whatever comes in or goes wrong upstream ends in a clear error in OpenAI's shape: nothing hangs, nothing is short."""

import json
import socket
from typing import Any

import httpx2
import pytest
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live

CHAT = "/v1/chat/completions"
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
BROKEN = [b"GET / HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", HEAD]


def error_of(answer: httpx2.Response) -> dict[str, str]:
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert "Traceback" not in error["message"]
    return error


def whole(connection: socket.socket) -> bytes:
    """An error as it comes over the wire, which may be in pieces."""
    data = b""
    while b"}}" not in data and (piece := connection.recv(4096)):
        data += piece
    return data


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "model"),
        (b'{"model": 3, "messages": []}', "model"),
        (b'{"model": "shop", "messages": "hi"}', "messages"),
        (b'{"model": "shop", "messages": []}', "messages"),
        (b'{"model": "shop", "messages": [{"content": "x"}]}', "role"),
        (b'{"model": "shop", "messages": [{"role": "user", "content": 7}]}', "content"),
        (b'{"model": "shop", "messages": [{"role": "system", "content": "x"}]}', "user message"),
        (b'{"model": "shop", "stream": "yes", "messages": [{"role": "user", "content": "x"}]}', "stream"),
        (b'{"model": "shop", "messages": [{"role": "robot", "content": "x"}]}', "system, developer, user"),
        (b'{"model": "shop", "messages": [{"role": "user", "content": NaN}]}', "not JSON"),
        (b'{"model": "shop", "messages": [{"role": "user", "content": "x"}], "temperature": Infinity}', "not JSON"),
        (b'{"model": "shop", "messages": [{"role": "user", "content": "x"}], "seed": 1e999}', "not JSON"),
        (b'{"model": "shop", "messages": [{"role": "user", "content": "\\ud800"}]}', "surrogate"),
        (b'{"model": "shop", "messages": [{"role": "user", "content": "\xed\xa0\x80"}]}', "not JSON"),
        (b'\xef\xbb\xbf{"model": "shop"}', "not JSON"),
        (b'{"model": "shop", "messages": [{"role": "user", "content": "x"}]', "not JSON"),
        (b'{"model": "shop", "messages": [{"role": "user", "content": [{"text": "x"}]}]}', "type"),
        (b'{"model": "shop", "messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]}', "text"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(live: Live, body: bytes, part: str) -> None:
    answer = httpx2.post(live.url + CHAT, content=body)
    assert answer.status_code == 400
    assert part in error_of(answer)["message"]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(live: Live) -> None:
    host, port = live.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(HEAD + b"content-length: 20000000\r\n\r\n")
        answer = whole(connection)
    assert answer.startswith(b"HTTP/1.1 413") and b"10 MB" in answer


def test_a_body_that_is_too_large_and_does_not_say_so_is_refused(live: Live) -> None:
    host, port = live.url.removeprefix("http://").split(":")
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(11):
            connection.sendall(chunk)
        answer = whole(connection)
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("model", ["shopp", "openai", "nobody/x", "", "openai/"])
def test_an_unknown_model_names_the_known_ones(live: Live, model: str) -> None:
    answer = live.ask(model)
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "model_not_found"


@pytest.mark.parametrize("path", ["/v1/chat/completion", "/", "/v2", "/v1/models/"])
def test_an_unknown_path_is_a_404_or_a_page(live: Live, path: str) -> None:
    answer = httpx2.post(live.url + path, json={})
    assert answer.status_code in (404, 405)
    error_of(answer)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "status"),
    [("s500", 502), ("s429", 429), ("s401", 502), ("html", 502), ("empty", 502), ("notjson", 502), ("silent", 504)],
)
def test_a_provider_that_fails_is_named_with_what_it_did(
    live: Live, upstream: Upstream, fault: str, status: int, stream: bool
) -> None:
    answer = live.ask(f"openai/{fault}", stream=stream)
    assert answer.status_code == status, answer.text
    assert error_of(answer)["message"]


def test_when_to_come_back_is_passed_on(live: Live, upstream: Upstream) -> None:
    assert live.ask("openai/s429").headers["retry-after"] == "7"


@pytest.mark.parametrize("fault", ["cut", "cutclean", "stall"])
def test_a_broken_stream_ends_with_an_error_and_never_with_done(live: Live, upstream: Upstream, fault: str) -> None:
    answer = live.ask(f"openai/{fault}", stream=True)
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    assert "[DONE]" not in events
    assert "error" in json.loads(events[-1])
    assert len(events) > 1, "What came before the break is not taken back."


async def test_when_the_client_leaves_the_provider_is_told(live: Live, upstream: Upstream) -> None:
    body = {"model": "openai/endless", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    async with httpx2.AsyncClient() as client, client.stream("POST", live.url + CHAT, json=body) as answer:
        async for _ in answer.aiter_bytes():
            break
    await upstream.disconnected()


async def test_when_the_client_leaves_early_the_provider_is_told(live: Live, upstream: Upstream) -> None:
    body = {"model": "openai/silent", "messages": [{"role": "user", "content": "x"}]}
    async with httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.post(live.url + CHAT, json=body, timeout=0.2)
    await upstream.disconnected()


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_client_does_not_stop_the_next_one(live: Live, line: bytes) -> None:
    host, port = live.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(line)
    assert httpx2.get(f"{live.url}/healthz").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"host": "evil.example:8000"}]
)
def test_a_page_of_another_origin_cannot_ask_while_there_are_no_keys(live: Live, headers: dict[str, str]) -> None:
    body = {"model": "shop", "messages": [{"role": "user", "content": "x"}]}
    assert httpx2.post(live.url + CHAT, json=body, headers=headers).status_code == 403


def asked(**fields: object) -> dict[str, object]:
    return {"model": "openai/good", "messages": [{"role": "user", "content": "x"}], **fields}


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": -1},
        {"temperature": 3},
        {"temperature": "hot"},
        {"top_p": 1.5},
        {"n": 0},
        {"n": 10**9},
        {"max_tokens": 0},
        {"max_tokens": -5},
        {"max_completion_tokens": 1.5},
        {"presence_penalty": 9},
        {"frequency_penalty": -9},
        {"top_logprobs": 99},
        {"logprobs": 3},
        {"seed": "x"},
        {"stop": [1]},
        {"tools": {}},
        {"tools": ["x"]},
        {"tools": [{"type": "function", "function": {"description": "no name"}}]},
        {"tool_choice": 7},
        {"response_format": "json"},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": "x"}},
        {"stream_options": []},
        {"metadata": "x"},
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(live: Live, fields: dict[str, object]) -> None:
    answer = httpx2.post(live.url + CHAT, json=asked(**fields))
    assert answer.status_code == 400
    (name,) = fields
    assert error_of(answer)["param"].startswith(name) and name in error_of(answer)["message"]


def test_a_field_that_is_null_is_as_if_left_out(live: Live, upstream: Upstream) -> None:
    nothing = dict.fromkeys(("temperature", "tools", "stop", "n", "stream", "response_format", "logprobs"))
    assert httpx2.post(live.url + CHAT, json=asked(**nothing)).status_code == 200
    assert set(upstream.requests[-1].json) == {"model", "messages"}


def test_of_a_key_that_comes_twice_the_last_holds_everywhere(live: Live, upstream: Upstream) -> None:
    """What is screened and what is sent on are one and the same: nothing hides behind the other."""
    body = (
        b'{"model": "nobody/x", "model": "openai/good", "messages": [{"role": "user", "content": "a", "content": "b"}]}'
    )
    assert httpx2.post(live.url + CHAT, content=body).status_code == 200
    sent = upstream.requests[-1].body
    assert sent.count(b'"model"') == sent.count(b'"content"') == 1
    assert upstream.requests[-1].json["messages"] == [{"role": "user", "content": "b"}]


@pytest.mark.parametrize("levels", [10_000, 1_000_000])
@pytest.mark.parametrize("path", [CHAT, "/v1/responses", "/v1/messages", "/v1/embeddings", "/v1/completions"])
def test_what_is_nested_too_deeply_is_refused(live: Live, path: str, levels: int) -> None:
    for begin, end in ((b"[", b"]"), (b'{"a":', b"}")):
        body = b'{"model": "shop", "messages": [], "x": ' + begin * levels + b"1" + end * levels + b"}"
        answer = httpx2.post(live.url + path, content=body)
        assert answer.status_code == 400 and "nested" in answer.json()["error"]["message"]


@pytest.mark.parametrize("levels", [*range(960, 1000)])
def test_what_can_just_be_read_is_sent_on_or_refused(live: Live, upstream: Upstream, levels: int) -> None:
    body = b'{"model": "openai/good", "messages": [{"role": "user", "content": "x"}], "x": ' + b"[" * levels
    answer = httpx2.post(live.url + CHAT, content=body + b"]" * levels + b"}")
    assert answer.status_code in (200, 400)
    assert answer.status_code == 200 or error_of(answer)["code"] == "nested_too_deeply"


def test_a_hundred_levels_are_none_too_many(live: Live, upstream: Upstream) -> None:
    deep: object = "[[[{{{" * 500
    for _ in range(100):
        deep = {"properties": deep}
    answer = httpx2.post(live.url + CHAT, json=asked(future=deep))
    assert answer.status_code == 200 and upstream.requests[-1].json["future"] == deep


CALL: Any = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}


UNPAIRED: list[tuple[Any, str]] = [
    ([{"role": "tool", "content": "x", "tool_call_id": "a"}], "result_without_call"),
    ([{"role": "tool", "content": "x"}], "result_without_call"),
    ([{"role": "assistant", "tool_calls": [CALL]}], "call_without_result"),
    ([{"role": "assistant", "tool_calls": [CALL]}, {"role": "user", "content": "x"}], "call_without_result"),
    (
        [
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "content": "x", "tool_call_id": "a"},
            {"role": "tool", "content": "x", "tool_call_id": "a"},
        ],
        "result_without_call",
    ),
    ([{"role": "assistant", "tool_calls": [{"id": 7, "function": {}}]}], "invalid_request"),
    ([{"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f"}}]}], "invalid_request"),
    ([{"role": "assistant", "tool_calls": "x"}], "invalid_request"),
]


@pytest.mark.parametrize(("messages", "code"), UNPAIRED)
def test_calls_and_results_belong_together(live: Live, messages: list[object], code: str) -> None:
    answer = httpx2.post(live.url + CHAT, json=asked(messages=messages))
    assert answer.status_code == 400 and error_of(answer)["code"] == code


def test_ten_thousand_tools_are_too_many(live: Live) -> None:
    tools: Any = [{"type": "function", "function": {"name": f"f{n}", "parameters": {}}} for n in range(10_000)]
    answer = httpx2.post(live.url + CHAT, json=asked(tools=tools))
    assert answer.status_code == 400 and "1024" in error_of(answer)["message"]
    flat: Any = [{"type": "function", "name": f"f{n}", "parameters": {}} for n in range(10_000)]
    assert (
        httpx2.post(f"{live.url}/v1/responses", json={"model": "shop", "input": "x", "tools": flat}).status_code == 400
    )
    named: Any = [{"name": f"f{n}", "input_schema": {}} for n in range(10_000)]
    message: Any = {"model": "shop", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "tools": named}
    assert httpx2.post(f"{live.url}/v1/messages", json=message).status_code == 400


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (CHAT, {"messages": [{"role": "user", "content": "word " * 9000}]}),
        ("/v1/responses", {"input": "word " * 9000}),
        ("/v1/completions", {"prompt": "word " * 9000}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "word " * 9000}], "max_tokens": 9}),
    ],
)
@pytest.mark.parametrize("model", ["openai/good", "shop"])
def test_a_prompt_over_the_window_is_refused_with_counts(
    live: Live, upstream: Upstream, path: str, fields: dict[str, object], model: str
) -> None:
    answer = httpx2.post(live.url + path, json={"model": model, **fields})
    assert answer.status_code == 400, answer.text
    message = answer.json()["error"]["message"]
    assert "about 11,2" in message and "8,000" in message
    assert not upstream.requests, "It is not sent."


def test_a_chat_of_a_hundred_thousand_messages_is_answered_or_refused(live: Live, upstream: Upstream) -> None:
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}] * 50_000
    answer = httpx2.post(live.url + CHAT, json=asked(messages=messages), timeout=60)
    assert answer.status_code == 400 and error_of(answer)["code"] == "context_length_exceeded"


@pytest.mark.parametrize(
    "path",
    ["/v1/models/%00", "/v1/models/%ff%fe", "/v1/models/..%2f..", "/%", "//v1//models", "/v1/models/" + "a" * 9000],
)
def test_an_odd_path_is_not_found(live: Live, path: str) -> None:
    host, port = live.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        assert whole(connection).startswith(b"HTTP/1.1 404")
