"""Keeps what is done of a batch: stores it line by line, renews the lease, and says when to begin no line more.

It knows neither how a line is answered nor what a batch is to become.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from regista.core.errors import StoreError
from regista.store import Database, batches, keys
from regista.store.batches import Batch, LeaseLostError, Result, Trouble
from regista.store.keys import Key

BEAT_S = 3.0
"""Seconds between two signs of life; a lease lasts five of them."""
STORED = 200
"""Lines stored in one transaction, at most."""
WAITING = 2 * STORED
"""Answers that may wait to be stored before no further one is taken."""
AGAIN_S = 1.0
"""How long a store that cannot be written is left alone before it is tried again."""
_log = logging.getLogger(__name__)
T = TypeVar("T")

Told = Callable[[Batch, list[Result]], None]
"""Told of lines that were stored, and what the batch is by then."""


class Keeper:
    """Use it from one event loop, and do what needs it `beside` its beat.

    `key` is on whose account the lines are, as it is by now. `stopping` is set when no line is to be begun any more;
    `why` is then `cancelled`, `expired`, `failed` (with its `trouble`) or `left`.
    """

    def __init__(self, database: Database, batch: Batch, key: Key, told: Told) -> None:
        self.database = database
        self.batch = batch
        self.key = key
        self.stopping = asyncio.Event()
        self.why = ""
        self.trouble: Trouble | None = None
        self._told = told
        self._results: asyncio.Queue[Result] = asyncio.Queue(WAITING)
        self._writing = asyncio.Lock()

    def stop(self, why: str, trouble: Trouble | None = None) -> None:
        """Begin no line more; the first reason holds."""
        if not self.why:
            self.why, self.trouble = why, trouble
            self.stopping.set()

    async def pause(self, seconds: float) -> None:
        """Wait, unless it is being stopped."""
        try:
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        except TimeoutError:
            return

    async def keep(self, result: Result) -> None:
        """A line is done: store it, soon. Waits where the store is behind."""
        await self._results.put(result)

    async def settled(self) -> None:
        """Wait until all that was kept is stored."""
        await self._results.join()

    async def change(self, write: Callable[..., Batch], *arguments: Any) -> None:
        """Write to the batch in the store, one write at a time."""
        async with self._writing:
            self.batch = await asyncio.to_thread(write, self.database, self.batch, *arguments)

    async def beside(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` while it beats; what is under way is given up where the beat ends.

        Raises:
            LeaseLostError: another process has the batch now.
        """
        heart = asyncio.create_task(self.beat(), name=f"heart of {self.batch.id}")
        life = asyncio.create_task(work, name=self.batch.id)
        try:
            await asyncio.wait((heart, life), return_when=asyncio.FIRST_COMPLETED)
            if heart.done():
                await heart  # it ends first only when it fails
            return await life
        finally:
            for task in (heart, life):
                task.cancel()
            await asyncio.gather(heart, life, return_exceptions=True)

    async def beat(self) -> None:
        """Store and renew until cancelled.

        Raises:
            LeaseLostError: another process has the batch now.
        """
        looked = time.monotonic()
        while True:
            await self._store(await self._gathered())
            if time.monotonic() - looked >= BEAT_S:
                looked = time.monotonic()
                await self._look_at_key()
            now = time.time_ns()
            if self.batch.status == "cancelling":
                self.stop("cancelled")
            elif self.batch.expires_ns < now:
                self.stop("expired")
            elif (wrong := self.key.state(now)) != "active":
                message = f"The key {self.key.name!r}, with which the batch was made, is {wrong}."
                self.stop("failed", Trouble(f"{wrong}_api_key", message))

    async def _gathered(self) -> list[Result]:
        """What is done by now, at once where something is; nothing after a beat."""
        try:
            async with asyncio.timeout(BEAT_S):
                found = [await self._results.get()]
        except TimeoutError:
            return []
        while len(found) < STORED and not self._results.empty():
            found.append(self._results.get_nowait())
        return found

    async def _store(self, results: list[Result]) -> None:
        """Store what is done; tries until it is: these answers have been paid for."""
        while True:
            try:
                await (self.change(batches.commit, results) if results else self.change(batches.renew))
                break
            except LeaseLostError:
                raise
            except StoreError as error:
                _log.warning("The batch %s waits for its store: %s", self.batch.id, error.message)
                await asyncio.sleep(AGAIN_S)
        self._told(self.batch, results)
        for _ in results:
            self._results.task_done()

    async def _look_at_key(self) -> None:
        # A store that is away says nothing of the key; what is done waits for it elsewhere.
        with suppress(StoreError):
            self.key = await asyncio.to_thread(_as_it_is, self.database, self.key)


def _as_it_is(database: Database, key: Key) -> Key:
    """A key as the store has it by now; one that is in no store stays what it is."""
    known = (known for known in keys.listing(database) if (known.prefix, known.tenant) == (key.prefix, key.tenant))
    return next(known, key)
