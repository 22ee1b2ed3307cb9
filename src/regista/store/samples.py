"""Some of the traces of a time, evenly drawn, so that a busy day and a quiet one are read equally fast; and what was
thought of them.

Calls block.
"""

from collections.abc import Iterator
from typing import NamedTuple

from regista.core.nouns import Trace
from regista.store.database import Database
from regista.store.traces import find

SPREAD = 2_654_435_761
"""Knuth's multiplier: numbers that follow each other land far apart, so that no rhythm of the traffic is drawn."""
_RANGE = 1 << 32
_SHOWN = 2_000
"""Signals of which examples are taken: the newest."""
_AMONG = 20_000
"""Traces of all applications among which those of one are looked for."""
_OF_TIME = "made_ns >= ? AND made_ns < ? AND application = ? AND length(trace) > 0"


class Opinion(NamedTuple):
    """A thumb (of which `name` is empty) or a score on a trace."""

    kind: str
    name: str
    value: float
    trace: str


class Signalled(NamedTuple):
    """How many traces a signal was found in, and ids of some of them."""

    traces: int
    examples: list[str]


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

    Only those that ended with a `status`, or were asked of a `model`, where they are given. What was tried in
    evaluations is not among them.
    """
    where = "application = ? AND started_ns >= ? AND started_ns < ? AND tenant <> 'evaluation'"
    given = [application, since_ns, until_ns]
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


def opinions(database: Database, application: str, since_ns: int, until_ns: int, limit: int) -> list[Opinion]:
    """The newest thumbs and scores that were given on traces of an application in that time."""
    rows = database.query(
        f"SELECT kind, name, value, trace FROM feedback WHERE {_OF_TIME} AND kind IN ('thumb', 'score') "
        "AND value IS NOT NULL ORDER BY made_ns DESC LIMIT ?",
        (since_ns, until_ns, application, limit),
    )
    return [Opinion(kind, "" if kind == "thumb" else name, value, bytes(id).hex()) for kind, name, value, id in rows]


def signals(database: Database, application: str, since_ns: int, until_ns: int) -> dict[str, Signalled]:
    """What was found in that time in traces of an application, by the signal's name."""
    given = (since_ns, until_ns, application)
    where = f"FROM feedback WHERE {_OF_TIME} AND kind = 'signal'"
    counted = database.query(f"SELECT name, count(DISTINCT trace) {where} GROUP BY name ORDER BY name", given)
    newest = database.query(f"SELECT name, trace {where} ORDER BY made_ns DESC LIMIT ?", (*given, _SHOWN))
    examples: dict[str, dict[str, None]] = {}
    for name, id in newest:
        examples.setdefault(name, {})[bytes(id).hex()] = None
    return {name: Signalled(int(count), list(examples.get(name, ()))) for name, count in counted}


class Asked(NamedTuple):
    """What was asked of which model and how it ended; `length` is the question's in characters, None if not read."""

    model: str
    status: str
    length: int | None


def newest(database: Database, application: str, since_ns: int, count: int, read: int) -> list[Asked]:
    """The newest traces of an application but those of evaluations, of the first `read` also the question's length.

    They are among the last 20,000 of all applications.
    """
    rows = database.query(
        "SELECT n, model, status FROM (SELECT n, application, model, status, tenant, started_ns FROM traces "
        "WHERE started_ns >= ? ORDER BY started_ns DESC, n DESC LIMIT ?) AS newest "
        "WHERE application = ? AND tenant <> 'evaluation' ORDER BY started_ns DESC, n DESC LIMIT ?",
        (since_ns, _AMONG, application, count),
    )
    bodies = database.bodies.get(database, [row[0] for row in rows[:read]])
    lengths = {n: len(body.question) for n, body in bodies.items()}
    return [Asked(model, status, lengths.get(n)) for n, model, status in rows]
