"""How fast lines may begin where other requests are answered in the same process: so that these hardly notice.

It knows neither the lines nor the requests: only how long one turn of the event loop takes, which is what whoever has
something to do waits for again and again.
"""

import asyncio
import time

TURN_S = 0.0005
"""The mean turn of the event loop above which lines begin more slowly."""
WINDOW_S = 0.02
SHORTEST_S = 0.0001
LONGEST_S = 0.02
"""The longest time between two lines: a batch is never starved."""
WEIGHT = 0.05


class Pace:
    """Use it from one event loop, and `turn` before each line."""

    def __init__(self) -> None:
        self._between_s = 0.0
        self._next = 0.0
        self._turn_s = 0.0
        self._looked = time.monotonic()

    async def turn(self) -> None:
        """Wait until the next line may begin."""
        began = time.monotonic()
        await asyncio.sleep(0)
        now = time.monotonic()
        self._turn_s += WEIGHT * (now - began - self._turn_s)
        if now - self._looked > WINDOW_S:
            self._looked = now
            slower = max(self._between_s * 1.25, SHORTEST_S)
            faster = self._between_s * 0.9 if self._between_s > SHORTEST_S else 0.0
            self._between_s = min(slower, LONGEST_S) if self._turn_s > TURN_S else faster
        if self._between_s:
            at = max(self._next, now)
            self._next = at + self._between_s
            if at > now:
                await asyncio.sleep(at - now)
