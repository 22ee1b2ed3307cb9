"""The ledger: a row for every call of a provider, with its tokens and its cost in nano-dollars.

Rows are written with their trace; no figure in them is ever changed. Knows no key's limits and no prices.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import astuple

from regista.core.limits import Unit
from regista.core.nouns import Call, Trace, Usage
from regista.store.database import Database, Transaction

_USAGE = ", ".join(Usage.__struct_fields__)
_COLUMNS = (
    "trace, n, ended_ns, application, tenant, key, biller, model, cause, status, exact, "
    f"{_USAGE}, cost_nano, price_version, started_ns, duration_ns, first_token_ns, reason"
)
_INSERT = f"INSERT INTO ledger ({_COLUMNS}) VALUES ({', '.join('?' for _ in _COLUMNS.split(', '))})"
_CALL = f"biller, model, cause, status, {_USAGE}, exact, cost_nano, started_ns, duration_ns, first_token_ns, reason"
_CALLS = f"SELECT {_CALL} FROM ledger WHERE trace = ? ORDER BY n"
_DAY_NS = 86_400 * 10**9
_ASKED = 400
"""Traces asked about in one query."""

By = Literal["key", "model", "tenant", "cause", "application", "day"]
_GROUPS: dict[By, str] = {
    "key": "key",
    "model": "biller || '/' || model",
    "tenant": "tenant",
    "cause": "cause",
    "application": "application",
    "day": f"ended_ns / {_DAY_NS}",
}


class Sum(Struct, frozen=True):
    """Calls of one `name` added up. Money is in nano-dollars.

    `exact_nano` is what calls cost that the provider counted, `estimated_nano` what those did that it did not;
    `estimated` is how many those are, and `unpriced` how many calls of all have no known cost.
    """

    name: str
    calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    exact_nano: int
    estimated_nano: int
    estimated: int
    unpriced: int


def write(transaction: Transaction, numbered: Sequence[tuple[int, Trace]]) -> None:
    """Enter the calls of traces, each under its trace's number."""
    rows = [row for n, trace in numbered for row in _rows(n, trace)]
    if rows:
        transaction.executemany(_INSERT, rows)


def blank(transaction: Transaction, numbers: Sequence[int]) -> int:
    """Keep no longer what went wrong, in a provider's words, with calls of these traces; how many those were."""
    sql = f"UPDATE ledger SET reason = '' WHERE trace IN ({', '.join('?' * len(numbers))}) AND reason <> '' RETURNING 1"
    return len(transaction.execute(sql, numbers))


def calls(database: Database, trace: int) -> tuple[Call, ...]:
    """The calls made for a trace, in the order they ended."""
    return tuple(_call(*row) for row in database.query(_CALLS, (trace,)))


def calls_of(transaction: Transaction, trace: int) -> tuple[Call, ...]:
    """The same, as a transaction sees them."""
    return tuple(_call(*row) for row in transaction.execute(_CALLS, (trace,)))


def latest(database: Database, biller: str, model: str, limit: int) -> list[Call]:
    """The last calls of a model that ended well and were counted by its provider, the newest first."""
    rows = database.query(
        f"SELECT {_CALL} FROM ledger WHERE biller = ? AND model = ? AND status = 'ok' AND exact = 1 "
        "ORDER BY trace DESC LIMIT ?",
        (biller, model, limit),
    )
    return [_call(*row) for row in rows]


def models(database: Database, trace_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Who billed for the last call of each trace that ended well, and the model."""
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(trace_ids), _ASKED):
        some = [bytes.fromhex(id) for id in trace_ids[start : start + _ASKED]]
        rows = database.query(
            "SELECT t.id, l.biller, l.model FROM traces t JOIN ledger l ON l.trace = t.n "
            f"WHERE l.status = 'ok' AND t.id IN ({', '.join('?' * len(some))}) ORDER BY t.n, l.n",
            some,
        )
        found |= {id.hex(): (biller, model) for id, biller, model in rows}
    return found


def used(database: Database, key: str, since_ns: int) -> dict[Unit, int]:
    """What a key has used since a time: requests that came and calls that began then. Dollars are nano-dollars."""
    # The second condition is that of the index traces_by_key, which makes it usable.
    requests = "SELECT count(*) FROM traces WHERE key = ? AND key <> '' AND started_ns >= ?"
    calls = (
        "SELECT coalesce(sum(input_tokens + output_tokens), 0), coalesce(sum(cost_nano), 0) FROM ledger "
        "WHERE key = ? AND key <> '' AND started_ns >= ?"
    )
    ((tokens, cost),) = database.query(calls, (key, since_ns))
    return {"requests": database.query(requests, (key, since_ns))[0][0], "tokens": int(tokens), "dollars": int(cost)}


def sums(database: Database, by: By, since_ns: int = 0) -> list[Sum]:
    """All calls that ended since a time, added up: days in their order, others by their cost, the dearest first."""
    group = _GROUPS[by]
    rows = database.query(
        f"SELECT {group}, count(*), sum(input_tokens), sum(output_tokens), sum(cached_tokens), sum(reasoning_tokens), "
        "sum(CASE WHEN exact = 1 THEN coalesce(cost_nano, 0) ELSE 0 END), "
        "sum(CASE WHEN exact = 1 THEN 0 ELSE coalesce(cost_nano, 0) END), "
        "sum(1 - exact), sum(CASE WHEN cost_nano IS NULL THEN 1 ELSE 0 END) "
        f"FROM ledger WHERE ended_ns >= ? GROUP BY {group}",
        (since_ns,),
    )
    if by == "day":
        return [Sum(_day(row[0]), *map(int, row[1:])) for row in sorted(rows)]
    found = [Sum(row[0], *map(int, row[1:])) for row in rows]
    return sorted(found, key=lambda sum: (-sum.exact_nano - sum.estimated_nano, -sum.calls, sum.name))


def from_caches(database: Database, since_ns: int = 0) -> int:
    """How many answers given since a time came from a cache: they have no call, and cost nothing."""
    sql = (
        "SELECT count(*) FROM traces WHERE started_ns >= ? AND status = 'ok' AND cached <> '' "
        "AND NOT EXISTS (SELECT 1 FROM ledger WHERE ledger.trace = traces.n)"
    )
    return int(database.query(sql, (since_ns,))[0][0])


def _day(number: int) -> str:
    return datetime.fromtimestamp(number * _DAY_NS // 10**9, UTC).strftime("%Y-%m-%d")


def _call(biller: str, model: str, cause: Any, status: Any, *row: Any) -> Call:
    counts = len(Usage.__struct_fields__)
    exact, *rest = row[counts:]
    return Call(biller, model, cause, status, Usage(*row[:counts]), bool(exact), *rest)


def _rows(n: int, trace: Trace) -> Iterator[tuple[Any, ...]]:
    for i, call in enumerate(trace.calls):
        yield (
            n,
            i,
            call.started_ns + call.duration_ns,
            trace.application,
            trace.tenant,
            trace.key,
            call.biller,
            call.model,
            call.cause,
            call.status,
            int(call.exact),
            *astuple(call.usage),
            call.cost_nano,
            trace.price_version,
            call.started_ns,
            call.duration_ns,
            call.first_token_ns,
            call.reason,
        )
