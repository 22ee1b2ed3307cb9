"""A second call where the first stays silent too long: the first to speak answers, the other is closed.

After the hedged requests of J. Dean and L. A. Barroso, The Tail at Scale (2013). It knows two providers and no more.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from regista.core.errors import RegistaError
from regista.core.nouns import Delta, Request
from regista.models.providers import Provider
from regista.models.resilience.budget import HEDGES, Budget
from regista.models.resilience.turns import UNSAID, because, note, says


@dataclass
class Hedge:
    """Asks `provider`, and `other` too if nothing was said within `after_s` seconds.

    Deltas that say nothing are held back until it is known whose they are.
    """

    provider: Provider
    other: Provider
    after_s: float
    budget: Budget = field(default_factory=lambda: Budget(HEDGES))

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`. Raises the first call's error where neither speaks."""
        self.budget.earn()
        race = _Race(self, request)
        try:
            begun, deltas = await race.run()
            for delta in begun:
                yield delta
            await race.close(but=deltas)
            async for delta in deltas:
                yield delta
        finally:
            await race.close()


class _Race:
    """Two calls, of which the second begins late if at all.

    The first runs in the task that asks, as most calls speak in time and a task costs more than all else here. Where
    the second speaks before it, that task's waiting is cancelled, as `asyncio.timeout` does it.
    """

    __slots__ = ("_first", "_hedge", "_overtaken", "_request", "_second", "_task", "_timer", "_waiting")

    def __init__(self, hedge: Hedge, request: Request) -> None:
        loop = asyncio.get_running_loop()
        self._hedge = hedge
        self._request = request
        self._first = hedge.provider.generate(request)
        self._second: _Call | None = None
        self._task = asyncio.current_task(loop)
        self._waiting = True
        """Whether the task waits for the first call."""
        self._overtaken = False
        self._timer = loop.call_later(hedge.after_s, self._begin_second)

    async def run(self) -> tuple[list[Delta], AsyncGenerator[Delta]]:
        """What the first to speak has said so far, and the rest of its deltas."""
        cancelling = self._task.cancelling() if self._task is not None else 0
        try:
            begun = await _beginning(self._first)
        except asyncio.CancelledError:
            self._waiting = False
            if not self._overtaken or self._task is None or self._task.uncancel() > cancelling:
                raise
        except RegistaError:
            self._waiting = False
            if self._second is None or not await self._second.speaks():
                raise
        else:
            self._waiting = False
            return begun, self._first
        assert self._second is not None  # noqa: S101 - it spoke
        return self._second.task.result(), self._second.deltas

    async def close(self, but: AsyncGenerator[Delta] | None = None) -> None:
        """End what is under way, but for the deltas of who answers."""
        self._timer.cancel()
        self._waiting = False
        try:
            if self._second is not None and self._second.deltas is not but:
                await self._second.close()
        finally:
            if self._first is not but:
                await self._first.aclose()

    def _begin_second(self) -> None:
        if not self._waiting:
            return
        if not self._hedge.budget.take():
            note(self._request, "no second call: too many requests have had one already")
            return
        self._second = _Call(self._hedge.other, because(self._request, "hedge"))
        self._second.task.add_done_callback(self._spoke)

    def _spoke(self, task: "asyncio.Task[list[Delta]]") -> None:
        """The second call has ended its beginning: it answers if it speaks while the first is silent."""
        if self._waiting and not task.cancelled() and task.exception() is None and self._task is not None:
            self._waiting, self._overtaken = False, True
            self._task.cancel()


class _Call:
    """A call in a task of its own, which ends with its first deltas, the last of which says something."""

    __slots__ = ("deltas", "task")

    def __init__(self, provider: Provider, request: Request) -> None:
        self.deltas = provider.generate(request)
        self.task = asyncio.create_task(_beginning(self.deltas))

    async def speaks(self) -> bool:
        """Whether it says something in the end."""
        await asyncio.wait({self.task})
        return not self.task.cancelled() and self.task.exception() is None

    async def close(self) -> None:
        """End what is under way; does nothing the second time."""
        if not self.task.done():
            self.task.cancel()
            await asyncio.wait({self.task})
        if not self.task.cancelled():
            self.task.exception()
        await self.deltas.aclose()


async def _beginning(deltas: AsyncGenerator[Delta]) -> list[Delta]:
    """The first deltas up to one that says something."""
    begun: list[Delta] = []
    async for delta in deltas:
        begun.append(delta)
        if says(delta) or len(begun) > UNSAID:
            break
    return begun
