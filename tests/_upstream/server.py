"""A provider on the loopback interface whose path selects how it misbehaves.

`upstream.url("/cut")` is a `base_url`; what a client appends (`/chat/completions`, `/v1/messages`)
selects whose API is spoken. A real uvicorn server on its own thread, so clients meet real sockets.

====================  =================================================================================
path                  behaviour
====================  =================================================================================
(none)                answers well
/s401 … /s529         that status, with the API's own error body; 429 has `retry-after: 7`
/flaky                503 to the first request, well from then on
/html /empty /notjson 200 with a page, with nothing, with half a JSON value
/cut                  closes the connection in the middle of the answer
/cutclean             a stream that ends as HTTP should, but without its last events
/silent               takes the request and never answers
/stall                stops in the middle and keeps the connection
/slow                 answers well, with `Upstream.pause` seconds before the head and each event
/redirect             302 to another origin, which answers well
/huge                 a header of 256 kB
/endless              streams events until the client goes
====================  =================================================================================
"""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import uvicorn
from tests._upstream import bedrock, gemini
from tests._upstream.answers import ANSWER, WRITERS, Answer, Json, answer, halves

WRITERS.update({**gemini.WRITERS, **bedrock.WRITERS})
Receive = Callable[[], Awaitable[Json]]
Send = Callable[[Json], Awaitable[None]]

PATIENCE_S = 10.0
"""How long a test waits for something the server is bound to notice."""


