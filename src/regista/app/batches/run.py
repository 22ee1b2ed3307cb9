"""One batch from where it stands to its end: checked, worked on by a pool, closed. Knows not how a line is answered."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from itertools import islice
from typing import Protocol

from regista.app.batches import lines
from regista.app.batches.keeper import AGAIN_S, Keeper
from regista.app.batches.lines import Line
from regista.core.errors import RegistaError, StoreError
from regista.store import Database, batches, files
from regista.store.batches import Batch, Result, Trouble
from regista.store.keys import Key

PAGE = 256
"""Lines read at a time."""
BREATH_S = 0.0005
_log = logging.getLogger(__name__)
_REASONS = {
    "cancelled": "The batch was cancelled before this line was run.",
    "expired": "This line could not be run before the batch's completion window ended.",
}
Progress = Callable[[Batch], None]


class Pool(Protocol):
    """Works on the lines of a batch that are not done."""

    async def work(self, run: "Run") -> None:
        """Answer every line of `run.todo()` and keep its result; come back early once it is being stopped.

        It is called for a batch that is stopped before it began, too: what others have of it may be there by then.
        """
        ...


class Run:
    """A claimed batch being run; `keeper` keeps what is done."""

    def __init__(
        self, database: Database, batch: Batch, key: Key, longest: int, progress: Progress | None = None
    ) -> None:
        self.keeper = Keeper(database, batch, key, self._stored)
        self.longest = longest
        self._progress = progress
        self._done = _Marks(())

    async def through(self, pool: Pool) -> Batch:
        """Run it to its end, or until it is left; the batch as it is then.

        Raises:
            LeaseLostError: another process has it now.
            StoreError: the store could not be read; the batch is left as it was.
        """
        try:
            await self.keeper.beside(self._live(pool))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the batch says that it failed, and the log says why
            _log.exception("The batch %s failed in a way nobody foresaw", self.keeper.batch.id)
            await self.keeper.change(batches.end, "failed", [_trouble(error)])
        return self.keeper.batch

    async def todo(self) -> AsyncGenerator[list[Line]]:
        """The lines that are not done, page by page. A store that cannot be read is waited for."""
        last = 0
        left = self._left(last)
        while True:
            try:
                page = await asyncio.to_thread(_page, left)
            except StoreError as error:
                _log.warning("The batch %s waits for its store: %s", self.keeper.batch.id, error.message)
                await asyncio.sleep(AGAIN_S)
                left = self._left(last)
                continue
            if not page:
                return
            yield page
            last = page[-1].n

    # Its life: from one of OpenAI's statuses to the next.

    async def _live(self, pool: Pool) -> None:
        keeper = self.keeper
        if keeper.batch.started_ns is None and not await self._checked():
            return
        await self._look_at_done()
        if keeper.batch.status == "cancelling":
            keeper.stop("cancelled")
        try:
            await pool.work(self)
        except Exception:
            await keeper.settled()  # what was answered before it failed has been paid for
            raise
        await keeper.settled()
        await self._close()

    async def _look_at_done(self) -> None:
        self._done = _Marks(await asyncio.to_thread(batches.done, self.keeper.database, self.keeper.batch))

    async def _checked(self) -> bool:
        """Whether the input is right; if not, the batch has failed."""
        batch = self.keeper.batch
        raw = _unhurried(files.lines(self.keeper.database, batch.input_file, self.longest))
        found = await asyncio.to_thread(lines.check, raw, batch.endpoint, self.longest)
        if found.troubles:
            await self.keeper.change(batches.end, "failed", found.troubles)
            return False
        await self.keeper.change(batches.start, found.total, found.model)
        return True

    async def _close(self) -> None:
        keeper = self.keeper
        if keeper.why == "left":
            await asyncio.to_thread(batches.release, keeper.database, keeper.batch)
        elif keeper.why == "failed" and keeper.trouble is not None:
            await keeper.change(batches.end, "failed", [keeper.trouble])
        elif keeper.why:
            await self._give_up(keeper.why)
            await keeper.change(batches.end, keeper.why)
        elif (missing := keeper.batch.total - keeper.batch.completed - keeper.batch.failed) > 0:
            lost = f"{missing} lines of the input file {keeper.batch.input_file} can no longer be read."
            await keeper.change(batches.end, "failed", [Trouble("input_lost", lost)])
        else:
            await keeper.change(batches.end, "completed")

    async def _give_up(self, why: str) -> None:
        """Write the lines that will not be run into the error file, so that each line is in one of the two."""
        await self._look_at_done()  # other processes may have worked on it
        error = RegistaError(_REASONS[why], code=f"batch_{why}")
        async for page in self.todo():
            for line in page:
                await self.keeper.keep(lines.unanswered(self.keeper.batch, line, error))
            await self.keeper.settled()

    def _stored(self, batch: Batch, results: list[Result]) -> None:
        for result in results:
            self._done.add(result.n)
        if self._progress is not None:
            self._progress(batch)

    def _left(self, last: int) -> Iterator[Line]:
        """The lines after `last` that are not done."""
        for n, raw in files.lines(self.keeper.database, self.keeper.batch.input_file, self.longest):
            if n > last and raw.strip() and n not in self._done:
                yield lines.read(n, raw)


class _Marks:
    """Numbers that have been marked, a byte each."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._marks = bytearray()
        for n in numbers:
            self.add(n)

    def add(self, n: int) -> None:
        if n >= len(self._marks):
            self._marks.extend(bytes(n - len(self._marks) + PAGE))
        self._marks[n] = 1

    def __contains__(self, n: int) -> bool:
        return n < len(self._marks) and self._marks[n] == 1


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, RegistaError):
        return Trouble(error.code, error.message)
    return Trouble("internal_error", f"Something failed inside ({type(error).__name__}); the log has it.")


def _unhurried(lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Lines, with a breath now and then: a thread that is busy without one keeps the event loop waiting."""
    for place, line in enumerate(lines):
        if place % PAGE == PAGE - 1:
            time.sleep(BREATH_S)
        yield line


def _page(left: Iterator[Line]) -> list[Line]:
    return list(islice(left, PAGE))
