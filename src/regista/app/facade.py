"""Regista from Python: an application opened in this process, asked, fed and looked into.

    with regista.load("apps/club") as app:
        print(app.ask("What does the deep-lying midfielder do?").answer)

`load` is the sync edge: it runs the async `App` on an event loop in a thread of its own.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from regista.app.platform import Platform, Progress
from regista.app.serving import Serving
from regista.core.nouns import Answer, Delta, Hit, Message, Request, Trace
from regista.core.settings import settings
from regista.serve.context.library import IngestReport
from regista.store import traces as trace_store

T = TypeVar("T")
STORED_WITHIN_S = 5.0


class App:
    """An application, async. Made by `regista.open`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @property
    def name(self) -> str:
        return self._platform.application.name

    @property
    def ingested(self) -> IngestReport | None:
        """What opening the application took in; None where it retrieves nothing."""
        return self._platform.ingested

    def serve(self, question: str) -> Serving:
        """A question being answered: its stream, then its cost and its trace."""
        return self._platform.serve(Request(self.name, (Message("user", question),)))

    async def ask(self, question: str) -> Answer:
        """The whole answer to a question."""
        return await self.serve(question).answer()

    async def stream(self, question: str) -> AsyncGenerator[Delta]:
        """The answer as it comes."""
        async with aclosing(self.serve(question).deltas()) as deltas:
            async for delta in deltas:
                yield delta

    async def retrieve(self, query: str, k: int = 10) -> list[Hit]:
        """The `k` passages nearest to a query, best first."""
        return list((await self._platform.library.retrieve(query, k)).hits)

    async def ingest(self, progress: Progress | None = None) -> IngestReport:
        """Take in what changed in `documents/`."""
        return await self._platform.ingest(progress)

    async def traces(self, limit: int = 20, status: str | None = None) -> list[trace_store.TraceRow]:
        """The newest traces of this application, those just made included."""
        await self._stored()
        return await asyncio.to_thread(trace_store.recent, self._platform.database, self.name, limit, status=status)

    async def trace(self, trace_id: str) -> Trace:
        """One trace whole, by its id or an unambiguous beginning of it."""
        await self._stored()
        return await asyncio.to_thread(trace_store.find, self._platform.database, trace_id)

    async def _stored(self) -> None:
        await self._platform.log.stored(STORED_WITHIN_S)


@asynccontextmanager
async def open_app(folder: str | Path, progress: Progress | None = None, **overrides: Any) -> AsyncGenerator[App]:
    """An application folder as an `App`, for as long as the block runs. `overrides` are settings."""
    platform = await Platform.open(Path(folder), settings(**overrides), progress)
    try:
        yield App(platform)
    finally:
        await platform.close()


class SyncApp:
    """An application, for code that is not async. Made by `regista.load`; `close` it, or use it in a `with` block."""

    def __init__(self, folder: str | Path, progress: Progress | None = None, **overrides: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="regista", daemon=True)
        self._thread.start()
        self._context = open_app(folder, progress, **overrides)
        try:
            self._app = self._run(self._context.__aenter__())
        except BaseException:
            self._stop()
            raise

    @property
    def name(self) -> str:
        return self._app.name

    def ask(self, question: str) -> Answer:
        """The whole answer to a question."""
        return self._run(self._app.ask(question))

    def stream(self, question: str) -> Iterator[Delta]:
        """The answer as it comes; leaving the loop early cancels the rest."""
        deltas = self._app.stream(question)
        try:
            while (delta := self._run(_next(deltas))) is not None:
                yield delta
        finally:
            self._run(deltas.aclose())

    def retrieve(self, query: str, k: int = 10) -> list[Hit]:
        """The `k` passages nearest to a query, best first."""
        return self._run(self._app.retrieve(query, k))

    def ingest(self, progress: Progress | None = None) -> IngestReport:
        """Take in what changed in `documents/`."""
        return self._run(self._app.ingest(progress))

    def traces(self, limit: int = 20, status: str | None = None) -> list[trace_store.TraceRow]:
        """The newest traces of this application."""
        return self._run(self._app.traces(limit, status))

    def trace(self, trace_id: str) -> Trace:
        """One trace whole, by its id or an unambiguous beginning of it."""
        return self._run(self._app.trace(trace_id))

    def close(self) -> None:
        """Store what is under way and end everything this application started."""
        if self._thread.is_alive():
            self._run(self._context.__aexit__(None, None, None))
            self._stop()

    def __enter__(self) -> "SyncApp":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _next(deltas: AsyncGenerator[Delta]) -> Delta | None:
    return await anext(deltas, None)
