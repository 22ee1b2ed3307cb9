"""Batches: many requests from one file, answered by whoever holds the lease, one line after another.

What has been done of a batch are the parts of its output and its error file: a line is done when its part is there,
which is in the same transaction as its count. Knows no requests and no models. Calls block.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from regista.core.errors import NotFoundError, RequestError, StoreError
from regista.core.nouns import Json, Usage
from regista.store import files
from regista.store.database import Database, Row, Transaction

WINDOW_NS = 86_400 * 10**9
"""How long a batch may take: OpenAI's completion window of 24 hours."""
LEASE_NS = 15 * 10**9
"""How long a batch stays with a runner that is not heard of any more."""
SECOND_NS = 10**9
OUTPUT = "batch_output"
"""The purpose of the files a batch writes."""


class Trouble(Struct, frozen=True):
    """What is wrong with a batch as a whole; `line` is that of its input, where it is one line's fault."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


class Batch(Struct, frozen=True):
    """A batch as the store has it: see the migration for what its columns mean. Times are nanoseconds since 1970."""

    id: str
    application: str
    tenant: str
    key: str
    place: str
    endpoint: str
    input_file: str
    output_file: str
    error_file: str
    status: str
    metadata: dict[str, str]
    created_ns: int
    expires_ns: int
    output_keep_s: int | None
    started_ns: int | None
    finalizing_ns: int | None
    cancelling_ns: int | None
    ended_ns: int | None
    total: int
    completed: int
    failed: int
    usage: Usage
    model: str
    errors: tuple[Trouble, ...]
    upstream: str
    owner: str
    lease_ns: int


class Order(Struct, frozen=True):
    """What a batch is made from. `place` is `gateway` or `command`: who may run it. `key` is how its key starts."""

    application: str
    tenant: str
    key: str
    place: str
    endpoint: str
    input_file: str
    metadata: dict[str, str] = {}
    output_keep_s: int | None = None


class Result(NamedTuple):
    """A line that is done: its number, whether it was answered, its line in the output or the error file, its usage."""

    n: int
    answered: bool
    line: bytes
    usage: Usage = Usage()


class LeaseLostError(StoreError):
    """Another runner has the batch now: what this one knows of it holds no longer."""

    code = "lease_lost"


_USAGE = "input_tokens, output_tokens, cached_tokens, reasoning_tokens"
_COLUMNS = (
    "id, application, tenant, key, place, endpoint, input_file, output_file, error_file, status, metadata, "
    "created_ns, expires_ns, output_keep_s, started_ns, finalizing_ns, cancelling_ns, ended_ns, "
    f"total, completed, failed, {_USAGE}, model, errors, upstream, owner, lease_ns"
)
_NAMES = _COLUMNS.split(", ")
_USED = _USAGE.split(", ")
_FREE = "ended_ns IS NULL AND (owner = '' OR lease_ns < ?)"


def create(database: Database, order: Order, owner: str = "") -> Batch:
    """Enter a batch to be validated and run; it may begin with an owner, who alone runs it.

    Raises:
        NotFoundError: the tenant has no such file.
        RequestError: the file is of another purpose.
    """
    file = files.find(database, order.tenant, order.input_file)
    if file.purpose != "batch":
        raise RequestError(f"The file {file.id} was uploaded for {file.purpose!r}, not for 'batch'.", param="purpose")
    now = time.time_ns()
    batch = f"batch_{secrets.token_hex(12)}"
    with database.transaction() as transaction:
        files.stay(transaction, file.id, now + 2 * WINDOW_NS)  # it must outlive the batch that reads it
        rows = transaction.execute(
            "INSERT INTO batches (id, application, tenant, key, place, endpoint, input_file, output_file, error_file, "
            "status, metadata, created_ns, expires_ns, output_keep_s, owner, lease_ns) "
            f"VALUES (?, ?, ?, ?, ?, ?, ?, '', '', 'validating', ?, ?, ?, ?, ?, ?) RETURNING {_COLUMNS}",
            (
                batch,
                order.application,
                order.tenant,
                order.key,
                order.place,
                order.endpoint,
                order.input_file,
                msgspec.json.encode(order.metadata).decode(),
                now,
                now + WINDOW_NS,
                order.output_keep_s,
                owner,
                now + LEASE_NS if owner else 0,
            ),
        )
    return _batch(rows[0])


def find(database: Database, tenant: str, batch: str) -> Batch:
    """A tenant's batch.

    Raises:
        NotFoundError: it has no such batch.
    """
    rows = database.query(f"SELECT {_COLUMNS} FROM batches WHERE id = ? AND tenant = ?", (batch, tenant))
    if not rows:
        raise NotFoundError(f"There is no batch {batch!r}.", param="batch_id")
    return _batch(rows[0])


def listing(database: Database, tenant: str, *, after: str = "", limit: int = 20) -> list[Batch]:
    """A tenant's batches, the newest first; those that follow the batch `after`."""
    narrowed = ""
    parameters: list[Any] = [tenant]
    if after:
        last = find(database, tenant, after)
        narrowed = " AND (created_ns < ? OR (created_ns = ? AND id < ?))"
        parameters += [last.created_ns, last.created_ns, last.id]
    rows = database.query(
        f"SELECT {_COLUMNS} FROM batches WHERE tenant = ?{narrowed} ORDER BY created_ns DESC, id DESC LIMIT ?",
        (*parameters, limit),
    )
    return [_batch(row) for row in rows]


