"""Whether what comes now is as what came before: how far two samples are apart, and how surely that is not chance.

A figure of either kind alone misleads: of many values the smallest shift is significant, and of few the largest
distance may be chance. They know nothing about what the values are, nor about families of tests: see `families`.
"""

# pyright: reportMissingTypeStubs=false

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, gammaln, kolmogorov, ndtr

from regista.stats.inputs import Floats, numbers
from regista.stats.logistic import held_out
from regista.stats.sketch import Sketch

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
    """Two samples of numbers. Bins are tenths of the reference, and each value that fills one by itself; p is that of
    Kolmogorov and Smirnov.

    The p-value is asymptotic, and cautious where values are tied. ValueError where a sample is empty or not finite.

    >>> numeric(range(100), range(100)).psi, numeric(range(100), range(50, 150)).distance
    (0.0, 0.5)
    """
    before, now = np.sort(numbers(reference, "reference")), np.sort(numbers(current, "current"))
    edges, times = np.unique(np.quantile(before, np.linspace(0, 1, BINS + 1)[1:-1]), return_counts=True)
    # Values beyond one that is in two tenths or more are not counted with it, even where there were none.
    edges = np.sort(np.concatenate([edges, np.nextafter(edges[times > 1], np.inf)]))
    counts = [np.bincount(np.searchsorted(edges, row, side="right"), minlength=edges.size + 1) for row in (before, now)]
    there = counts[0] + counts[1] > 0
    every = np.concatenate([before, now])
    shares = [np.searchsorted(row, every, side="right") / row.size for row in (before, now)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    return Shift(*_apart(*(row[there] for row in counts)), distance, _chance(distance, before.size, now.size))


def sketched(reference: Sketch, current: Sketch) -> Shift:
    """The same of all values of two times, of which nothing but sketches is kept.

    Bins are as near to tenths of the reference as the sketch's buckets let them be. ValueError where a sketch is empty.

    >>> round(sketched(Sketch.of(range(1, 101)), Sketch.of(range(51, 151))).distance, 1)
    0.5
    """
    if not reference.counts or not current.counts:
        raise ValueError("A sketch is empty: give at least one value before and one now.")
    buckets = sorted({*reference.counts, *current.counts})
    rows = np.array([[one.counts.get(at, 0) for at in buckets] for one in (reference, current)], dtype=np.float64)
    shares = (rows / rows.sum(axis=1, keepdims=True)).cumsum(axis=1)
    distance = float(np.abs(shares[0] - shares[1]).max())
    # A bin ends with the bucket that reaches the next tenth; one bucket may reach several, and is then one by itself.
    own = rows[0] / rows[0].sum()
    tenths = np.minimum((shares[0] - own) * BINS + 1e-9, BINS - 1).astype(np.intp)
    alone = own * BINS >= 2
    places = np.concatenate([[0], ((np.diff(tenths) > 0) | alone[1:] | alone[:-1]).cumsum()])
    table = [np.bincount(places, row) for row in rows]
    return Shift(*_apart(*table), distance, _chance(distance, int(rows[0].sum()), int(rows[1].sum())))


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


class Rates(NamedTuple):
    """How far two rates are apart: `h` is Cohen's (1988), by usage 0.2 is small, 0.5 medium, 0.8 large."""

    h: float
    p: float


def rates(reference: tuple[int, int], current: tuple[int, int]) -> Rates:
    """Two rates, each as how often of how many. p is that of Fisher's exact test, of both sides.

    ValueError for what is no rate.

    >>> rates((10, 1000), (60, 1000)).h.__round__(2)
    0.29
    """
    for yes, whole in (reference, current):
        if not 0 <= yes <= whole or not whole:
            raise ValueError(f"{yes} of {whole} is no rate: give how often, and of how many, 1 at least.")
    before, now = (float(np.arcsin(np.sqrt(yes / whole))) for yes, whole in (reference, current))
    return Rates(abs(2 * (now - before)), _fisher(reference, current))


class Separation(NamedTuple):
    """How well a classifier tells now from before: 0.5 is not at all, 1 always. `p` is approximate.

    `now` says of each current vector how surely it is told as one of now: higher is surer.
    """

    auc: float
    p: float
    now: Floats


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
    scores = logits[:, 1] - logits[:, 0]
    return Separation(*_ranked(scores, classes == 1), scores[classes == 1])


def _apart(before: NDArray[np.number], now: NDArray[np.number]) -> tuple[float, float]:
    """The index and the divergence of two rows of counts."""
    # Half a value more in each bin: a bin that is empty on one side says a lot, but not endlessly much.
    p, q = ((row + 0.5) / (row + 0.5).sum() for row in (before, now))
    chance = (before.size - 1) * (1 / float(before.sum()) + 1 / float(now.sum()))
    index = float(((q - p) * np.log(q / p)).sum()) - chance
    p, q = (row / row.sum() for row in (before, now))
    middle = (p + q) / 2
    return max(0.0, index), max(0.0, (_bits(p, middle) + _bits(q, middle)) / 2)


def _chance(distance: float, before: int, now: int) -> float:
    """How often two samples of so many are as far apart by chance, after Kolmogorov and Smirnov."""
    return float(kolmogorov(np.sqrt(before * now / (before + now)) * distance))


def _fisher(reference: tuple[int, int], current: tuple[int, int]) -> float:
    """How often a table with these margins is no likelier than this one."""
    (a, n), (b, m) = reference, current
    yes = np.arange(max(0, a + b - m), min(n, a + b) + 1, dtype=np.float64)
    logs = -(gammaln(yes + 1) + gammaln(n - yes + 1) + gammaln(a + b - yes + 1) + gammaln(m - (a + b) + yes + 1))
    chances = np.exp(logs - logs.max())
    # A little more, since the same chance may come out differently in its last digits.
    unlikely = chances <= chances[int(a - yes[0])] * (1 + 1e-7)
    return float(min(1.0, chances[unlikely].sum() / chances.sum()))


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


def _ranked(scores: Floats, now: NDArray[np.bool_]) -> tuple[float, float]:
    """The AUC of scores, ties counting half, and how often chance puts it so far from a half."""
    values, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    del values
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    m, n = int(now.sum()), int((~now).sum())
    auc = float((ranks[now].sum() - m * (m + 1) / 2) / (m * n))
    ties = float((counts.astype(np.float64) ** 3 - counts).sum())
    spread = np.sqrt((m + n + 1 - ties / ((m + n) * (m + n - 1))) / (12 * m * n))
    return auc, float(2 * ndtr(-abs(auc - 0.5) / spread)) if spread > 0 else 1.0
