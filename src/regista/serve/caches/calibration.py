"""The threshold of a semantic cache from labelled pairs, so that its share of false hits is within a bound.

Learn then Test (Angelopoulos et al. 2021, arXiv 2110.01052) with fixed-sequence testing: from the highest threshold
down, each is tested by the exact upper limit (Clopper & Pearson 1934) of the share of wrong pairs at or above it, and
the first that fails ends it. With a chance of at least 1 − risk the true share at the threshold chosen is within the
bound, however many were tried: **for pairs like those labelled.** Pairs of one group (of one question, say) are not
independent: a group counts once, as wrong where any of its pairs is. Needs scipy.
"""

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from msgspec import Struct

from regista.stats import clopper_pearson

RISK = 0.05
HIGHEST, LOWEST, STEP = 0.99, 0.70, 0.01


class Labelled(NamedTuple):
    """Two questions that may be taken for one, and whether they are."""

    likeness: float
    same: bool
    group: Hashable


class Tested(Struct, frozen=True):
    """A threshold, the groups at or above it, how many of them are wrong, and how high their share may be."""

    threshold: float
    hits: int
    wrong: int
    upper: float


class Choice(Struct, frozen=True):
    """`threshold` is None where none could be shown to be within the bound.

    `missing` is then how many more groups would do, if none of them were wrong.
    """

    threshold: float | None
    hits: int
    wrong: int
    missing: int
    tested: tuple[Tested, ...]


def choose(pairs: Sequence[Labelled], bound: float, risk: float = RISK) -> Choice:
    """The lowest threshold shown to keep false hits within `bound`.

    The first one tested is the highest whose number of groups lets one be wrong, which the likenesses alone decide.

    >>> choose([Labelled(0.95, True, n) for n in range(300)], bound=0.01).threshold
    0.7
    >>> choose([Labelled(0.95, True, n) for n in range(100)], bound=0.01).missing
    199
    """
    steps = round((HIGHEST - LOWEST) / STEP)
    rows = [_test(round(HIGHEST - STEP * step, 2), pairs, risk) for step in range(steps + 1)]
    enough = needed(bound, 1, risk)
    first = next((at for at, row in enumerate(rows) if row.hits >= enough), len(rows) - 1)
    tested: list[Tested] = []
    passed: Tested | None = None
    for row in rows[first:]:
        tested.append(row)
        if row.upper > bound:
            break
        passed = row
    if passed is not None:
        return Choice(passed.threshold, passed.hits, passed.wrong, 0, tuple(tested))
    lowest = rows[-1]
    missing = needed(bound, lowest.wrong, risk) - lowest.hits
    return Choice(None, lowest.hits, lowest.wrong, max(missing, 1), tuple(tested))


def needed(bound: float, wrong: int, risk: float = RISK) -> int:
    """How many hits it takes for `wrong` of them to be within the bound.

    >>> needed(0.01, 0), needed(0.01, 1)
    (299, 473)
    """
    n = max(wrong + 1, math.ceil(math.log(risk) / math.log1p(-bound)))
    while _upper(wrong, n, risk) > bound:
        n += 1 + int((_upper(wrong, n, risk) / bound - 1) * n / 4)
    while n > wrong + 1 and _upper(wrong, n - 1, risk) <= bound:
        n -= 1
    return n


def _test(threshold: float, pairs: Sequence[Labelled], risk: float) -> Tested:
    hits = {pair.group for pair in pairs if pair.likeness >= threshold}
    wrong = {pair.group for pair in pairs if pair.likeness >= threshold and not pair.same}
    return Tested(threshold, len(hits), len(wrong), _upper(len(wrong), len(hits), risk) if hits else 1.0)


def _upper(wrong: int, hits: int, risk: float) -> float:
    """The one-sided limit: the two-sided one of twice the risk."""
    return clopper_pearson(wrong, hits, 1 - 2 * risk).high
