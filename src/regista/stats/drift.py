"""Whether what comes now is as what came before: how far two samples are apart, and how surely that is not chance.

A figure of either kind alone misleads: of many values the smallest shift is significant, and of few the largest
distance may be chance. They know nothing about what the values are, nor about families of tests: see `families`.
"""

# pyright: reportMissingTypeStubs=false

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, kolmogorov, ndtr

from regista.stats.inputs import Floats, numbers
from regista.stats.logistic import held_out

BINS = 10
RARE = 5.0
"""Values expected of a category, in either sample, below which it is counted with the others that are rare."""
FOLDS = 5


class Shift(NamedTuple):
    """How far two samples are apart. `p` is how often chance alone puts them so far.

    `psi` is the population stability index less what chance alone adds to it, 0 at least: by usage under 0.1 is nothing
    and 0.2 a shift. `jensen_shannon` is the divergence in bits, from 0 (the same) to 1 (nothing in common).
    `distance` is Kolmogorov's, the largest distance of two distributions, or for categories half the sum of the
    differences of their shares.
    """

    psi: float
    jensen_shannon: float
    distance: float
    p: float


def numeric(reference: ArrayLike, current: ArrayLike) -> Shift:
    """Two samples of numbers. Bins are tenths of the reference; p is that of Kolmogorov and Smirnov.

    The p-value is asymptotic, and cautious where values are tied. ValueError where a sample is empty or not finite.

    >>> numeric(range(100), range(100)).psi, numeric(range(100), range(50, 150)).distance
    (0.0, 0.5)
    """
    before, now = np.sort(numbers(reference, "reference")), np.sort(numbers(current, "current"))
    edges = np.unique(np.quantile(before, np.linspace(0, 1, BINS + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, row, side="right"), minlength=edges.size + 1) for row in (before, now)]
    every = np.concatenate([before, now])
    shares = [np.searchsorted(row, every, side="right") / row.size for row in (before, now)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    effective = before.size * now.size / (before.size + now.size)
    return Shift(*_apart(*counts), distance, float(kolmogorov(np.sqrt(effective) * distance)))


def categorical(reference: Mapping[str, int], current: Mapping[str, int]) -> Shift:
    """Two samples of categories, as counts. p is that of the chi-square test, rare categories taken together.

    ValueError where a sample is empty.

    >>> round(categorical({"a": 50, "b": 50}, {"a": 80, "b": 20}).distance, 3)
    0.3
    """
    names = sorted({*reference, *current})
    table = np.array([[sample.get(name, 0) for name in names] for sample in (reference, current)], dtype=np.float64)
    if (table.sum(axis=1) == 0).any():
        raise ValueError("A sample is empty: give counts of at least one value before and one now.")
    shares = table / table.sum(axis=1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return Shift(*_apart(*table), distance, _chi_square(_grouped(table)))


class Separation(NamedTuple):
    """How well a classifier tells now from before: 0.5 is not at all, 1 always. `p` is approximate."""

    auc: float
    p: float


def separation(reference: NDArray[np.floating], current: NDArray[np.floating], seed: int = 0) -> Separation:
    """Two samples of vectors (samples, dimensions): the AUC of a linear classifier on what it was not fitted to.

    After D. Lopez-Paz and M. Oquab, Revisiting Classifier Two-Sample Tests (2017), with the rank test of Mann and
    Whitney. Fitted `FOLDS` times. ValueError where a sample is smaller than that.
    """
    if min(len(reference), len(current)) < FOLDS:
        raise ValueError(f"There are {len(reference)} vectors before and {len(current)} now: give {FOLDS} at least.")
    vectors = np.concatenate([reference, current]).astype(np.float64)
    classes = np.repeat(np.array([0, 1], dtype=np.int64), [len(reference), len(current)])
    folds = np.concatenate([np.arange(len(sample)) % FOLDS for sample in (reference, current)]).astype(np.int64)
    shuffled = np.random.default_rng(seed).permutation(len(reference))
    vectors[: len(reference)] = vectors[: len(reference)][shuffled]
    logits = held_out(vectors, classes, 2, folds)
    return _ranked(logits[:, 1] - logits[:, 0], classes == 1)


def _apart(before: NDArray[np.number], now: NDArray[np.number]) -> tuple[float, float]:
    """The index and the divergence of two rows of counts."""
    # Half a value more in each bin: a bin that is empty on one side says a lot, but not endlessly much.
    p, q = ((row + 0.5) / (row + 0.5).sum() for row in (before, now))
    chance = (before.size - 1) * (1 / float(before.sum()) + 1 / float(now.sum()))
    index = float(((q - p) * np.log(q / p)).sum()) - chance
    p, q = (row / row.sum() for row in (before, now))
    middle = (p + q) / 2
    return max(0.0, index), max(0.0, (_bits(p, middle) + _bits(q, middle)) / 2)


def _bits(row: Floats, middle: Floats) -> float:
    there = row > 0
    return float((row[there] * np.log2(row[there] / middle[there])).sum())


def _grouped(table: Floats) -> Floats:
    """The table with the columns taken together in which too few values are to be expected."""
    expected = table.sum(axis=0) * table.sum(axis=1).min() / table.sum()
    rare = expected < RARE
    if rare.sum() < 2:
        return table
    return np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])


def _chi_square(table: Floats) -> float:
    if table.shape[1] < 2:
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return float(chdtrc(table.shape[1] - 1, statistic))


def _ranked(scores: Floats, now: NDArray[np.bool_]) -> Separation:
    """The AUC of scores, ties counting half, and how often chance puts it so far from a half."""
    values, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    del values
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    m, n = int(now.sum()), int((~now).sum())
    auc = float((ranks[now].sum() - m * (m + 1) / 2) / (m * n))
    ties = float((counts.astype(np.float64) ** 3 - counts).sum())
    spread = np.sqrt((m + n + 1 - ties / ((m + n) * (m + n - 1))) / (12 * m * n))
    return Separation(auc, float(2 * ndtr(-abs(auc - 0.5) / spread)) if spread > 0 else 1.0)
