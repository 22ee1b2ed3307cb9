"""An embedder in a process of its own, so that the event loop never waits for one.

Queries go before bulk work: bulk is cut into batches of `BATCH` texts, and a query waits for one of
them at most. What arrives while the worker is busy goes to it together. It does not know what an
embedder does; the other end of the pipe is `worker_process.py`.
"""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from regista.core.errors import ConfigurationError, MissingExtraError, OverloadedError, ProviderError
from regista.models.weights import MINILM, is_complete, models_folder
from regista.models.worker_process import FAILED, HEADER, OPEN, TEXTS, Opening, Ready

try:
    import numpy as np
except ImportError as error:
    raise MissingExtraError("Embedding", "numpy", "rag") from error

if TYPE_CHECKING:
    from regista.models.embeddings import Vectors

BATCH = 4
"""Texts of one exchange with the worker: about a tenth of a second where they are whole passages."""
MAX_QUERY = 32
"""Texts of a call that still counts as a query; a larger one is bulk, said or not."""
WAITING_QUERIES = 2_048
START_SECONDS = 60.0
CLOSED = "The embedding worker is closed: open another with open_embedder()."


async def open_embedder(name: str = "auto", folder: str | Path = "") -> "EmbeddingWorker":
    """The worker for an embedder of that name; its process starts on first use.

    `auto` takes `minilm` where its model is prepared in `folder` (empty: the setting `models`), else
    `hashed`; the worker's `reason` says which and why.
    """
    models = models_folder(folder)
    reason = "chosen by the configuration"
    if name == "auto":
        model = models / MINILM
        found = await asyncio.to_thread(is_complete, model)
        name = "minilm" if found else "hashed"
        advice = "for vectors of meaning, type: python -m regista.models.prepare"
        reason = f"its model is at {model}" if found else f"there is no model at {model}; {advice}"
    return EmbeddingWorker(name, {"folder": str(models)} if name == "minilm" else {}, reason=reason)


@dataclass(eq=False)
class _Piece:
    """At most a batch of one caller's texts, and where its vectors go."""

    texts: list[bytes]
    answer: "asyncio.Future[Vectors]"