def of_application(database: Database, application: str, limit: int) -> list[Batch]:
    """An application's batches, whosever they are, the newest first."""
    rows = database.query(
        f"SELECT {_COLUMNS} FROM batches WHERE application = ? ORDER BY created_ns DESC, id DESC LIMIT ?",
        (application, limit),
    )
    return [_batch(row) for row in rows]


def named(database: Database, application: str, batch: str) -> Batch:
    """An application's batch by its id or an unambiguous beginning of it, whosever it is.

    Raises:
        NotFoundError: none is called so, or several are.
    """
    wanted = batch if batch.startswith("batch_") else f"batch_{batch}"
    known = of_application(database, application, 10_000)
    found = [one for one in known if one.id.startswith(wanted)]
    if len(found) != 1:
        shown = ", ".join(one.id for one in (found or known)[:5]) or "none"
        said = "Several batches are" if found else "No batch is"
        raise NotFoundError(f"{said} called {batch!r}. There are: {shown}.")
    return found[0]


def read_by(database: Database, file: str) -> str:
    """The batch that still reads a file, or nothing."""
    rows = database.query("SELECT id FROM batches WHERE input_file = ? AND ended_ns IS NULL LIMIT 1", (file,))
    return rows[0][0] if rows else ""


def cancel(database: Database, tenant: str, batch: str) -> Batch:
    """Have no further line of a batch begun. Whoever runs it ends it, or whoever would run it next.

    Raises:
        NotFoundError: the tenant has no such batch.
        RequestError: it has ended.
    """
    with database.transaction() as transaction:
        rows = transaction.execute(
            "UPDATE batches SET status = 'cancelling', cancelling_ns = ? "
            f"WHERE id = ? AND tenant = ? AND status IN ('validating', 'in_progress') RETURNING {_COLUMNS}",
            (time.time_ns(), batch, tenant),
        )
    if rows:
        return _batch(rows[0])
    found = find(database, tenant, batch)
    if found.status != "cancelling":
        raise RequestError(f"The batch {batch} is {found.status}: there is nothing to cancel.", status=409)
    return found


def owner() -> str:
    """A name for who takes a batch, unlike any other."""
    return secrets.token_hex(8)


def waiting(database: Database, application: str, but: Sequence[str] = ()) -> bool:
    """Whether a gateway could take a batch, of other tenants than `but`: a look that disturbs nobody who writes."""
    sql = f"SELECT 1 FROM batches WHERE application = ? AND {_gateways(but)} AND {_FREE} LIMIT 1"
    return bool(database.query(sql, (application, *but, time.time_ns())))


