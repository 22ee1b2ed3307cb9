"""Traces as rows: a narrow one per trace and per span, and a compressed body with what was said.

Knows how a trace is laid out in tables, not who makes or reads it.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle
from typing import Any

import msgspec
import zstandard

from regista.core.errors import NotFoundError
from regista.core.nouns import Citation, Json, Span, Trace, Usage
from regista.store import ledger, rollups
from regista.store.database import Database, Row, Transaction

_IDS = 400
"""Ids asked for in one query; SQLite takes 999 parameters in its oldest builds."""

_PAGE = 1_000
"""Traces summed up in one step."""
ROWS = 50
"""Rows between two rests: half a millisecond of work."""
_COLUMNS = (
    "application, variant, model, tenant, started_ns, duration_ns, first_token_ns, status, error, cached, "
    "input_tokens, output_tokens, cached_tokens, reasoning_tokens, cost_nano, price_version, cache_write_tokens, key"
)
_PAGE_OF_TRACES = f"SELECT n, id, {_COLUMNS} FROM traces WHERE n > ? ORDER BY n LIMIT ?"
_INSERT_TRACE = f"INSERT INTO traces (n, id, {_COLUMNS}) VALUES ({', '.join('?' * 20)})"
_INSERT_SPAN = f"INSERT INTO spans VALUES ({', '.join('?' * 9)})"
_INSERT_BODY = "INSERT INTO bodies VALUES (?, ?)"


class TraceRow(msgspec.Struct, frozen=True):
    """A trace as a list shows it: all but its answer, citations and spans."""

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
    question: str


class _Body(msgspec.Struct, frozen=True, array_like=True):
    """What was said, and the attributes of the spans in their order."""

    question: str
    answer: str
    citations: tuple[Citation, ...]
    attributes: tuple[Json, ...]


class _Codec(threading.local):
    """One compressor a thread: making one costs more than compressing a body, and sharing one is not safe."""

    def __init__(self) -> None:
        # Level 3 makes bodies of one or two kilobytes 1 % smaller and takes a quarter longer.
        self._compress = zstandard.ZstdCompressor(level=1)
        self._decompress = zstandard.ZstdDecompressor()
        self._encode = msgspec.msgpack.Encoder()
        self._decode = msgspec.msgpack.Decoder(_Body)

    def pack(self, trace: Trace) -> bytes:
        attributes = tuple([span.attributes for span in trace.spans])
        body = _Body(trace.question, trace.answer, trace.citations, attributes)
        return self._compress.compress(self._encode.encode(body))

    def unpack(self, body: bytes) -> _Body:
        return self._decode.decode(self._decompress.decompress(body))


_codec = _Codec()


def write(transaction: Transaction, traces: Sequence[Trace], rest: Callable[[], object] = lambda: None) -> int:
    """Store traces in their order; those already stored are left as they are. Returns how many were new.

    `rest` is called every few rows, for who shares a processor with someone in a hurry.
    """
    new = _new(transaction, traces)
    first = int(transaction.execute("SELECT coalesce(max(n), 0) + 1 FROM traces")[0][0])
    numbered = list(enumerate(new, first))
    transaction.executemany(_INSERT_TRACE, _unhurried((_trace_row(n, trace) for n, trace in numbered), rest))
    spans = (
        (n, i, s.parent, s.stage, s.name, s.start_ns, s.duration_ns, s.decision, s.reason)
        for n, trace in numbered
        for i, s in enumerate(trace.spans)
    )
    transaction.executemany(_INSERT_SPAN, _unhurried(spans, rest))
    transaction.executemany(_INSERT_BODY, _unhurried(((n, _codec.pack(trace)) for n, trace in numbered), rest))
    ledger.write(transaction, numbered)
    rest()
    if new:
        rollups.write(transaction, new)
        rollups.forget(transaction, new[-1].started_ns // rollups.NANO)
    return len(numbered)


def sum_up(database: Database) -> int:
    """Make the rollups of traces that were stored before there were any; how many traces that were. Once is enough."""
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
    rows = database.query(
        f"SELECT id, {_COLUMNS}, body FROM traces LEFT JOIN bodies ON bodies.trace = traces.n "
        f"WHERE {where} ORDER BY started_ns DESC, n DESC LIMIT ?",
        (*given.values(), limit),
    )
    return [_listed(row) for row in rows]


def find(database: Database, trace_id: str) -> Trace:
    """The trace of an id, or of the start of one if no other id starts like it.

    Where a caller sent one id with several requests, the newest.

    Raises:
        NotFoundError: no id starts like this, or several do.
    """
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
    n, id, *columns = rows[-1]
    return _trace(database, n, id.hex(), columns)


def answered(
    database: Database, application: str, *, since_ns: int = 0, limit: int = 1000, tenant: str = ""
) -> Iterator[Trace]:
    """The last traces of an application that a model answered, whole, the oldest first: of one tenant, or of all.

    Those answered from a cache are left out.
    """
    conditions = "application = ? AND started_ns >= ? AND status = 'ok' AND cached NOT IN ('hit', 'coalesced')"
    given: list[Any] = [application, since_ns]
    if tenant:
        conditions += " AND tenant = ?"
        given.append(tenant)
    rows = database.query(
        f"SELECT n, id, {_COLUMNS} FROM traces WHERE {conditions} ORDER BY started_ns DESC, n DESC LIMIT ?",
        (*given, limit),
    )
    for n, id, *columns in reversed(rows):
        yield _trace(database, n, id.hex(), columns)


def shadow_of(database: Database, trace_id: str) -> Trace | None:
    """The trace of the shadow call that was made for a trace, the newest; None where there is none."""
    rows = database.query(
        f"SELECT n, id, {_COLUMNS} FROM traces WHERE n = "
        "(SELECT max(trace) FROM spans WHERE name = ? AND stage = 'shadow')",
        (trace_id,),
    )
    return _trace(database, rows[0][0], rows[0][1].hex(), rows[0][2:]) if rows else None


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


def _unhurried(rows: Iterable[Row], rest: Callable[[], object]) -> Iterator[Row]:
    for row, turn in zip(rows, cycle(range(ROWS)), strict=False):
        yield row
        if turn == ROWS - 1:
            rest()


def _starting_with(database: Database, prefix: str) -> list[Row]:
    if not prefix or len(prefix) > 32 or set(prefix) - set("0123456789abcdef"):
        return []
    low, high = bytes.fromhex(prefix.ljust(32, "0")), bytes.fromhex(prefix.ljust(32, "f"))
    return database.query(
        f"SELECT n, id, {_COLUMNS} FROM traces WHERE id BETWEEN ? AND ? ORDER BY id, started_ns LIMIT 1000", (low, high)
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
    )


def _listed(row: Row) -> TraceRow:
    id, *columns, body = row
    return TraceRow(id=id.hex(), **_fields(columns), question=_codec.unpack(body).question)


def _trace(database: Database, n: int, id: str, columns: Sequence[Any]) -> Trace:
    body = _codec.unpack(database.query("SELECT body FROM bodies WHERE trace = ?", (n,))[0][0])
    rows = database.query(
        "SELECT stage, name, parent, start_ns, duration_ns, decision, reason FROM spans WHERE trace = ? ORDER BY n",
        (n,),
    )
    spans = tuple(
        Span(stage, name, parent, start, duration, decision, reason, attributes)
        for (stage, name, parent, start, duration, decision, reason), attributes in zip(
            rows, body.attributes, strict=True
        )
    )
    return Trace(
        id=id,
        **_fields(columns),
        question=body.question,
        answer=body.answer,
        citations=body.citations,
        spans=spans,
        calls=ledger.calls(database, n),
    )


def _bare(transaction: Transaction, row: Row) -> Trace:
    """A trace without what was said and done: what figures are made of."""
    n, id, *columns = row
    calls = ledger.calls_of(transaction, n)
    return Trace(id.hex(), **_fields(columns), question="", answer="", citations=(), spans=(), calls=calls)


def _fields(columns: Sequence[Any]) -> dict[str, Any]:
    """The columns by the names a trace has for them: its counts of tokens are one value."""
    fields: dict[str, Any] = dict(zip(_COLUMNS.split(", "), columns, strict=True))
    counts = {name: fields.pop(name) for name in Usage.__struct_fields__ if name in fields}
    return fields | {"usage": Usage(**counts)}
