"""Loads and cuts documents in a child process: a hostile file can hang, crash or bloat only that.

Parent and child speak in frames over the child's pipes: eight bytes of length, then a pickle. Only
the parent sends functions; what comes back is MessagePack, so a child that a document took over
cannot make the parent run anything.
"""

import asyncio
import math
import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from regista.core.digest import digest_bytes
from regista.core.errors import RegistaError
from regista.core.nouns import Document
from regista.serve.context.chunkers import Chunker
from regista.store.documents import Parsed

Load = Callable[[str, bytes], Document]
LIMIT_SECONDS = 60.0
MEMORY_BYTES = 4 << 30
"""Address space of the child, where the system can bound it: a file that unpacks without end stops there."""
_LENGTH = struct.Struct(">Q")


class Unread(Struct, frozen=True, tag=True):
    """A document that could not be read, and why."""

    reason: str


class Read(Struct, frozen=True, tag=True):
    """A document that could."""

    parsed: Parsed


_ANSWER = msgspec.msgpack.Decoder(Read | Unread)


class Parser:
    """Runs `load` and `chunker`, both picklable, in a child that is started on first use and replaced when it dies."""

    def __init__(self, load: Load, chunker: Chunker, limit: float = LIMIT_SECONDS) -> None:
        self._opening = pickle.dumps((load, chunker))
        self._limit = limit
        self._child: asyncio.subprocess.Process | None = None

    async def parse(self, id: str, data: bytes) -> Read | Unread:
        """The document in `data`, cut; or why it could not be read. It may take `limit` seconds."""
        try:
            async with asyncio.timeout(self._limit):
                return _ANSWER.decode(await self._ask(pickle.dumps((id, data))))
        except TimeoutError:
            await self.close()
            return Unread(f"{id} took more than {self._limit:g} s to read. Split it, or take it out of the documents.")
        except (EOFError, ConnectionError, msgspec.DecodeError):
            await self.close()
            return Unread(f"{id} made its reader crash. Save it again from its own program, or take it out.")
        except BaseException:
            # A cancelled question would be answered to the next one who asks.
            await self.close()
            raise

    async def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
            if child.stdin:
                child.stdin.close()

    async def _ask(self, question: bytes) -> bytes:
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "regista.serve.context.parsing", str(math.ceil(self._limit) + 1)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # Ctrl-C is for the parent, which then ends the child.
                start_new_session=True,
            )
            self._send(self._child, pickle.dumps(sys.path))
            self._send(self._child, self._opening)
        child = self._child
        self._send(child, question)
        assert child.stdin and child.stdout  # noqa: S101 - both are pipes
        await child.stdin.drain()
        (length,) = _LENGTH.unpack(await child.stdout.readexactly(_LENGTH.size))
        return await child.stdout.readexactly(length)

    def _send(self, child: asyncio.subprocess.Process, frame: bytes) -> None:
        assert child.stdin  # noqa: S101 - it is a pipe
        child.stdin.write(_LENGTH.pack(len(frame)) + frame)


def _parse(load: Load, chunker: Chunker, id: str, data: bytes) -> Read | Unread:
    try:
        document = replace(load(id, data), id=id, digest=digest_bytes(data))
        document.text.encode()
        return Read(Parsed(document, tuple(chunker.chunk(document))))
    except RegistaError as error:
        return Unread(error.message)
    except UnicodeEncodeError:
        return Unread(f"{id} holds characters that are no text (lone surrogates). Save it again as UTF-8.")
    except MemoryError:
        return Unread(f"{id} needs more than {MEMORY_BYTES >> 30} GiB of memory to read. Split it.")
    except Exception as error:  # noqa: BLE001 - the boundary to loaders and chunkers of third parties
        return Unread(f"{id} could not be read ({type(error).__name__}: {error}). Is the file whole?")


def _frame(pipe: BinaryIO) -> bytes | None:
    head = pipe.read(_LENGTH.size)
    return pipe.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else None


def _serve(limit: int) -> None:
    """The child: answer questions until the parent closes the pipe. A document ends it after `limit` seconds."""
    # Parsers that print would break the frames: what they print goes where errors go.
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(ImportError, ValueError):  # no such limit on this system, or a lower one already
        import resource  # noqa: PLC0415 - not every system has it

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.path[:] = pickle.loads(_frame(questions) or b"")  # noqa: S301 - from the parent
    load, chunker = pickle.loads(_frame(questions) or b"")  # noqa: S301 - from the parent
    while (question := _frame(questions)) is not None:
        # The parent ends a child that hangs; this is for when the parent was killed first.
        signal.alarm(limit)
        answer = msgspec.msgpack.encode(_parse(load, chunker, *pickle.loads(question)))  # noqa: S301 - from the parent
        answers.write(_LENGTH.pack(len(answer)) + answer)
        answers.flush()
        signal.alarm(0)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
