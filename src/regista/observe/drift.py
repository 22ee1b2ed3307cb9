"""Whether what an application is asked, finds, answers, costs and is thought of now is as it was before.

A feature has shifted where the shift is large and is not chance, over all features together: see
`regista.stats.drift`. Knows no store and no clock. Needs numpy and scipy (the extra `eval`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from regista.core.nouns import Trace
from regista.observe.features import FEATURES, Aspect, Features, Key
from regista.stats.sketch import ERROR, Sketch

if TYPE_CHECKING:
    from regista.stats.drift import Shift

LEAST = 20
"""Values in either sample below which nothing is said of a feature."""
EXAMPLES = 3
Measure = Literal["psi", "h", "auc"]
EFFECTS: Mapping[Measure, float] = {"psi": 0.2, "h": 0.2, "auc": 0.6}
"""From which figure on a shift is large, by usage: of the population stability index, of Cohen's h, of an AUC."""
_SHARES = [(part + 0.5) / 100 for part in range(100)]
"""Shares of all values at which a sketch is read."""
_V = TypeVar("_V")


class Drift(Struct, frozen=True):
    """What is found of a feature. `before` and `now` are medians, the commonest value with its share, or rates.

    `effect` is the index of `regista.stats.drift.Shift`, a rate's h, or how well vectors are told apart, as `measure`
    says; `p` is adjusted for how many features are looked at. `counts` are the values before and now, and `of_all`
    says that these are all there were. `examples` are ids of traces that show what there is more of now, and `more`
    says what that is.
    """

    aspect: Aspect
    name: str
    shifted: bool
    before: str
    now: str
    measure: Measure
    effect: float
    p: float
    counts: tuple[int, int]
    of_all: bool
    more: str
    examples: tuple[str, ...]


class Values(Struct, frozen=True):
    """Numbers before and now, each with the id of the trace it is of."""

    before: Sequence[tuple[float, str]]
    now: Sequence[tuple[float, str]]


class Sketches(Struct, frozen=True):
    """All numbers of before and now, as sketches of `unit` of them."""

    before: Sketch
    now: Sketch
    unit: float


class Counts(Struct, frozen=True):
    """How often each value was, before and now; and ids of traces of now that have it. `of_all` is as in `Drift`."""

    before: Mapping[str, int]
    now: Mapping[str, int]
    examples: Mapping[str, Sequence[str]] = {}
    of_all: bool = False


class Rate(Struct, frozen=True):
    """How often something was, of how many, before and now; and ids of traces of now where it was, and was not.

    `of_all` is as in `Drift`.
    """

    before: tuple[int, int]
    now: tuple[int, int]
    examples: Sequence[str] = ()
    others: Sequence[str] = ()
    of_all: bool = False


class Vectors(Struct, frozen=True):
    """Embeddings before and now, arrays of (texts, dimensions), with the ids of the traces of now."""

    before: Any
    now: Any
    ids: Sequence[str]


class Known(Struct, frozen=True):
    """What is known beside the samples, by feature: it takes the place of what they say."""

    values: Mapping[Key, Values] = {}
    sketches: Mapping[Key, Sketches] = {}
    counts: Mapping[Key, Counts] = {}
    rates: Mapping[Key, Rate] = {}
    vectors: Mapping[Key, Vectors] = {}


def drift(
    before: Sequence[Trace],
    now: Sequence[Trace],
    *,
    level: float = 0.05,
    features: Features = FEATURES,
    known: Known = Known(),
) -> list[Drift]:
    """Every feature of which both times have enough, those that have shifted first, then by how far.

    `level` is the share of the features said to have shifted that may not have (Benjamini and Hochberg).

    Raises:
        MissingExtraError: numpy or scipy is not installed.
    """
    from regista.stats import benjamini_hochberg  # noqa: PLC0415 - needs numpy

    values = _values(features, before, now) | dict(known.values)
    counts = _counts(features, before, now) | dict(known.counts)
    rates = _rates(features, before, now, known.rates)
    found = [
        *_each(values, lambda key, of: _number(key, of, known.sketches.get(key))),
        *_each(counts, _category),
        *_each(rates, _rate),
        *_each(known.vectors, _vectors),
    ]
    adjusted: list[float] = benjamini_hochberg([one.p for one in found]).tolist()
    judged = [_judged(one, p, level) for one, p in zip(found, adjusted, strict=True)]
    return sorted(judged, key=lambda one: (not one.shifted, -one.effect / EFFECTS[one.measure], one.name))


def _each(some: Mapping[Key, _V], look: Callable[[Key, _V], Drift | None]) -> Iterator[Drift]:
    for key, of in some.items():
        if (found := look(key, of)) is not None:
            yield found


def _judged(one: Drift, p: float, level: float) -> Drift:
    shifted = p < level and one.effect >= EFFECTS[one.measure]
    shown = (one.more, tuple(one.examples[:EXAMPLES])) if shifted else ("", ())
    return replace(one, shifted=shifted, p=p, more=shown[0], examples=shown[1])


def _values(features: Features, before: Sequence[Trace], now: Sequence[Trace]) -> dict[Key, Values]:
    return {
        key: Values(
            [(value, one.id) for one in before if (value := of(one)) is not None],
            [(value, one.id) for one in now if (value := of(one)) is not None],
        )
        for key, of in features.numbers.items()
    }


def _counts(features: Features, before: Sequence[Trace], now: Sequence[Trace]) -> dict[Key, Counts]:
    found: dict[Key, Counts] = {}
    for key, of in features.categories.items():
        examples: dict[str, list[str]] = {}
        for one in now:
            if (value := of(one)) is not None:
                examples.setdefault(value, []).append(one.id)
        older = Counter(value for value in map(of, before) if value is not None)
        found[key] = Counts(older, {value: len(ids) for value, ids in examples.items()}, examples)
    return found


