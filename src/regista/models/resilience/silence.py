"""A provider that stays silent is given up, before its first delta and between two. It knows no connection.

What a connection carries is not what it says: an event stream that sends comments for ever keeps a connection busy and
answers nothing, so the wait is for deltas. Stands inside of `models.metered`.
"""

import asyncio
import math
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from regista.core.errors import ProviderTimeoutError
from regista.core.nouns import Delta, Request
from regista.models.providers import Provider
from regista.models.resilience.faults import TOO_LATE

SWEEP_S = 0.1
"""How often waits are looked at: one timer for all calls, and none for each delta. No wait is given up earlier."""
WHOLE = -2
"""The turn in which a whole answer is waited for."""
MOVES = 16
"""Turns in which another task may take over: a hedge begins an answer in one task and reads it in another."""


class _Watch:
    """One call's waits. Its `turn` is even while somebody waits for its next delta, and odd while that is read."""

    __slots__ = ("_before", "due", "expired", "seen", "task", "turn", "until")

    def __init__(self, until: float) -> None:
        self.turn = 0
        self.task: asyncio.Task[object] | None = None
        self.until = until
        self.seen = -1
        """The turn in which it was last looked at."""
        self.due = 0.0
        """When the wait that was seen then is over."""
        self.expired = False
        self._before = 0

    def waits(self, task: asyncio.Task[object] | None) -> None:
        """Take down who waits, and how often it has been cancelled already."""
        self.task = task
        self._before = task.cancelling() if task is not None else 0

    def look(self, now: float, patience: float) -> None:
        """End the wait if it is overdue. It counts from the first look at it: a delta costs no look at the clock."""
        if self.turn % 2:
            return
        if self.turn != self.seen:
            self.seen, self.due = self.turn, min(now + patience, self.until)
        if now >= self.due and self.task is not None and not self.expired:
            self.expired = True
            self.task.cancel()

    def was_it(self) -> bool:
        """Whether a cancellation is this watch's and nobody else's; see `asyncio.Timeout`."""
        return self.expired and self.task is not None and self.task.uncancel() <= self._before


@dataclass
class Silence:
    """Waits `first_s` seconds for the first delta of a stream of `provider` and `between_s` for each next; 0 waits on.

    A whole answer is one delta: how long its connection may be silent is all that can be asked before it. `running`
    counts calls under way.
    """

    provider: Provider
    first_s: float = 0.0
    between_s: float = 0.0
    running: int = field(default=0, init=False)
    _watches: set[_Watch] = field(default_factory=set[_Watch], init=False, repr=False)
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False, repr=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False, repr=False)

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`. Raises `ProviderTimeoutError` for a silence, and where the answer came too late."""
        loop = self._running_loop()
        watch = _Watch(request.account.until or math.inf)
        watch.waits(asyncio.current_task(loop))
        if not request.stream:
            watch.turn = WHOLE
        self.running += 1
        self._watches.add(watch)
        if self._timer is None:
            self._timer = loop.call_later(SWEEP_S, self._sweep)
        deltas = self.provider.generate(request)
        try:
            async for delta in deltas:
                watch.turn += 1
                yield delta
                if watch.turn < MOVES:
                    watch.waits(asyncio.current_task(loop))
                watch.turn += 1
        except asyncio.CancelledError:
            if not watch.was_it():
                raise
            raise self._given_up(request, watch, loop.time()) from None
        finally:
            self.running -= 1
            self._watches.discard(watch)
            await deltas.aclose()

    def _given_up(self, request: Request, watch: _Watch, now: float) -> ProviderTimeoutError:
        name = repr(request.model)
        if now >= watch.until:
            return ProviderTimeoutError(f"{name} gave no whole answer in the time it had.", code=TOO_LATE)
        if not watch.turn:
            return ProviderTimeoutError(f"{name} said nothing for {self.first_s:g} s.")
        return ProviderTimeoutError(f"{name} fell silent in its answer for {self.between_s:g} s.")

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        loop = self._loop
        if loop is None or not loop.is_running():
            loop = self._loop = asyncio.get_running_loop()
            self._timer = None
        return loop

    def _sweep(self) -> None:
        loop, self._timer = self._loop, None
        if loop is None or not self._watches:
            return
        now, first, between = loop.time(), self.first_s or math.inf, self.between_s or math.inf
        for watch in list(self._watches):
            watch.look(now, math.inf if watch.turn == WHOLE else between if watch.turn else first)
        self._timer = loop.call_later(SWEEP_S, self._sweep)
