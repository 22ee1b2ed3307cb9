"""A request to the gateway from inside of its process: the same path as any other, without a socket or a secret.

Whatever holds for requests from outside (guardrails, caches, limits, the ledger) holds for these.
"""

import asyncio
import time
from collections.abc import Callable, MutableMapping
from email.utils import parsedate_to_datetime
from typing import Any

from regista.app.batches.lines import Reply
from regista.app.batches.pool import Ask
from regista.app.platform import Platform
from regista.core.nouns import Json, Request
from regista.serve.exchange import FIRST_CAUSE
from regista.store.keys import Key
from regista.surfaces.http import chat, responses
from regista.surfaces.http.gateway import KEY, Gateway
from regista.surfaces.http.wire import decode_object

READERS: dict[str, Callable[[Json], Request]] = {
    "/v1/chat/completions": chat.complete.read,
    "/v1/responses": responses.respond.read,
}
BEHIND = 2_000
"""Traces that may wait to be stored before no further line is asked: what is asked faster than that would be lost."""
BEHIND_S = 0.01


def asking(platform: Platform) -> Ask:
    """Who answers the lines of batches: see `Ask`. Calls made for them are the ledger's of cause `batch`."""
    gateway = Gateway(platform)

    async def ask(key: Key, endpoint: str, body: bytes, trace_id: str = "") -> Reply:
        while platform.log.depth > BEHIND:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(BEHIND_S)
        FIRST_CAUSE.set("batch")
        exchange = _Exchange(body)
        headers = ((b"traceparent", f"00-{trace_id}-{trace_id[:16]}-01".encode()),) if trace_id else ()
        scope = {"type": "http", "method": "POST", "path": endpoint, "headers": headers, "query_string": b"", KEY: key}
        await gateway(scope, exchange.receive, exchange.send)
        return exchange.reply()

    return ask


def request_of(endpoint: str, body: bytes) -> Request:
    """The request in a body to an endpoint that gives one answer. Raises `RequestError`."""
    return READERS[endpoint](decode_object(body))


class _Exchange:
    """The two ends of one request: what the gateway would read from a socket, and what it would write there."""

    __slots__ = ("_body", "_headers", "_parts", "_read", "_status")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._read = False
        self._status = 0
        self._headers: dict[bytes, bytes] = {}
        self._parts: list[bytes] = []

    async def receive(self) -> MutableMapping[str, Any]:
        """The body; after it nothing, for this client never leaves."""
        if self._read:
            await asyncio.Event().wait()
        self._read = True
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], dict(message["headers"])
        else:
            self._parts.append(message.get("body", b""))

    def reply(self) -> Reply:
        trace = self._headers.get(b"x-regista-trace", b"").decode()
        return Reply(self._status, b"".join(self._parts), trace, _wait_s(self._headers.get(b"retry-after")))


def _wait_s(header: bytes | None) -> float | None:
    """The seconds a `Retry-After` asks for: it holds a number, or a date (RFC 9110, 10.2.3)."""
    if not header:
        return None
    text = header.decode("latin-1").strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
