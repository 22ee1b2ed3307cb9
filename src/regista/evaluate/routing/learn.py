"""A head that tells when a weak model suffices, trained on what two models made of the same cases.

The cases are those of two runs of a suite, or questions with a preference. What the head would have chosen is
measured on cases it never saw, against as many strong calls drawn by lot.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regista.core.errors import ConfigurationError
from regista.evaluate.pairs import Paired, pair
from regista.serve.routing.strength import Point, threshold
from regista.stats import Interval, interval
from regista.store import Database, evaluations

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST = 50
"""Cases below which no head is trained."""
LEAST_KIND = 10
"""Cases of each kind, the weak model sufficing or not, below which none is."""
SHARES = tuple(step / 10 for step in range(11))
PREFERENCES = {"strong": 1.0, "weak": 0.0, "tie": 0.5}
"""Who was preferred, to what the strong model scores; the weak one scores what is left of 1."""


@dataclass(frozen=True)
class Lessons:
    """Cases two models answered: what each scored, higher being better, and what it cost (NaN: not known)."""

    questions: tuple[str, ...]
    strong: Floats
    weak: Floats
    clusters: Ints
    strong_cost: Floats
    weak_cost: Floats
    source: str
    scorer: str
    left_out: int = 0
    scale: tuple[float, float] | None = None

    @property
    def suffices(self) -> NDArray[np.bool_]:
        """Where the weak model scored no less."""
        return self.weak >= self.strong

    @property
    def too_few(self) -> str:
        """Why these are too few to learn from; empty where they are enough."""
        good = int(self.suffices.sum())
        kinds = f"the weak model suffices in {good} of {len(self.questions)} cases"
        if len(self.questions) < LEAST:
            return f"{len(self.questions)} cases are too few to learn from: {LEAST} are needed, better some hundreds."
        if min(good, len(self.questions) - good) < LEAST_KIND:
            return f"There is too little to tell apart: {kinds}, and {LEAST_KIND} of each kind are needed."
        return ""


def from_runs(database: Database, strong: evaluations.Run, weak: evaluations.Run) -> Lessons:
    """The cases that both runs have a value of the headline for. Blocks.

    Raises:
        ComparisonError: the runs are of different suites, share no case, or were not scored alike.
    """
    paired, _ = pair(database, strong, weak)
    report = evaluations.report_of(database, strong.id)
    if report is None:
        raise ConfigurationError(
            f"The run of {strong.suite} on {strong.variant} is not whole: regista eval {strong.suite}"
        )
    estimate = report.estimate(strong.headline)
    pairs = paired.pairs(strong.headline, estimate)
    there = np.flatnonzero(pairs.there)
    sign = 1.0 if estimate.better == "higher" else -1.0
    places = pairs.places[there]
    low, high = estimate.scale
    scale = None if low is None or high is None else (min(sign * low, sign * high), max(sign * low, sign * high))
    rows, others = paired.rows[places], paired.others[places]
    return Lessons(
        _questions(database, paired, rows),
        sign * pairs.baseline[there],
        sign * pairs.candidate[there],
        pairs.clusters[there],
        _costs(database, [paired.baseline.output(int(row)) for row in rows]),
        _costs(database, [paired.candidate.output(int(row)) for row in others]),
        f"{strong.suite}: {strong.variant} against {weak.variant}",
        strong.headline,
        len(pairs.places) - len(there) + paired.left_out,
        scale,
    )


def from_preferences(path: Path) -> Lessons:
    """Questions with who was preferred, one JSON a line: {"question": …, "preferred": "strong", "weak" or "tie"}.

    Raises:
        ConfigurationError: the file cannot be read, or a line of it; says which.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    questions: list[str] = []
    strong: list[float] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            questions.append(str(row["question"]))
            strong.append(PREFERENCES[row["preferred"]])
        except (ValueError, TypeError, KeyError):
            form = '{"question": "…", "preferred": "strong"}, or "weak", or "tie"'
            raise ConfigurationError(f"{path}, line {number}: write {form}.") from None
    scores, unknown = np.array(strong), np.full(len(strong), np.nan)
    # The same question asked twice is no two questions.
    clusters = np.unique(questions, return_inverse=True)[1].astype(np.int64) if questions else np.array([], np.int64)
    return Lessons(
        tuple(questions), scores, 1 - scores, clusters, unknown, unknown, path.name, "preferred", 0, (0.0, 1.0)
    )


def curve(lessons: Lessons, scores: Floats, shares: Sequence[float] = SHARES) -> tuple[Point, ...]:
    """What each share of strong calls gives, the head's choices being those of `scores`, which held each case out."""
    ascending = sorted(scores.tolist())
    alone = len(np.unique(lessons.clusters)) == len(lessons.clusters)
    clusters = None if alone else lessons.clusters
    points: list[Point] = []
    for share in shares:
        strong = scores < threshold(ascending, share)
        part = float(strong.mean())
        chosen = np.where(strong, lessons.strong, lessons.weak)
        # By lot, each case would get the strong model with the same chance.
        lot = part * lessons.strong + (1 - part) * lessons.weak
        quality = interval(chosen, clusters, bounds=lessons.scale)
        gain = _gain(chosen - lot, clusters, lessons.scale)
        costs = np.where(strong, lessons.strong_cost, lessons.weak_cost)
        points.append(
            Point(
                part,
                quality.estimate,
                quality.low,
                quality.high,
                gain.estimate,
                gain.low,
                gain.high,
                None if np.isnan(costs).any() else float(costs.mean()),
            )
        )
    return tuple(points)


def _gain(changes: Floats, clusters: Ints | None, scale: tuple[float, float] | None) -> Interval:
    if not changes.any():
        # All strong or all weak: there is nothing to draw lots about.
        return Interval(0.0, 0.0, 0.0)
    reach = scale[1] - scale[0] if scale is not None else None
    return interval(changes, clusters, bounds=None if reach is None else (-reach, reach))


def _questions(database: Database, paired: Paired, rows: Ints) -> tuple[str, ...]:
    cases = evaluations.cases(database, [paired.baseline.case(int(row)) for row in rows])
    return tuple(cases[paired.baseline.case(int(row))].question for row in rows)


def _costs(database: Database, outputs: "Sequence[bytes]") -> Floats:
    found = evaluations.contents(database, outputs)
    costs = [found[digest].cost_nano for digest in outputs]
    return np.array([np.nan if cost is None else cost for cost in costs])
