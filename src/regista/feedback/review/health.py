"""What the votes of a queue are worth: how far people agree with each other and with themselves, and what sways them.

Agreement between people is Krippendorff's alpha of first votes (ordinal for grades), and Cohen's kappa beside it
where there are two (`stats/agreement.py`); with themselves it is the share of blind repeats with the same vote. Needs
the extra `eval`, but for what is counted. Knows no store.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from statistics import median
from typing import Literal

from msgspec import Struct

from regista.core.errors import MissingExtraError
from regista.stats.intervals import Interval, wilson

Choice = str | float
TIE = "neither"


class Ballot(Struct, frozen=True):
    """A vote: on what, whose, which, how long it took, whether a blind repeat, and on which side the winner was."""

    item: Hashable
    by: str
    choice: Choice
    took_s: float
    again: bool = False
    side: str = ""


class Figure(Struct, frozen=True):
    """A figure with its interval, of `n` items; `name` says how it was made."""

    estimate: float
    low: float
    high: float
    n: int
    name: str = ""


class Health(Struct, frozen=True):
    """Figures of a queue's last votes; None where there is too little to tell, and `why` then says what is missing.

    `leniency` is how much kinder than the others `by` is, in grades. `shares` are how often each choice was made.
    """

    votes: int
    annotators: tuple[tuple[str, int], ...]
    median_s: float | None
    agreement: Figure | None
    kappa: Figure | None
    repeats: Figure | None
    own_repeats: Figure | None
    side_a: Figure | None
    leniency: Figure | None
    shares: tuple[tuple[Choice, int], ...]
    why: str = ""


def health(ballots: Sequence[Ballot], by: str, scale: Literal["grades", "labels", "pairs"]) -> Health:
    """What the votes of a queue are worth, and how those of `by` stand beside the others."""
    first = [one for one in ballots if not one.again]
    agreement = kappa = None
    why = ""
    try:
        agreement, kappa = _agreement(first, scale)
    except (MissingExtraError, ValueError) as error:
        why = str(error)
    sides = [one.side for one in ballots if one.side]
    return Health(
        len(first),
        tuple(sorted(Counter(one.by for one in first).items(), key=lambda one: (-one[1], one[0]))),
        median(one.took_s for one in ballots) if ballots else None,
        agreement,
        kappa,
        repeats(ballots),
        repeats(ballots, by),
        _share(wilson(sides.count("a"), len(sides)), len(sides)) if sides else None,
        _leniency(first, by) if scale == "grades" else None,
        tuple(sorted(Counter(one.choice for one in first).items(), key=lambda one: str(one[0]))),
        why,
    )


def repeats(ballots: Sequence[Ballot], by: str | None = None) -> Figure | None:
    """The share of blind repeats in which the same person said the same again: of one, or of all."""
    first = {(one.item, one.by): one.choice for one in ballots if not one.again}
    same = [
        one.choice == first[one.item, one.by]
        for one in ballots
        if one.again and by in (None, one.by) and (one.item, one.by) in first
    ]
    return _share(wilson(sum(same), len(same)), len(same)) if same else None


def _agreement(first: Sequence[Ballot], scale: str) -> tuple[Figure, Figure | None]:
    """Alpha, and kappa of two. Raises `ValueError` where too few items have two votes, or all votes are equal."""
    try:
        from regista.stats.agreement import Agreement, cohen_kappa, krippendorff_alpha  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtraError("To measure agreement", error.name or "scipy", "eval") from error

    def figure(made: Agreement) -> Figure:
        return _rounded(float(made), made.low, made.high, made.n, made.interval.method)

    raters = sorted({one.by for one in first})
    items = list(dict.fromkeys(one.item for one in first))
    votes = {(one.by, one.item): one.choice for one in first}
    rows = [[votes.get((rater, item)) for item in items] for rater in raters]
    if len(raters) < 2:
        raise ValueError("Nobody else has judged the same yet: agreement is between two people.")
    alpha = figure(krippendorff_alpha(rows, "ordinal" if scale == "grades" else "nominal"))
    both = [pair for pair in zip(*rows, strict=True) if None not in pair] if len(raters) == 2 else []
    if len(both) < 2:
        return alpha, None
    one, other = zip(*both, strict=True)
    if scale != "grades":
        return alpha, figure(cohen_kappa(one, other))
    # A grade that nobody gave lies between its neighbours all the same.
    grades = [float(n) for n in range(1, int(max(map(float, (*one, *other)))) + 1)]
    return alpha, figure(cohen_kappa(one, other, "quadratic", categories=grades))


def _leniency(first: Sequence[Ballot], by: str) -> Figure | None:
    """How much kinder somebody is than the others, with the items taken out where two judged the same."""
    try:
        from regista.feedback.bias.leniency import leniency  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        return None
    items = [one.item for one in first]
    shared = len(set(items)) < len(items)
    try:
        found = leniency([float(one.choice) for one in first], [one.by for one in first], items if shared else None)
    except ValueError:
        return None
    mine = next((made for name, made in found.rows if name == by), None)
    if mine is None:
        return None
    return _rounded(mine.estimate, mine.low, mine.high, len(first), mine.method)


def _share(made: Interval, n: int) -> Figure:
    return Figure(made.estimate, made.low, made.high, n, made.method)


def _rounded(estimate: float, low: float, high: float, n: int, name: str) -> Figure:
    """A figure in which what is nothing but rounding is none."""
    return Figure(round(estimate, 9) + 0.0, round(low, 9) + 0.0, round(high, 9) + 0.0, n, name)
