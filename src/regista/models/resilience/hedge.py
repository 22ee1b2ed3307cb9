"""A second call where the first stays silent too long: the first to speak answers, the other is closed.

After the hedged requests of J. Dean and L. A. Barroso, The Tail at Scale (2013). It knows two providers and no more.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from regista.core.errors import RegistaError
from regista.core.nouns import Delta, Request
from regista.models.providers import Provider
from regista.models.resilience.budget import HEDGES, Budget
from regista.models.resilience.turns import UNSAID, because, note, says


@dataclass
class Hedge:
    """Asks `provider`, and `other` too if nothing was said within `after_s` seconds.

    Deltas of the first that say nothing are passed on at once. Where the second answers all the same, its own bytes are
    dropped, for its stream would begin a second time in them.
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
            while (opening := await race.opening()) is not None:
                yield opening
            begun, deltas, again = race.answer()
            for delta in begun:
                yield replace(delta, raw=None) if again else delta
            await race.close(but=deltas)
            async for delta in deltas:
                yield replace(delta, raw=None) if again else delta
        finally:
            await race.close()


class _Race:
    """Two calls, of which the second begins late if at all.

    The first runs in the task that asks, as most calls speak in time and a task costs more than all else here. Where
    the second speaks before it, that task's waiting is cancelled, as `asyncio.timeout` does it.
    """

    __slots__ = ("_decided", "_first", "_hedge", "_opened", "_overtaken", "_request", "_second", "_task", "_timer")

    def __init__(self, hedge: Hedge, request: Request) -> None:
        self._hedge = hedge
        self._request = request
        self._first = hedge.provider.generate(request)
        self._second: _Call | None = None
        self._task: asyncio.Task[Any] | None = None
        """The task that waits for the first call, while it does."""
        self._opened = 0
        """Deltas of the first call."""
        self._decided = False
        """Whether it is known who answers."""
        self._overtaken = False
        self._timer = asyncio.get_running_loop().call_later(hedge.after_s, self._begin_second)

    async def opening(self) -> Delta | None:
        """What the first call says next; None once it is known who answers."""
        if self._decided:
            return None
        self._task = task = asyncio.current_task()
        cancelling = task.cancelling() if task is not None else 0
        try:
            delta = await anext(self._first)
        except asyncio.CancelledError:
            if not self._overtaken or task is None or task.uncancel() > cancelling:
                raise
            return None
        except StopAsyncIteration:
            self._decided = True
            return None
        except RegistaError:
            self._task, self._decided = None, True
            if self._second is None or not await self._second.speaks():
                raise
            self._overtaken = True
            return None
        finally:
            self._task = None
        self._opened += 1
        self._decided = says(delta) or self._opened > UNSAID
        return delta

    def answer(self) -> tuple[Sequence[Delta], AsyncGenerator[Delta], bool]:
        """Of who answers: what is not yet told, the deltas to come, and whether another had opened the stream."""
        if not self._overtaken:
            return (), self._first, False
        assert self._second is not None  # noqa: S101 - it spoke
        return self._second.task.result(), self._second.deltas, self._opened > 0

    async def close(self, but: AsyncGenerator[Delta] | None = None) -> None:
        """End what is under way, but for the deltas of who answers."""
        self._timer.cancel()
        self._decided = True
        try:
            if self._second is not None and self._second.deltas is not but:
                await self._second.close()
        finally:
            if self._first is not but:
                await self._first.aclose()

    def _begin_second(self) -> None:
        if self._decided:
            return
        if not self._hedge.budget.take():
            note(self._request, "no second call: too many requests have had one already")
            return
        self._second = _Call(self._hedge.other, because(self._request, "hedge"))
        self._second.task.add_done_callback(self._spoke)

    def _spoke(self, task: "asyncio.Task[list[Delta]]") -> None:
        """The second call has ended its beginning: it answers if it speaks while the first has said nothing."""
        if self._decided or task.cancelled() or task.exception() is not None:
            return
        self._decided = self._overtaken = True
        if self._task is not None:
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