def claim(database: Database, application: str, owner: str, only: str = "", but: Sequence[str] = ()) -> Batch | None:
    """Take the oldest batch that nobody runs: one for a gateway, or `only` that one, whoever may run it.

    A gateway takes none of the tenants `but`.
    """
    now = time.time_ns()
    chosen, parameters = ("id = ?", (only,)) if only else (_gateways(but), tuple(but))
    with database.transaction() as transaction:
        rows = transaction.execute(
            f"UPDATE batches SET owner = ?, lease_ns = ? WHERE {_FREE} AND id = (SELECT id FROM batches "
            f"WHERE application = ? AND {chosen} AND {_FREE} ORDER BY created_ns LIMIT 1) RETURNING {_COLUMNS}",
            (owner, now + LEASE_NS, now, application, *parameters, now),
        )
    return _batch(rows[0]) if rows else None


def _gateways(but: Sequence[str]) -> str:
    """What is true of the batches a gateway may take; its parameters are `but`."""
    return "place = 'gateway'" + (f" AND tenant NOT IN ({', '.join('?' * len(but))})" if but else "")


def renew(database: Database, batch: Batch) -> Batch:
    """Keep a batch for another while; what it is by now. Raises `LeaseLostError`."""
    with database.transaction() as transaction:
        return _batch(_owned(transaction, batch, ""))


def release(database: Database, batch: Batch) -> None:
    """Leave a batch to whoever comes next."""
    with database.transaction() as transaction:
        transaction.execute("UPDATE batches SET owner = '' WHERE id = ? AND owner = ?", (batch.id, batch.owner))


def start(database: Database, batch: Batch, total: int, model: str) -> Batch:
    """A batch has been found right: its files are made, and its lines may be run. Raises `LeaseLostError`."""
    with database.transaction() as transaction:
        output, error = (
            files.enter(transaction, batch.tenant, f"{batch.id}_{name}.jsonl", OUTPUT) for name in ("output", "error")
        )
        # A batch that is being cancelled stays so.
        changes = (
            "status = CASE WHEN status = 'validating' THEN 'in_progress' ELSE status END, "
            "started_ns = ?, total = ?, model = ?, output_file = ?, error_file = ?"
        )
        return _batch(_owned(transaction, batch, changes, (time.time_ns(), total, model, output, error)))


def submitted(database: Database, batch: Batch, upstream: str) -> Batch:
    """Note where a provider runs it. Raises `LeaseLostError`."""
    with database.transaction() as transaction:
        return _batch(_owned(transaction, batch, "upstream = ?", (upstream,)))


def finalize(database: Database, batch: Batch) -> Batch:
    """All is answered, and answers are being fetched. Raises `LeaseLostError`."""
    with database.transaction() as transaction:
        changes = "status = 'finalizing', finalizing_ns = ?"
        return _batch(_owned(transaction, batch, changes, (time.time_ns(),)))


def commit(database: Database, batch: Batch, results: Sequence[Result]) -> Batch:
    """Keep lines that are done: all of these or none. What the batch is by now. Raises `LeaseLostError`."""
    answered = [(result.n, result.line) for result in results if result.answered]
    failed = [(result.n, result.line) for result in results if not result.answered]
    used = sum((result.usage for result in results), Usage())
    changes = (
        "completed = completed + ?, failed = failed + ?, input_tokens = input_tokens + ?, "
        "output_tokens = output_tokens + ?, cached_tokens = cached_tokens + ?, "
        "reasoning_tokens = reasoning_tokens + ?"
    )
    counts = (len(answered), len(failed), used.input_tokens, used.output_tokens)
    with database.transaction() as transaction:
        row = _owned(transaction, batch, changes, (*counts, used.cached_tokens, used.reasoning_tokens))
        files.write(transaction, batch.output_file, answered)
        files.write(transaction, batch.error_file, failed)
    return _batch(row)


