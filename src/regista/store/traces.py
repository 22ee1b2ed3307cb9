"""Traces as rows: a narrow one per trace and per span, and a compressed body with what was said.

Knows how a trace is laid out in tables, not who makes or reads it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle
from typing import Any, TypeVar

import msgspec

from regista.core.errors import NotFoundError
from regista.core.nouns import Json, Span, Trace, Usage
from regista.core.user import forms
from regista.store import ledger, rollups
from regista.store.bodies import PART, Body, body_of, part_from, parts_of
from regista.store.database import Database, Row, Sought, Transaction
from regista.text.words import phrases, piece

_T = TypeVar("_T")
_IDS = 400
"""Ids asked for in one query; SQLite takes 999 parameters in its oldest builds."""

_SOME = 50
"""Traces whose bodies are held at once."""
_PAGE = 1_000
"""Traces summed up in one step."""
ROWS = 50
"""Rows between two rests: half a millisecond of work."""
COLUMNS = (
    "application, variant, model, tenant, started_ns, duration_ns, first_token_ns, status, error, cached, "
    "input_tokens, output_tokens, cached_tokens, reasoning_tokens, cost_nano, price_version, cache_write_tokens, key, "
    "user_id"
)
_PAGE_OF_TRACES = f"SELECT n, id, {COLUMNS} FROM traces WHERE n > ? ORDER BY n LIMIT ?"
_NEXT = (
    "SELECT coalesce(max(n), 0) + 1 FROM (SELECT max(n) AS n FROM traces UNION ALL SELECT max(trace) FROM ledger "
    "UNION ALL SELECT max(last) FROM body_steps) AS used"
)
"""A number that no trace had, even one that is forgotten: what was spent on that is still in the ledger."""
_INSERT_TRACE = f"INSERT INTO traces (n, id, {COLUMNS}) VALUES ({', '.join('?' * 21)})"
_INSERT_SPAN = f"INSERT INTO spans VALUES ({', '.join('?' * 9)})"
_INSERT_PART = "INSERT INTO body_parts VALUES (?, ?, ?)"
_SPANS = "SELECT stage, name, parent, start_ns, duration_ns, decision, reason FROM spans WHERE trace = ?"
_PIECE = 120
"""Characters shown of a text in which something was found."""
GONE = "(What was said is gone: the file of its week is missing or damaged.)"
"""The question of a trace of which nothing but its figures is left."""
NOTHING = Body(GONE, "")


class TraceRow(msgspec.Struct, frozen=True):
    """A trace as a list shows it: all but its answer, citations and spans.

    Where it was searched for, `piece` is some text in which something was found, and `marks` are the places in it.
    """

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
    piece: str = ""
    marks: tuple[tuple[int, int], ...] = ()


def write(transaction: Transaction, traces: Sequence[Trace], rest: Callable[[], object] = lambda: None) -> int:
    """Store traces in their order; those already stored are left as they are. Returns how many were new.

    `rest` is called every few rows, for who shares a processor with someone in a hurry.
    """
    new = _new(transaction, traces)
    numbered = list(enumerate(new, int(transaction.execute(_NEXT)[0][0])))
    transaction.executemany(_INSERT_TRACE, _unhurried((_trace_row(n, trace) for n, trace in numbered), rest))
    spans = (
        (n, i, s.parent, s.stage, s.name, s.start_ns, s.duration_ns, s.decision, s.reason)
        for n, trace in numbered
        for i, s in enumerate(trace.spans)
    )
    transaction.executemany(_INSERT_SPAN, _unhurried(spans, rest))
    transaction.bodies.put(transaction, _unhurried(((n, body_of(trace)) for n, trace in numbered), rest), rest)
    if parts := [(n, *part) for n, trace in numbered if len(trace.spans) > PART for part in parts_of(trace)]:
        transaction.executemany(_INSERT_PART, parts)
    ledger.write(transaction, numbered)
    rest()
    if new:
        rollups.write(transaction, new)
        rollups.forget(transaction, new[-1].started_ns // rollups.NANO)
    return len(numbered)


def sum_up(database: Database) -> int:
    """Make the rollups that a Regista which kept none left out; of how many traces there were none. Once is enough."""
    done = _sum_up(database)
    rollups.mend(database)
    return done


def _sum_up(database: Database) -> int:
    done = last = 0
    with database.transaction() as transaction:
        if not rollups.missing(transaction):
            return 0
        while rows := transaction.execute(_PAGE_OF_TRACES, (last, _PAGE)):
            last, done = rows[-1][0], done + len(rows)
            rollups.write(transaction, [_bare(transaction, row) for row in rows])
        return done


def known(database: Database, ids: Sequence[str]) -> set[str]:
    """Those of these ids of which a trace is stored."""
    found: set[str] = set()
    for start in range(0, len(ids), _IDS):
        some = [bytes.fromhex(one) for one in ids[start : start + _IDS]]
        marks = ", ".join("?" * len(some))
        found |= {row[0].hex() for row in database.query(f"SELECT id FROM traces WHERE id IN ({marks})", some)}
    return found


def recent(
    database: Database,
    application: str = "",
    limit: int = 20,
    *,
    model: str | None = None,
    status: str | None = None,
    user: str | None = None,
    before: int | None = None,
) -> list[TraceRow]:
    """The last traces, newest first: of one application, or of all where it is empty.

    `before` is a time in nanoseconds since 1970: pass the last row's `started_ns` for the next page.
    """
    conditions: dict[str, str | int | None] = {
        "application = ?": application or None,
        "model = ?": model,
        "status = ?": status,
    }
    conditions["started_ns < ?"] = before
    given = {sql: value for sql, value in conditions.items() if value is not None}
    where = " AND ".join(given) or "1 = 1"
    if status is not None and status != "ok":
        where += " AND status <> 'ok'"  # word for word the condition of the index traces_failed, which makes it usable
    if names := forms(user) if user else ():
        where += f" AND user_id <> '' AND user_id IN ({', '.join('?' * len(names))})"
    rows = database.query(
        f"SELECT n, id, {COLUMNS} FROM traces WHERE {where} ORDER BY started_ns DESC, n DESC LIMIT ?",
        (*given.values(), *names, limit),
    )
    bodies = database.bodies.get(database, [row[0] for row in rows])
    return [TraceRow(**_named(row), question=bodies.get(row[0], NOTHING).question) for row in rows]


def search(
    database: Database, text: str, *, application: str = "", limit: int = 20, before: int | None = None
) -> list[TraceRow]:
    """The last traces in whose question or answer a text's words are, all of them, newest first.

    Words in quotes stand in a row. Case and accents do not count, nor does anything but letters and digits; of a
    question or an answer the first 100,000 characters are looked at. `before` is as in `recent`.
    """
    sought = Sought(phrases(text), application, before)
    found = database.bodies.search(database, sought, limit) if sought.phrases else []
    rows: dict[int, Row] = {}
    for start in range(0, len(found), _IDS):
        some = [n for n, _ in found[start : start + _IDS]]
        marks = ", ".join("?" * len(some))
        rows |= {
            row[0]: row for row in database.query(f"SELECT n, id, {COLUMNS} FROM traces WHERE n IN ({marks})", some)
        }
    listed: list[TraceRow] = []
    for n, body in found:
        if row := rows.get(n):
            shown, marked = piece(sought.phrases, (body.question, body.answer), _PIECE)
            listed.append(TraceRow(**_named(row), question=body.question, piece=shown, marks=marked))
    return listed


def of_ids(database: Database, ids: Sequence[str]) -> list[tuple[int, Trace]]:
    """All traces of these ids, whoever's they are, each with its number."""
    found: list[tuple[int, Trace]] = []
    for start in range(0, len(ids), _IDS):
        some = [bytes.fromhex(one) for one in ids[start : start + _IDS]]
        marks = ", ".join("?" * len(some))
        rows = database.query(f"SELECT n, id, {COLUMNS} FROM traces WHERE id IN ({marks})", some)
        bodies = database.bodies.get(database, [row[0] for row in rows]) if rows else {}
        found += [(row[0], _trace(database, row, bodies.get(row[0], NOTHING))) for row in rows]
    return found


