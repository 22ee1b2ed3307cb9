"""Whether some raters are kinder than others: each one's mean offset, shrunk towards none.

Raters must have rated items of one kind, or `items` say which they rated: an easy day is no kindness.
"""

# pyright: reportMissingTypeStubs=false

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtri

from regista.feedback.bias.meter import Bias, listed
from regista.stats.inputs import Floats, codes, numbers
from regista.stats.intervals import Interval, normal_quantile

STEPS = 200
CLOSE = 1e-10


def leniency(
    scores: ArrayLike,
    raters: Sequence[Hashable],
    items: Sequence[Hashable] | None = None,
    level: float = 0.95,
) -> Bias:
    """How far raters' means spread (a standard deviation, in the scores' unit), and each one's own offset in `rows`.

    One way, or with `items` two ways without interaction, by least squares. The interval of the spread is the Q-profile
    of Viechtbauer (2007) with the quantiles of F, which is exact for normal scores; offsets are shrunk by empirical
    Bayes: n ratings of variance s² count for t²/(t² + s²/n) of themselves where raters spread by t. ValueError for
    fewer than two raters, no rater with two ratings, or scores that are not finite.

    >>> made = leniency([5, 4, 5, 5, 2, 1, 2, 2], "aaaabbbb")
    >>> made.found, made.rows[0][1].estimate > 0
    (True, True)
    """
    y = numbers(scores, "scores")
    rater, count = codes(raters, y.size)
    item, n_items = codes(items, y.size) if items is not None else (np.zeros(y.size, dtype=np.intp), 1)
    n = np.bincount(rater, minlength=count).astype(np.float64)
    offsets, left = _offsets(y, rater, count, item, n_items)
    freedom = y.size - count - n_items + 1
    if count < 2 or freedom < 1:
        raise ValueError(f"{count} raters gave {y.size} scores: give at least two raters, and more scores than both.")
    noise = float(left @ left) / freedom
    # Equal scores throughout would make any offset certain.
    error = max(noise, 1e-12 * (1 + float(np.ptp(y)) ** 2)) / n
    spread = _spread(offsets, error, freedom, level)
    between = spread.estimate**2
    kept = between / (between + error)
    centre = float((offsets / (between + error)).sum() / (1 / (between + error)).sum())
    shrunk: list[float] = (kept * (offsets - centre)).tolist()
    half: list[float] = (normal_quantile(level) * np.sqrt(kept * error)).tolist()
    names = [str(name) for name in dict.fromkeys(raters)]
    rows = tuple(
        (names[at], Interval(shrunk[at] - half[at], shrunk[at] + half[at], shrunk[at], level, "shrunk offset"))
        for at in sorted(range(count), key=lambda at: -shrunk[at])
    )
    found = spread.low > 0
    return Bias("leniency", spread, 0.0, found, _sentence(spread, rows, found), rows)


def _offsets(y: Floats, rater: np.ndarray, count: int, item: np.ndarray, n_items: int) -> tuple[Floats, Floats]:
    """Each rater's offset with items taken out, and what is left of the scores, by turns of least squares."""
    n, m = np.bincount(rater, minlength=count), np.bincount(item, minlength=n_items)
    offsets = np.zeros(count)
    left = y
    for _ in range(STEPS):
        worth = np.bincount(item, y - offsets[rater], n_items) / m
        after = np.bincount(rater, y - worth[item], count) / n
        after -= after.mean()
        moved = float(np.abs(after - offsets).max())
        offsets, left = after, y - worth[item] - after[rater]
        if moved < CLOSE:
            break
    return offsets, left


def _spread(offsets: Floats, error: Floats, freedom: int, level: float) -> Interval:
    """The standard deviation between raters: at which variance their Q is what F says, at its middle and its tails."""
    tail = (1 - level) / 2
    low, middle, high = (
        _where(offsets, error, (len(offsets) - 1) * float(fdtri(len(offsets) - 1, freedom, share)))
        for share in (1 - tail, 0.5, tail)
    )
    return Interval(math.sqrt(low), math.sqrt(high), math.sqrt(middle), level, "Q-profile")


def _where(offsets: Floats, error: Floats, wanted: float) -> float:
    """The variance between raters at which Q falls to what is wanted; 0 where it is below that already."""

    def q(between: float) -> float:
        weight = 1 / (error + between)
        return float((weight * (offsets - (weight @ offsets) / weight.sum()) ** 2).sum())

    low, high = 0.0, float(np.ptp(offsets)) ** 2 + float(error.max())
    if q(low) <= wanted:
        return 0.0
    while q(high) > wanted:
        high *= 4
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if q(middle) > wanted else (low, middle)
    return (low + high) / 2


def _sentence(spread: Interval, rows: tuple[tuple[str, Interval], ...], found: bool) -> str:
    if not found:
        return f"The means of {len(rows)} raters differ by no more than chance: no sign that some are kinder."
    apart = listed(f"{name} {made.estimate:+.2g}" for name, made in rows if made.low > 0 or made.high < 0)
    told = f" Apart from the others: {apart}." if apart else ""
    return (
        f"The means of {len(rows)} raters spread by {spread.estimate:.2g} ({spread.low:.2g} to {spread.high:.2g}): "
        f"who rates counts.{told}"
    )
