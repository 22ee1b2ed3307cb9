"""A second call where the first stays silent too long: the first to speak answers, the other is closed.

After the hedged requests of J. Dean and L. A. Barroso, The Tail at Scale (2013). It knows two providers and no more.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

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
        calls = [_Call(self.provider, request)]
        try:
            await asyncio.wait({calls[0].task}, timeout=self.after_s)
            if not calls[0].task.done():
                if self.budget.take():
                    calls.append(_Call(self.other, because(request, "hedge")))
                else:
                    note(request, "no second call: too many requests have had one already")
            chosen = await _first_to_speak(calls)
            for call in calls:
                if call is not chosen:
                    call.task.cancel()
            for delta in chosen.task.result():
                yield delta
            for call in calls:
                if call is not chosen:
                    await call.close()
            async for delta in chosen.deltas:
                yield delta
        finally:
            for call in calls:
                await call.close()


class _Call:
    """A call under way: `task` ends with its first deltas, the last of which says something."""

    __slots__ = ("deltas", "task")

    def __init__(self, provider: Provider, request: Request) -> None:
        self.deltas = provider.generate(request)
        self.task = asyncio.create_task(self._begin())

    async def _begin(self) -> list[Delta]:
        begun: list[Delta] = []
        async for delta in self.deltas:
            begun.append(delta)
            if says(delta) or len(begun) > UNSAID:
                break
        return begun

    async def close(self) -> None:
        """End what is under way; does nothing the second time."""
        if not self.task.done():
            self.task.cancel()
            await asyncio.wait({self.task})
        if not self.task.cancelled():
            self.task.exception()
        await self.deltas.aclose()


async def _first_to_speak(calls: list[_Call]) -> _Call:
    while True:
        for call in calls:
            if call.task.done() and call.task.exception() is None:
                return call
        waiting = [call.task for call in calls if not call.task.done()]
        if not waiting:
            break
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    calls[0].task.result()
    raise AssertionError("a call that did not speak has failed")
