"""The stretches of time a page may be about, and how finely each is drawn. Knows no page."""

import time
from typing import NamedTuple

from regista.core.errors import RequestError
from regista.store.rollups import DAY_S, HOUR_S, MINUTE_S

STEP_NAMES = {MINUTE_S: "minute", 5 * MINUTE_S: "5 minutes", 15 * MINUTE_S: "15 minutes", HOUR_S: "hour", DAY_S: "day"}


class Stretch(NamedTuple):
    """From `since_s` until before `until_s` (seconds since 1970), drawn in steps of `grain_s`."""

    name: str
    since_s: int
    until_s: int
    grain_s: int

    @property
    def step(self) -> str:
        """What a step is called, after "by"."""
        return STEP_NAMES.get(self.grain_s, f"{self.grain_s // HOUR_S} hours")

    def starts(self) -> range:
        """When each step begins."""
        return range(self.since_s, self.until_s, self.grain_s)


LENGTHS = {
    "1h": (HOUR_S, MINUTE_S),
    "6h": (6 * HOUR_S, 5 * MINUTE_S),
    "24h": (DAY_S, HOUR_S),
    "7d": (7 * DAY_S, 3 * HOUR_S),
    "30d": (30 * DAY_S, 12 * HOUR_S),
    "90d": (90 * DAY_S, DAY_S),
}
"""Seconds of a stretch and of its steps. Minutes are kept for two days, so longer ones have whole hours."""


def stretch(name: str, usual: str) -> Stretch:
    """The stretch of this name that ends now. Raises `RequestError` where there is none."""
    name = name or usual
    if name not in LENGTHS:
        raise RequestError(f"'range' is {name[:20]!r}: give {', '.join(LENGTHS)}.", param="range")
    length, grain = LENGTHS[name]
    until = (int(time.time()) // grain + 1) * grain
    return Stretch(name, until - length, until, grain)
