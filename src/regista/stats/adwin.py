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


class Part(NamedTuple):
    """So many values, their sum, and the sum of the squares of their distances from their mean."""

    size: int
    total: float
    spread: float

    @property
    def mean(self) -> float:
        return self.total / self.size


class Adwin:
    """Values from 0 to 1 as they come. `confidence` bounds how often a change is seen where there is none.

    `before` is what was forgotten at the last change.
    """

    def __init__(self, confidence: float = 0.002) -> None:
        self.changes = 0
        """How often what was old was forgotten."""
        self.before: Part | None = None
        self._confidence = confidence
        self._rows: list[deque[Part]] = [deque()]
        """Buckets of 1, 2, 4 … values, those of a row the oldest first."""
        self._seen = 0

    def __len__(self) -> int:
        return sum(bucket.size for row in self._rows for bucket in row)

    @property
    def now(self) -> Part:
        """All values since the last change."""
        return _sum(self._buckets())

    @property
    def mean(self) -> float:
        """Their mean; NaN before the first value."""
        return self.now.mean if len(self) else math.nan

    def add(self, value: float) -> bool:
        """Take in a value; whether it shows that the mean has changed. ValueError for one that is not from 0 to 1."""
        if not 0 <= value <= 1:
            raise ValueError(f"The value is {value}: give one from 0 to 1.")
        self._rows[0].append(Part(1, value, 0.0))
        self._compress()
        self._seen += 1
        if self._seen % EVERY or self._chance() >= self._confidence:
            return False
        forgotten = self._forget()
        while self._chance() < self._confidence:
            forgotten = _joined(forgotten, self._forget())
        self.changes += 1
        self.before = forgotten
        return True

    def _compress(self) -> None:
        for place, row in enumerate(self._rows):
            if len(row) <= WIDTH:
                return
            if place + 1 == len(self._rows):
                self._rows.append(deque())
            self._rows[place + 1].append(_joined(row.popleft(), row.popleft()))

    def _forget(self) -> Part:
        oldest = self._rows[-1].popleft()
        while len(self._rows) > 1 and not self._rows[-1]:
            self._rows.pop()
        return oldest

    def _chance(self) -> float:
        """How often, at most, chance alone puts the means of old and new as far apart, wherever they are told apart."""
        buckets = self._buckets()
        whole = _sum(buckets)
        if whole.size < 2 * WIDTH:
            return 1.0
        doubt = 0.0
        old = Part(0, 0.0, 0.0)
        for bucket in buckets[:-1]:
            old = _joined(old, bucket)
            n, m = old.size, whole.size - old.size
            if n >= WIDTH and m >= WIDTH:
                apart = abs(old.total / n - (whole.total - old.total) / m)
                doubt = max(doubt, _doubt(apart, n, m, whole.spread / whole.size))
        return _p(doubt, whole.size)

    def _buckets(self) -> list[Part]:
        """The oldest first."""
        return [bucket for row in reversed(self._rows) for bucket in row]


def chance(before: Part, now: Part) -> float:
    """How often, at most, chance alone puts two means as far apart, by the bound that windows are cut by."""
    if min(before.size, now.size) < WIDTH:
        return 1.0
    whole = _joined(before, now)
    apart = abs(before.mean - now.mean)
    return _p(_doubt(apart, before.size, now.size, whole.spread / whole.size), whole.size)


def _doubt(apart: float, n: int, m: int, variance: float) -> float:
    """The paper's bound, sqrt(2/h·variance·doubt) + 2/(3h)·doubt, solved for the doubt at which it is `apart`."""
    harmonic = 1 / (1 / n + 1 / m)
    a, b = 2 / (3 * harmonic), math.sqrt(2 / harmonic * variance)
    return ((math.sqrt(b * b + 4 * a * apart) - b) / (2 * a)) ** 2


def _p(doubt: float, size: int) -> float:
    return min(1.0, 2 * math.log(size) * math.exp(-doubt))


def _joined(one: Part, other: Part) -> Part:
    count = one.size + other.size
    apart = other.total / other.size - one.total / one.size if one.size and other.size else 0.0
    spread = one.spread + other.spread + apart * apart * one.size * other.size / count
    return Part(count, one.total + other.total, spread)


def _sum(buckets: list[Part]) -> Part:
    whole = Part(0, 0.0, 0.0)
    for bucket in buckets:
        whole = _joined(whole, bucket)
    return whole
