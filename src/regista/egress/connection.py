"""One HTTP/1.1 connection: bytes to a parser, one exchange at a time. Knows no pool and no policy.

Written on `asyncio.Protocol` and httptools because the client decides what a gateway costs; the
measurements are in docs/decisions/0003-own-http-client.md.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import cast

import httptools

from regista.core.errors import ProviderError, ProviderTimeoutError, RegistaError, StreamCutError

MAX_HEAD = 64 * 1024
MAX_BODY = 128 * 1024 * 1024
LINGER_S = 1.0
"""How long an answer that its reader has left may take to end: then its connection carries another one."""
HIGH_WATER = 512 * 1024
"""Bytes of a body waiting for their reader before the socket is paused."""


class Connection(asyncio.Protocol):
    """Carries exchanges one after another. `on_idle` is told when it may carry the next one.

    It keeps its event loop at hand: `asyncio.get_running_loop()` asks the system for the process's
    number each time, which took a ninth of a request's CPU.
    """

    def __init__(self, origin: str, on_idle: "Callable[[Connection], None]", loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self.loop = loop
        self.used = 0
        self._on_idle = on_idle
        self._reply: HttpReply | None = None
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._head = 0
        self._paused = False

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def overdue(self, now: float) -> bool:
        """Whether the exchange under way has been waited for long enough."""
        reply = self._reply
        return reply is not None and 0 < reply.deadline < now

    def send(self, head: bytes, body: bytes) -> "HttpReply":
        """Write a request; the reply it returns fills as bytes arrive."""
        self.used += 1
        self._head = 0
        self._reply = reply = HttpReply(self)
        self._parser = httptools.HttpResponseParser(self)
        cast("asyncio.Transport", self._transport).write(head + body)
        return reply

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def expire(self) -> None:
        """The wait is over: fail the exchange and close."""
        if self._reply is not None:
            waited = "between two parts of its answer" if self._reply.status else "for its answer"
            self._reply.fail(ProviderTimeoutError(f"{self.origin} kept silent too long {waited}."))
        self._reply = None
        self.close()

    def resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        reply = self._reply
        if reply is None:
            self.close()  # nobody asked: a server that speaks unasked is not kept
            return
        try:
            cast("httptools.HttpResponseParser", self._parser).feed_data(data)
        except httptools.HttpParserError as error:
            self._break(ProviderError(f"{self.origin} does not speak HTTP as expected: {error}"))
            return
        if not reply.status:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._break(ProviderError(f"{self.origin} sent a head of more than {MAX_HEAD} bytes."))
                return
        reply.wake()

    def eof_received(self) -> None:
        # Nothing more can come. What of the request is not sent yet would keep the connection, and who waits with it,
        # for as long as the other side does not read.
        self.connection_lost(None)
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.lost(self.origin)

    def _break(self, error: RegistaError) -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.fail(error)
        self.close()

    # httptools

    def on_message_begin(self) -> None:
        if self._reply is None:
            self.close()  # a second answer to one request: whatever it is, it must not answer the next one

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reply is not None:
            self._reply.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = cast("httptools.HttpResponseParser", self._parser).get_status_code()
        if self._reply is None:
            return
        if status < 200:  # an interim answer: the real head follows
            self._reply.headers.clear()
            return
        self._reply.status = status

    def on_body(self, body: bytes) -> None:
        if self._reply is not None:
            self._reply.feed(body)

    def on_message_complete(self) -> None:
        reply = self._reply
        if reply is None or not reply.status:
            return
        self._reply = None
        reply.complete = True
        reply.wake()
        unsent = cast("asyncio.Transport", self._transport).get_write_buffer_size()
        # A server may answer before it has read all, and read no more: the next request would wait behind the rest.
        if not unsent and cast("httptools.HttpResponseParser", self._parser).should_keep_alive():
            self.resume()
            self._on_idle(self)
        else:
            self.close()


class HttpReply:
    """The answer on one connection. See `regista.egress.Reply`."""

    __slots__ = (
        "_buffered",
        "_connection",
        "_error",
        "_left",
        "_parts",
        "_waiter",
        "complete",
        "deadline",
        "headers",
        "patience",
        "status",
    )

    def __init__(self, connection: Connection) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self.patience = 60.0
        self.deadline = 0.0
        """When the wait for it is over, 0 while nobody waits. The connection may carry another reply already when the
        reader of this one hears that it is whole: each has a time of its own."""
        self._connection = connection
        self._parts: list[bytes] = []
        self._buffered = 0
        self._left = False
        self._error: RegistaError | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def head(self, seconds: float) -> None:
        """Wait until the status and the headers are there."""
        while not self.status:
            if self._error is not None:
                raise self._error
            await self._wait(seconds)

    async def read(self) -> bytes:
        while not self.complete:
            if self._error is not None:
                raise self._error
            if self._buffered > MAX_BODY:
                self.close()
                raise ProviderError(f"{self._connection.origin} sent more than {MAX_BODY >> 20} MB in one answer.")
            self._connection.resume()
            await self._wait(self.patience)
        return self._take()

    async def blocks(self) -> AsyncIterator[bytes]:
        while True:
            if self._parts:
                yield self._take()
            elif self._error is not None:
                raise self._error
            elif self.complete:
                return
            else:
                await self._wait(self.patience)

    async def __aenter__(self) -> "HttpReply":
        return self

    async def __aexit__(self, *exception: object) -> None:
        if not self._left:
            self.close()

    def leave(self) -> None:
        """Want no more of it. See `regista.egress.Reply`."""
        if not self.complete and self._error is None:
            self._left = True
            self._take()
            self.deadline = self._connection.loop.time() + LINGER_S

    def close(self) -> None:
        """Give up on what has not arrived yet."""
        if not self.complete and self._error is None:
            self._error = StreamCutError("The reply was closed by its reader.")
            self._connection.close()

    # fed by the connection

    def feed(self, body: bytes) -> None:
        if self._left:
            return
        self._parts.append(body)
        self._buffered += len(body)
        if self._buffered > HIGH_WATER:
            self._connection.pause()

    def fail(self, error: RegistaError) -> None:
        if not self.complete and self._error is None:
            self._error = error
            self.wake()

    def lost(self, origin: str) -> None:
        """The connection is gone. A body of undeclared length ends this way; any other is cut."""
        if self.status and "content-length" not in self.headers and "transfer-encoding" not in self.headers:
            self.complete = True
            self.wake()
        elif self.status:
            self.fail(StreamCutError(f"{origin} closed the connection before its answer was whole."))
        else:
            self.fail(ProviderError(f"{origin} closed the connection without an answer.", code="no_answer"))

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done() and (self._error or self.complete or self.status):
            waiter.set_result(None)

    def _take(self) -> bytes:
        parts, self._parts, self._buffered = self._parts, [], 0
        self._connection.resume()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _wait(self, seconds: float) -> None:
        loop = self._connection.loop
        self._waiter = loop.create_future()
        self.deadline = loop.time() + seconds
        try:
            await self._waiter
        finally:
            self._waiter = None
            self.deadline = 0.0
