"""Whether what an application is asked, finds, answers and costs now is as it was before. Knows no store and no clock.

A feature has shifted where the shift is large and is not chance, over all features together: see `regista.stats.drift`.
Needs numpy and scipy (the extra `eval`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from statistics import median
from typing import Literal, cast

from msgspec import Struct

from regista.core.nouns import Json, Span, Trace
from regista.text.scripts import script_of

LEAST = 20
"""Values in either sample below which nothing is said of a feature."""
EFFECT = 0.2
"""The population stability index from which on a shift is large: by usage, as the index has no scale of its own."""
EXAMPLES = 3
MS, DOLLAR = 1e6, 1e9

Aspect = Literal["inputs", "retrieval", "outputs", "latency", "cost"]


class Drift(Struct, frozen=True):
    """What is found of a feature. `before` and `now` are medians, or the commonest value with its share.

    `psi` and `distance` are those of `regista.stats.drift.Shift`; `p` is adjusted for how many features are looked at.
    `examples` are ids of traces that show what there is more of now, and `more` says what that is.
    """

    aspect: Aspect
    name: str
    shifted: bool
    before: str
    now: str
    psi: float
    distance: float
    p: float
    more: str
    examples: tuple[str, ...]


class Features(Struct, frozen=True):
    """What is compared: numbers and categories of a trace by their names; None where a trace has none."""

    numbers: Mapping[tuple[Aspect, str], Callable[[Trace], float | None]]
    categories: Mapping[tuple[Aspect, str], Callable[[Trace], str | None]]


def drift(
    before: Sequence[Trace], now: Sequence[Trace], *, level: float = 0.05, features: Features | None = None
) -> list[Drift]:
    """Every feature of which both samples have enough, those that have shifted first, then by how far.

    `level` is the share of the features said to have shifted that may not have (Benjamini and Hochberg).

    Raises:
        MissingExtraError: numpy or scipy is not installed.
    """
    from regista.stats import benjamini_hochberg  # noqa: PLC0415 - needs numpy

    features = features or FEATURES
    found = [*_numbers(features, before, now), *_categories(features, before, now)]
    adjusted: list[float] = benjamini_hochberg([one.p for one in found]).tolist()
    judged = [_judged(one, p, level) for one, p in zip(found, adjusted, strict=True)]
    return sorted(judged, key=lambda one: (not one.shifted, -one.psi, one.name))


def _judged(one: Drift, p: float, level: float) -> Drift:
    shifted = p < level and one.psi >= EFFECT
    return Drift(
        one.aspect,
        one.name,
        shifted,
        one.before,
        one.now,
        one.psi,
        one.distance,
        p,
        one.more if shifted else "",
        one.examples if shifted else (),
    )


def _numbers(features: Features, before: Sequence[Trace], now: Sequence[Trace]) -> Iterator[Drift]:
    from regista.stats.drift import numeric  # noqa: PLC0415 - needs numpy and scipy

    for (aspect, name), of in features.numbers.items():
        old, new = ([(value, trace) for trace in some if (value := of(trace)) is not None] for some in (before, now))
        if min(len(old), len(new)) < LEAST:
            continue
        values = [[value for value, _ in some] for some in (old, new)]
        shift = numeric(*values)
        low, high = _grown(*values)
        shown = sorted((abs(value - median(values[1])), trace.id) for value, trace in new if low <= value <= high)
        yield Drift(
            aspect,
            name,
            False,
            _figure(median(values[0])),
            _figure(median(values[1])),
            shift.psi,
            shift.distance,
            shift.p,
            f"{_figure(low)} to {_figure(high)}",
            tuple(id for _, id in shown[:EXAMPLES]),
        )


def _categories(features: Features, before: Sequence[Trace], now: Sequence[Trace]) -> Iterator[Drift]:
    from regista.stats.drift import categorical  # noqa: PLC0415 - needs numpy and scipy

    for (aspect, name), of in features.categories.items():
        old, new = (Counter(value for trace in some if (value := of(trace)) is not None) for some in (before, now))
        if min(old.total(), new.total()) < LEAST or len({*old, *new}) == 1:
            continue
        shift = categorical(old, new)
        grown = max(new, key=lambda value: new[value] / new.total() - old[value] / old.total())
        yield Drift(
            aspect,
            name,
            False,
            _commonest(old),
            _commonest(new),
            shift.psi,
            shift.distance,
            shift.p,
            f"{grown}: {old[grown] / old.total():.0%} → {new[grown] / new.total():.0%}",
            tuple(islice((trace.id for trace in now if of(trace) == grown), EXAMPLES)),
        )


def _grown(before: list[float], now: list[float]) -> tuple[float, float]:
    """The ends of the fifth of the values before that holds more of those now than any other: of what there is more."""
    ordered = sorted(before)
    cuts = [ordered[len(ordered) * part // 5] for part in range(1, 5)]
    edges = [min(ordered[0], *now), *cuts, max(ordered[-1], *now)]
    shares = [
        (sum(low <= v <= high for v in now) / len(now) - sum(low <= v <= high for v in before) / len(before), low, high)
        for low, high in pairwise(edges)
    ]
    _, low, high = max(shares)
    inside = [value for value in now if low <= value <= high]
    return (min(inside), max(inside)) if inside else (low, high)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _commonest(counts: Counter[str]) -> str:
    ((value, times),) = counts.most_common(1)
    return f"{value} {times / counts.total():.0%}"


def _spans(trace: Trace, stage: str) -> list[Span]:
    return [span for span in trace.spans if span.stage == stage]


def _hits(trace: Trace) -> list[Json] | None:
    """What was retrieved; None where nothing was looked for."""
    found = [span.attributes.get("hits") for span in _spans(trace, "retrieve")]
    listed = [cast("list[object]", hits) for hits in found if isinstance(hits, list)]
    return [cast("Json", hit) for hits in listed for hit in hits if isinstance(hit, dict)] if found else None


def _best(trace: Trace) -> float | None:
    scores = [score for hit in _hits(trace) or () if isinstance(score := hit.get("score"), int | float)]
    return float(max(scores)) if scores else None


def _answerer(trace: Trace) -> str | None:
    made = [call for call in trace.calls if call.status == "ok"]
    return f"{made[-1].biller}/{made[-1].model}" if made else None


def _guarded(trace: Trace) -> str | None:
    said = [span.decision for span in trace.spans if span.stage.startswith("guard")]
    return next((what for what in ("block", "mask") if what in said), "pass") if said else None


def _whole(trace: Trace) -> bool:
    return trace.status == "ok"


FEATURES = Features(
    numbers={
        ("inputs", "characters of the question"): lambda trace: float(len(trace.question)),
        ("inputs", "tokens in"): lambda trace: float(trace.usage.input_tokens) if trace.calls else None,
        ("retrieval", "passages"): lambda trace: None if (hits := _hits(trace)) is None else float(len(hits)),
        ("retrieval", "score of the best passage"): _best,
        ("outputs", "characters of the answer"): lambda trace: float(len(trace.answer)) if _whole(trace) else None,
        ("outputs", "tokens out"): lambda trace: float(trace.usage.output_tokens) if trace.calls else None,
        ("latency", "ms to the end"): lambda trace: trace.duration_ns / MS if _whole(trace) else None,
        ("latency", "ms to the first token"): lambda trace: trace.first_token_ns / MS if trace.first_token_ns else None,
        ("cost", "dollars"): lambda trace: None if trace.cost_nano is None else trace.cost_nano / DOLLAR,
        ("cost", "calls of models"): lambda trace: float(len(trace.calls)),
    },
    categories={
        ("inputs", "script of the question"): lambda trace: script_of(trace.question) or None,
        ("inputs", "model asked for"): lambda trace: trace.model,
        ("inputs", "tenant"): lambda trace: trace.tenant,
        ("outputs", "status"): lambda trace: trace.status,
        ("outputs", "guardrails"): _guarded,
        ("outputs", "how it ended"): lambda trace: next(
            (s.decision for s in _spans(trace, "generate") if s.decision), None
        ),
        ("cost", "answered by"): _answerer,
        ("cost", "cache"): lambda trace: trace.cached or None,
    },
)
"""By what it is of, and its name as people read it."""
