"""HTTP on one connection: uvicorn's, with an end to heads that grow and requests that stand still.

It knows no route. What httptools takes for ambiguous framing is refused by it, and told here in OpenAI's shape.
"""

import asyncio
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from regista.core.errors import RequestError
from regista.surfaces.http.wire import encode, error_body

MAX_HEAD = 64 * 1024
"""Bytes of a request before its body."""


class Joined:
    """A transport that writes the head of an answer together with what follows it at once.

    uvicorn writes head and body apart, which is a system call and a packet more for every answer. A head is held until
    the next write, and no longer than until the event loop comes round.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.set_protocol = transport.set_protocol

    def write(self, data: bytes) -> None:
        """See `asyncio.WriteTransport`."""
        if self._held:
            data, self._held = self._held + data, b""
        elif data[:5] == b"HTTP/" and data[-4:] == b"\r\n\r\n":
            self._held = data
            self._loop.call_soon(self.flush)
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Write what is held."""
        if self._held:
            data, self._held = self._held, b""
            self._transport.write(data)

    def close(self) -> None:
        """See `asyncio.BaseTransport`."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """See `asyncio.WriteTransport`."""
        self._transport.abort()


class Protocol(HttpToolsProtocol):
    """One connection. Who is silent for `patience_s` seconds before a request is whole is not waited for."""

    patience_s = 60.0
    _reading = True
    _in_head = True
    _head = 0
    _heard = 0.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        joined: Any = Joined(transport, self.loop)
        HttpToolsProtocol.connection_made(self, joined)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        HttpToolsProtocol.connection_lost(self, exc)

    def data_received(self, data: bytes) -> None:
        HttpToolsProtocol.data_received(self, data)
        if not self._reading:
            if self._timer is not None:
                self._stop_waiting()
            return
        self._wait()
        if self._in_head:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(431, f"The head of the request is larger than {MAX_HEAD >> 10} kB.")

    def on_message_begin(self) -> None:
        self._reading = self._in_head = True
        self._head = 0
        HttpToolsProtocol.on_message_begin(self)

    def on_headers_complete(self) -> None:
        self._in_head = False
        HttpToolsProtocol.on_headers_complete(self)

    def on_message_complete(self) -> None:
        self._reading = False
        HttpToolsProtocol.on_message_complete(self)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or could be read in two ways."""
        self._refuse(400, f"{msg} Its framing is broken, or could be read in more than one way.")

    def _refuse(self, status: int, message: str) -> None:
        """Answer without asking anybody, and close: what follows cannot be told from what was refused."""
        self._reading = self._in_head = False
        self._stop_waiting()
        body = encode(error_body(RequestError(message, code="invalid_http", status=status)))
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def _wait(self) -> None:
        self._heard = self.loop.time()
        if self._timer is None:
            self._timer = self.loop.call_later(self.patience_s, self._look)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Give up on a client that has been silent for long, or look again when it would have been."""
        self._timer = None
        cycle = cast("RequestResponseCycle | None", self.cycle)
        answering = cycle is not None and not cycle.response_complete and not cycle.more_body
        silent = 0.0 if answering else self.loop.time() - self._heard
        if silent < self.patience_s:
            self._timer = self.loop.call_later(self.patience_s - silent, self._look)
        elif self._in_head and self._head:
            self._refuse(408, f"Nothing came for {self.patience_s:g} seconds, and the request is not whole.")
        else:
            self.transport.close()
