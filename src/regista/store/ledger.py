"""The ledger: a row for every call of a provider, with its tokens and its cost in nano-dollars.

Rows are written with their trace and never changed. Knows no key's limits and no prices.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from regista.core.nouns import Call, Trace, Usage
from regista.store.database import Database, Transaction

_USAGE = "input_tokens, output_tokens, cached_tokens, reasoning_tokens, cache_write_tokens"
_COLUMNS = (
    "trace, n, ended_ns, application, tenant, key, biller, model, cause, status, exact, "
    f"{_USAGE}, cost_nano, price_version, started_ns, duration_ns, first_token_ns, reason"
)
_INSERT = f"INSERT INTO ledger ({_COLUMNS}) VALUES ({', '.join('?' * 22)})"


def write(transaction: Transaction, numbered: Sequence[tuple[int, Trace]]) -> None:
    """Enter the calls of traces, each under its trace's number."""
    rows = [row for n, trace in numbered for row in _rows(n, trace)]
    if rows:
        transaction.executemany(_INSERT, rows)


def calls(database: Database, trace: int) -> tuple[Call, ...]:
    """The calls made for a trace, in the order they ended."""
    rows = database.query(
        f"SELECT biller, model, cause, status, {_USAGE}, exact, cost_nano, started_ns, duration_ns, first_token_ns, "
        "reason FROM ledger WHERE trace = ? ORDER BY n",
        (trace,),
    )
    return tuple(_call(*row) for row in rows)


def _call(biller: str, model: str, cause: Any, status: Any, *row: Any) -> Call:
    return Call(biller, model, cause, status, Usage(*row[:5]), bool(row[5]), *row[6:])


def _rows(n: int, trace: Trace) -> Iterator[tuple[Any, ...]]:
    for i, call in enumerate(trace.calls):
        usage = call.usage
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
            usage.input_tokens,
            usage.output_tokens,
            usage.cached_tokens,
            usage.reasoning_tokens,
            usage.cache_write_tokens,
            call.cost_nano,
            trace.price_version,
            call.started_ns,
            call.duration_ns,
            call.first_token_ns,
            call.reason,
        )
