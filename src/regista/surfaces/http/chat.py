"""`POST /v1/chat/completions`: one answer as JSON, or as a stream of server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import time

from regista.app.platform import Platform
from regista.app.serving import NANO, Serving
from regista.core.errors import RegistaError
from regista.core.nouns import Delta, Json, Request
from regista.models.openai_wire import wants_usage
from regista.store.keys import Key
from regista.surfaces.http.chat_wire import Chunks, citation_wire, completion, request_of, with_extension
from regista.surfaces.http.wire import (
    JSON_TYPE,
    Headers,
    Receive,
    Scope,
    Send,
    decode_object,
    encode,
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


async def complete(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a chat request."""
    request = request_of(decode_object(await read_body(scope, receive, platform.max_body)))
    serving = platform.serve(request, key, fresh=b"no-cache" in headers_of(scope).get(b"cache-control", b""))
    presence = Presence(receive, platform.loop)
    try:
        async with aclosing(serving.deltas()) as deltas:
            await (_stream if request.stream else _whole)(serving, request, deltas, send)
    except asyncio.CancelledError:
        if not presence.left:
            raise
    finally:
        presence.forget()


async def _whole(serving: Serving, request: Request, deltas: AsyncGenerator[Delta], send: Send) -> None:
    raw: bytes | None = None
    try:
        async for delta in deltas:
            raw = delta.raw
    except RegistaError as error:
        await respond_error(send, error, _headers(serving))
        return
    is_application = bool(serving.exchange.variant.application)
    extension = _extension(serving) if is_application else None
    if raw is None:
        body = completion(
            serving.response,
            trace_id=serving.trace_id,
            model=request.model,
            created=int(time()),
            extension=extension,
        )
    else:
        body = raw if extension is None else with_extension(raw, extension)
    await respond(send, 200, body, [JSON_TYPE, *_headers(serving)])


async def _stream(serving: Serving, request: Request, deltas: AsyncGenerator[Delta], send: Send) -> None:
    """Send events as they come. A failure before the first is a status; after it, an error event and no `[DONE]`."""
    chunks = Chunks(serving.trace_id, request.model, int(time()), wants_usage(request))
    is_application = bool(serving.exchange.variant.application)
    started = False
    try:
        async for delta in deltas:
            events = chunks.write(delta)
            if delta.finish is not None and is_application:
                events = chunks.extension(_extension(serving)) + events
            if not started:
                await send(
                    {"type": "http.response.start", "status": 200, "headers": [*STREAM_HEADERS, *_headers(serving)]}
                )
                started = True
            if events:
                await send({"type": "http.response.body", "body": events, "more_body": True})
    except RegistaError as error:
        if not started:
            await respond_error(send, error, _headers(serving))
            return
        await send({"type": "http.response.body", "body": b"data: " + encode(error_body(error)) + b"\n\n"})
        return
    if not started:
        await send({"type": "http.response.start", "status": 200, "headers": [*STREAM_HEADERS, *_headers(serving)]})
    await send({"type": "http.response.body", "body": chunks.end()})


def _headers(serving: Serving) -> Headers:
    headers = [(b"x-regista-trace", serving.trace_id.encode())]
    if serving.exchange.cached:
        headers.append((b"x-regista-cache", serving.exchange.cached.encode()))
    return headers


def _extension(serving: Serving) -> Json:
    """Regista's field on an application's answer."""
    cost = serving.cost_nano()
    return {
        "trace_id": serving.trace_id,
        "variant": serving.exchange.variant.digest,
        "cached": serving.cached,
        "cost": None if cost is None else cost / NANO,
        "citations": [citation_wire(citation) for citation in serving.response.citations],
    }


class Presence:
    """Cancels the task that made it when the client goes. `left` says that it did."""

    __slots__ = ("_loop", "_receive", "_task", "_timer", "_watch", "left")

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self.left = False
        self._receive = receive
        self._loop = loop
        self._task = asyncio.current_task(loop)
        self._watch: asyncio.Task[None] | None = None
        self._timer = loop.call_later(WATCH_AFTER_S, self._begin)

    def forget(self) -> None:
        """The answer is given: nobody needs watching any more."""
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    def _begin(self) -> None:
        self._watch = self._loop.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        if self._task is not None:
            self._task.cancel("the client left")
