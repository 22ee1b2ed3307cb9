"""Answers the lines of batches in this process, so many at once, as patiently as a limit asks for.

It knows no HTTP but its statuses: who answers a line is handed in.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterable, Awaitable
from typing import Protocol

import msgspec
from msgspec import Struct

from regista.app.batches import lines
from regista.app.batches.keeper import Keeper
from regista.app.batches.lines import Line, Reply
from regista.app.batches.pace import Pace
from regista.app.batches.run import Run
from regista.store.batches import Trouble
from regista.store.keys import Key


class Ask(Protocol):
    """Who answers lines."""

    def __call__(self, key: Key, endpoint: str, body: bytes, trace_id: str = "") -> Awaitable[Reply]:
        """Answer the body of a request to an endpoint, on a key's account; in this trace, where one is given."""
        ...


TRIES = 5
"""How often a line is asked before a failure that may pass is taken for its answer."""
PASSING = frozenset({408, 429, 500, 502, 503, 504, 529})
"""Statuses of failures that may pass."""
SPENT = "budget_exceeded"
"""The code of a refusal because the money of a key is spent."""
SOON_S = 60.0
"""Money that comes again so soon is waited for like any other limit."""
GIVEN_UP = 20
"""Lines that fail one after another in ways that may pass before the batch is stopped: nothing gets through."""
SOONEST_S = 0.05
"""The shortest wait for a limit, whatever it says."""
PATIENT = 10
"""Waits with nothing getting through in between before each is twice as long as the last, at least."""
LONGEST_S = 60.0
"""The longest pause before a line is asked again, where nobody said a longer one."""


class _Error(Struct):
    message: str = ""
    code: str | None = None


class _Failed(Struct):
    error: _Error


_failed = msgspec.json.Decoder(_Failed).decode
_STOPPED = "What was answered is kept: `regista batch resume` goes on from there."


class LocalPool:
    """Asks with `slots`, which all batches of this process share, and at a `pace` where they are not alone in it."""

    def __init__(self, ask: Ask, slots: asyncio.Semaphore, workers: int, pace: Pace | None = None) -> None:
        self._ask = ask
        self._slots = slots
        self._workers = workers
        self._pace = pace

    async def work(self, run: Run) -> None:
        """See `Pool.work`."""
        await self.answer(run.keeper, run.todo())

    async def answer(self, keeper: Keeper, pages: AsyncIterable[list[Line]]) -> None:
        """Answer all these lines, or those begun until it is stopped."""
        queue: asyncio.Queue[Line | None] = asyncio.Queue(self._workers)
        gate = _Gate(keeper)
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._workers):
                    tasks.create_task(self._work(keeper, queue, gate))
                async for page in pages:
                    for line in page:
                        await queue.put(line)
                    if keeper.stopping.is_set():
                        break
                for _ in range(self._workers):
                    await queue.put(None)
        except ExceptionGroup as group:
            raise group.exceptions[0] from group

    async def _work(self, keeper: Keeper, queue: "asyncio.Queue[Line | None]", gate: "_Gate") -> None:
        while (line := await queue.get()) is not None:
            reply = await self._answered(keeper, line, gate)
            if reply is not None:
                await keeper.keep(lines.answered(keeper.batch, line, reply))

    async def _answered(self, keeper: Keeper, line: Line, gate: "_Gate") -> Reply | None:
        """The answer of a line, whatever it is; None where the batch is stopped before there is one."""
        tries = 0
        while True:
            await gate.passed()
            if keeper.stopping.is_set():
                return None
            async with self._slots:
                if self._pace is not None:
                    await self._pace.turn()
                reply = await self._ask(keeper.key, keeper.batch.endpoint, line.body)
            if reply.status == 200:
                gate.succeeded()
                return reply
            error = _failed(reply.body).error
            if error.code == SPENT and (reply.wait_s or 0) > SOON_S:
                keeper.stop("failed", Trouble(SPENT, f"{error.message} {_STOPPED}", line.n))
                return None
            if reply.status not in PASSING:
                return reply
            if reply.wait_s is not None:
                gate.close(reply.wait_s)
                continue
            tries += 1
            if tries == TRIES:
                gate.failed(line, error)
                return reply
            await keeper.pause(min(LONGEST_S, 4.0 ** (tries - 1)) * random.uniform(0.5, 1.5))  # noqa: S311


class _Gate:
    """Keeps all lines of a batch waiting until a limit lets them on, and stops it where none gets through."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._until = 0.0
        self._failed = 0
        self._closed = 0

    def succeeded(self) -> None:
        self._failed = self._closed = 0

    def failed(self, line: Line, error: _Error) -> None:
        self._failed += 1
        if self._failed == GIVEN_UP:
            said = f"{GIVEN_UP} lines failed one after another, the last of them so: {error.message}"
            self._keeper.stop("failed", Trouble(error.code or "nothing_gets_through", f"{said} {_STOPPED}", line.n))

    def close(self, seconds: float) -> None:
        """Keep them for so long, and longer where one wait after the other was for nothing."""
        now = time.monotonic()
        self._closed += now >= self._until
        shortest = SOONEST_S * 2.0 ** min(max(self._closed - PATIENT, 0), PATIENT)
        self._until = max(self._until, now + max(seconds, min(shortest, LONGEST_S)))

    async def passed(self) -> None:
        """Wait while it is closed."""
        while (left := self._until - time.monotonic()) > 0 and not self._keeper.stopping.is_set():
            await self._keeper.pause(left)
