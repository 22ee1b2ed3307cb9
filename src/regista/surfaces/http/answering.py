"""What all surfaces that answer share: a request read, its answer written as it comes, its errors, a client's leaving.

It knows no API: how one reads a request and writes an answer is its `Surface`.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from time import time
from types import TracebackType
from typing import Protocol

from regista.app.platform import Platform
from regista.app.serving import NANO, Serving
from regista.core.errors import RegistaError
from regista.core.nouns import Citation, Delta, Json, Request
from regista.observe.otel.context import Context, parse
from regista.store.keys import Key
from regista.surfaces.http.wire import (
    JSON_TYPE,
    ErrorShape,
    Headers,
    Receive,
    Scope,
    Send,
    decode_object,
    error_body,
    headers_of,
    read_body,
    respond,
    respond_error,
)

STREAM_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
WATCH_AFTER_S = 0.05
"""Answers that take longer than this are given up when their client leaves."""


class Asked:
    """One request under way: what was asked, and what is there of its answer.

    `id` is the answer's own: several answers may share a trace.
    """

    __slots__ = ("_created", "_token", "body", "id", "request", "serving")

    def __init__(self, body: Json, request: Request, serving: Serving, answer_id: str, token: str = "") -> None:
        self.body = body
        self.request = request
        self.serving = serving
        self.id = answer_id
        self._created = 0
        self._token = token

    @property
    def created(self) -> int:
        """When its answer was begun to be written, in seconds since 1970."""
        self._created = self._created or int(time())
        return self._created

    def extension(self) -> Json | None:
        """Regista's field on an application's answer; none on a raw model's."""
        serving = self.serving
        if not serving.exchange.variant.application:
            return None
        cost = serving.cost_nano()
        return {
            "trace_id": serving.trace_id,
            "variant": serving.exchange.variant.digest,
            "cached": serving.cached,
            "cost": None if cost is None else cost / NANO,
            "citations": [citation_wire(citation) for citation in serving.response.citations],
            **({"feedback": self._token} if self._token else {}),
        }


class Events(Protocol):
    """Writes one answer as server-sent events: each delta, then how it ended."""

    def write(self, delta: Delta) -> bytes:
        """The events of a delta; none where it adds nothing."""
        ...

    def end(self) -> bytes:
        """What closes a stream that is whole."""
        ...

    def fail(self, error: RegistaError) -> bytes:
        """What closes one that is not, so that no client takes it for whole."""
        ...


@dataclass(frozen=True)
class Surface:
    """One API. `read` raises `RequestError`; `whole` is given the upstream's own JSON in OpenAI's shape, if any.

    `events` is None where nothing streams, `vectors` says that the answer is embeddings.
    """

    read: Callable[[Json], Request]
    whole: Callable[[Asked, bytes | None], bytes]
    events: Callable[[Asked], Events] | None = None
    vectors: bool = False
    error: ErrorShape = error_body
    id_header: bytes = b"x-request-id"

    async def __call__(self, platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: see `regista.surfaces.http.gateway.Route`."""
        body = decode_object(await read_body(scope, receive, platform.max_body))
        request = self.read(body)
        asked = ask(platform, key, scope, body, request, self.vectors)
        with Presence(receive, platform.loop):
            async with aclosing(asked.serving.deltas()) as deltas:
                if request.stream and self.events is not None:
                    await self._stream(asked, self.events(asked), deltas, send)
                else:
                    await self._whole(asked, deltas, send)

    async def _whole(self, asked: Asked, deltas: AsyncGenerator[Delta], send: Send) -> None:
        raw: bytes | None = None
        try:
            async for delta in deltas:
                raw = delta.raw
            body = self.whole(asked, raw)
        except RegistaError as error:
            await respond_error(send, error, headers_for(asked, self.id_header), self.error)
            return
        await respond(send, 200, body, [JSON_TYPE, *headers_for(asked, self.id_header)])

    async def _stream(self, asked: Asked, writer: Events, deltas: AsyncGenerator[Delta], send: Send) -> None:
        """Send events as they come. A failure before the first is a status; after it, an event that says so."""
        started = False
        try:
            async for delta in deltas:
                events = writer.write(delta)
                if not started:
                    await send(stream_start(asked, self.id_header))
                    started = True
                if events:
                    await send({"type": "http.response.body", "body": events, "more_body": True})
            last = writer.end()
        except RegistaError as error:
            if not started:
                await respond_error(send, error, headers_for(asked, self.id_header), self.error)
                return
            last = writer.fail(error)
        if not started:
            await send(stream_start(asked, self.id_header))
        await send({"type": "http.response.body", "body": last})


def ask(platform: Platform, key: Key, scope: Scope, body: Json, request: Request, vectors: bool = False) -> Asked:
    """Begin to answer: afresh where the client wants nothing from a cache, in the client's trace where it has one."""
    headers = headers_of(scope)
    fresh = b"no-cache" in headers.get(b"cache-control", b"")
    parent = headers.get(b"traceparent")
    context = _context(scope, parent) if parent else None
    serving = platform.serve(request, key, fresh=fresh, context=context, vectors=vectors)
    answer_id = f"{context.trace_id}{os.urandom(4).hex()}" if context else serving.trace_id
    return Asked(body, request, serving, answer_id, platform.hearing.token_for(serving))


def _context(scope: Scope, parent: bytes) -> Context | None:
    """Where the client stands in a trace of its own."""
    states = [value.decode("latin-1") for name, value in scope["headers"] if name == b"tracestate"]
    return parse(parent.decode("latin-1"), states)


def headers_for(asked: Asked, id_header: bytes = b"x-request-id") -> Headers:
    """The headers every answer has: its trace, and what the cache had to say."""
    trace_id = asked.serving.trace_id.encode()
    headers = [(b"x-regista-trace", trace_id), (id_header, trace_id)]
    if asked.serving.exchange.cached:
        headers.append((b"x-regista-cache", asked.serving.exchange.cached.encode()))
    return headers


def stream_start(asked: Asked, id_header: bytes = b"x-request-id") -> Json:
    """What begins a stream of events."""
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [*STREAM_HEADERS, *headers_for(asked, id_header)],
    }


def citation_wire(citation: Citation) -> Json:
    """A citation as answers carry it."""
    return {
        "marker": citation.marker,
        "document": citation.document,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
    }


class Presence:
    """Within it, the task that made it is cancelled when the client goes; that ends here and goes no further."""

    __slots__ = ("_left", "_loop", "_receive", "_task", "_timer", "_watch")

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._left = False
        self._receive = receive
        self._loop = loop
        self._task = asyncio.current_task(loop)
        self._watch: asyncio.Task[None] | None = None
        self._timer = loop.call_later(WATCH_AFTER_S, self._begin)

    def __enter__(self) -> "Presence":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()
        return self._left and isinstance(error, asyncio.CancelledError)

    def _begin(self) -> None:
        self._watch = self._loop.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        if self._task is not None:
            self._task.cancel("the client left")
