"""Some of the traces of a time, evenly drawn, so that a busy day and a quiet one are read equally fast. Calls block."""

from collections.abc import Iterator

from regista.core.nouns import Trace
from regista.store.database import Database
from regista.store.traces import find

SPREAD = 2_654_435_761
"""Knuth's multiplier: numbers that follow each other land far apart, so that no rhythm of the traffic is drawn."""
_RANGE = 1 << 32


def sample(
    database: Database,
    application: str,
    since_ns: int,
    until_ns: int,
    count: int,
    *,
    status: str = "",
    model: str = "",
) -> Iterator[Trace]:
    """About `count` whole traces of an application that began in that time, the oldest first; all if they are fewer.

    Only those that ended with a `status`, or were asked of a `model`, where they are given.
    """
    where, given = "application = ? AND started_ns >= ? AND started_ns < ?", [application, since_ns, until_ns]
    for column, value in (("status", status), ("model", model)):
        if value:
            where += f" AND {column} = ?"
            given.append(value)
    there = int(database.query(f"SELECT COUNT(*) FROM traces WHERE {where}", given)[0][0])
    share = _RANGE if there <= count else count * _RANGE // there
    rows = database.query(
        f"SELECT id FROM traces WHERE {where} AND (n * {SPREAD}) % {_RANGE} < ? ORDER BY started_ns", (*given, share)
    )
    for row in rows:
        yield find(database, row[0].hex())
