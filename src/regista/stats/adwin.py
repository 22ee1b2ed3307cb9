"""A mean that notices when what it is of has changed: it then forgets what came before.

After A. Bifet and R. Gavaldà, Learning from Time-Changing Data with Adaptive Windowing (SDM 2007), with its bound that
takes the variance in. Memory grows with the logarithm of what was seen. It knows no time.
"""

import math
from collections import deque
from typing import NamedTuple

WIDTH = 5
"""Buckets of one size that are kept before the two oldest of them become one."""
EVERY = 8
"""Values between two looks: looking at each costs more and finds little sooner."""


class _Bucket(NamedTuple):
    """So many values, their sum, and the sum of the squares of their distances from their mean."""

    size: int
    total: float
    spread: float


class Adwin:
    """Values from 0 to 1 as they come. `confidence` bounds how often a change is seen where there is none."""

    def __init__(self, confidence: float = 0.002) -> None:
        self.changes = 0
        """How often what was old was forgotten."""
        self._confidence = confidence
        self._rows: list[deque[_Bucket]] = [deque()]
        """Buckets of 1, 2, 4 … values, those of a row the oldest first."""
        self._seen = 0

    def __len__(self) -> int:
        return sum(bucket.size for row in self._rows for bucket in row)

    @property
    def mean(self) -> float:
        """The mean since the last change; NaN before the first value."""
        count = len(self)
        return sum(bucket.total for row in self._rows for bucket in row) / count if count else math.nan

    def add(self, value: float) -> bool:
        """Take in a value; whether it shows that the mean has changed. ValueError for one that is not from 0 to 1."""
        if not 0 <= value <= 1:
            raise ValueError(f"The value is {value}: give one from 0 to 1.")
        self._rows[0].append(_Bucket(1, value, 0.0))
        self._compress()
        self._seen += 1
        changed = False
        while self._seen % EVERY == 0 and self._cuts():
            self._forget()
            changed = True
        self.changes += changed
        return changed

    def _compress(self) -> None:
        for place, row in enumerate(self._rows):
            if len(row) <= WIDTH:
                return
            if place + 1 == len(self._rows):
                self._rows.append(deque())
            self._rows[place + 1].append(_joined(row.popleft(), row.popleft()))

    def _forget(self) -> None:
        self._rows[-1].popleft()
        while len(self._rows) > 1 and not self._rows[-1]:
            self._rows.pop()

    def _cuts(self) -> bool:
        """Whether somewhere between old and new the means are too far apart to be one."""
        buckets = [bucket for row in reversed(self._rows) for bucket in row]
        whole = _sum(buckets)
        if whole.size < 2 * WIDTH:
            return False
        variance = whole.spread / whole.size
        doubt = math.log(2 * math.log(whole.size) / self._confidence)
        old = _Bucket(0, 0.0, 0.0)
        for bucket in buckets[:-1]:
            old = _joined(old, bucket)
            n, m = old.size, whole.size - old.size
            if n < WIDTH or m < WIDTH:
                continue
            harmonic = 1 / (1 / n + 1 / m)
            bound = math.sqrt(2 / harmonic * variance * doubt) + 2 / (3 * harmonic) * doubt
            if abs(old.total / n - (whole.total - old.total) / m) > bound:
                return True
        return False


def _joined(one: _Bucket, other: _Bucket) -> _Bucket:
    count = one.size + other.size
    apart = other.total / other.size - one.total / one.size if one.size and other.size else 0.0
    spread = one.spread + other.spread + apart * apart * one.size * other.size / count
    return _Bucket(count, one.total + other.total, spread)


def _sum(buckets: list[_Bucket]) -> _Bucket:
    whole = _Bucket(0, 0.0, 0.0)
    for bucket in buckets:
        whole = _joined(whole, bucket)
    return whole
