"""The exact cache: the same key, the same response. In memory, bounded, with one flight a key.

What makes a key is decided by the stage that uses it.
"""

import asyncio
from collections import OrderedDict
from time import monotonic

from regista.core.nouns import Response


class ExactCache:
    """Keeps up to `entries` responses for `ttl_s` seconds; the one unused longest goes first."""

    def __init__(self, entries: int = 10_000, ttl_s: float = 3600.0) -> None:
        self._entries = entries
        self._ttl = ttl_s
        self._kept: OrderedDict[str, tuple[float, Response]] = OrderedDict()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._flights: dict[str, asyncio.Future[Response | None]] = {}

    async def claim(self, key: str) -> tuple[Response | None, str]:
        """A response with how it was had (`hit`, or `coalesced` with the same request under way), or (None, `miss`).

        After a miss the caller answers the question and calls `settle`, whatever happens.
        """
        kept = self._kept.get(key)
        if kept is not None and kept[0] > monotonic():
            self._kept.move_to_end(key)
            return kept[1], "hit"
        flight = self._flights.get(key)
        if flight is None:
            self._loop = self._loop or asyncio.get_running_loop()
            self._flights[key] = self._loop.create_future()
            return None, "miss"
        # Shielded: a waiter that leaves must not take the flight from the others.
        response = await asyncio.shield(flight)
        return (response, "coalesced") if response is not None else (None, "miss")

    def settle(self, key: str, response: Response | None, *, keep: bool = True) -> None:
        """End a miss: those who wait get `response`, or answer for themselves where it is None; later ones if kept."""
        flight = self._flights.pop(key, None)
        if flight is not None and not flight.done():
            flight.set_result(response)
        if response is None or not keep:
            return
        self._kept[key] = (monotonic() + self._ttl, response)
        self._kept.move_to_end(key)
        while len(self._kept) > self._entries:
            self._kept.popitem(last=False)
