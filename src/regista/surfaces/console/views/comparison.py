"""Two runs of one suite side by side: what `regista compare` says of them, a page of cases at a time."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from regista.app.platform import Platform
from regista.core.errors import ConfigurationError, MissingExtraError, NotFoundError, RequestError
from regista.core.evaluation import CaseDifference, Comparison, Correction, Difference, Estimate, Report
from regista.core.nouns import Json
from regista.evaluate.report.figures import Scale, scale_of_differences
from regista.evaluate.report.sentences import (
    VERDICTS,
    answer_of_comparison,
    corrected,
    headline_of_comparison,
    notes_on_difference,
    verdict,
)
from regista.store import Database
from regista.store.evaluations import Run, runs
from regista.surfaces.console.views.evaluations import Drawn
from regista.surfaces.console.views.numbers import number

CASES = 10
"""Cases in a page."""
KEPT = 8
"""Comparisons that are kept: runs that are whole stay as they are."""
KEPT_S = 300.0
"""How long: what is erased from the store is gone from them too."""
WHICH = ("lost", "won", "unpaired")

_Key = tuple[str, int, str, int]


class Made(NamedTuple):
    """A comparison with its cases by what became of them, and when it was made, by the monotonic clock."""

    comparison: Comparison
    cases: dict[str, list[CaseDifference]]
    made_s: float = 0.0


_kept: OrderedDict[_Key, Made] = OrderedDict()


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The page's data; without two runs, those to choose from."""
    return await asyncio.to_thread(_read, platform.database, platform.application.name, query)


def _read(database: Database, name: str, query: Mapping[str, str]) -> Json:
    whole = [run for run in runs(database, name) if run.finished_ns is not None]
    ids = {side: query.get(side, "") for side in ("baseline", "candidate")}
    if not all(ids.values()):
        suites = {run.suite for run in whole}
        several = {suite for suite in suites if sum(run.suite == suite for run in whole) > 1}
        chosen = next((run.suite for run in whole if run.id in ids.values()), "")
        there = [run for run in whole if run.suite in several and chosen in ("", run.suite)]
        return {"comparison": None, "chosen": ids, "runs": there, "any": bool(whole)}
    baseline, candidate = (_run(whole, name, given) for given in ids.values())
    made = _made(database, baseline, candidate)
    return told(made, ids | {"cases": query.get("cases", "")}, number(query, "from", "a case"))


def _run(whole: Sequence[Run], name: str, id: str) -> Run:
    found = next((run for run in whole if run.id == id), None)
    if found is None:
        raise NotFoundError(
            f"There is no whole run {id[:40]!r} of {name}. The list of evaluations has those there are."
        )
    return found


def _made(database: Database, baseline: Run, candidate: Run) -> Made:
    """The comparison, made once in a while for two runs."""
    key = (baseline.id, baseline.finished_ns or 0, candidate.id, candidate.finished_ns or 0)
    made = _kept.get(key)
    if made is None or time.monotonic() > made.made_s + KEPT_S:
        comparison = _compared(database, baseline, candidate)
        made = _kept[key] = Made(comparison, sorted_cases(comparison), time.monotonic())
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return made


def _compared(database: Database, baseline: Run, candidate: Run) -> Comparison:
    try:
        from regista.evaluate.compare import compare  # noqa: PLC0415 - needs an extra, and its import takes a while
    except ImportError as error:
        raise MissingExtraError("Comparing runs", error.name or "scipy", "eval") from error
    try:
        return compare(database, baseline, candidate)
    except ConfigurationError as error:
        raise RequestError(error.message, code=error.code) from None


def sorted_cases(comparison: Comparison) -> dict[str, list[CaseDifference]]:
    """The cases by what became of them, those that changed most first, as they come."""
    found: dict[str, list[CaseDifference]] = {which: [] for which in WHICH}
    higher = comparison.baseline.estimate(comparison.headline).better == "higher"
    for case in comparison.cases:
        if case.baseline_value is None or case.candidate_value is None:
            found["unpaired"].append(case)
        else:
            found["won" if (case.candidate_value > case.baseline_value) == higher else "lost"].append(case)
    return found


def told(made: Made, state: Mapping[str, str], first: int) -> Json:
    """A comparison as its page says it: `state` says which cases, from the `first` of them on."""
    comparison = made.comparison
    which = state["cases"] or next((one for one in WHICH if made.cases[one]), WHICH[0])
    if which not in WHICH:
        raise RequestError(f"'cases' is {which[:20]!r}: give {', '.join(WHICH)}.", param="cases")
    listed = made.cases[which]
    shown = listed[first : first + CASES]
    return {
        "comparison": {"suite": comparison.suite, "headline": comparison.headline, "warnings": comparison.warnings},
        "answer": answer_of_comparison(comparison),
        "told": headline_of_comparison(comparison),
        "sides": {side: _side(getattr(comparison, side)) for side in ("baseline", "candidate")},
        "scores": _rows((one.scorer, one) for one in comparison.differences),
        "decides": next((one for one in comparison.differences if one.scorer == comparison.headline), None),
        "slices": [
            {"name": name, "rows": _rows((one.value, one.difference) for one in comparison.slices if one.name == name)}
            for name in dict.fromkeys(one.name for one in comparison.slices)
        ],
        "judges": [one for each in comparison.baseline.estimates if (one := _judge(each, comparison.candidate))],
        "state": dict(state) | {"cases": which},
        "counts": {one: len(made.cases[one]) for one in WHICH},
        "cases": shown,
        "first": first,
        "before": max(0, first - CASES) if first else None,
        "after": first + CASES if first + CASES < len(listed) else None,
    }


def _side(report: Report) -> Json:
    """What was run, and what it took."""
    names = ("run", "variant", "variant_digest", "target", "cases", "repeat", "started_ns", "duration_ns", "cost_nano")
    return {name: getattr(report, name) for name in names}


def _rows(named: Iterable[tuple[str, Difference]]) -> list[Json]:
    """Differences with where they lie around a common 0, what they show, and what else is to be said of them."""
    found = list(named)
    scale = scale_of_differences(one for _, one in found)
    return [_row(name, one, scale) for name, one in found]


def _row(name: str, one: Difference, scale: Scale) -> Json:
    fits = scale.holds(one.low, one.high)
    own = scale if fits else scale_of_differences([one])
    shows = verdict(one)
    return {
        "name": name,
        "difference": one,
        "shows": shows,
        "verdict": VERDICTS[shows]._asdict(),
        "notes": list(notes_on_difference(one)),
        "drawn": Drawn(*(round(100 * own.at(value), 2) for value in (one.low, one.difference, one.high))),
        "scale": [own.low, own.high],
    }


def _judge(before: Estimate, candidate: Report) -> Json | None:
    """How far a scorer's figures hold on either side, what is known of its judge too; None where nothing is said."""
    after = next((one for one in candidate.estimates if one.scorer == before.scorer), None)
    sides = {"baseline": before, "candidate": after}
    if not any(one is not None and (one.correction is not None or one.warnings) for one in sides.values()):
        return None
    warnings = [warning for one in sides.values() if one is not None for warning in one.warnings]
    return {
        "scorer": before.scorer,
        "corrected": {side: _correction(one.correction) if one else "" for side, one in sides.items()},
        "warnings": list(dict.fromkeys(warnings)),
    }


def _correction(found: Correction | None) -> str:
    return corrected(found) if found is not None else ""
