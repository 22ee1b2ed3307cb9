"""Traces as they arrive, in figures only: what a watch over them reads. Calls block."""

from collections.abc import Sequence

from msgspec import Struct

from regista.store.database import Database

_IDS = 400
EVALUATION = "evaluation"
"""The tenant of what is tried and not asked: it is not watched."""


class Arrival(Struct, frozen=True):
    """A trace's number, id and figures. `cost_nano` is None where no price is known."""

    n: int
    trace: str
    application: str
    started_ns: int
    duration_ns: int
    first_token_ns: int
    status: str
    cost_nano: int | None


def newest(database: Database) -> int:
    """The number of the trace that arrived last; 0 where none did."""
    return int(database.query("SELECT coalesce(max(n), 0) FROM traces")[0][0])


def arrivals(database: Database, applications: Sequence[str], after: int, until: int, most: int) -> list[Arrival]:
    """Traces of these applications of the numbers after one until another, in order; each so many-th if they are more.

    `most` is about how many there are at most.
    """
    step = max(1, (until - after) // most)
    marks = ", ".join("?" * len(applications))
    rows = database.query(
        "SELECT n, id, application, started_ns, duration_ns, first_token_ns, status, cost_nano FROM traces "
        f"WHERE n > ? AND n <= ? AND n % ? = 0 AND application IN ({marks}) AND tenant <> ? ORDER BY n",
        (after, until, step, *applications, EVALUATION),
    )
    return [Arrival(n, bytes(id).hex(), *columns) for n, id, *columns in rows]


def opinions(database: Database, traces: Sequence[str]) -> dict[str, list[tuple[str, str, float | None]]]:
    """Kind, name and value of the thumbs given on traces and of the signals found in them, as they came, by trace."""
    found: dict[str, list[tuple[str, str, float | None]]] = {}
    for start in range(0, len(traces), _IDS):
        some = [bytes.fromhex(one) for one in traces[start : start + _IDS]]
        marks = ", ".join("?" * len(some))
        where = f"trace IN ({marks}) AND kind IN ('thumb', 'signal')"
        sql = f"SELECT trace, kind, name, value FROM feedback WHERE {where} ORDER BY made_ns"
        for id, kind, name, value in database.query(sql, some):
            found.setdefault(bytes(id).hex(), []).append((kind, name, value))
    return found
