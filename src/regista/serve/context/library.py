"""The documents of an application: ingested, searched, quoted from. What other folders use of context construction.

A query is answered from one epoch, whole, whatever is ingested meanwhile.
"""

import asyncio
import dataclasses
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from msgspec.structs import replace

from regista.core.digest import digest
from regista.core.errors import RequestError
from regista.core.nouns import Json
from regista.serve.context.chunkers import Chunker, chunkers
from regista.serve.context.index import Snapshot, take
from regista.serve.context.ingest import Ingest, IngestReport, Progress, TextEmbedder
from regista.serve.context.loaders import load
from regista.serve.context.parsing import LIMIT_SECONDS, Load, Parser
from regista.serve.context.retrievers import Retrieved, Retriever, retrievers
from regista.store import Database
from regista.store.documents import Documents
from regista.store.locks import held_within

__all__ = ["IngestReport", "Library", "Retrieved"]

MAX_QUERY = 10_000
"""Characters of a query that count."""
WAIT_SECONDS = 60.0


class Context(Protocol):
    """What an application says of its retrieval: names of components, and options by kind, then by name."""

    @property
    def chunker(self) -> str: ...
    @property
    def retriever(self) -> str: ...
    @property
    def options(self) -> Mapping[str, Mapping[str, Json]]: ...


class Library:
    """One application's documents. `open` before use; `close` when done."""

    def __init__(
        self,
        database: Database,
        state: Path,
        application: str,
        *,
        load: Load = load,
        chunker: Chunker,
        embedder: TextEmbedder | None = None,
        retriever: str = "hybrid",
        retriever_options: Json | None = None,
        limit: float = LIMIT_SECONDS,
    ) -> None:
        """`state` is the folder of the derived index and the locks; `limit` the seconds that one document may take.

        `load` and `chunker` are run in a child process and must be picklable. Without an `embedder`,
        retrieval is lexical.
        """
        self._documents = Documents(database, application)
        self._state = state
        self._parser = Parser(load, chunker, limit)
        self._form = _form(load, chunker)
        self._embedder = embedder
        self._retriever_name = retriever
        self._retriever_options = retriever_options or {}
        self._taking = asyncio.Lock()
        self._serving: tuple[Snapshot, Retriever] | None = None

    @classmethod
    def of(
        cls, database: Database, state: Path, application: str, context: Context, embedder: TextEmbedder | None
    ) -> "Library":
        """The library that `[context]` of an application describes.

        Raises:
            ConfigurationError: a component or an option of it does not exist.
        """
        options = context.options
        return cls(
            *(database, state, application),
            chunker=chunkers.build(context.chunker, None, **options.get("chunkers", {}).get(context.chunker, {})),
            embedder=embedder,
            retriever=context.retriever,
            retriever_options=options.get("retrievers", {}).get(context.retriever, {}),
        )

    async def open(self) -> None:
        """Serve the newest epoch. Raises `StoreError` or, where a component cannot be made, `ConfigurationError`."""
        if self._embedder is not None:
            await self._embedder.start()
        await self._take()

    async def close(self) -> None:
        """End what runs beside. Queries under way finish."""
        await self._parser.close()

    @property
    def epoch(self) -> int:
        """The epoch served; 0 before the first ingest."""
        return self._snapshot.epoch.number

    @property
    def chunks(self) -> int:
        """How many chunks the epoch has."""
        return len(self._snapshot)

    def text(self, document: str) -> str | None:
        """The text of a document in the epoch served, which all offsets refer to."""
        found = self._snapshot.documents.get(document)
        return found.text if found else None

    async def retrieve(self, query: str, k: int = 10) -> Retrieved:
        """The best `k` passages for `query`, best first, with the reason why the search was poorer, if it was."""
        if k < 1:
            raise RequestError(f"k is {k}: ask for 1 passage or more.", param="k")
        _, retriever = self._served()
        # A lone surrogate, which JSON can carry, is no text.
        query = query[:MAX_QUERY].encode("utf-8", "replace").decode()
        return await retriever.retrieve(query, k) if query.strip() else Retrieved(())

    async def ingest(
        self, documents: Path, progress: Progress | None = None, wait: float = WAIT_SECONDS
    ) -> IngestReport:
        """Take in what changed below `documents` and serve it, at once or not at all.

        Another ingest of the application, in whatever process, is waited for `wait` seconds.

        Raises:
            ConfigurationError: the folder is missing.
            StoreError: another ingest runs, or the database or the index cannot be written.
            RegistaError: the embedder failed. What was embedded is kept for the next time.
        """
        async with held_within(self._state / "ingest.lock", wait, f"Ingesting {documents}"):
            try:
                report = await Ingest(
                    documents, self._documents, self._parser, self._form, self._embedder, progress or _silent
                ).run()
            finally:
                await self._parser.close()
        await self.refresh()
        return replace(report, chunks=self.chunks)

    async def refresh(self) -> bool:
        """Serve the newest epoch, which another process may have made; whether it is another one than before."""
        before = self._snapshot
        if await asyncio.to_thread(self._documents.epoch) != before.epoch:
            await self._take()
        return self._snapshot.epoch != before.epoch

    async def _take(self) -> None:
        async with self._taking:
            name = self._embedder.name if self._embedder else ""
            snapshot = await asyncio.to_thread(take, self._documents, self._state / "index", name)
            ports: dict[str, Any] = {
                "snapshot": snapshot,
                "embed": self._embedder.embed if self._embedder else None,
            }
            retriever = retrievers.build(self._retriever_name, ports, **self._retriever_options)
            self._serving = snapshot, retriever

    @property
    def _snapshot(self) -> Snapshot:
        return self._served()[0]

    def _served(self) -> tuple[Snapshot, Retriever]:
        if self._serving is None:
            raise RuntimeError("The library is not open: await open() first.")
        return self._serving


def _form(load: Load, chunker: Chunker) -> str:
    """The digest of all that decides what a file becomes. A new Regista reads anew; vectors of equal text are kept."""
    options = dataclasses.asdict(chunker) if dataclasses.is_dataclass(chunker) else {}
    names = [f"{thing.__module__}.{thing.__qualname__}" for thing in (load, type(chunker))]
    return digest([version("regista"), names, options])


def _silent(done: int, total: int, what: str) -> None:
    del done, total, what
