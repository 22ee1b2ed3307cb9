"""What two processes ask each other over a socket: calls either way, each answered once. Knows no subject.

A frame is its length (4 bytes, big-endian) and a MessagePack list: the number of the call, what the frame is, its body.
Limits of keys are asked for at every request, so what is sent in one turn of the loop is written at once.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import msgspec

from regista.core import errors
from regista.core.errors import RegistaError
from regista.core.framing import HEADER

CALL, ANSWER, FAILURE = range(3)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, int, Any]).decode
_log = logging.getLogger(__name__)

Answers = Mapping[str, Callable[..., Awaitable[Any]]]
"""What answers a call, by its subject."""


class ChannelClosed(ConnectionError):
    """The other process has ended, or does."""


class Channel(asyncio.Protocol):
    """One end. `ended` is done when the other end has closed it, or this one."""

    def __init__(self, answers: Answers) -> None:
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._answers = answers
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._unsent: list[bytes] = []

    @classmethod
    async def open(cls, end: socket.socket, answers: Answers) -> "Channel":
        """Over one end of a socket pair."""
        _, channel = await asyncio.get_running_loop().create_connection(lambda: cls(answers), sock=end)
        return channel

    async def call(self, subject: str, *values: Any) -> Any:
        """What the other process answers: plain values of MessagePack.

        Raises:
            ChannelClosed: it has ended.
            RegistaError: it answered with that error.
        """
        if self.ended.done():
            raise ChannelClosed(f"The process that answers {subject!r} has ended.")
        number = self._next()
        waiter = self._waiting[number] = self._loop.create_future()
        self._send((number, CALL, (subject, values)))
        try:
            return await waiter
        finally:
            del self._waiting[number]

    def tell(self, subject: str, *values: Any) -> None:
        """Call and want no answer. Where the other process has ended, nobody is told."""
        self._send((self._next(), CALL, (subject, values)))

    def close(self) -> None:
        """Hear and answer no more; who waits for an answer is told."""
        if self._transport is not None:
            self._flush()
            self._transport.close()
        self.connection_lost(None)

    # What the loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        at = 0
        while len(received) - at >= HEADER.size:
            end = at + HEADER.size + HEADER.unpack_from(received, at)[0]
            if len(received) < end:
                break
            self._hear(*_decode(received[at + HEADER.size : end]))
            at = end
        del received[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ended.done():
            return
        self.ended.set_result(None)
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(ChannelClosed("The process that was asked has ended."))
        for task in self._answering:
            task.cancel()

    def _hear(self, number: int, kind: int, body: Any) -> None:
        if kind == CALL:
            task = self._loop.create_task(self._answer(number, *body))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
            return
        waiter = self._waiting.get(number)
        if waiter is None or waiter.done():
            return
        if kind == ANSWER:
            waiter.set_result(body)
        else:
            waiter.set_exception(_error(*body))

    async def _answer(self, number: int, subject: str, values: list[Any]) -> None:
        try:
            answer = await self._answers[subject](*values)
        except RegistaError as error:
            self._send((number, FAILURE, (type(error).__name__, error.message, error.code, error.status)))
        except Exception as error:  # noqa: BLE001 - the last boundary: told here, and there without its place
            _log.exception("A call of another process failed in a way nobody foresaw")
            self._send((number, FAILURE, ("RegistaError", f"{subject}: {type(error).__name__}", "internal_error", 500)))
        else:
            self._send((number, ANSWER, answer))

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _send(self, frame: tuple[int, int, Any]) -> None:
        payload = _encode(frame)
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent += (HEADER.pack(len(payload)), payload)

    def _flush(self) -> None:
        if self._unsent and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()


def _error(name: str, message: str, code: str, status: int) -> RegistaError:
    """The error as it was raised there, or the nearest that can be made of its message alone."""
    kind = getattr(errors, name, RegistaError)
    try:
        return kind(message, code=code, status=status)
    except TypeError:
        return RegistaError(message, code=code, status=status)
