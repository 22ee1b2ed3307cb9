"""Intervals for a ratio of sums over matches: the matches are the sample, not the single passes.

The linearised ("delta") variance of a ratio estimator with Student's t, after W. G. Cochran,
Sampling Techniques, 3rd ed. (1977), §6.3–6.4, matches taken as a simple random sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""The 97.5 % points of Student's t for 1 to 30 degrees of freedom."""


@dataclass(frozen=True)
class Interval:
    """A ratio with its 95 % limits; they are None where fewer than two matches, or nothing below the line, say so."""

    value: float | None
    low: float | None
    high: float | None


def student(degrees: int) -> float:
    """The 97.5 % point of Student's t, to 0.001.

    >>> student(7), round(student(60), 3)
    (2.365, 2.0)
    """
    z = 1.959964
    # First terms of the expansion in 1 / degrees (Abramowitz and Stegun 26.7.5), exact enough past the table.
    return T[degrees - 1] if degrees <= len(T) else z + (z**3 + z) / (4 * degrees)


def ratio(numerators: Sequence[float], denominators: Sequence[float], *, share: bool = False) -> Interval:
    """Sum over sum with its 95 % interval; one entry per match. A `share` cannot pass one, no ratio falls below nought.

    Where the numerators are all nought the matches show no spread: the upper limit is then the rule
    of three, 3 / sum of denominators. A share of one is treated alike from above.
    """
    total = sum(denominators)
    if total == 0:
        return Interval(None, None, None)
    value = sum(numerators) / total
    matches = sum(d > 0 for d in denominators)
    if matches < 2:
        return Interval(value, None, None)
    if value == 0 or (share and value == 1):
        edge = min(3 / total, 1.0)
        return Interval(value, 0.0, edge) if value == 0 else Interval(value, 1 - edge, 1.0)
    squares = sum((n - value * d) ** 2 for n, d in zip(numerators, denominators, strict=True))
    half = student(matches - 1) * sqrt(matches / (matches - 1) * squares) / total
    return Interval(value, max(value - half, 0.0), min(value + half, 1.0) if share else value + half)
