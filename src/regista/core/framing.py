"""Messages in a pipe, each as MessagePack with its length in front. Knows neither who talks nor of what.

A frame that is cut off is none: who reads one learns that there are no more. An empty one is no message either.
"""

import struct
from typing import Protocol

import msgspec

HEADER = struct.Struct("!I")
_encode = msgspec.msgpack.Encoder().encode


class Source(Protocol):
    """A file, buffered or not."""

    def read(self, size: int, /) -> bytes | None:
        """Some of the next bytes, at most so many; none at the end."""
        ...


class Reader(Protocol):
    """What gives all the bytes that are asked for, such as an `asyncio.StreamReader`."""

    async def readexactly(self, n: int, /) -> bytes:
        """So many bytes. Raises `EOFError` where it ends before."""
        ...


def frame(message: msgspec.Struct | str) -> bytes:
    """A message with its length in front."""
    payload = _encode(message)
    return HEADER.pack(len(payload)) + payload


def read_frame(source: Source) -> bytes:
    """The payload of the next frame, waited for; empty where the source ends before it is whole."""
    header = _exactly(source, HEADER.size)
    return _exactly(source, HEADER.unpack(header)[0]) if header else b""


async def receive_frame(reader: Reader) -> bytes:
    """The payload of the next frame; empty where the reader ends before it is whole."""
    try:
        (length,) = HEADER.unpack(await reader.readexactly(HEADER.size))
        return await reader.readexactly(length)
    except EOFError:
        return b""


def _exactly(source: Source, size: int) -> bytes:
    """So many bytes; none where it ends before. A pipe gives at most what it holds at once, often 64 KiB."""
    parts, left = list[bytes](), size
    while left and (part := source.read(left)):
        parts.append(part)
        left -= len(part)
    return b"" if left else b"".join(parts)
