"""Runs the batches of a served application beside its requests: takes those nobody runs, several at a time.

Any number of processes may do so over one store: a batch is run by the one that holds its lease.
"""

import asyncio
import logging
import time
from collections import Counter

from regista.app.batches.pace import Pace
from regista.app.batches.pool import Ask, LocalPool
from regista.app.batches.run import Run
from regista.app.batches.upstream import Read, UpstreamPool
from regista.app.platform import ANYONE, Platform
from regista.core.errors import StoreError
from regista.store import Database, batches, files, keys
from regista.store.batches import Batch, LeaseLostError
from regista.store.keys import Key

AT_ONCE = 8
"""Batches of one tenant that a process has under way: whose limits are used up keeps nobody else waiting."""
IN_ALL = 64
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
                while len(self._runs) < IN_ALL and await self._begun_one():
                    pass
                if time.monotonic() - self._swept > SWEEP_S:
                    self._swept = time.monotonic()
                    await asyncio.to_thread(files.sweep, self._platform.database, time.time_ns())
            except StoreError as error:
                _log.warning("Batches wait for their store: %s", error.message)
            except Exception:  # noqa: BLE001 - recorded; without this look no batch would ever be begun again
                _log.exception("A look for batches failed in a way nobody foresaw")
            await asyncio.sleep(LOOK_S)

    async def _begun_one(self) -> bool:
        database, name = self._platform.database, self._platform.application.name
        running = Counter(run.keeper.batch.tenant for run in self._runs.values())
        but = [tenant for tenant, count in running.items() if count >= AT_ONCE]
        if not await asyncio.to_thread(batches.waiting, database, name, but):
            return False
        batch = await asyncio.to_thread(batches.claim, database, name, batches.owner(), but=but)
        if batch is None:
            return False
        key = await asyncio.to_thread(key_of, database, batch)
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
        except Exception:  # noqa: BLE001 - the last boundary of a task that nobody waits for
            _log.exception("The batch %s is left in a way nobody foresaw", run.keeper.batch.id)


def key_of(database: Database, batch: Batch) -> Key:
    """The key a batch was made with, on whose account its lines are. One that is not known any more has ended."""
    if not batch.key:
        return ANYONE
    ended = Key(batch.key, batch.tenant, batch.key, 0, revoked_ns=0)
    known = (key for key in keys.listing(database) if (key.prefix, key.tenant) == (batch.key, batch.tenant))
    return next(known, ended)
