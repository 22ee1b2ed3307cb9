"""Evaluations: the runs there are, and one run's report with its intervals and slices."""

import asyncio
from collections.abc import Mapping, Set
from typing import NamedTuple

from regista.app.platform import Platform
from regista.core.errors import NotFoundError, RequestError
from regista.core.evaluation import Better, Estimate, Report
from regista.core.nouns import Json
from regista.evaluate.report.figures import Scale, scale_of
from regista.evaluate.report.sentences import headline_of_report
from regista.store import Database
from regista.store.evaluations import Run, count, report_of, runs
from regista.store.run_pages import Found, worst
from regista.store.traces import known
from regista.surfaces.console.views.numbers import number

RUNS = 60
"""Runs that are listed."""
CASES = 20
"""Cases in a page of a run."""


class Drawn(NamedTuple):
    """Where an estimate lies on its scale, in per cent; none of its parts where there is no value."""

    low: float | None
    mean: float | None
    high: float | None


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The list's data."""
    return await asyncio.to_thread(_listed, platform.database, platform.application.name, query.get("suite", ""))


async def show_one(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """One run's data."""
    return await asyncio.to_thread(_read, platform.database, platform.application.name, rest, query)


def _listed(database: Database, name: str, suite: str) -> Json:
    everything = runs(database, name)
    found = [run for run in everything if suite in ("", run.suite)]
    return {
        "runs": [_row(database, run) for run in found[:RUNS]],
        "left_out": max(0, len(found) - RUNS),
        "suites": sorted({run.suite for run in everything}),
        "suite": suite,
        "pairs": len([run for run in found[:RUNS] if run.finished_ns is not None]) > 1,
    }


def _row(database: Database, run: Run) -> Json:
    report = report_of(database, run.id)
    done = run.cases * run.repeat if report is not None else count(database, run.id)
    headline = next((one for one in report.estimates if one.scorer == report.headline), None) if report else None
    return {
        "run": run,
        "done": done,
        "of": run.cases * run.repeat,
        "headline": headline,
        "drawn": drawn(headline, scale_of(headline)) if headline else None,
        "duration_ns": report.duration_ns if report else None,
        "cost_nano": report.cost_nano if report else None,
    }


def _read(database: Database, name: str, run_id: str, query: Mapping[str, str]) -> Json:
    everything = runs(database, name)
    run = next((one for one in everything if one.id == run_id), None)
    if run is None:
        raise NotFoundError(f"There is no run {run_id[:40]!r} of {name}. The list of evaluations has those there are.")
    report = report_of(database, run.id)
    others = [one for one in everything if one.suite == run.suite and one.id != run.id and one.finished_ns is not None]
    return {
        "run": run,
        "report": report,
        "told": headline_of_report(report) if report is not None else "",
        "done": count(database, run.id),
        "estimates": [_estimate(one) for one in report.estimates] if report is not None else [],
        "slices": _slices(report) if report is not None else [],
        "others": [{"id": one.id, "variant": one.variant, "started_ns": one.started_ns} for one in others[:6]],
        **(_cases(database, run, report, query) if report is not None else {}),
    }


def _cases(database: Database, run: Run, report: Report, query: Mapping[str, str]) -> Json:
    """A page of what was answered, what the scorer named `by` found worst first."""
    known_by: dict[str, Better] = {one.scorer: one.better for one in report.estimates if one.scorer in run.scorers}
    by, first = query.get("by") or report.headline, number(query, "from", "a case")
    if by not in known_by:
        raise RequestError(f"'by' is {by[:20]!r}: give one of {', '.join(known_by)}.", param="by")
    page = worst(database, run, by, known_by[by], first, CASES)
    traced = known(database, [one.output.trace_id for one in page.found if one.output.trace_id])
    return {
        "by": by,
        "scorers": list(known_by),
        "cases": [_case(one, by, traced) for one in page.found],
        "of": page.of,
        "left_out": page.left_out,
        "first": first,
        "before": max(0, first - CASES) if first else None,
        "after": first + CASES if first + CASES < page.of else None,
    }


def _case(one: Found, by: str, traced: Set[str]) -> Json:
    case, output = one.case, one.output
    return {
        "id": case.id,
        "critical": case.critical,
        "repetition": one.repetition,
        "question": case.question,
        "answer": output.text or output.refused or (f"error: {output.error}" if output.error else ""),
        "score": one.scores.get(by),
        "scores": {name: score for name, score in one.scores.items() if name != by},
        "trace": output.trace_id if output.trace_id in traced else "",
    }


def _estimate(one: Estimate) -> Json:
    scale = scale_of(one)
    return {"estimate": one, "scale": [scale.low, scale.high], "drawn": drawn(one, scale)}


def _slices(report: Report) -> list[Json]:
    """What the scorer that decides says of each slice, by the slice's name; all on the scale of the whole."""
    whole = next((one for one in report.estimates if one.scorer == report.headline), None)
    if whole is None:
        return []
    scale = scale_of(whole)
    named: dict[str, list[Json]] = {}
    for each in report.slices:
        for one in each.estimates:
            if one.scorer == report.headline:
                row: Json = {"value": each.value, "estimate": one, "drawn": drawn(one, scale)}
                named.setdefault(each.name, []).append(row)
    return [{"name": name, "rows": rows} for name, rows in named.items()]


def drawn(one: Estimate, scale: Scale) -> Drawn:
    """Where the interval and its mean lie."""
    at = [None if value is None else round(100 * scale.at(value), 2) for value in (one.low, one.mean, one.high)]
    return Drawn(*at)
