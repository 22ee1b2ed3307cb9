"""Counters of one process: what it forgets when it ends is recalled. Use them from one event loop."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from regista.store.counters import Claim, Recall, Refusal, Reservation

SETTLED = 10_000
"""Ids of settled requests that are remembered, so that one settled again is not counted again."""


class MemoryCounters:
    """See `Counters`. No step of a reservation waits once its counters are known, so no two can pass the last unit."""

    def __init__(self, recall: Recall, clock: Callable[[], float] = time.time) -> None:
        self._recall = recall
        self._clock = clock
        self._counts: dict[tuple[str, str], _Count] = {}
        self._open: dict[str, Reservation] = {}
        self._settled: OrderedDict[str, None] = OrderedDict()

    async def reserve(self, reservation: Reservation) -> Refusal | None:
        """See `Counters.reserve`."""
        owner, claims = reservation.owner, reservation.claims
        while None in (counts := [self._counts.get((owner, claim.counter)) for claim in claims]):
            await self._learn(owner, [claim for claim, count in zip(claims, counts, strict=True) if count is None])
        if reservation.id in self._settled:
            return None  # who asked has left while its counters were recalled: nobody would settle it again
        known = [count for count in counts if count is not None]
        for place, (count, claim) in enumerate(zip(known, claims, strict=True)):
            if count.used + claim.amount > claim.limit:
                return Refusal(place, count.used)
        for count, claim in zip(known, claims, strict=True):
            count.used += claim.amount
        self._open[reservation.id] = reservation
        return None

    async def settle(self, reservations: Sequence[Reservation]) -> None:
        """See `Counters.settle`."""
        for reservation in reservations:
            self.settle_at_once(reservation)

    def settle_at_once(self, reservation: Reservation) -> bool:
        """See `Counters.settle_at_once`."""
        if reservation.id in self._settled:
            return True
        self._settled[reservation.id] = None
        if len(self._settled) > SETTLED:
            self._settled.popitem(last=False)
        held = self._open.pop(reservation.id, None)
        reserved = {claim.counter: claim.amount for claim in held.claims} if held is not None else {}
        for claim in reservation.claims:
            count = self._counts.get((reservation.owner, claim.counter))
            if count is not None:
                count.used += claim.amount - reserved.get(claim.counter, 0)
        return True

    async def close(self) -> None:
        """Nothing is kept."""

    async def _learn(self, owner: str, missing: list[Claim]) -> None:
        known = await self._recall(owner, missing)
        now = self._clock()
        for place in [place for place, count in self._counts.items() if count.ends_s < now]:
            del self._counts[place]
        for claim, used in zip(missing, known, strict=True):
            # Another request may have been here first, and have counted since.
            self._counts.setdefault((owner, claim.counter), _Count(used, claim.ends_s))


class _Count:
    __slots__ = ("ends_s", "used")

    def __init__(self, used: int, ends_s: int) -> None:
        self.used = used
        self.ends_s = ends_s
