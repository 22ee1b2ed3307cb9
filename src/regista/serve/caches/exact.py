"""The exact cache: the same key, the same response. In memory, bounded, with one flight a key.

Beside the memory there may be another cache that several processes share. What makes a key is decided by who uses it.
"""

import asyncio
from collections import OrderedDict
from time import time_ns
from typing import Protocol

from regista.core.nouns import Response
from regista.serve.caches.worth import Keep

NANO = 1_000_000_000
IN_VAIN = "in vain"
"""How a response was had by who waited for the same request, and got none."""


class Elsewhere(Protocol):
    """A cache other processes use too. It raises nothing and is never waited for long."""

    async def get(self, key: bytes) -> tuple[int, Response] | None:
        """When a response expires, in nanoseconds since 1970, and the response; None where there is none."""
        ...

    def put(self, key: bytes, expires_ns: int, response: Response) -> None:
        """Keep a response, soon."""
        ...


class ExactCache:
    """Keeps up to `entries` responses for `ttl_s` seconds, or for `brief_s`; the one unused longest goes first.

    Keys are to hold `epoch`.
    """

    def __init__(
        self, entries: int = 10_000, ttl_s: float = 3600.0, brief_s: float = 60.0, elsewhere: Elsewhere | None = None
    ) -> None:
        self.epoch = 0
        """Raised from outside: what was kept under another is not found again."""
        self._entries = entries
        self._ttl_ns: dict[Keep, int] = {
            "whole": int(ttl_s * NANO),
            "briefly": int(min(ttl_s, brief_s) * NANO),
            "not": 0,
        }
        self._elsewhere = elsewhere
        self._kept: OrderedDict[bytes, tuple[int, Response]] = OrderedDict()
        self._flights: dict[bytes, asyncio.Future[Response | None]] = {}

    def begin(self, epoch: int) -> None:
        """Forget all that is kept for another epoch."""
        if epoch != self.epoch:
            self.epoch = epoch
            self._kept.clear()

    def kept(self, key: bytes) -> Response | None:
        """A response kept in this process."""
        kept = self._kept.get(key)
        if kept is None or kept[0] <= time_ns():
            return None
        self._kept.move_to_end(key)
        return kept[1]

    async def claim(self, key: bytes) -> tuple[Response | None, str]:
        """A response with how it was had: `hit`, or `coalesced` with the same request under way. Or None.

        Then the caller answers the question and calls `settle`, whatever happens: after a `miss` for those who wait for
        it meanwhile, and where it has waited `IN_VAIN` for itself alone.
        """
        if (kept := self.kept(key)) is not None:
            return kept, "hit"
        flight = self._flights.get(key)
        if flight is None:
            self._flights[key] = asyncio.get_running_loop().create_future()
            found = await self._elsewhere_kept(key) if self._elsewhere is not None else None
            return (found, "hit") if found is not None else (None, "miss")
        # Shielded: a waiter that leaves must not take the flight from the others.
        response = await asyncio.shield(flight)
        return (response, "coalesced") if response is not None else (None, IN_VAIN)

    def settle(self, key: bytes, response: Response | None, keep: Keep = "whole", *, alone: bool = False) -> None:
        """End a miss: those who wait get `response`, or answer for themselves where it is None; later ones if kept.

        Where the caller is `alone`, who waits does so for somebody else, who came later.
        """
        if not alone:
            self._land(key, response)
        if response is None or keep == "not":
            return
        expires = time_ns() + self._ttl_ns[keep]
        self._keep(key, expires, response)
        if self._elsewhere is not None:
            self._elsewhere.put(key, expires, response)

    async def _elsewhere_kept(self, key: bytes) -> Response | None:
        assert self._elsewhere is not None  # noqa: S101 - asked only where there is one
        try:
            found = await self._elsewhere.get(key)
        except BaseException:
            self._land(key, None)
            raise
        if found is None or found[0] <= time_ns():
            return None
        self._land(key, found[1])
        self._keep(key, *found)
        return found[1]

    def _land(self, key: bytes, response: Response | None) -> None:
        flight = self._flights.pop(key, None)
        if flight is not None and not flight.done():
            flight.set_result(response)

    def _keep(self, key: bytes, expires_ns: int, response: Response) -> None:
        self._kept[key] = (expires_ns, response)
        self._kept.move_to_end(key)
        while len(self._kept) > self._entries:
            self._kept.popitem(last=False)
