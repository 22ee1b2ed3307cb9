"""Answers the lines of a batch on Ray: each of its workers runs the application and keeps what it has answered.

https://docs.ray.io/en/latest/data/batch_inference.html. The store is the truth here too: what a worker that dies had
kept is not asked again by the one that takes its lines over.
"""

import asyncio
import logging
import math
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from regista.app.batches.keeper import Keeper
from regista.app.batches.lines import Line
from regista.app.batches.pool import Ask, LocalPool
from regista.app.batches.run import Run
from regista.app.platform import Platform
from regista.app.team import Alone
from regista.core.errors import ConfigurationError, MissingExtraError
from regista.core.settings import settings
from regista.store import batches
from regista.store.batches import Batch, Trouble
from regista.store.keys import Key

LOCAL = "local"
"""The address of a Ray that is started here and ends with the batch."""
Asking = Callable[[Platform], Ask]
"""Makes who answers a line; a function at the top of a module, for it is named to other processes."""


class Order(NamedTuple):
    """What a worker needs to begin: the folder, the batch with its owner, on whose account it is, who answers lines."""

    folder: Path
    batch: Batch
    key: Key
    asking: Asking
    at_once: int


class RayPool:
    """Spreads lines over the Ray at `address`; `at_once` lines are under way on all its workers together.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigurationError: the store is a file, and other machines cannot reach it.
    """

    def __init__(self, address: str, folder: Path, asking: Asking, at_once: int) -> None:
        if find_spec("ray") is None:
            raise MissingExtraError("A batch on Ray", "ray", "ray")
        store = str(settings()["store"])
        if address != LOCAL and not store.startswith("postgres"):
            raise ConfigurationError(
                f"REGISTA_RAY={address!r}: the workers of a cluster cannot write to a file of this machine. "
                "Set REGISTA_STORE=postgresql://…, or REGISTA_RAY=local."
            )
        self._address = address
        self._folder = folder
        self._asking = asking
        self._at_once = at_once

    async def work(self, run: Run) -> None:
        """See `Pool.work`. Stopped, it gives up the lines under way."""
        loop = asyncio.get_running_loop()
        keeper = run.keeper
        if keeper.stopping.is_set():
            return
        todo = run.todo()

        def pages() -> Iterator[list[Line]]:
            while page := asyncio.run_coroutine_threadsafe(_next(todo), loop).result():
                yield page

        def told(trouble: bytes) -> None:
            if trouble:
                loop.call_soon_threadsafe(keeper.stop, "failed", _trouble(trouble))

        await asyncio.to_thread(self._spread, keeper, pages(), told)
        await keeper.change(batches.renew)

    def _spread(self, keeper: Keeper, pages: Iterable[list[Line]], told: Callable[[bytes], None]) -> None:
        """Run the lines through Ray, in a thread of its own: Ray blocks."""
        ray: Any = import_module("ray")
        data: Any = import_module("ray.data")
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report home
        environment = {name: value for name, value in os.environ.items() if name.startswith("REGISTA_")}
        quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
        ray.init(address=self._address, runtime_env={"env_vars": environment}, **quiet)
        try:
            data.DataContext.get_current().enable_progress_bars = False
            workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
            order = Order(self._folder, keeper.batch, keeper.key, self._asking, math.ceil(self._at_once / workers))
            # Held by Ray's object store, which spills to disk, and not by this process.
            tables = [ray.put(_table(page)) for page in pages]
            if not tables:
                return
            answered = data.from_arrow_refs(tables).map_batches(
                Worker,
                batch_size=None,
                batch_format="pyarrow",
                compute=data.ActorPoolStrategy(size=workers),
                fn_constructor_args=(order,),
            )
            for rows in answered.iter_batches(batch_size=None, batch_format="pyarrow"):
                for trouble in rows["trouble"].to_pylist():
                    told(trouble)
                if keeper.stopping.is_set():
                    return
        finally:
            ray.shutdown()


class Worker:
    """Answers pages of lines in a process of Ray's: runs the application on an event loop of its own."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._loop = asyncio.new_event_loop()
        self._platform = self._run(Platform.open(order.folder, settings(), team=_Follower()))
        slots = asyncio.Semaphore(order.at_once)
        self._pool = LocalPool(order.asking(self._platform), slots, order.at_once)

    def __call__(self, table: Any) -> Any:
        """Answer a page; says what stopped it, if anything did."""
        rows = table.to_pydict()
        page = [Line(*row) for row in zip(rows["n"], rows["custom_id"], rows["body"], strict=True)]
        trouble: Trouble | None = self._run(self._answer(page))
        pyarrow: Any = import_module("pyarrow")
        return pyarrow.table({"trouble": [b"" if trouble is None else msgspec.json.encode(trouble)]})

    async def _answer(self, page: list[Line]) -> Trouble | None:
        """Answer and keep what is not done of a page; a page whose worker died comes again."""
        database = self._platform.database
        done = set(await asyncio.to_thread(batches.done, database, self._order.batch, page[0].n, page[-1].n))
        todo = [line for line in page if line.n not in done]
        keeper = Keeper(database, self._order.batch, self._order.key, lambda batch, results: None)
        await keeper.beside(self._kept(keeper, todo))
        return keeper.trouble

    async def _kept(self, keeper: Keeper, todo: list[Line]) -> None:
        await self._pool.answer(keeper, _one(todo))
        await keeper.settled()
        # A ledger's rows must not be lost with the worker, which is ended without a word.
        await self._platform.log.stored()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)


class _Follower(Alone):
    """One of several that serve an application: it takes in no documents."""

    leads = False


def _table(page: list[Line]) -> Any:
    pyarrow: Any = import_module("pyarrow")  # comes with Ray
    columns = zip(Line._fields, zip(*page, strict=True), strict=True)
    return pyarrow.table({name: list(values) for name, values in columns})


def _trouble(encoded: bytes) -> Trouble:
    return msgspec.json.decode(encoded, type=Trouble)


async def _next(todo: AsyncGenerator[list[Line]]) -> list[Line]:
    return await anext(todo, list[Line]())


async def _one(page: list[Line]) -> AsyncGenerator[list[Line]]:
    yield page
