"""The list of traces: the last ones that are wanted, a page at a time, and how many there were when."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from regista.app.platform import Platform
from regista.core.errors import RequestError
from regista.core.nouns import Json
from regista.feedback.labels import HIDDEN
from regista.store import Database
from regista.store.rollups import NANO
from regista.store.trace_pages import Mark, Place, Tally, Wanted, marks, newest, page, tallies
from regista.surfaces.console.stretches import LENGTHS, Stretch, stretch

ROWS = 50
STATUSES = ("ok", "error", "cancelled")
STATE = ("text", "id", "status", "model", "application", "user", "range", "since", "until", "live", "dataset")
"""What of the URL says which traces, and where those go that are picked."""


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The page's data."""
    return await asyncio.to_thread(_read, platform.database, query)


def wanted(query: Mapping[str, str]) -> Wanted:
    """Which traces an address asks for. Raises `RequestError` for a status or a time that is none."""
    status = query.get("status", "")
    if status not in ("", *STATUSES):
        raise RequestError(f"'status' is {status[:20]!r}: give {', '.join(STATUSES)}.", param="status")
    since_s, until_s = (_seconds(query, name) for name in ("since", "until"))
    if query.get("range") and not since_s:
        since_s = stretch(query["range"], "").since_s
    return Wanted(
        application=query.get("application", ""),
        model=query.get("model", ""),
        status=status,
        id=query.get("id", ""),
        text=query.get("text", ""),
        user=query.get("user", ""),
        since_ns=since_s * NANO,
        until_ns=until_s * NANO,
    )


def _read(database: Database, query: Mapping[str, str]) -> Json:
    which, last = wanted(query), newest(database)
    found = page(database, which, ROWS + 1, _after(query))
    rows = found[:ROWS]
    end = rows[-1].place if len(found) > ROWS else None
    drawn = stretch(query.get("range", ""), "24h")
    counted = tallies(database, which, drawn.since_s, drawn.until_s, drawn.grain_s)
    everywhere = tallies(database, Wanted(), drawn.since_s, drawn.until_s, drawn.grain_s)
    return {
        "rows": rows,
        "marks": {id: words(found) for id, found in marks(database, [row.id for row in rows], HIDDEN).items()},
        "after": f"{end.started_ns}-{end.n}" if end is not None else "",
        "state": {name: query.get(name, "") for name in STATE},
        "filtered": any(query.get(name) for name in STATE if name not in ("live", "dataset")),
        "newest": last,
        "histogram": _histogram(counted, which, drawn),
        "drawn": drawn.name,
        "step": drawn.step,
        "models": _counted(everywhere, "model", which.model),
        "applications": _counted(everywhere, "application", which.application),
        "statuses": STATUSES,
        "ranges": list(LENGTHS),
    }


def words(found: list[Mark]) -> list[Json]:
    """Feedback in a word each, those of one word together, and whether it speaks against the answer."""
    told: dict[str, Json] = {}
    for mark in found:
        down = mark.value is not None and mark.value < 0
        word = ("down" if down else "up") if mark.kind == "thumb" else mark.name or mark.kind
        against = down or mark.kind in ("signal", "correction")
        one = told.setdefault(word, {"word": word, "times": 0, "kind": mark.kind, "against": against})
        one["times"] += 1
    return list(told.values())


def _histogram(counted: list[Tally], which: Wanted, drawn: Stretch) -> list[Json]:
    """How many there were in each step, those of a status where one is wanted."""
    traces, failed = Counter[int](), Counter[int]()
    for one in counted:
        shown = {"": one.traces, "error": one.failed, "cancelled": one.cancelled}
        traces[one.start_s] += shown.get(which.status, one.traces - one.failed - one.cancelled)
        failed[one.start_s] += one.failed if which.status in ("", "error") else 0
    return [
        {"start_s": start, "until_s": start + drawn.grain_s, "traces": traces[start], "failed": failed[start]}
        for start in drawn.starts()
    ]


def _counted(counted: list[Tally], name: str, chosen: str) -> list[Json]:
    """The values of a column with how often each came, the most frequent first; the chosen one even if it did not."""
    counts = Counter[str]({chosen: 0} if chosen else {})
    for one in counted:
        counts[getattr(one, name)] += one.traces
    return [{"name": value, "traces": count} for value, count in counts.most_common() if value]


def _after(query: Mapping[str, str]) -> Place | None:
    given = query.get("after", "")
    if not given:
        return None
    started, _, n = given.partition("-")
    if not (started.isdecimal() and n.isdecimal() and len(given) < 40):
        raise RequestError(f"'after' is {given[:40]!r}: take it from the page before.", param="after")
    return Place(int(started), int(n))


def _seconds(query: Mapping[str, str], name: str) -> int:
    given = query.get(name, "")
    if not given:
        return 0
    if not (given.isascii() and given.isdecimal() and len(given) <= 10):
        raise RequestError(f"{name!r} is {given[:20]!r}: give seconds since 1970.", param=name)
    return int(given)
