"""`python -m regista.models.worker_process`: the child process that holds an embedder and does nothing else.

It reads frames from standard input and answers each on standard output, in order, until its input
ends: so it ends with its parent, however that ends. It does not know queues, priorities or restarts.

A frame is the length of its payload (4 bytes, little-endian), its kind (1 byte) and the payload:

| kind | direction | payload |
|---|---|---|
| OPEN | in, first | MessagePack of `Opening` |
| TEXTS | in | MessagePack list of UTF-8 byte strings |
| READY | out, once | MessagePack of `Ready` |
| VECTORS | out | float32, little-endian, row by row |
| FAILED | out | UTF-8 text, for a person to read |
"""

import os
import struct
import sys
from typing import Any, BinaryIO

import msgspec

from regista.core.errors import RegistaError
from regista.models.embeddings import Embedder, embedders

HEADER = struct.Struct("<IB")
OPEN, TEXTS, READY, VECTORS, FAILED = range(5)


class Opening(msgspec.Struct, frozen=True):
    """Which embedder to hold."""

    embedder: str
    options: dict[str, Any]


class Ready(msgspec.Struct, frozen=True):
    """What the embedder says of itself."""

    name: str
    dimensions: int


def main() -> int:
    """Serve standard input; the exit status."""
    requests = sys.stdin.buffer
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a library prints must not land between replies.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        opening = msgspec.msgpack.decode(_read(requests), type=Opening)
        embedder = embedders.build(opening.embedder, **opening.options)
    except EOFError:
        return 0
    except Exception as error:  # noqa: BLE001  the parent raises it
        _send(replies, FAILED, _line(error).encode())
        return 1
    _send(replies, READY, msgspec.msgpack.encode(Ready(embedder.name, embedder.dimensions)))
    return _serve(embedder, requests, replies)


def _serve(embedder: Embedder, requests: BinaryIO, replies: BinaryIO) -> int:
    while True:
        try:
            texts = msgspec.msgpack.decode(_read(requests), type=list[bytes])
            vectors = embedder.embed([text.decode() for text in texts])
            _send(replies, VECTORS, vectors.astype("<f4").tobytes())
        except (EOFError, BrokenPipeError):
            return 0
        except Exception as error:  # noqa: BLE001  the parent raises it
            _send(replies, FAILED, _line(error).encode())


def _read(stream: BinaryIO) -> bytes:
    """The payload of the next frame. Raises EOFError where the stream ends."""
    header = stream.read(HEADER.size)
    length = HEADER.unpack(header)[0] if len(header) == HEADER.size else 1
    payload = stream.read(length)
    if len(payload) < length:
        raise EOFError
    return payload


def _send(stream: BinaryIO, kind: int, payload: bytes) -> None:
    stream.write(HEADER.pack(len(payload), kind) + payload)
    stream.flush()


def _line(error: Exception) -> str:
    return error.message if isinstance(error, RegistaError) else f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
