"""Requests whose framing is ambiguous end in an error and a closed connection: no second request hides in one."""

import asyncio
import json
import re
import socket
from typing import Any

import httpx2
import pytest
import uvicorn
from tests.surfaces.http.conftest import Live
from uvicorn.server import ServerState

from regista.surfaces.http.protocol import Protocol

BODY = b'{"model": "echo/any", "messages": [{"role": "user", "content": "x"}]}'
HIDDEN = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
LENGTH = b"content-length: %d\r\n"


def head(*lines: bytes, start: bytes = b"POST /v1/chat/completions HTTP/1.1\r\n") -> bytes:
    return start + b"host: localhost\r\ncontent-type: application/json\r\n" + b"".join(lines) + b"\r\n"


def exchange(live: Live, data: bytes) -> bytes:
    """All that comes back until the connection is closed or nothing more comes."""
    name, port = live.url.removeprefix("http://").split(":")
    answer = b""
    with socket.create_connection((name, int(port)), timeout=10) as connection:
        connection.settimeout(1.0)
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                answer += piece
        except (TimeoutError, ConnectionError):
            pass
    return answer


def said(live: Live, data: bytes) -> list[str]:
    """The statuses of all that comes back."""
    return [status.decode() for status in re.findall(rb"HTTP/1\.1 (\d{3})", exchange(live, data))]


REFUSED = {
    "two lengths that differ": head(LENGTH % len(BODY), LENGTH % 5) + BODY,
    "two lengths that agree": head(LENGTH % len(BODY), LENGTH % len(BODY)) + BODY,
    "a list of lengths": head(b"content-length: %d, %d\r\n" % (len(BODY), len(BODY))) + BODY,
    "a length and chunks": head(LENGTH % 5, b"transfer-encoding: chunked\r\n") + b"0\r\n\r\n" + HIDDEN,
    "chunks and a length": head(b"transfer-encoding: chunked\r\n", LENGTH % 5) + b"0\r\n\r\n" + HIDDEN,
    "a negative length": head(b"content-length: -1\r\n") + BODY,
    "a length with a sign": head(b"content-length: +%d\r\n" % len(BODY)) + BODY,
    "a length in hexadecimal": head(b"content-length: 0x45\r\n") + BODY,
    "a length beyond 64 bits": head(b"content-length: 99999999999999999999999\r\n") + BODY,
    "a folded header": head(b"x-one: a\r\n b\r\n", LENGTH % len(BODY)) + BODY,
    "a folded length": head(b"content-length:\r\n %d\r\n" % len(BODY)) + BODY,
    "a space before the colon": head(b"content-length : %d\r\n" % len(BODY)) + BODY,
    "a header without a colon": head(b"nonsense\r\n", LENGTH % len(BODY)) + BODY,
    "a null in a header": head(b"x-one: a\x00b\r\n", LENGTH % len(BODY)) + BODY,
    "a bare return in a header": head(b"x-one: a\rx-two: b\r\n", LENGTH % len(BODY)) + BODY,
    "chunks under another name": head(b"transfer-encoding: xchunked\r\n") + b"0\r\n\r\n" + HIDDEN,
    "chunks that are not last": head(b"transfer-encoding: chunked, gzip\r\n") + b"0\r\n\r\n" + HIDDEN,
    "a chunk whose size is none": head(b"transfer-encoding: chunked\r\n") + b"zz\r\n" + BODY,
    "a chunk longer than it says": head(b"transfer-encoding: chunked\r\n") + b"3\r\n{}xx\r\n0\r\n\r\n" + HIDDEN,
    "a method nobody knows": head(LENGTH % len(BODY), start=b"POST\x0b /v1/chat/completions HTTP/1.1\r\n") + BODY,
    "another version": head(LENGTH % len(BODY), start=b"POST /v1/chat/completions HTTP/9.9\r\n") + BODY,
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_ambiguous_request_is_refused_and_nothing_after_it_is_answered(live: Live, case: str) -> None:
    answers = said(live, REFUSED[case] + HIDDEN)
    assert len(answers) <= 1, answers
    assert all(status.startswith("4") for status in answers), answers
    assert httpx2.get(f"{live.url}/healthz").status_code == 200


def test_two_requests_in_one_piece_are_two(live: Live) -> None:
    """The measure for the others: what is framed well is answered, one after the other."""
    assert said(live, head(LENGTH % len(BODY)) + BODY + HIDDEN) == ["200", "200"]


def test_lines_that_end_without_a_return_frame_one_request(live: Live) -> None:
    """RFC 9112 (2.2) lets a server take a bare line feed for the end of a line: it may not make a second request."""
    data = (head(LENGTH % len(BODY)) + BODY).replace(b"\r\n", b"\n")
    answers = said(live, data)
    assert answers in ([], ["400"], ["200"]), answers


def test_what_is_refused_is_told_as_any_error_is(live: Live) -> None:
    answer = exchange(live, REFUSED["a length and chunks"])
    head, _, body = answer.partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert error["code"] == "invalid_http" and error["message"] and b"connection: close" in head


@pytest.mark.parametrize("piece", [b"x-long: " + b"a" * 200_000, b"x-short: a\r\n" * 10_000, b"a" * 200_000])
def test_a_head_without_an_end_is_refused(live: Live, piece: bytes) -> None:
    assert said(live, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n" + piece) in (["431"], ["400"])
    assert said(live, b"GET /healthz?" + b"a" * 200_000) == ["431"]


class Impatient(Protocol):
    """One that waits for a tenth of a second."""

    patience_s = 0.1


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"", ""),
        (b"GET / HTTP/1.1\r\nhost: loc", "408"),
        (b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nab", ""),
    ],
)
async def test_who_falls_silent_before_the_request_is_whole_is_not_waited_for(begun: bytes, status: str) -> None:
    left = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    config = uvicorn.Config(application, http=Impatient, lifespan="off", log_config=None)
    config.load()
    loop = asyncio.get_running_loop()
    state = ServerState()
    server = await loop.create_server(lambda: Impatient(config, state, {}, loop), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(begun)
        answer = await reader.read()
        writer.close()
        assert answer.startswith(f"HTTP/1.1 {status}".encode()) if status else answer == b""
        if b"content-length" in begun:
            await left.wait()