def remove(transaction: Transaction, numbers: Sequence[int]) -> None:
    """Take traces of these numbers, a few hundred at most, out of the tables; their sums and calls stay."""
    marks = ", ".join("?" * len(numbers))
    transaction.bodies.remove(transaction, numbers)
    for table, name in (("spans", "trace"), ("body_parts", "trace"), ("traces", "n")):
        transaction.execute(f"DELETE FROM {table} WHERE {name} IN ({marks})", numbers)


def withdraw(transaction: Transaction, numbered: Sequence[tuple[int, Trace]]) -> None:
    """Take traces away that others are written in the place of, and out of the sums. They are without calls."""
    for n, trace in numbered:
        remove(transaction, [n])
        rollups.withdraw(transaction, trace)


def find(database: Database, trace_id: str) -> Trace:
    """The trace of an id, or of the start of one if no other id starts like it.

    Where a caller sent one id with several requests, the newest.

    Raises:
        NotFoundError: no id starts like this, or several do.
    """
    row = located(database, trace_id)
    body = database.bodies.get(database, [row[0]]).get(row[0], NOTHING)
    return _trace(database, row, body)


def spans_of(database: Database, trace: str, start: int = 0, limit: int = PART) -> list[Span]:
    """Spans of the trace that `find` finds, from the one of number `start` on; the others are not read.

    Raises as `find`.
    """
    n = located(database, trace)[0]
    rows = database.query(f"{_SPANS} AND n >= ? ORDER BY n LIMIT ?", (n, start, limit))
    return spans_from(rows, attributes_of(database, n, None, start, len(rows)))


