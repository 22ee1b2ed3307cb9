"""Quantiles of values that are never kept: counts in buckets whose bounds grow by a constant factor.

After C. Masson, J. E. Rim and H. K. Lee, DDSketch (PVLDB 12, 2019): a quantile is within `ERROR` of a value that has
that rank, whatever the distribution, and sketches add up. It knows no unit and needs no numpy.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import accumulate

import msgspec

GROWTH = 1.04
ERROR = (GROWTH - 1) / (GROWTH + 1)
"""How far a quantile may be from a value of its rank, as a share of that value: 2 %."""
_SCALE = 1 / math.log(GROWTH)
_MIDDLE = 2 / (1 + GROWTH)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[int, int]).decode


class Sketch:
    """Values of 1 and more, by bucket; lesser ones count as 1. Times in nanoseconds need no other form."""

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts = dict(counts) if counts else {}

    @classmethod
    def of(cls, values: Iterable[float]) -> "Sketch":
        """A sketch of values.

        >>> Sketch.of([100, 200, 300]).count
        3
        """
        made = cls()
        for value in values:
            made.add(value)
        return made

    @classmethod
    def read(cls, data: bytes) -> "Sketch":
        """What `written` wrote. Raises `msgspec.DecodeError` for anything else."""
        made = cls()
        made.counts = _decode(data)
        return made

    def written(self) -> bytes:
        """As msgpack: three or four bytes a bucket."""
        return _encode(self.counts)

    @property
    def count(self) -> int:
        """How many values."""
        return sum(self.counts.values())

    def add(self, value: float) -> None:
        """Count a value."""
        bucket = math.ceil(math.log(value) * _SCALE) if value > 1 else 0
        self.counts[bucket] = self.counts.get(bucket, 0) + 1

    def remove(self, value: float) -> None:
        """Count a value no longer, which was counted.

        >>> sketch = Sketch.of([100, 200])
        >>> sketch.remove(100)
        >>> sketch.counts == Sketch.of([200]).counts
        True
        """
        bucket = math.ceil(math.log(value) * _SCALE) if value > 1 else 0
        left = self.counts.get(bucket, 0) - 1
        if left > 0:
            self.counts[bucket] = left
        else:
            self.counts.pop(bucket, None)

    def merge(self, other: "Sketch") -> None:
        """Count what another one counted too."""
        counts = self.counts
        if not counts:
            counts.update(other.counts)
            return
        get = counts.get  # looked up once: a page of the console merges a hundred thousand buckets
        for bucket, times in other.counts.items():
            counts[bucket] = get(bucket, 0) + times

    def quantile(self, share: float) -> float:
        """The value that `share` of all are at most, by rank; NaN where there are none.

        >>> round(Sketch.of(range(1, 1001)).quantile(0.5), -1)
        500.0
        """
        return self.quantiles((share,))[0]

    def quantiles(self, shares: Iterable[float]) -> tuple[float, ...]:
        """Several quantiles, each as `quantile` has it."""
        buckets = sorted(self.counts)
        if not buckets:
            return tuple(math.nan for _ in shares)
        reached = list(accumulate(map(self.counts.__getitem__, buckets)))
        last = len(buckets) - 1
        return tuple(
            _value(buckets[min(bisect_left(reached, math.ceil(share * reached[-1])), last)]) for share in shares
        )


def _value(bucket: int) -> float:
    return GROWTH**bucket * _MIDDLE if bucket else 1.0
