"""Whatever comes in or goes wrong upstream ends in a clear error in OpenAI's shape: nothing hangs, nothing is short."""

import json
import socket

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
