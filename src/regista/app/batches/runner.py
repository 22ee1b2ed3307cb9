"""Runs the batches of a served application beside its requests: takes those nobody runs, several at a time.

Any number of processes may do so over one store: a batch is run by the one that holds its lease.
"""

import asyncio
import logging
import time

from regista.app.batches.pace import Pace
from regista.app.batches.pool import Ask, LocalPool
from regista.app.batches.run import Run
from regista.app.batches.upstream import Read, UpstreamPool
from regista.app.platform import ANYONE, Platform
from regista.core.errors import StoreError
from regista.store import batches, files, keys
from regista.store.batches import Batch, LeaseLostError
from regista.store.keys import Key

AT_ONCE = 8
"""Batches one process has under way; they share its slots line by line."""
LOOK_S = 0.5
"""Seconds between two looks for a batch that nobody runs."""
SWEEP_S = 600.0
DRAIN_S = 10.0
"""How long lines under way may take to end after a stop was asked for."""
_log = logging.getLogger(__name__)


class BatchRunner:
    """Runs batches from `start` to `close`. `ask` answers one line, `read` is what stands in one."""

    def __init__(self, platform: Platform, ask: Ask, read: Read) -> None:
        self._platform = platform
        self._ask = ask
        self._read = read
        self._slots = asyncio.Semaphore(platform.application.folder.settings.batch.concurrency)
        self._pace = Pace()
        self._runs: dict[asyncio.Task[None], Run] = {}
        self._looking: asyncio.Task[None] | None = None
        self._swept = 0.0

    def start(self) -> None:
        """Look for batches from now on."""
        self._looking = asyncio.create_task(self._look(), name="batches")

    def leave(self) -> None:
        """Begin no line more."""
        if self._looking is not None:
            self._looking.cancel()
        for run in self._runs.values():
            run.keeper.stop("left")

    async def close(self) -> None:
        """Leave, wait a while for lines under way, and leave what is not done to whoever comes next."""
        self.leave()
        tasks = list(self._runs)
        if tasks:
            await asyncio.wait(tasks, timeout=DRAIN_S)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            try:
                while len(self._runs) < AT_ONCE and await self._begun_one():
                    pass
                if time.monotonic() - self._swept > SWEEP_S:
                    self._swept = time.monotonic()
                    await asyncio.to_thread(files.sweep, self._platform.database, time.time_ns())
            except StoreError as error:
                _log.warning("Batches wait for their store: %s", error.message)
            await asyncio.sleep(LOOK_S)

    async def _begun_one(self) -> bool:
        database, name = self._platform.database, self._platform.application.name
        if not await asyncio.to_thread(batches.waiting, database, name):
            return False
        batch = await asyncio.to_thread(batches.claim, database, name, batches.owner())
        if batch is None:
            return False
        key = await asyncio.to_thread(_key_of, self._platform, batch)
        run = Run(database, batch, key, self._platform.max_body)
        task = asyncio.create_task(self._run(run), name=batch.id)
        self._runs[task] = run
        task.add_done_callback(lambda task: self._runs.pop(task, None) and None)
        return True

    async def _run(self, run: Run) -> None:
        workers = self._platform.application.folder.settings.batch.concurrency
        here = LocalPool(self._ask, self._slots, workers, self._pace)
        try:
            batch = await run.through(UpstreamPool(self._platform, self._ask, self._read, here))
            _log.info("Batch %s: %s, %d of %d answered", batch.id, batch.status, batch.completed, batch.total)
        except LeaseLostError as error:
            _log.warning("%s", error.message)
        except StoreError as error:
            _log.warning("The batch %s is left for now: %s", run.keeper.batch.id, error.message)


def _key_of(platform: Platform, batch: Batch) -> Key:
    """The key a batch was made with."""
    known = (key for key in keys.listing(platform.database) if key.prefix == batch.key)
    return next(known, ANYONE)
