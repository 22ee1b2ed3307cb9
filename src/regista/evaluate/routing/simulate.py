"""What a replay's choices would have cost, how long they would have taken and how good they would have been.

For a request that another model would have answered, its cost follows from the tokens it had and the prices, with an
answer as long as that model's answers are; its times are those of that model's own calls; its quality is known only
where that model was evaluated on the same question. Intervals draw the requests again, conversations as a whole, and
each model's calls again too. What cannot be known is said, and is in no figure.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from regista.core.nouns import Call, Usage
from regista.evaluate.routing.replay import Replayed
from regista.serve.router import Candidate
from regista.stats import Interval, interval, paired_difference

Floats = NDArray[np.float64]
DRAWS = 1_000
LEAST_CALLS = 5
"""Calls of a model below which nothing is said of its times and of the length of its answers."""
LEAST_REQUESTS = 10
"""Requests below which there are no figures."""
MILLION = 1_000_000


class Estimated(Struct, frozen=True):
    """A figure with its interval at 95 %."""

    value: float
    low: float
    high: float


class Figure(Struct, frozen=True):
    """A mean as it was and as it would have been, over the `known` requests for which both can be said."""

    name: str
    known: int
    actual: Estimated
    simulated: Estimated
    difference: Estimated


class Share(Struct, frozen=True):
    """How many requests a model answered, and how many it would have."""

    model: str
    actual: int
    simulated: int


class Simulation(Struct, frozen=True):
    """A policy on recorded traffic. `cost` is in nano-dollars a request, times are in nanoseconds.

    `deciders` counts the requests each policy decided. `unknown` says, in sentences, what the figures leave out.
    """

    policies: tuple[str, ...]
    requests: int
    moved: int
    shares: tuple[Share, ...]
    deciders: Mapping[str, int]
    cost: Figure | None
    first: Figure | None
    whole: Figure | None
    quality: Figure | None
    unknown: tuple[str, ...]


Scores = Mapping[tuple[str, tuple[str, str]], float]
"""Quality by question and by who bills for the model and what it is called there."""


class Row(NamedTuple):
    """One request in one figure: what it was, and what it would have been: `base` + `slope` · one of the `pool`."""

    actual: float
    base: float
    slope: float = 0.0
    pool: str = ""


def simulation(
    policies: Sequence[str],
    replayed: Sequence[Replayed],
    candidates: Mapping[str, Candidate],
    calls: Mapping[str, Sequence[Call]],
    scores: Scores,
) -> Simulation:
    """The figures of a replay. `calls` are each candidate's latest. Blocks: a second for some thousand requests."""
    known = {name: made for name, made in calls.items() if len(made) >= LEAST_CALLS}
    streams = {
        name: [call for call in made if 0 < call.first_token_ns < call.duration_ns] for name, made in known.items()
    }
    streams = {name: made for name, made in streams.items() if len(made) >= LEAST_CALLS}
    names = dict.fromkeys([*candidates, *(one.actual for one in replayed)])
    was, would = Counter(one.actual for one in replayed), Counter(one.chosen for one in replayed)
    groups = [one.group for one in replayed]
    costs = [_cost(one, candidates, known) for one in replayed]
    firsts = [_time(one, one.first_ns, 1, streams) if one.streamed else None for one in replayed]
    wholes = [_time(one, one.whole_ns, one.calls, known) for one in replayed]
    return Simulation(
        tuple(policies),
        len(replayed),
        sum(one.chosen != one.actual for one in replayed),
        tuple(Share(name, was[name], would[name]) for name in names if was[name] or would[name]),
        dict(Counter(one.policy for one in replayed)),
        _figure("cost", costs, groups, _pools(known, lambda call: call.usage.output_tokens)),
        _figure("first token", firsts, groups, _pools(streams, lambda call: call.first_token_ns)),
        _figure("whole answer", wholes, groups, _pools(known, lambda call: call.duration_ns)),
        _quality(replayed, candidates, scores),
        tuple(_unknown(replayed, candidates, known)),
    )


def _cost(one: Replayed, candidates: Mapping[str, Candidate], known: Mapping[str, Sequence[Call]]) -> Row | None:
    """What a request cost and would have; None where a price is not known."""
    if one.cost_nano is None:
        return None
    if one.chosen == one.actual:
        return Row(one.cost_nano, one.cost_nano)
    price = candidates[one.chosen].price
    if price is None:
        return None
    usage = one.usage
    base = price.cost(Usage(usage.input_tokens, 0, one.cached))
    # A price is a straight line in the tokens of the answer.
    slope = (price.cost(Usage(usage.input_tokens, MILLION, one.cached)) - base) / MILLION
    if one.chosen in known:
        return Row(one.cost_nano, base, slope * one.calls, one.chosen)
    return Row(one.cost_nano, base + slope * usage.output_tokens)


