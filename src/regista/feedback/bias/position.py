"""Whether the side an answer is shown on wins it votes. Sides must have been dealt by chance."""

from collections.abc import Iterable

from regista.feedback.bias.meter import Bias, outside, percent, span
from regista.stats.proportions import clopper_pearson


def position(chosen: Iterable[str], level: float = 0.95) -> Bias:
    """The share of votes for side `a` among those for `a` or `b`, with the exact interval; others count as ties.

    ValueError where nobody chose a side.

    >>> position("aab" * 20).sentence
    'Side A won 67 % of 60 votes (53 % to 78 %), where 50 % was to be expected: the place itself wins votes.'
    """
    votes = [side for side in chosen if side in ("a", "b")]
    if not votes:
        raise ValueError("Nobody chose a side: give at least one vote for 'a' or 'b'.")
    made = clopper_pearson(votes.count("a"), len(votes), level)
    found = outside(made, 0.5)
    verdict = ": no sign that place counts."
    if found:
        verdict = ", where 50 % was to be expected: the place itself wins votes."
    sentence = f"Side A won {percent(made.estimate)} of {len(votes)} votes ({span(made)}){verdict}"
    return Bias("position", made, 0.5, found, sentence)