def attributes_of(database: Database, n: int, body: Body | None, start: int, count: int) -> list[Json]:
    """Attributes of so many spans of the trace of a number; empty ones where they are gone.

    `body` is its body, if it is at hand.
    """
    found: dict[int, Json] = {}
    if start < PART:
        body = body or database.bodies.get(database, [n]).get(n, NOTHING)
        found |= enumerate(body.attributes)
    first, last = max(1, start // PART), (start + count - 1) // PART
    sql = "SELECT part, body FROM body_parts WHERE trace = ? AND part BETWEEN ? AND ?"
    for part, packed in database.query(sql, (n, first, last)) if last >= first else ():
        found |= enumerate(part_from(packed), part * PART)
    return [found.get(at, {}) for at in range(start, start + count)]


def spans_from(rows: Sequence[Row], attributes: Sequence[Json]) -> list[Span]:
    """Spans of rows of their columns from `stage` to `reason`, and of their attributes."""
    return [Span(*row, attributes=given) for row, given in zip(rows, attributes, strict=True)]


def located(database: Database, trace_id: str) -> Row:
    """The same trace's number, id and `COLUMNS`. Raises as `find`."""
    rows = _starting_with(database, trace_id.strip().lower())
    if not rows:
        raise NotFoundError(
            f"No trace's id starts with {trace_id!r}. `regista traces` lists the ids of the last ones; "
            "a trace takes up to a quarter of a second to get there."
        )
    ids = sorted({row[1].hex() for row in rows})
    if len(ids) > 1:
        shown = ", ".join(id[: max(12, len(trace_id) + 4)] for id in ids[:5])
        raise NotFoundError(
            f"The ids of several traces start with {trace_id!r}: {shown}{', …' if len(ids) > 5 else ''}. "
            "Type more of the one you mean."
        )
    return rows[-1]


def answered(
    database: Database, application: str, *, since_ns: int = 0, limit: int = 1000, tenant: str = ""
) -> Iterator[Trace]:
    """The last traces of an application that a model answered, whole, the oldest first: of one tenant, or of all.

    Those answered from a cache are left out, and those of which nothing but figures is left.
    """
    conditions = "application = ? AND started_ns >= ? AND status = 'ok' AND cached NOT IN ('hit', 'coalesced')"
    given: list[Any] = [application, since_ns]
    if tenant:
        conditions += " AND tenant = ?"
        given.append(tenant)
    rows = database.query(
        f"SELECT n, id, {COLUMNS} FROM traces WHERE {conditions} ORDER BY started_ns DESC, n DESC LIMIT ?",
        (*given, limit),
    )
    rows.reverse()
    for start in range(0, len(rows), _SOME):
        some = rows[start : start + _SOME]
        bodies = database.bodies.get(database, [row[0] for row in some])
        yield from (_trace(database, row, bodies[row[0]]) for row in some if row[0] in bodies)


def shadow_of(database: Database, trace_id: str) -> Trace | None:
    """The trace of the shadow call that was made for a trace, the newest; None where there is none."""
    rows = database.query(
        f"SELECT n, id, {COLUMNS} FROM traces WHERE n = "
        "(SELECT max(trace) FROM spans WHERE name = ? AND stage = 'shadow')",
        (trace_id,),
    )
    if not rows:
        return None
    return _trace(database, rows[0], database.bodies.get(database, [rows[0][0]]).get(rows[0][0], NOTHING))


def _new(transaction: Transaction, traces: Sequence[Trace]) -> list[Trace]:
    """The traces not stored yet, each once."""
    given = {(bytes.fromhex(trace.id), trace.started_ns): trace for trace in traces}
    ids = [id for id, _ in given]
    for start in range(0, len(ids), _IDS):
        some = ids[start : start + _IDS]
        marks = ", ".join("?" * len(some))
        for known in transaction.execute(f"SELECT id, started_ns FROM traces WHERE id IN ({marks})", some):
            given.pop((known[0], known[1]), None)
    return list(given.values())


def _unhurried(rows: Iterable[_T], rest: Callable[[], object]) -> Iterator[_T]:
    for row, turn in zip(rows, cycle(range(ROWS)), strict=False):
        yield row
        if turn == ROWS - 1:
            rest()


def _starting_with(database: Database, prefix: str) -> list[Row]:
    if not prefix or len(prefix) > 32 or set(prefix) - set("0123456789abcdef"):
        return []
    low, high = bytes.fromhex(prefix.ljust(32, "0")), bytes.fromhex(prefix.ljust(32, "f"))
    return database.query(
        f"SELECT n, id, {COLUMNS} FROM traces WHERE id BETWEEN ? AND ? ORDER BY id, started_ns LIMIT 1000", (low, high)
    )


def _trace_row(n: int, trace: Trace) -> tuple[Any, ...]:
    usage = trace.usage
    return (
        n,
        bytes.fromhex(trace.id),
        trace.application,
        trace.variant,
        trace.model,
        trace.tenant,
        trace.started_ns,
        trace.duration_ns,
        trace.first_token_ns,
        trace.status,
        trace.error,
        trace.cached,
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.reasoning_tokens,
        trace.cost_nano,
        trace.price_version,
        usage.cache_write_tokens,
        trace.key,
        trace.user,
    )


def _named(row: Row) -> dict[str, Any]:
    return {"id": row[1].hex(), **fields(row[2:])}


def _trace(database: Database, row: Row, body: Body) -> Trace:
    n = row[0]
    rows = database.query(f"{_SPANS} ORDER BY n", (n,))
    return Trace(
        **_named(row),
        question=body.question,
        answer=body.answer,
        citations=body.citations,
        spans=tuple(spans_from(rows, attributes_of(database, n, body, 0, len(rows)))),
        calls=ledger.calls(database, n),
    )


def _bare(transaction: Transaction, row: Row) -> Trace:
    """A trace without what was said and done: what figures are made of."""
    n, id, *columns = row
    calls = ledger.calls_of(transaction, n)
    return Trace(id.hex(), **fields(columns), question="", answer="", citations=(), spans=(), calls=calls)


def fields(columns: Sequence[Any]) -> dict[str, Any]:
    """The columns by the names a trace has for them: its counts of tokens are one value."""
    named: dict[str, Any] = dict(zip(COLUMNS.split(", "), columns, strict=True))
    counts = {name: named.pop(name) for name in Usage.__struct_fields__ if name in named}
    return named | {"usage": Usage(**counts), "user": named.pop("user_id")}
