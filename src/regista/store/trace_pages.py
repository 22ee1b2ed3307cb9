"""Traces as people look through them: a page of a list, what arrived since, and one with some of its spans at a time.

Knows no screen. Calls block.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from regista.core.nouns import Call, Citation, Span, Usage
from regista.core.user import forms
from regista.store import ledger
from regista.store.bodies import Body
from regista.store.database import Database, Row, Sought
from regista.store.rollups import HOUR_S, MINUTE_S
from regista.store.traces import COLUMNS, NOTHING, attributes_of, fields, located, spans_from
from regista.text.words import phrases

PREVIEW = 240
"""Characters of a question and of an answer that a list has."""
SOUGHT = 400
"""Traces in which words were found that are looked at for what else is wanted, before a page."""
TOGETHER = 20
"""Traces of one moment that a search allows for."""
_LISTED = f"SELECT n, id, {COLUMNS} FROM traces"


class Wanted(Struct, frozen=True):
    """Which traces: those of which all holds that is not empty.

    `id` is how ids start, `user` an end user, `text` are words of what was said, `until_ns` is the end, 0 for none.
    """

    application: str = ""
    model: str = ""
    status: str = ""
    id: str = ""
    text: str = ""
    since_ns: int = 0
    until_ns: int = 0
    user: str = ""


class Place(NamedTuple):
    """Where in a list, newest first, a trace stands."""

    started_ns: int
    n: int


class Listed(Struct, frozen=True):
    """A trace as a list shows it; `n` counts in order of arrival. Of what was said there is the beginning."""

    n: int
    id: str
    application: str
    variant: str
    model: str
    tenant: str
    started_ns: int
    duration_ns: int
    first_token_ns: int
    status: str
    error: str
    cached: str
    usage: Usage
    cost_nano: int | None
    price_version: str
    key: str
    user: str
    question: str
    answer: str

    @property
    def place(self) -> Place:
        return Place(self.started_ns, self.n)


class Part(Struct, frozen=True):
    """A trace with `spans` from the `first` on, of `count` in all; `depths` says how deep each of those lies."""

    trace: Listed
    question: str
    answer: str
    citations: tuple[Citation, ...]
    calls: tuple[Call, ...]
    spans: tuple[Span, ...]
    depths: tuple[int, ...]
    first: int
    count: int


def page(database: Database, wanted: Wanted, limit: int, after: Place | None = None) -> list[Listed]:
    """The newest traces of those wanted, those after a place only where one is given."""
    conditions, given = _where(wanted)
    if after is not None:
        conditions += ["started_ns <= ?", "(started_ns < ? OR n < ?)"]
        given += [after.started_ns, after.started_ns, after.n]
    said: dict[int, Body] = {}
    if wanted.text:
        said = _saying(database, wanted, limit, after)
        conditions.append(f"n IN ({', '.join('?' * len(said))})" if said else "0 = 1")
        given += said
    sql = f"{_LISTED} WHERE {' AND '.join(conditions)} ORDER BY started_ns DESC, n DESC LIMIT ?"
    return _listed(database, database.query(sql, (*given, limit)), said)


def arrived(database: Database, wanted: Wanted, since: int, limit: int) -> list[Listed]:
    """The last of those wanted, whatever they say, that arrived after the one of number `since`, the newest first."""
    conditions, given = _where(wanted)
    sql = f"{_LISTED} WHERE n > ? AND {' AND '.join(conditions)} ORDER BY n DESC LIMIT ?"
    return _listed(database, database.query(sql, (since, *given, limit)))


def newest(database: Database) -> int:
    """The number of the trace that arrived last; 0 where none did."""
    return int(database.query("SELECT coalesce(max(n), 0) FROM traces")[0][0])


def part(database: Database, trace_id: str, first: int, limit: int, started_ns: int = 0) -> Part:
    """A trace with at most `limit` of its spans; of several with one id the one that began then, if there is one.

    Raises `NotFoundError` as `traces.find`.
    """
    row = located(database, trace_id)
    if started_ns:
        row = next(iter(database.query(f"{_LISTED} WHERE id = ? AND started_ns = ?", (row[1], started_ns))), row)
    body = database.bodies.get(database, [row[0]]).get(row[0], NOTHING)
    parents = [parent for (parent,) in database.query("SELECT parent FROM spans WHERE trace = ? ORDER BY n", (row[0],))]
    rows = database.query(
        "SELECT stage, name, parent, start_ns, duration_ns, decision, reason FROM spans "
        "WHERE trace = ? AND n >= ? ORDER BY n LIMIT ?",
        (row[0], first, limit),
    )
    attributes = attributes_of(database, row[0], body, first, len(rows))
    return Part(
        _of(row, body),
        body.question,
        body.answer,
        body.citations,
        ledger.calls(database, row[0]),
        tuple(spans_from(rows, attributes)),
        tuple(depths(parents)[first : first + len(rows)]),
        first,
        len(parents),
    )


def depths(parents: Sequence[int]) -> list[int]:
    """How deep each span lies under its parents, which come before their children; one that does not is none.

    >>> depths([-1, 0, 1, 0, 9])
    [0, 1, 2, 1, 0]
    """
    found: list[int] = []
    for n, parent in enumerate(parents):
        found.append(found[parent] + 1 if 0 <= parent < n else 0)
    return found


def _where(wanted: Wanted) -> tuple[list[str], list[Any]]:
    conditions, given = ["started_ns >= ?"], list[Any]([wanted.since_ns])
    for name in ("application", "model", "status"):
        if value := getattr(wanted, name):
            conditions.append(f"{name} = ?")
            given.append(value)
    if wanted.status not in ("", "ok"):
        conditions.append("status <> 'ok'")  # word for word the condition of the index traces_failed
    if wanted.user:
        names = forms(wanted.user)
        conditions.append(f"user_id <> '' AND user_id IN ({', '.join('?' * len(names))})")
        given += names
    if wanted.until_ns:
        conditions.append("started_ns < ?")
        given.append(wanted.until_ns)
    if start := wanted.id.strip().lower():
        known = len(start) <= 32 and not set(start) - set("0123456789abcdef")
        conditions.append("id BETWEEN ? AND ?" if known else "0 = 1")
        given += [bytes.fromhex(start.ljust(32, fill)) for fill in "0f"] if known else []
    return conditions, given


def _saying(database: Database, wanted: Wanted, limit: int, after: Place | None) -> dict[int, Body]:
    """What was said in the last traces in which all the words are, by their numbers."""
    before = after.started_ns + 1 if after is not None else wanted.until_ns or None
    sought = Sought(phrases(wanted.text), wanted.application, before)
    # Without anything else to hold, a page is enough, and some that began in the same moment as the last one shown.
    most = SOUGHT if wanted.model or wanted.status or wanted.id or wanted.user else limit + TOGETHER
    return dict(database.bodies.search(database, sought, most)) if sought.phrases else {}


def _listed(database: Database, rows: Sequence[Row], said: dict[int, Body] | None = None) -> list[Listed]:
    bodies = said or database.bodies.get(database, [row[0] for row in rows])
    return [_of(row, bodies.get(row[0], NOTHING)) for row in rows]


def _of(row: Sequence[Any], body: Body) -> Listed:
    n, id, *columns = row
    question, answer = body.question[:PREVIEW], body.answer[:PREVIEW]
    return Listed(n=n, id=id.hex(), **fields(columns), question=question, answer=answer)


class Mark(NamedTuple):
    """Some feedback on a trace, as a list shows it."""

    kind: str
    source: str
    name: str
    value: float | None


def marks(database: Database, ids: Sequence[str], hidden: Sequence[str] = ()) -> dict[str, list[Mark]]:
    """The feedback on each of these traces, the oldest first. `hidden` are names of signals that are left out."""
    if not ids:
        return {}
    asked = ", ".join("?" * len(ids))
    sql = f"SELECT trace, kind, source, name, value FROM feedback WHERE trace IN ({asked}) ORDER BY made_ns, id"
    found: dict[str, list[Mark]] = {}
    for trace, *columns in database.query(sql, [bytes.fromhex(one) for one in ids]):
        mark = Mark(*columns)
        if not (mark.kind == "signal" and mark.name in hidden):
            found.setdefault(bytes(trace).hex(), []).append(mark)
    return found


class Tally(NamedTuple):
    """How many traces began in a step of time that begins at `start_s`."""

    start_s: int
    application: str
    model: str
    traces: int
    failed: int
    cancelled: int


class Spent(NamedTuple):
    """Calls of a model added up, without their times."""

    model: str
    calls: int
    failed: int
    cost_nano: int
    unpriced: int


def spent(database: Database, since_s: int, until_s: int, grain_s: int) -> list[Spent]:
    """What calls cost, by model, the dearest first. Reads no sketches either; `grain_s` is as in `rollups.read`."""
    stored = HOUR_S if grain_s % HOUR_S == 0 else MINUTE_S
    sql = (
        "SELECT model, sum(calls), sum(failed), sum(cost_nano), sum(unpriced) FROM call_rollups "
        "WHERE grain_s = ? AND start_s >= ? AND start_s < ? GROUP BY model"
    )
    found = [Spent(row[0], *map(int, row[1:])) for row in database.query(sql, (stored, since_s, until_s))]
    return sorted(found, key=lambda one: (-one.cost_nano, -one.calls, one.model))


def tallies(database: Database, wanted: Wanted, since_s: int, until_s: int, grain_s: int) -> list[Tally]:
    """Counts by time, application and model, from rollups: cheaper than `rollups.read`, for it merges no sketches.

    Of `wanted` there holds what rollups know: application and model.
    """
    step = f"start_s / {grain_s:d} * {grain_s:d}"
    conditions, given = ["grain_s = ?", "start_s >= ?", "start_s < ?"], list[Any]()
    given += [HOUR_S if grain_s % HOUR_S == 0 else MINUTE_S, since_s, until_s]
    for name in ("application", "model"):
        if value := getattr(wanted, name):
            conditions.append(f"{name} = ?")
            given.append(value)
    sql = (
        f"SELECT {step}, application, model, sum(traces), sum(failed), sum(cancelled) FROM trace_rollups "
        f"WHERE {' AND '.join(conditions)} GROUP BY {step}, application, model"
    )
    return [Tally(int(row[0]), row[1], row[2], *map(int, row[3:])) for row in database.query(sql, given)]
