"""Whether feedback feeds on itself: what was liked is shown more, and so is liked more."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regista.feedback.bias.meter import Bias, percent, span
from regista.stats.inputs import numbers
from regista.stats.intervals import Interval, check_level, wilson

DRAWS = 2_000
LIMIT = 0.5


def loop(
    shown: Sequence[int], rated: int, rated_because: int, limit: float = LIMIT, level: float = 0.95, seed: int = 0
) -> Bias:
    """How unevenly items are shown (Gini's coefficient), and the share of feedback on items shown for earlier feedback.

    `shown` has how often each item that could be shown was, zeros too; of `rated` pieces of feedback `rated_because`
    were on items shown for earlier feedback. Even dealing by chance is not perfectly even: `none` is the coefficient it
    would give, and the interval is the bootstrap's, of items. Found where showing is less even than chance gives in a
    share `level` of draws, and at least `limit` of the feedback comes of earlier feedback. ValueError for fewer than
    two items, or none shown.

    >>> loop([1, 0, 2, 0, 97, 0], rated=50, rated_because=40).found
    True
    """
    counts = numbers(shown, "shown")
    check_level(level)
    total = round(float(counts.sum()))
    if counts.size < 2 or counts.min() < 0 or total < 1:
        raise ValueError("Concentration needs at least two items, numbers not below 0, and one that was shown.")
    generator = np.random.default_rng(seed)
    by_chance = gini(generator.multinomial(total, np.full(counts.size, 1 / counts.size), DRAWS).astype(np.float64))
    drawn = gini(counts[generator.integers(0, counts.size, (DRAWS, counts.size))])
    own = float(gini(counts[None, :])[0])
    tail = (1 - level) / 2
    low, high = (float(np.quantile(drawn, share)) for share in (tail, 1 - tail))
    made = Interval(min(low, own), max(high, own), own, level, "bootstrap")
    share = wilson(rated_because, rated, level) if rated else Interval(0.0, 1.0, 0.0, level, "nothing rated")
    uneven = own > float(np.quantile(by_chance, level))
    found = uneven and share.low >= limit
    verdict = "no sign that feedback feeds on itself."
    if found:
        verdict = "feedback feeds on itself; show some items by chance."
    sentence = (
        f"The tenth of the {counts.size} items shown most had {percent(_top(counts))} of all showings "
        f"(Gini {own:.2f}, by chance {float(by_chance.mean()):.2f}), and {percent(share.estimate)} of the feedback "
        f"({span(share)}) is on items shown because of earlier feedback: {verdict}"
    )
    return Bias("loop", made, float(by_chance.mean()), found, sentence, (("shown because of feedback", share),))


def gini(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gini's coefficient of each row: 0 where all are equal, (n - 1)/n where one has all; 0 for a row of zeros.

    >>> gini(np.array([[1.0, 1.0], [0.0, 1.0]])).tolist()
    [0.0, 0.5]
    """
    ordered = np.sort(counts, axis=1)
    n = counts.shape[1]
    totals = ordered.sum(axis=1)
    ranked: NDArray[np.float64] = ordered @ np.arange(1.0, n + 1)
    return np.where(totals > 0, 2 * ranked / (n * np.maximum(totals, 1e-300)) - (n + 1) / n, 0.0)


def _top(counts: NDArray[np.float64]) -> float:
    """The share of all that the largest tenth has, one item at least."""
    number = max(1, round(counts.size / 10))
    return float(np.sort(counts)[-number:].sum() / counts.sum())
