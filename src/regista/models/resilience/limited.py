"""So many calls of a model at once; who comes then waits in a queue that is fair among tenants, or is sent away.

It counts the calls of this process and knows no other one.
"""

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from time import monotonic

from regista.core.errors import OverloadedError
from regista.core.nouns import Delta, Request
from regista.models.providers import Provider
from regista.models.resilience.turns import note

SMOOTHING = 0.1
"""The weight of the latest interval in the time from one call's end to the next."""
LONGEST_S = 60


class Gate:
    """Lets `limit` calls through at once and has `queue` more wait, `queue_s` seconds at most.

    Tenants take turns, and the calls of one come in their order: one that sends a thousand at once waits for itself.
    """

    def __init__(self, name: str, limit: int, queue: int, queue_s: float) -> None:
        self.name = name
        self.running = self.waiting = self.shed = 0
        self._limit = limit
        self._queue = queue
        self._queue_s = queue_s
        self._tenants: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._ended_at = 0.0
        self.interval = 0.0

    async def enter(self, tenant: str, until: float = 0.0) -> float:
        """Wait for a place, which `leave` gives back; the seconds waited.

        Raises `OverloadedError` (429) where the queue is full, or nothing came free in time.
        """
        # Not `waiting`: that also counts who has left the queue and not heard of it, and nobody calls after those.
        if self.running < self._limit and not self._tenants:
            self.running += 1
            return 0.0
        if self.waiting >= self._queue:
            raise self._sent_away(f"{self.waiting} are waiting already")
        loop = asyncio.get_running_loop()
        begun = loop.time()
        seconds = min(self._queue_s, until - begun) if until else self._queue_s
        place: asyncio.Future[None] = loop.create_future()
        self._tenants.setdefault(tenant, deque()).append(place)
        self.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await place
        except BaseException as error:
            if not place.done() or place.cancelled():
                self._forget(tenant, place)
            else:
                self.leave()  # it was given in the very moment that nobody waited for it any more
            if isinstance(error, TimeoutError):
                raise self._sent_away(f"nothing came free in {max(seconds, 0):.3g} s") from None
            raise
        finally:
            self.waiting -= 1
        return loop.time() - begun

    def leave(self) -> None:
        """Give a place back: to the next tenant's first call that waits, if one does."""
        now = monotonic()
        if self._ended_at:
            self.interval += SMOOTHING * (now - self._ended_at - self.interval)
        self._ended_at = now
        while self._tenants:
            tenant, places = self._tenants.popitem(last=False)
            place = places.popleft()
            if places:
                self._tenants[tenant] = places
            if not place.done():
                place.set_result(None)
                return
        self.running -= 1

    def _forget(self, tenant: str, place: asyncio.Future[None]) -> None:
        places = self._tenants.get(tenant, deque[asyncio.Future[None]]())
        if place in places:  # else `leave` met it first
            places.remove(place)
            if not places:
                del self._tenants[tenant]

    def _sent_away(self, why: str) -> OverloadedError:
        self.shed += 1
        seconds = min(max(math.ceil((self.waiting + 1) * self.interval), 1), LONGEST_S)
        return OverloadedError(
            f"{self.name} is at its limit of {self._limit} calls at once, and {why}. Come back in {seconds} s.",
            status=429,
            retry_after=str(seconds),
        )


@dataclass
class Limited:
    """Calls `provider` when `gate` lets it."""

    provider: Provider
    gate: Gate = field(repr=False)

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`. Raises `OverloadedError` where there is no place."""
        waited = await self.gate.enter(request.account.tenant, request.account.until)
        if waited:
            note(request, f"{self.gate.name}: waited {waited * 1000:.0f} ms for a place")
        deltas = self.provider.generate(request)
        try:
            async for delta in deltas:
                yield delta
        finally:
            try:
                await deltas.aclose()
            finally:
                self.gate.leave()
