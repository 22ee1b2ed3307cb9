"""The outputs of one run as a page lists them: those that a scorer found worst come first.

Knows how they lie in tables, not what a score means. Calls block.
"""

import json
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from regista.core.digest import score_key
from regista.core.evaluation import Better, Case, Output, Score
from regista.store import evaluations
from regista.store.database import Database
from regista.store.evaluations import Run, Scored

LOOKED_THROUGH = 2_000
"""Outputs of a run that are put in order: the first."""


class Found(NamedTuple):
    """An output of a run: its case, and what each scorer that was asked found of it; None where that failed."""

    case: Case
    repetition: int
    output: Output
    scores: dict[str, Score | None]


class Page(NamedTuple):
    """Some outputs, of so many that were put in order, and how many of the run were not looked at."""

    found: list[Found]
    of: int
    left_out: int


def worst(database: Database, run: Run, scorer: str, better: Better, first: int, limit: int) -> Page:
    """Outputs of a run from the `first` on: those without a value, then by `scorer`'s, the worst first.

    Raises `KeyError` where the run has no such scorer.
    """
    digest, only = run.scorers[scorer], run.only.get(scorer, {})
    lines = list(islice((line for page in evaluations.results(database, run.id) for line in page), LOOKED_THROUGH))
    asked = [line for line in lines if not only or only.items() <= json.loads(line.slices).items()]
    keys = [score_key(line.output_digest, line.case, digest.encode()) for line in asked]
    scores = evaluations.scores(database, keys)
    sign = 1 if better == "higher" else -1

    def rank(place: int) -> float:
        score = None if asked[place].failed else scores.get(keys[place])
        return -float("inf") if score is None or score.value is None else sign * score.value

    order = sorted(range(len(asked)), key=rank)[first : first + limit]
    left_out = evaluations.count(database, run.id) - len(lines)
    return Page(_read(database, run, [asked[place] for place in order]), len(asked), left_out)


def _read(database: Database, run: Run, lines: Sequence[Scored]) -> list[Found]:
    cases = evaluations.cases(database, [line.case for line in lines])
    outputs = evaluations.contents(database, [line.output_digest for line in lines])
    wanted = {
        (place, name): score_key(line.output_digest, line.case, digest.encode())
        for place, line in enumerate(lines)
        for name, digest in run.scorers.items()
        if not line.failed and run.only.get(name, {}).items() <= json.loads(line.slices).items()
    }
    scores = evaluations.scores(database, list(wanted.values()))
    return [
        Found(
            cases[line.case],
            line.repetition,
            outputs[line.output_digest],
            {name: scores.get(key) for (at, name), key in wanted.items() if at == place},
        )
        for place, line in enumerate(lines)
    ]