class Recorded(NamedTuple):
    """A request as it came; header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.body or b"{}")


class Disconnect(NamedTuple):
    """A client that left before its answer was whole. `at` is `time.monotonic()`."""

    path: str
    sent: int
    at: float


class Upstream:
    """The server and what it saw. Use as a context manager."""

    def __init__(self) -> None:
        self.answer = ANSWER
        self.pause = 0.02
        self.requests: list[Recorded] = []
        self.disconnects: list[Disconnect] = []
        self._left = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._port = int(self._socket.getsockname()[1])
        options: Any = {"lifespan": "off", "ws": "none", "log_level": 60, "access_log": False, "server_header": False}
        self._server = uvicorn.Server(uvicorn.Config(self._serve, interface="asgi3", **options))
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)

    def url(self, path: str = "", host: str = "127.0.0.1") -> str:
        """The base URL of a behaviour. `host="localhost"` is another origin for the same server."""
        return f"http://{host}:{self._port}{path}"

    async def disconnected(self) -> Disconnect:
        """Wait for the first client to leave early."""
        assert await asyncio.to_thread(self._left.wait, PATIENCE_S), "No client left early."
        return self.disconnects[0]

    def note(self, disconnect: Disconnect) -> None:
        """Record that a client left early."""
        self.disconnects.append(disconnect)
        self._left.set()

    def forget(self) -> None:
        """Back to the beginning, for the next test."""
        self.answer, self.pause = ANSWER, 0.02
        self.requests.clear()
        self.disconnects.clear()
        self._left.clear()

    def __enter__(self) -> "Upstream":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(PATIENCE_S)
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._run_until_told())

    async def _run_until_told(self) -> None:
        await self._server.serve([self._socket])
        # Clients keep connections for later; here there is no later.
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, scope: Json, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        exchange = Exchange(self, scope, receive, send)
        await exchange.take()
        segments = scope["path"].split("/")
        status = next((int(s[1:]) for s in segments if re.fullmatch(r"s[1-5]\d\d", s)), 0)
        fault = next((FAULTS[s] for s in segments if s in FAULTS), well)
        try:
            await (fault(exchange) if not status and exchange.known else exchange.fail(status or 404))
        finally:
            exchange.unwatch()


class Exchange:
    """One request and what is sent back on it."""

    def __init__(self, upstream: Upstream, scope: Json, receive: Receive, send: Send) -> None:
        self.upstream = upstream
        self.path: str = scope["path"]
        self.sent = 0
        self._scope = scope
        self._receive = receive
        self._send = send
        self._gone = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Read and record the request, then watch whether the client stays."""
        body, more = b"", True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._scope["headers"]}
        self.request = Recorded(self._scope["method"], self.path, headers, body)
        self.upstream.requests.append(self.request)
        self._watcher = asyncio.create_task(self._watch())

    async def head(self, status: int, media: str, **headers: str) -> None:
        pairs = [(b"content-type", media.encode())]
        pairs += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs, "trailers": False})

    async def part(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self.sent += 1

    async def end(self, data: bytes = b"") -> None:
        self.unwatch()
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def whole(self, status: int, media: str, data: bytes, **headers: str) -> None:
        await self.head(status, media, content_length=str(len(data)), **headers)
        await self.end(data)

    async def fail(self, status: int) -> None:
        """An error in the shape of the API that was called."""
        error: Json = {"type": KINDS.get(status, "api_error"), "message": f"upstream says {status}"}
        body: Json = {"error": error | {"param": None, "code": None}}
        if self.path.endswith("/messages"):
            body = {"type": "error", "error": error, "request_id": "req_1"}
        extra = {"retry_after": "7"} if status == 429 else {}
        await self.whole(status, "application/json", json.dumps(body).encode(), **extra)

    def unwatch(self) -> None:
        """What happens to the connection from here on is not the client's doing."""
        if self._watcher is not None:
            self._watcher.cancel()

    async def gone(self) -> None:
        """Wait until the client has left."""
        await self._gone.wait()

    @property
    def left(self) -> bool:
        return self._gone.is_set()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.upstream.note(Disconnect(self.path, self.sent, time.monotonic()))
        self._gone.set()

    @property
    def known(self) -> bool:
        """Whether a provider has such a path."""
        return any(self.path.endswith(path) for path in WRITERS)

    def answer(self) -> Answer:
        """The good answer to this request."""
        return answer(self.path, self.request.json, self.upstream.answer)


async def well(exchange: Exchange) -> None:
    found = exchange.answer()
    if not found.streamed:
        await exchange.whole(200, "application/json", found.parts[0], x_request_id="req_1")
        return
    await exchange.head(200, found.media, x_request_id="req_1")
    for event in found.parts:
        await exchange.part(event)
    await exchange.end()


async def flaky(exchange: Exchange) -> None:
    seen = sum(request.path == exchange.path for request in exchange.upstream.requests)
    await (exchange.fail(503) if seen == 1 else well(exchange))


async def html(exchange: Exchange) -> None:
    await exchange.whole(200, "text/html", b"<!doctype html><title>Sign in</title><p>Sign in to the network.")


async def empty(exchange: Exchange) -> None:
    await exchange.whole(200, "application/json", b"")


async def notjson(exchange: Exchange) -> None:
    found = exchange.answer()
    if not found.streamed:
        await exchange.whole(200, "application/json", b'{"id": "half')
        return
    await exchange.head(200, found.media)
    await exchange.end(b'data: {"id": "half\n\n')


async def half(exchange: Exchange) -> None:
    """Send the first half of a good answer, and leave it there."""
    found = exchange.answer()
    if found.streamed:
        await exchange.head(200, found.media)
        for event in found.parts[: (len(found.parts) + 1) // 2]:
            await exchange.part(event)
    else:
        body = found.parts[0]
        await exchange.head(200, "application/json", content_length=str(len(body)))
        await exchange.part(body[: len(body) // 2])


async def cut(exchange: Exchange) -> None:
    await half(exchange)  # returning before the end makes uvicorn close the connection


async def cutclean(exchange: Exchange) -> None:
    found = exchange.answer()
    if not found.streamed:
        await notjson(exchange)
        return
    await half(exchange)
    await exchange.end()


async def silent(exchange: Exchange) -> None:
    await exchange.gone()


async def stall(exchange: Exchange) -> None:
    await half(exchange)
    await exchange.gone()


async def slow(exchange: Exchange) -> None:
    found = exchange.answer()
    await asyncio.sleep(exchange.upstream.pause)
    await exchange.head(200, found.media if found.streamed else "application/json")
    for part in found.parts:
        await asyncio.sleep(exchange.upstream.pause)
        await exchange.part(part)
    await exchange.end()


async def redirect(exchange: Exchange) -> None:
    there = exchange.upstream.url(exchange.path.replace("/redirect", ""), host="localhost")
    await exchange.whole(302, "text/plain", b"", location=there)


async def huge(exchange: Exchange) -> None:
    await exchange.whole(200, "application/json", exchange.answer().parts[0], x_huge="x" * 256 * 1024)


async def endless(exchange: Exchange) -> None:
    """Repeat the first piece of text until the client goes."""
    found = exchange.answer()
    events = found.parts
    piece = json.dumps(halves(exchange.upstream.answer)[0], ensure_ascii=False).encode()
    first = next(index for index, event in enumerate(events) if piece in event)
    await exchange.head(200, found.media)
    for event in events[:first]:
        await exchange.part(event)
    while not exchange.left:
        await exchange.part(events[first])
        await asyncio.sleep(0.001)


FAULTS: dict[str, Callable[[Exchange], Awaitable[None]]] = {
    fault.__name__: fault
    for fault in (flaky, html, empty, notjson, cut, cutclean, silent, stall, slow, redirect, huge, endless)
}
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