def _rates(
    features: Features, before: Sequence[Trace], now: Sequence[Trace], known: Mapping[Key, Rate]
) -> dict[Key, Rate]:
    """Rates of the samples, and those that are known: of these, examples may have to come from the samples."""
    found: dict[Key, Rate] = {}
    for key, of in features.rates.items():
        older = [value for one in before if (value := of(one)) is not None]
        newer = [(value, one.id) for one in now if (value := of(one)) is not None]
        yes, no = ([id for value, id in newer if value is wanted] for wanted in (True, False))
        found[key] = Rate((sum(older), len(older)), (len(yes), len(newer)), yes, no)
    for key, rate in known.items():
        own = found.get(key, rate)
        found[key] = replace(rate, examples=rate.examples or own.examples, others=rate.others or own.others)
    return found


def _number(key: Key, of: Values, all_of: Sketches | None) -> Drift | None:
    from regista.stats.drift import numeric, sketched  # noqa: PLC0415 - needs numpy and scipy

    before, now = ([value for value, _ in side] for side in (of.before, of.now))
    if all_of is not None:
        counts = (all_of.before.count, all_of.now.count)
        middles = [side.quantile(0.5) / all_of.unit for side in (all_of.before, all_of.now)]
    else:
        counts = (len(before), len(now))
        middles = [median(side) if side else 0.0 for side in (before, now)]
    if min(counts) < LEAST:
        return None
    shift = numeric(before, now) if all_of is None else sketched(all_of.before, all_of.now)
    if all_of is not None:
        before, now = ([at / all_of.unit for at in side.quantiles(_SHARES)] for side in (all_of.before, all_of.now))
    low, high = _grown(before, now)
    # A sketch's values are near the values themselves.
    near = (low / (1 + 2 * ERROR), high * (1 + 2 * ERROR)) if all_of is not None else (low, high)
    shown = sorted((abs(value - middles[1]), id) for value, id in of.now if near[0] <= value <= near[1])
    more = f"{_figure(low)} to {_figure(high)}"
    return _found(key, middles, shift, counts, all_of is not None, more, [id for _, id in shown])


def _found(
    key: Key,
    middles: Sequence[float],
    shift: "Shift",
    counts: tuple[int, int],
    of_all: bool,
    more: str,
    examples: Sequence[str],
) -> Drift:
    before, now = map(_figure, middles)
    return Drift(*key, False, before, now, "psi", shift.psi, shift.p, counts, of_all, more, tuple(examples))


def _category(key: Key, of: Counts) -> Drift | None:
    from regista.stats.drift import categorical  # noqa: PLC0415 - needs numpy and scipy

    old, new = Counter(of.before), Counter(of.now)
    counts = (old.total(), new.total())
    if min(counts) < LEAST or len({*old, *new}) == 1:
        return None
    shift = categorical(old, new)
    grown = max(new, key=lambda value: new[value] / counts[1] - old[value] / counts[0])
    return Drift(
        *(*key, False, _commonest(old), _commonest(new), "psi", shift.psi, shift.p, counts, of.of_all),
        f"{grown}: {old[grown] / counts[0]:.0%} → {new[grown] / counts[1]:.0%}",
        tuple(of.examples.get(grown, ())),
    )


def _rate(key: Key, of: Rate) -> Drift | None:
    from regista.stats.drift import rates  # noqa: PLC0415 - needs numpy and scipy

    counts = (of.before[1], of.now[1])
    if min(counts) < LEAST or not of.before[0] + of.now[0]:
        return None
    shares = [yes / whole for yes, whole in (of.before, of.now)]
    shift = rates(of.before, of.now)
    rose = shares[1] >= shares[0]
    return Drift(
        *(*key, False, _share(shares[0]), _share(shares[1]), "h", shift.h, shift.p, counts, of.of_all),
        f"{key[1] if rose else 'not ' + key[1]}: {_share(shares[0] if rose else 1 - shares[0])} → "
        f"{_share(shares[1] if rose else 1 - shares[1])}",
        tuple(of.examples if rose else of.others),
    )


def _vectors(key: Key, of: Vectors) -> Drift | None:
    from regista.stats.drift import separation  # noqa: PLC0415 - needs numpy and scipy

    counts = (len(of.before), len(of.now))
    if min(counts) < LEAST:
        return None
    told = separation(of.before, of.now)
    surest = sorted(zip(told.now.tolist(), of.ids, strict=True), reverse=True)
    return Drift(
        *(*key, False, "", f"told apart in {told.auc:.0%} of pairs", "auc", told.auc, told.p, counts, False),
        "questions that were not asked before",
        tuple(id for _, id in surest),
    )


def _grown(before: Sequence[float], now: Sequence[float]) -> tuple[float, float]:
    """The ends of the values of now in the fifth of those before, or beyond, of which there is most more."""
    ordered = sorted(before)
    # Values that are the same are in one part, however many fifths they are.
    edges = [-inf, *sorted({ordered[len(ordered) * part // 5] for part in range(1, 5)}), inf]

    def share(part: tuple[float, float], of: Sequence[float]) -> float:
        return sum(part[0] < value <= part[1] for value in of) / len(of)

    low, high = max(pairwise(edges), key=lambda part: share(part, now) - share(part, before))
    inside = [value for value in now if low < value <= high]
    return min(inside), max(inside)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _commonest(counts: Counter[str]) -> str:
    ((value, times),) = counts.most_common(1)
    return f"{value} {times / counts.total():.0%}"


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 or share == 0 else f"{share * 100:.2g}%"
