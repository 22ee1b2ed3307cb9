"""Notices, as traces come, that times, cost, failures or what users make of answers are no longer as they were.

Each figure is a window that forgets what came before a change (`regista.stats.adwin`). An alarm needs a change that is
large and is not chance, over all figures together. It knows no store and no clock, and needs no numpy.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from regista.observe.features import COST, DURATION, FAILED, FIRST_TOKEN, Key
from regista.stats.adwin import Adwin, Part, chance

LEVEL = 0.01
"""The share of the alarms that may be chance (Benjamini and Hochberg)."""
RATIO, H = 1.5, 0.2
"""From which figure on a change is large: a time or a cost so many times the one before, or the reverse; Cohen's h."""
REACH = 32.0
"""Times and costs count as at most so many times the one in the middle, or as little: what is told apart is narrow."""
FIRST = 50
"""Values of which the middle one is taken, before anything is looked at."""
LAST = 200
"""Values kept to show examples of."""
EXAMPLES = 3
THUMB: Key = ("scores", "thumb up")
REFUSED: Key = ("scores", "signal: refusal")
AGAINST: Key = ("scores", "signals against the answer")


class Kind(Struct, frozen=True):
    """How values are brought to 0 to 1, how a mean of such reads, and how far two means are apart, if far enough.

    The first two are told what the value in the middle is.
    """

    scaled: Callable[[float, float], float]
    shown: Callable[[float, float], str]
    effect: Callable[[float, float], float]
    measure: str
    large: float


class Raised(Struct, frozen=True):
    """A figure that has changed. `effect` is so large a ratio of means, or an h, as `measure` says."""

    key: Key
    before: str
    now: str
    measure: str
    effect: float
    p: float
    more: str
    examples: tuple[str, ...]


def _logarithmic(unit: float) -> Kind:
    """Numbers by their logarithm, so that means are geometric ones, and are shown in `unit`."""
    whole = 2 * math.log(REACH)

    def scaled(value: float, middle: float) -> float:
        return min(1.0, max(0.0, 0.5 + (math.log(max(1.0, value)) - math.log(max(1.0, middle))) / whole))

    def shown(mean: float, middle: float) -> str:
        value = max(1.0, middle) * math.exp((mean - 0.5) * whole)
        return "0" if value <= 1 else f"{value / unit:,.0f}" if value >= 100 * unit else f"{value / unit:.3g}"

    def effect(one: float, other: float) -> float:
        return math.exp(abs(one - other) * whole)

    return Kind(scaled, shown, effect, "ratio", RATIO)


def _share(mean: float, middle: float) -> str:
    return f"{mean:.0%}" if mean >= 0.1 or mean == 0 else f"{mean * 100:.2g}%"


def _h(one: float, other: float) -> float:
    ends = [math.asin(math.sqrt(min(1.0, max(0.0, mean)))) for mean in (one, other)]
    return abs(2 * (ends[0] - ends[1]))


_RATE = Kind(lambda value, middle: value, _share, _h, "h", H)
KINDS: Mapping[Key, Kind] = {
    DURATION: _logarithmic(1e6),
    FIRST_TOKEN: _logarithmic(1e6),
    COST: _logarithmic(1e9),
    FAILED: _RATE,
    THUMB: _RATE,
    REFUSED: _RATE,
    AGAINST: _RATE,
}
"""What is watched: nanoseconds, nano-dollars, and whether."""


class _Stream:
    """One figure. `reference` is what it was before it began to change, None where it does not."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.window = Adwin()
        self.last: deque[tuple[float, str]] = deque(maxlen=LAST)
        self.reference: Part | None = None
        self._first: list[float] = []
        self._middle = 0.0

    def add(self, value: float, trace: str) -> None:
        self.last.append((value, trace))
        if len(self._first) < FIRST:
            self._first.append(value)
            if len(self._first) == FIRST:
                self._middle = sorted(self._first)[FIRST // 2]
                for each in self._first:
                    self._add(each)
        else:
            self._add(value)

    def _add(self, value: float) -> None:
        # A change that is too small yet may be the beginning of a large one: it is measured from where it began.
        if self.window.add(self.kind.scaled(value, self._middle)) and self.reference is None:
            self.reference = self.window.before

    def shown(self, mean: float) -> str:
        return self.kind.shown(mean, self._middle)

    def examples(self, rose: bool, kept: int) -> tuple[str, ...]:
        """Of the values since the change, those furthest the way it went, the newest first where they are the same."""
        since = list(self.last)[-kept:]
        since.reverse()
        since.sort(key=lambda one: one[0], reverse=rose)
        return tuple(id for _, id in since[:EXAMPLES])


class Streams:
    """The figures of one application. `take` what is known of each trace, as traces come."""

    def __init__(self) -> None:
        self._streams = {key: _Stream(kind) for key, kind in KINDS.items()}

    def take(self, seen: Sequence[tuple[str, Mapping[Key, float]]]) -> list[Raised]:
        """Look at some traces, each its id and its figures; the changes that are alarms, the surest first."""
        for trace, figures in seen:
            for key, value in figures.items():
                self._streams[key].add(value, trace)
        changing = [(key, one, before) for key, one in self._streams.items() if (before := one.reference) is not None]
        ps = sorted(((chance(before, one.window.now), key) for key, one, before in changing))
        # All that is watched is one family: what does not change has a p of 1.
        steps = [p * len(self._streams) / rank for rank, (p, _) in enumerate(ps, 1)]
        adjusted = [(min(1.0, *steps[place:]), key) for place, (_, key) in enumerate(ps)]
        return [raised for p, key in adjusted if p < LEVEL and (raised := self._raised(key, p)) is not None]

    def _raised(self, key: Key, p: float) -> Raised | None:
        """What has changed, if it has by much. Its figure begins anew: how it is now is what it is measured by."""
        stream = self._streams[key]
        kind, before, now = stream.kind, stream.reference, stream.window.now
        if before is None or (effect := kind.effect(before.mean, now.mean)) < kind.large:
            return None
        rose = now.mean > before.mean
        self._streams[key] = _Stream(kind)
        return Raised(
            *(key, stream.shown(before.mean), stream.shown(now.mean), kind.measure, effect, p),
            f"{'more' if rose else 'less'} of it in the last {now.size:,}",
            stream.examples(rose, now.size),
        )