def _time(one: Replayed, actual: int, calls: int, known: Mapping[str, Sequence[Call]]) -> Row | None:
    """What a request took, and what the other model takes; None where too few of its calls are known."""
    if one.chosen == one.actual:
        return Row(actual, actual)
    return Row(actual, 0.0, calls, one.chosen) if one.chosen in known else None


def _pools(known: Mapping[str, Sequence[Call]], of: Callable[[Call], float]) -> dict[str, Floats]:
    return {name: np.array([of(call) for call in made], np.float64) for name, made in known.items()}


def _figure(
    name: str, rows: "Sequence[Row | None]", groups: Sequence[str], pools: Mapping[str, Floats]
) -> Figure | None:
    """The means of the rows that are known, with intervals by drawing groups and pools again."""
    there = [(row, group) for row, group in zip(rows, groups, strict=True) if row is not None]
    if len(there) < LEAST_REQUESTS:
        return None
    actual = np.array([row.actual for row, _ in there], np.float64)
    base = np.array([row.base for row, _ in there], np.float64)
    slope = np.array([row.slope for row, _ in there], np.float64)
    places = {pool: np.flatnonzero([row.pool == pool for row, _ in there]) for pool in pools}
    expected = base.copy()
    for pool, at in places.items():
        expected[at] += slope[at] * pools[pool].mean()
    numbers = {group: number for number, group in enumerate(dict.fromkeys(group for _, group in there))}
    code = np.array([numbers[group] for _, group in there])
    random = np.random.default_rng(0)
    drawn = np.empty((DRAWS, 2))
    for draw in range(DRAWS):
        counts = np.bincount(random.integers(0, len(numbers), len(numbers)), minlength=len(numbers))[code]
        simulated = base.copy()
        for pool, at in places.items():
            again = pools[pool][random.integers(0, len(pools[pool]), len(pools[pool]))]
            simulated[at] += slope[at] * again[random.integers(0, len(again), len(at))]
        drawn[draw] = (counts @ actual) / counts.sum(), (counts @ simulated) / counts.sum()
    return Figure(
        name,
        len(there),
        _between(float(actual.mean()), drawn[:, 0]),
        _between(float(expected.mean()), drawn[:, 1]),
        _between(float(expected.mean() - actual.mean()), drawn[:, 1] - drawn[:, 0]),
    )


def _between(value: float, drawn: Floats) -> Estimated:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimated(value, float(low), float(high))


def _quality(replayed: Sequence[Replayed], candidates: Mapping[str, Candidate], scores: Scores) -> Figure | None:
    """Means over the requests whose question both models were evaluated on."""
    before: list[float] = []
    after: list[float] = []
    groups: list[str] = []
    for one in replayed:
        was = scores.get((one.question, one.actual_call))
        if one.chosen == one.actual:
            would = was
        else:
            known = (scores.get((one.question, call)) for call in candidates[one.chosen].calls)
            would = next((score for score in known if score is not None), None)
        if was is not None and would is not None:
            before.append(was)
            after.append(would)
            groups.append(one.group)
    if len(before) < LEAST_REQUESTS or len(set(groups)) < 2:
        return None
    alone = None if len(set(groups)) == len(groups) else groups
    return Figure(
        "quality",
        len(before),
        _estimated(interval(before, alone)),
        _estimated(interval(after, alone)),
        _estimated(paired_difference(before, after, alone)),
    )


def _estimated(found: Interval) -> Estimated:
    return Estimated(found.estimate, found.low, found.high)


def _unknown(
    replayed: Sequence[Replayed], candidates: Mapping[str, Candidate], known: Mapping[str, Sequence[Call]]
) -> Iterator[str]:
    """What the figures leave out, and what they take for granted."""
    moved = [one for one in replayed if one.chosen != one.actual]
    if len(replayed) < LEAST_REQUESTS:
        yield f"{len(replayed)} requests are too few: figures need {LEAST_REQUESTS}."
    if blind := sum(not one.seen for one in replayed):
        yield (
            f"{blind:,} requests were served without a router: of them the question and the tokens are known, and not "
            "what they carried, their metadata or their conversation."
        )
    if unpriced := sum(one.cost_nano is None for one in replayed):
        yield f"{unpriced:,} requests have no known cost: a price is missing. They are in no figure of cost."
    for name in dict.fromkeys(one.chosen for one in moved):
        count = sum(one.chosen == name for one in moved)
        if candidates[name].price is None:
            yield f"{name} has no price: {count:,} requests moved to it are in no figure of cost."
        if name not in known:
            yield (
                f"{name} has fewer than {LEAST_CALLS} recorded calls: its answers are taken to be as long as those "
                f"that were given, and its times are not known ({count:,} requests)."
            )
    if moved:
        yield (
            "Tokens of the input are those that were counted, whatever the model. The times of a model are those of "
            "its own calls, of whatever length."
        )
