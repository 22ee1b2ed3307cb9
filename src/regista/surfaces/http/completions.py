"""`POST /v1/completions`: OpenAI's first API. Each choice is a request of its own, with its own trace and cost."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial

from regista.app.platform import Platform
from regista.core.errors import RegistaError, RequestError
from regista.core.nouns import Json, Request
from regista.store.keys import Key
from regista.surfaces.http.answering import Asked, Presence, ask, headers_for, stream_start
from regista.surfaces.http.completions_wire import Chunks, requests_of, whole
from regista.surfaces.http.wire import JSON_TYPE, Receive, Scope, Send, decode_object, read_body, respond, respond_error

AT_ONCE = 16
"""Choices of one request that are answered at the same time."""
Begin = Callable[[], Asked]
"""Begins to answer a choice when its turn has come: from then on its time is counted."""


async def complete(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request: all choices at once, or in a stream one after the other."""
    body = decode_object(await read_body(scope, receive, platform.max_body))
    requests = requests_of(body)

    def begin(request: Request) -> Asked:
        asked = ask(platform, key, scope, body, request)
        if asked.serving.exchange.variant.application and body.get("n") not in (None, 1):
            raise RequestError("An application gives one answer: leave out 'n'.", param="n")
        return asked

    first, others = begin(requests[0]), [partial(begin, request) for request in requests[1:]]
    with Presence(receive, platform.loop):
        await (_stream if requests[0].stream else _whole)(first, others, send)


async def _whole(first: Asked, others: Sequence[Begin], send: Send) -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(begin: Begin) -> Asked:
        async with turns:
            asked = begin()
            async with aclosing(asked.serving.deltas()) as deltas:
                async for _ in deltas:
                    pass
        return asked

    tasks = [asyncio.ensure_future(one(begin)) for begin in (lambda: first, *others)]
    try:
        asked = await asyncio.gather(*tasks)
    except RegistaError as error:
        await respond_error(send, error, headers_for(first))
        return
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await respond(send, 200, whole(asked), [JSON_TYPE, *headers_for(first)])


async def _stream(first: Asked, others: Sequence[Begin], send: Send) -> None:
    """Send events as they come. A failure before the first is a status; after it, an event that says so."""
    writer = Chunks(first)
    asked: list[Asked] = []
    started = False

    async def put(events: bytes) -> None:
        nonlocal started
        if not started:
            await send(stream_start(first))
            started = True
        if events:
            await send({"type": "http.response.body", "body": events, "more_body": True})

    try:
        for index, begin in enumerate((lambda: first, *others)):
            each = begin()
            asked.append(each)
            begun = writer.begin(index, each)
            async with aclosing(each.serving.deltas()) as deltas:
                async for delta in deltas:
                    await put(begun + writer.write(index, delta))
                    begun = b""
    except RegistaError as error:
        if not started:
            await respond_error(send, error, headers_for(first))
            return
        await send(_last(writer.fail(error)))
        return
    await put(b"")
    await send(_last(writer.end(asked)))


def _last(events: bytes) -> Json:
    return {"type": "http.response.body", "body": events}
