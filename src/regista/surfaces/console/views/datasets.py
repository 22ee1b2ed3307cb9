"""Datasets: their versions, what stands in one, what it is worth, and what of the traffic it lacks."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path

import msgspec

from regista.app.platform import Platform
from regista.core.errors import ConfigurationError, NotFoundError, RequestError, UnknownNameError
from regista.core.nouns import Json
from regista.data import dataset
from regista.data.adding import add_one
from regista.data.dataset import Lineage
from regista.data.from_traces import example_of, masking
from regista.data.quality import Quality, band, quality
from regista.stats.intervals import wilson
from regista.store import Database
from regista.store.rollups import NANO
from regista.store.samples import newest
from regista.store.traces import find
from regista.surfaces.console.forms import Form
from regista.surfaces.console.shown import address
from regista.surfaces.console.stretches import LENGTHS, Stretch, stretch
from regista.surfaces.console.views.numbers import number

ROWS = 25
"""Examples in a page."""
VERSIONS = 20
"""Versions that are listed."""
STALE_DAYS = 90
LAST, LENGTHS_OF = 2_000, 200
"""Traces that a dataset is held against, and those of them whose questions' lengths are read: the newest."""
PICKED = "picked"
"""The dataset that single traces go to, where none is named."""


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The list's data."""
    return await asyncio.to_thread(_listed, platform.application.folder.path)


async def show_one(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """One version's data, the newest where none is named."""
    folder, name = platform.application.folder.path, platform.application.name
    return await asyncio.to_thread(_read, platform.database, folder, name, rest, query)


async def pick(platform: Platform, form: Form, rest: str) -> str:
    """Add a trace to a dataset, and go on to the trace."""
    name = form.values.get("dataset", "").strip() or PICKED
    trace = await asyncio.to_thread(_pick, platform, name, rest)
    return address(f"/console/traces/{trace}", {"dataset": name, "added": "next"})


def _pick(platform: Platform, name: str, trace: str) -> str:
    """The whole id of the trace, which is in the dataset's next version."""
    found = find(platform.database, trace)
    try:
        dataset.check_name(name)
    except ConfigurationError as error:
        raise RequestError(error.message, param="dataset") from None
    folder = platform.application.folder.path
    add_one(folder, name, example_of(found), masking(), platform.application.name)
    return found.id


def _listed(folder: Path) -> Json:
    newest: dict[str, Lineage] = {}
    counts = Counter[str]()
    for one in dataset.versions(folder):
        newest.setdefault(one.name, one)
        counts[one.name] += 1
    return {"datasets": [{"newest": _lineage(one), "versions": counts[name]} for name, one in newest.items()]}


def _read(database: Database, folder: Path, application: str, name: str, query: Mapping[str, str]) -> Json:
    try:
        there = dataset.versions(folder, name)
    except UnknownNameError as error:
        raise NotFoundError(error.message) from None
    lineage = dataset.find(folder, name, query.get("version", ""))
    first = number(query, "from", "an example")
    over = stretch(query.get("range", ""), "30d")
    known = _quality(folder, name, lineage.version)
    rows = list(islice(dataset.read(folder, lineage), first, first + ROWS + 1))
    return {
        "lineage": _lineage(lineage),
        "path": str(dataset.path_of(folder, lineage).relative_to(folder / "evals")),
        "versions": [_lineage(one) for one in there[:VERSIONS]],
        "older": max(0, len(there) - VERSIONS),
        "rows": rows[:ROWS],
        "first": first,
        "before": max(0, first - ROWS) if first else None,
        "after": first + ROWS if len(rows) > ROWS else None,
        "state": {"version": query.get("version", ""), "range": query.get("range", "")},
        "quality": _figures(known, over.until_s * NANO),
        "stale_days": STALE_DAYS,
        "variants": Counter(known.counts["variant"]).most_common(12),
        "coverage": _coverage(database, application, folder.name, lineage, known, over),
        "range": over.name,
        "ranges": [one for one in LENGTHS if one.endswith("d")],
    }


@lru_cache(32)
def _quality(folder: Path, name: str, version: str) -> Quality:
    """The figures of a version, which never change."""
    return quality(dataset.read(folder, dataset.find(folder, name, version)))


def _lineage(one: Lineage) -> Json:
    # Not by what is equal: 1 is to True, and 0 to False.
    asked = {name: value for name, value in one.filters.items() if value != "" and not isinstance(value, bool)}
    masked = one.filters.get("mask") is not False
    return msgspec.to_builtins(one) | {"asked": asked, "is_masked": masked}


def _figures(known: Quality, now_ns: int) -> Json:
    return {
        "examples": known.examples,
        "read": known.read,
        "exact": known.exact,
        "near": known.near,
        "referenced": known.referenced,
        "stale": known.older(now_ns, STALE_DAYS),
    }


def _coverage(
    database: Database, application: str, folder: str, lineage: Lineage, known: Quality, over: Stretch
) -> list[Json]:
    """Each part of the newest traffic beside its share of the dataset, those that lack most first."""
    asked = newest(database, application, over.since_s * NANO, LAST, LENGTHS_OF)
    served = {
        "model": Counter(one.model for one in asked),
        "status": Counter(one.status for one in asked),
        "length": Counter(band(one.length) for one in asked if one.length is not None),
    }
    rows: list[Json] = []
    for name, counts in served.items():
        own, total = known.counts[name], counts.total()
        for value in dict.fromkeys([*counts, *own]):
            there, wanted = own.get(value, 0), counts[value] / total if total else 0.0
            low, high, *_ = wilson(counts[value], total) if total else (0.0, 1.0)
            lacks = max(0, round(wanted * known.examples) - there)
            row: Json = {"of": name, "value": value, "examples": there, "share": there / (known.examples or 1)}
            row |= {"traces": counts[value], "total": total, "wanted": wanted, "low": low, "high": high}
            # A share that chance alone may have made is no gap.
            row["lacks"] = lacks if row["share"] < low else 0
            rows.append(row | {"command": _command(lineage.name, folder, name, value, row["lacks"], over)})
    return sorted(rows, key=lambda row: (-row["lacks"], row["share"] - row["wanted"], row["of"], row["value"]))


def _command(name: str, folder: str, of: str, value: str, lacks: int, over: Stretch) -> str:
    """What adds the examples that are missing."""
    if not lacks or not value.isprintable() or not value.replace("/", "").replace("-", "").replace(".", "").isalnum():
        return ""
    return f"regista data from-traces {name} {folder} --add --{of} {value} --since {over.name} --limit {lacks}"
