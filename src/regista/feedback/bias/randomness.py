"""Whether raters agree with themselves: the same item, shown to the same person again without saying so."""

from collections.abc import Hashable, Sequence

from regista.feedback.bias.meter import Bias, percent, span
from regista.stats.clusters import interval
from regista.stats.inputs import same_length

NEEDED = 0.8


def randomness(
    first: Sequence[Hashable],
    again: Sequence[Hashable],
    raters: Sequence[Hashable] | None = None,
    needed: float = NEEDED,
    level: float = 0.95,
) -> Bias:
    """The share of blind repeats that got the same rating as before. Found where it lies below what is `needed`.

    Repeats of one rater count as a cluster; `rows` has each rater's own share. ValueError for no repeats.

    >>> randomness("yynyyyyyny", "yynyyyyyny").found
    False
    """
    same_length("again", len(again), len(first))
    same = [float(one == other) for one, other in zip(first, again, strict=True)]
    made = interval(same, raters, level=level)
    by_rater: dict[Hashable, list[float]] = {}
    for rater, agreed in zip(raters or (), same, strict=False):
        by_rater.setdefault(rater, []).append(agreed)
    rows = tuple((str(rater), interval(own, level=level)) for rater, own in by_rater.items())
    found = made.high < needed
    verdict = f"too few to rest on ({percent(needed)} are needed)." if found else "no sign of rating at random."
    sentence = f"{percent(made.estimate)} of {len(same)} blind repeats got the same rating ({span(made)}): {verdict}"
    return Bias("randomness", made, needed, found, sentence, rows)
