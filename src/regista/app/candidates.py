"""Variants of an application as candidates for a choice of model: what is known of them, and what was measured.

It runs a suite on each and compares them in pairs; what follows from that is `evaluate.select`'s.
"""

import asyncio
import itertools
import statistics
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from regista.app.application import capabilities_of, prices_of
from regista.app.evaluation import Bench
from regista.core.evaluation import Difference, Estimate, Report
from regista.evaluate.compare import compare
from regista.evaluate.pairs import ComparisonError
from regista.evaluate.requirements import Candidate
from regista.evaluate.select import Differences
from regista.models.attributes import AttributeTable
from regista.store import evaluations


def candidate_of(bench: Bench, report: Report | None, attributes: Sequence[Path] = ()) -> Candidate:
    """A variant by its name and its model's; without a report only what is known beforehand. Blocks."""
    settings = bench.folder.settings
    model = settings.models[settings.app.model]
    times = evaluations.durations(bench.database, report.run) if report is not None else []
    outputs = report.cases * report.repeat if report is not None else 0
    cost = report.cost_nano if report is not None else None
    facts = AttributeTable.load(*attributes).of(model.provider, model.name)
    if facts.features is None:
        facts = replace(facts, features=capabilities_of(settings).of(model.provider, model.name).features)
    return Candidate(
        model=f"{bench.variant} ({model.model})",
        attributes=facts,
        price=prices_of(settings).price(model.provider, model.name),
        quality=_quality(report.estimate(report.headline)) if report is not None else None,
        cost_nano=None if cost is None or not outputs else round(cost / outputs),
        latency_ns=round(statistics.median(times)) if times else None,
    )


def _quality(estimate: Estimate) -> Estimate:
    """The estimate, its interval as wide as what is missing leaves it open."""
    if not (estimate.error or estimate.unscored):
        return estimate
    low, high, worst, best = estimate.low, estimate.high, estimate.worst, estimate.best
    if low is None or high is None or worst is None or best is None:
        return replace(estimate, low=None, high=None)
    return replace(estimate, low=min(low, worst, best), high=max(high, worst, best))


async def differences_of(measured: Sequence[tuple[Candidate, Report]], bench: Bench) -> Differences:
    """The paired differences of all pairs that can be compared, on the headline."""
    runs = {run.id: run for run in evaluations.runs(bench.database, bench.folder.name)}
    found: dict[tuple[str, str], Difference] = {}
    for (one, before), (other, after) in itertools.combinations(measured, 2):
        try:
            compared = await asyncio.to_thread(compare, bench.database, runs[before.run], runs[after.run])
        except ComparisonError:
            continue
        difference = compared.difference(compared.headline)
        if not difference.missing:
            found[one.model, other.model] = difference
    return found