@dataclass(eq=False)
class EmbeddingWorker:
    """Runs the embedder `embedder` with `options` in a child process, started on first use.

    A child that dies or hangs is replaced, and the batch it held is tried once more. An instance
    belongs to one event loop.
    """

    embedder: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    reason: str = ""
    timeout: float = 120.0
    """Seconds a batch may take before its process counts as hung."""

    def __post_init__(self) -> None:
        self._child: _Child | None = None
        self._ready: Ready | None = None
        self._starting = asyncio.Lock()
        self._queries: deque[_Piece] = deque()
        self._bulk: deque[_Piece] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """Which weights make the vectors. Known once started."""
        return self._known().name

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has. Known once started."""
        return self._known().dimensions

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        return self._child.process.pid if self._child else None

    async def start(self) -> None:
        """Start the process unless it runs. Raises `ConfigurationError` where the embedder cannot be had."""
        await self._running()

    async def embed(self, texts: Sequence[str], bulk: bool = False) -> "Vectors":
        """Vectors of shape (texts, dimensions). `bulk` work, and more than `MAX_QUERY` texts, yield to queries.

        Raises `ProviderError` where the process fails twice, `OverloadedError` where too many queries wait.
        """
        if self._closed:
            raise ProviderError(CLOSED)
        if not texts:
            await self.start()
            return np.empty((0, self.dimensions), np.float32)
        bulk = bulk or len(texts) > MAX_QUERY
        if not bulk and len(self._queries) >= WAITING_QUERIES:
            raise OverloadedError(f"{len(self._queries)} texts wait to be embedded. Send fewer at once, or try later.")
        # A lone surrogate, which JSON can carry, is no text: it becomes a question mark.
        encoded = [text.encode("utf-8", "replace") for text in texts]
        future = asyncio.get_running_loop().create_future
        pieces = [_Piece(encoded[at : at + BATCH], future()) for at in range(0, len(texts), BATCH)]
        (self._bulk if bulk else self._queries).extend(pieces)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._drain())
        try:
            return np.concatenate(await asyncio.gather(*(piece.answer for piece in pieces)))
        finally:
            for piece in pieces:
                piece.answer.cancel()  # where one has failed nobody waits for the others

    async def close(self) -> None:
        """End the process; whoever still waits gets a `ProviderError`."""
        self._closed = True
        if self._pump:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump
        for piece in (*self._queries, *self._bulk):
            _fail(piece, ProviderError("The embedding worker was closed before it answered."))
        await self._stop()

    async def _drain(self) -> None:
        """Answer batches until nobody waits."""
        while batch := self._next_batch():
            try:
                vectors = await self._answer([text for piece in batch for text in piece.texts])
            except BaseException as error:
                failure = error if isinstance(error, Exception) else ProviderError("Embedding was stopped.")
                for piece in batch:
                    _fail(piece, failure)
                if not isinstance(error, Exception):
                    raise
                continue
            for piece in batch:
                if not piece.answer.done():
                    piece.answer.set_result(vectors[: len(piece.texts)])
                vectors = vectors[len(piece.texts) :]

    def _next_batch(self) -> list[_Piece]:
        """Waiting pieces of one kind, queries first, that make up at most `BATCH` texts."""
        batch: list[_Piece] = []
        for queue in (self._queries, self._bulk):
            while queue and sum(len(piece.texts) for piece in (*batch, queue[0])) <= BATCH:
                piece = queue.popleft()
                if not piece.answer.done():  # its caller has not left
                    batch.append(piece)
            if batch:
                break
        return batch

    async def _answer(self, texts: list[bytes]) -> "Vectors":
        deaths: list[str] = []
        for _ in range(2):
            child = await self._running()
            try:
                async with asyncio.timeout(self.timeout):
                    return await child.ask(texts)
            except TimeoutError:
                deaths.append(f"did not answer in {self.timeout:g} s")
            except (EOFError, ConnectionError):
                deaths.append(await child.cause())
            await self._stop()
        raise ProviderError(
            f"The embedding process of {self.embedder!r} failed twice on {len(texts)} texts: it {deaths[0]}, and its"
            f" successor {deaths[1]}. Is there memory left? The texts may be tried one by one."
        )

    async def _running(self) -> "_Child":
        async with self._starting:
            if self._child is None:
                child = await _Child.start(Opening(self.embedder, self.options))
                if self._closed:  # meanwhile, when there was no process to end
                    await child.end()
                    raise ProviderError(CLOSED)
                self._child, self._ready = child, child.ready
            return self._child

    async def _stop(self) -> None:
        child, self._child = self._child, None
        if child:
            await child.end()

    def _known(self) -> Ready:
        if self._ready is None:
            raise RuntimeError("The embedding worker has not started: await start() first.")
        return self._ready


def _fail(piece: _Piece, error: Exception) -> None:
    if not piece.answer.done():
        piece.answer.set_exception(error)


@dataclass(eq=False)
class _Child:
    """One process and the two ends of its pipe."""

    process: asyncio.subprocess.Process
    ready: Ready

    @classmethod
    async def start(cls, opening: Opening) -> "_Child":
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "regista.models.worker_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            # Ctrl-C is for the parent, which then closes the pipe.
            start_new_session=True,
        )
        child = cls(process, Ready("", 0))
        try:
            async with asyncio.timeout(START_SECONDS):
                kind, payload = await child.exchange(OPEN, msgspec.msgpack.encode(opening))
        except BaseException as error:
            await child.end()
            if isinstance(error, (EOFError, ConnectionError, TimeoutError)):
                raise ProviderError(
                    f"The embedding process of {opening.embedder!r} did not start: it {await child.cause()}."
                ) from None
            raise
        if kind == FAILED:
            await child.end()
            raise ConfigurationError(payload.decode())
        child.ready = msgspec.msgpack.decode(payload, type=Ready)
        return child

    async def ask(self, texts: list[bytes]) -> "Vectors":
        kind, payload = await self.exchange(TEXTS, msgspec.msgpack.encode(texts))
        if kind == FAILED:
            raise ProviderError(f"The embedder {self.ready.name!r} failed: {payload.decode()}")
        return np.frombuffer(payload, "<f4").reshape(len(texts), self.ready.dimensions)

    async def exchange(self, kind: int, payload: bytes) -> tuple[int, bytes]:
        """Send a frame and read the reply. Raises EOFError or ConnectionError where the process died."""
        requests, replies = self.process.stdin, self.process.stdout
        assert requests and replies  # noqa: S101  both are pipes
        if requests.transport.is_closing():
            raise BrokenPipeError("It ended while it had nothing to do.")  # uvloop's own words for it are no OSError
        requests.write(HEADER.pack(len(payload), kind) + payload)
        await requests.drain()
        length, kind = HEADER.unpack(await replies.readexactly(HEADER.size))
        return kind, await replies.readexactly(length)

    async def cause(self) -> str:
        """What became of the process."""
        status = await self.process.wait()
        return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"

    async def end(self) -> None:
        """End the process. A reply in the making is of no use to anyone, so it is not waited for."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()
            with suppress(ConnectionError):
                await self.process.stdin.wait_closed()
