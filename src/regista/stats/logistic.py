"""Multinomial logistic regression on numpy: the linear head over vectors that a classifier of texts needs.

It knows numbers only: no text, no class names, no threshold. The same data give the same head on every run.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS = 500
CLOSE = 1e-5
"""A step that moves no coefficient further than this is the last."""
NEAR = 1e-3
"""The same for a head that is only asked about what was left out: it starts near, and moves no probability by 0.001."""


@dataclass(frozen=True)
class Logistic:
    """`coefficients` of shape (dimensions + 1, classes); the last row is added whatever the vector is."""

    coefficients: Floats

    def logits(self, vectors: NDArray[np.floating]) -> Floats:
        """What each class weighs, shape (vectors, classes)."""
        return vectors.astype(np.float64) @ self.coefficients[:-1] + self.coefficients[-1]

    def probabilities(self, vectors: NDArray[np.floating]) -> Floats:
        """Shape (vectors, classes); a row adds up to 1."""
        return softmax(self.logits(vectors))


def softmax(logits: Floats) -> Floats:
    """The shares of exponentials along the last axis.

    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    grown = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return grown / grown.sum(axis=-1, keepdims=True)


def fit(
    vectors: NDArray[np.floating],
    classes: Ints,
    count: int,
    strength: float = 3.0,
    weights: Floats | None = None,
) -> Logistic:
    """The head that finds the `classes` (0 to `count` - 1) of these vectors likeliest, less a penalty on its size.

    The penalty is |coefficients|² / (2 · `strength`), as much as 1 / `strength` cases say. Each step solves Böhning's
    upper bound of the curvature (1992, Ann. Inst. Stat. Math. 44), so that none has a length to tune.
    ValueError where lengths differ, a class is none of the `count`, or there are none.
    """
    x, bound = _bounded(vectors, strength, weights)
    every = np.ones((len(x), 1)) if weights is None else weights[:, None]
    start = np.zeros((x.shape[1], 1, count))
    return Logistic(_descend(x, bound, _one_hot(classes, count, len(x)), strength, every, start, CLOSE)[:, 0])


def held_out(
    vectors: NDArray[np.floating],
    classes: Ints,
    count: int,
    folds: Ints,
    strength: float = 3.0,
    weights: Floats | None = None,
) -> Floats:
    """The logits of each vector by a head fitted without its fold, shape (vectors, count).

    A fold a vector is leave-one-out. Each head starts from the one of all vectors, which is near, and all go together:
    one large product in place of many small ones, which threads of a busy machine would wait for each other in.
    """
    x, bound = _bounded(vectors, strength, weights)
    targets = _one_hot(classes, count, len(x))
    every = np.ones(len(x)) if weights is None else weights
    zero = np.zeros((x.shape[1], 1, count))
    whole = _descend(x, bound, targets, strength, every[:, None], zero, CLOSE)
    names, fold = np.unique(folds, return_inverse=True)
    # Left out by a weight of nothing: the bound of all vectors holds for fewer.
    kept = np.where(fold[:, None] == np.arange(len(names)), 0.0, every[:, None])
    heads = _descend(x, bound, targets, strength, kept, np.repeat(whole, len(names), axis=1), NEAR)
    return np.einsum("nd,dnk->nk", x, heads[:, fold])


def grouped(groups: Ints, count: int) -> Ints:
    """A fold from 0 to `count` - 1 for each case: whole groups, spread as evenly as they go, the largest first.

    >>> grouped(np.array([7, 7, 7, 2, 2, 5]), 2).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    names, where, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    fold_of, load = np.zeros(len(names), np.int64), np.zeros(count, np.int64)
    for group in np.argsort(-sizes, kind="stable"):
        fold_of[group] = int(load.argmin())
        load[fold_of[group]] += sizes[group]
    return fold_of[where]


def _bounded(vectors: NDArray[np.floating], strength: float, weights: Floats | None) -> tuple[Floats, Floats]:
    """The vectors with a last column of ones, and the inverse of the curvature's bound."""
    if not len(vectors):
        raise ValueError("There are no vectors to learn from.")
    if strength <= 0:
        raise ValueError(f"strength is {strength!r}: give a number above 0.")
    x = np.hstack([vectors.astype(np.float64), np.ones((len(vectors), 1))])
    heavy = x if weights is None else x * weights[:, None]
    # The last row is not penalised; so little keeps the bound invertible and moves nothing.
    penalty = np.append(np.full(x.shape[1] - 1, 1 / strength), 1e-9)
    bound: Floats = np.linalg.inv(0.5 * heavy.T @ x + np.diag(penalty)).astype(np.float64)
    return x, bound


def _descend(
    x: Floats, bound: Floats, targets: Floats, strength: float, weights: Floats, start: Floats, close: float
) -> Floats:
    """Coefficients of shape (dimensions, heads, classes): head h counts case i `weights[i, h]` times."""
    dimensions, heads, count = start.shape
    w, ahead, pace = start.copy(), start.copy(), 1.0
    for _ in range(STEPS):
        logits = (x @ ahead.reshape(dimensions, -1)).reshape(len(x), heads, count)
        wrong = (softmax(logits) - targets[:, None]) * weights[:, :, None]
        slope = (x.T @ wrong.reshape(len(x), -1)).reshape(w.shape)
        slope[:-1] += ahead[:-1] / strength
        after = ahead - (bound @ slope.reshape(dimensions, -1)).reshape(w.shape)
        step = after - w
        if float(np.abs(step).max()) < close:
            return after
        # Each step leaps on from the last one's direction (Nesterov 1983), unless that has turned uphill.
        quicker = (1 + np.sqrt(1 + 4 * pace * pace)) / 2
        leap, pace = ((pace - 1) / quicker, float(quicker)) if float((slope * step).sum()) <= 0 else (0.0, 1.0)
        w, ahead = after, after + leap * step
    return w


def _one_hot(classes: Ints, count: int, cases: int) -> Floats:
    if len(classes) != cases:
        raise ValueError(f"There are {cases} vectors and {len(classes)} classes: give one for each.")
    if classes.min() < 0 or classes.max() >= count:
        raise ValueError(f"The classes go from {classes.min()} to {classes.max()}: they must be 0 to {count - 1}.")
    return np.eye(count)[classes]
