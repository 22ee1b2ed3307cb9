"""One statement in SQL over the days that were exported, and its rows by the page."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

from regista.app.days import gone_from, place_of, unreached
from regista.app.platform import Platform
from regista.app.querying import TIME_S, Querying
from regista.app.querying_process import Answer
from regista.core.errors import MissingExtraError
from regista.core.nouns import Json
from regista.store.parquet import TYPES, files

ROWS, FURTHEST = 100, 10_000
"""Rows on a page, and how far one can go on: who wants more asks for less in the statement."""
EXAMPLES = {
    "by day": "SELECT started::DATE AS day, count(*) AS traces, round(sum(cost_nano) / 1e9, 4) AS dollars\n"
    "FROM traces GROUP BY day ORDER BY day DESC",
    "slowest": "SELECT trace, started, model, duration_ns // 1000000 AS ms, question\n"
    "FROM traces ORDER BY duration_ns DESC LIMIT 20",
    "asked most": "SELECT lower(question) AS asked, count(*) AS times\n"
    "FROM traces GROUP BY asked ORDER BY times DESC LIMIT 50",
}
_NUMBERS = frozenset(("BIGINT", "INTEGER", "SMALLINT", "HUGEINT", "UBIGINT", "DOUBLE", "FLOAT"))
_asking: WeakKeyDictionary[Platform, Querying] = WeakKeyDictionary()


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The page's data: the answer, where a statement is in the address."""
    folder = platform.application.folder
    place = place_of(folder.path, folder.settings.observe.parquet)
    days = await asyncio.to_thread(files, place)
    sql, first = query.get("sql", "").strip(), _first(query.get("from", ""))
    answer, missing = Answer(), ""
    if not days and place.absolute() in await asyncio.to_thread(unreached, folder.path):
        missing = gone_from(folder.path, place)
    try:
        if sql and days:
            answer = await _asking.setdefault(platform, Querying()).ask(place, sql, first, ROWS)
    except MissingExtraError as error:
        missing = error.message
    return {
        "sql": sql,
        "first": first,
        "count": ROWS,
        "furthest": FURTHEST,
        "days": [path.stem.removeprefix("traces-") for path in days],
        "place": _shown(place, folder.path),
        "columns": [{"name": name, "type": kind, "number": kind in _NUMBERS} for name, kind in answer.columns],
        "rows": answer.rows,
        "more": answer.more and first + 2 * ROWS <= FURTHEST,
        "took_ns": answer.took_ns,
        "error": answer.error,
        "missing": missing,
        "fields": [{"name": name, "type": kind} for name, kind in TYPES.items()],
        "examples": EXAMPLES,
        "seconds": TIME_S,
    }


def _first(given: str) -> int:
    return min(int(given), FURTHEST - ROWS) if given.isdecimal() and given.isascii() and len(given) < 9 else 0


def _shown(place: Path, folder: Path) -> str:
    return str(place.relative_to(folder)) if place.is_relative_to(folder) else str(place)
