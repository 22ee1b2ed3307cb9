"""Whether the longer answer wins because it is longer, and how often the first would win at equal length."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regista.feedback.bias.meter import Bias, outside, percent, span
from regista.stats.inputs import numbers, positive, same_length
from regista.stats.intervals import Interval, normal_quantile

Floats = NDArray[np.float64]
STEPS, CLOSE = 100, 1e-9


def length(won: Sequence[bool], ours: ArrayLike, theirs: ArrayLike, level: float = 0.95) -> Bias:
    """The slope of winning (logit) on the logarithm of our length by theirs; `rows` has the win rates.

    `won` says of each pair whether ours won; lengths are above 0, in any unit. "As they are" is the raw win rate, "at
    equal length" that of the line where both are as long (Dubois et al. 2024, arXiv 2404.04475). The line is fitted
    with Firth's penalty (1993), so that lengths which part wins from losses leave it finite; intervals are Wald's.
    ValueError for fewer than three pairs, lengths that are not above 0, or that are all in one proportion.

    >>> made = length([True, True, False, True, False, False] * 10, [300, 250, 90, 400, 80, 60] * 10, [100] * 60)
    >>> made.found, made.estimate.estimate > 0
    (True, True)
    """
    y = numbers(np.asarray(won, dtype=np.float64), "won")
    same_length("ours", len(np.asarray(ours)), y.size)
    same_length("theirs", len(np.asarray(theirs)), y.size)
    ratio = np.log(positive(ours, y.size) / positive(theirs, y.size))
    if y.size < 3 or np.ptp(ratio) == 0:
        raise ValueError("A slope needs at least three pairs whose lengths differ in more than one proportion.")
    coefficients, covariance = _firth(np.column_stack([np.ones(y.size), ratio]), y)
    z = normal_quantile(level)
    slope = _line(float(coefficients[1]), float(covariance[1, 1]), z, level)
    at_equal = _line(float(coefficients[0]), float(covariance[0, 0]), z, level)
    low, high, middle = (_share(logit) for logit in at_equal[:3])
    controlled = Interval(low, high, middle, level, "logistic, at equal length")
    raw = Interval(float("nan"), float("nan"), float(y.mean()), level, "share")
    found = outside(slope, 0.0)
    twice = percent(_share(float(coefficients[0]) + slope.estimate * float(np.log(2))))
    verdict = "no sign that length counts."
    if found:
        verdict = f"twice as long, ours would win {twice}: length itself wins votes."
    sentence = (
        f"Ours won {percent(raw.estimate)} of {y.size} pairs; at equal length {percent(controlled.estimate)} "
        f"({span(controlled)}); {verdict}"
    )
    return Bias("length", slope, 0.0, found, sentence, (("as they are", raw), ("at equal length", controlled)))


def _firth(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The penalised coefficients and their covariance, by Newton steps of no more than one on the logit's scale."""
    at = np.zeros(x.shape[1])
    covariance = np.eye(x.shape[1])
    for _ in range(STEPS):
        p = _shares(x @ at)
        weighted = x * (p * (1 - p))[:, None]
        covariance = np.linalg.inv(x.T @ weighted + 1e-12 * np.eye(x.shape[1]))
        leverage = np.einsum("ij,jk,ik->i", weighted, covariance, x)
        step = covariance @ (x.T @ (y - p + leverage * (0.5 - p)))
        step /= max(1.0, float(np.abs(x @ step).max()))
        at = at + step
        if float(np.abs(step).max()) < CLOSE:
            break
    return at.astype(np.float64), covariance.astype(np.float64)


def _shares(logits: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))


def _share(logit: float) -> float:
    return float(_shares(np.array([logit]))[0])


def _line(estimate: float, variance: float, z: float, level: float) -> Interval:
    half = z * variance**0.5
    return Interval(estimate - half, estimate + half, estimate, level, "Firth logistic, Wald")