def done(database: Database, batch: Batch, first: int = 0, last: int = 1 << 62) -> list[int]:
    """The numbers of the lines that are done, from `first` to `last`."""
    return files.numbers(database, [batch.output_file, batch.error_file], first, last)


def end(database: Database, batch: Batch, status: str, errors: Sequence[Trouble] = ()) -> Batch:
    """A batch has ended as `status` says; its files are there from now on, empty ones are not. `LeaseLostError`."""
    now = time.time_ns()
    expires = None if batch.output_keep_s is None else now + batch.output_keep_s * SECOND_NS
    with database.transaction() as transaction:
        kept = {"output_file": batch.output_file, "error_file": batch.error_file}
        for name, file in kept.items():
            whole = files.close(transaction, file, expires)
            if whole is not None and not whole.bytes:
                files.erase(transaction, [file])
                kept[name] = ""
        changes = (
            "status = ?, errors = ?, ended_ns = ?, finalizing_ns = coalesce(finalizing_ns, ?), "
            "output_file = ?, error_file = ?"
        )
        told = msgspec.json.encode(list(errors)).decode()
        _owned(transaction, batch, changes, (status, told, now, now, *kept.values()))
        rows = transaction.execute(f"UPDATE batches SET owner = '' WHERE id = ? RETURNING {_COLUMNS}", (batch.id,))
    return _batch(rows[0])


def reopen(database: Database, batch: Batch, owner: str) -> Batch:
    """Have a batch that was given up run again from where it stopped, for another window.

    Raises:
        RequestError: it was not given up, none of its lines was ever run, or what was answered is gone.
    """
    now = time.time_ns()
    with database.transaction() as transaction:
        rows = transaction.execute(
            "UPDATE batches SET status = 'in_progress', errors = '[]', ended_ns = NULL, finalizing_ns = NULL, "
            "expires_ns = ?, owner = ?, lease_ns = ? WHERE id = ? AND status = 'failed' AND total > 0 "
            "RETURNING output_file, error_file",
            (now + WINDOW_NS, owner, now + LEASE_NS, batch.id),
        )
        if not rows:
            raise RequestError(f"The batch {batch.id} is {batch.status}: there is nothing to resume.", status=409)
        made = dict(zip(("output", "error"), rows[0], strict=True))
        for name, file in made.items():
            if not file:
                made[name] = files.enter(transaction, batch.tenant, f"{batch.id}_{name}.jsonl", OUTPUT)
            elif not files.reopen(transaction, file):
                gone = (
                    f"What the batch {batch.id} had answered is gone: its file {file} was deleted, or its time was up."
                )
                raise RequestError(f"{gone} Make a new batch.", status=409)
        files.stay(transaction, batch.input_file, now + 2 * WINDOW_NS)
        rows = transaction.execute(
            f"UPDATE batches SET output_file = ?, error_file = ? WHERE id = ? RETURNING {_COLUMNS}",
            (*made.values(), batch.id),
        )
    return _batch(rows[0])


def _owned(transaction: Transaction, batch: Batch, changes: str, parameters: Sequence[Any] = ()) -> Row:
    """Change a batch and renew its lease, if it still is this owner's: the row as it is then."""
    rows = transaction.execute(
        f"UPDATE batches SET {changes}{', ' if changes else ''}lease_ns = ? WHERE id = ? AND owner = ? "
        f"RETURNING {_COLUMNS}",
        (*parameters, time.time_ns() + LEASE_NS, batch.id, batch.owner),
    )
    if not rows:
        raise LeaseLostError(f"The batch {batch.id} is run by another process now.")
    return rows[0]


def _batch(row: Row) -> Batch:
    fields: Json = dict(zip(_NAMES, row, strict=True))
    fields["usage"] = Usage(*(fields.pop(name) for name in _USED))
    fields["metadata"] = msgspec.json.decode(fields["metadata"])
    fields["errors"] = tuple(msgspec.json.decode(fields["errors"], type=list[Trouble]))
    return Batch(**fields)
