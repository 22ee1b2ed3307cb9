"""Everything the tables hold of some traces, found by them and taken away. Knows no user's name but the column of it.

What was said comes out first and the traces last: where it is interrupted, they are found again, and the next time
does the rest. Calls block.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from regista.core.nouns import Evidence
from regista.core.user import forms
from regista.store import caches, evaluations, ledger
from regista.store.database import Database, Row, Transaction

SOME = 200
"""Traces in one transaction: others write in between."""
_COPIES = "SELECT trace FROM spans WHERE stage = '{0}' AND name IN ({1})"
COPIED = ("shadow", "replay", "playground")
"""Stages of traces made of another one, whose id is the span's name: they hold its words too.

Each has an index of its own.
"""
_KEYED = "stage = 'cache' AND name = 'exact'"
"""Stages that name the key of an answer in the exact cache, a digest."""
_FOUND_BY = f"{_KEYED} OR stage IN {COPIED}"
"""Stages by which more is found."""
_FOUND = "SELECT n, id, started_ns, application, tenant FROM traces"
_evidence = msgspec.msgpack.Decoder(tuple[Evidence, ...]).decode


class Taken(NamedTuple):
    """A trace that goes."""

    n: int
    id: str
    started_ns: int
    application: str
    tenant: str


def tenants_of(database: Database, user: str) -> dict[str, int]:
    """How many traces there are of a user of that name, by tenant: two of one name need not be one person."""
    names = forms(user)
    sql = f"SELECT tenant, count(*) FROM traces WHERE user_id <> '' AND user_id IN ({_marks(names)}) GROUP BY tenant"
    return {tenant: int(count) for tenant, count in sorted(database.query(sql, names))}


def of_user(database: Database, user: str, tenant: str, until_ns: int) -> list[Taken]:
    """The traces of a tenant's user that began before a time, with those that were made of them, the oldest first."""
    names = forms(user)
    where = f"user_id <> '' AND user_id IN ({_marks(names)}) AND tenant = ? AND started_ns < ?"
    rows = database.query(f"{_FOUND} WHERE {where}", (*names, tenant, until_ns))
    found = {row[0]: _taken(row) for row in rows}
    looked = list(found.values())
    while looked:  # a replay may be replayed
        looked = [one for one in _copies(database, looked) if one.n not in found]
        found |= {one.n: one for one in looked}
    return sorted(found.values(), key=lambda one: one.n)


def exact_keys(database: Database, taken: Sequence[Taken]) -> set[tuple[str, str]]:
    """Under which keys the exact cache may have answers of these traces, each with its application."""
    found: set[tuple[str, str]] = set()
    applications = {one.n: one.application for one in taken}
    for some in chunks(list(applications)):
        sql = f"SELECT trace, reason FROM spans WHERE trace IN ({_marks(some)}) AND {_KEYED}"
        found |= {(applications[n], reason) for n, reason in database.query(sql, some) if _is_key(reason)}
    return found


def take_words(database: Database, taken: Sequence[Taken], examples: Sequence[str]) -> Counter[str]:
    """Take away all that was said in these traces and of them, and count it by table. Their own rows stay, and those
    of stages that say what they are copies of, and which keys a shared cache has: the next time finds the rest by them.

    `examples` are the ids of cases that were made of them.
    """
    removed = Counter[str]()
    for some in chunks(taken):
        with database.transaction() as transaction:
            removed += _words(transaction, some)
    for some in chunks([*{one.id for one in taken}, *examples]):
        with database.transaction() as transaction:
            removed += evaluations.erase(transaction, some)
    if taken and removed["evaluation_cases"]:
        with database.transaction() as transaction:
            removed += evaluations.erase_replies(transaction, min(one.started_ns for one in taken))
    with database.transaction() as transaction:
        removed["turn_keys"] += _deleted(
            transaction, "turn_keys", "NOT EXISTS (SELECT 1 FROM turns WHERE turns.turn = turn_keys.turn)"
        )
    for application in sorted({one.application for one in taken}):
        with database.transaction() as transaction:
            # Of those learned before traces were kept with them nobody knows whose words they are.
            older = "application = ? AND (asked_trace = '' OR kept_trace = '')"
            removed["cache_labels"] += _deleted(transaction, "cache_labels", older, [application])
        removed["cache_answers"] += caches.count(database, application, 0)
        caches.clear(database, application)
    return +removed


def take_rows(database: Database, taken: Sequence[Taken]) -> int:
    """Take away the rows of the traces themselves, with what stayed of their stages; how many there were."""
    count = 0
    for some in chunks(taken):
        numbers, marks = [one.n for one in some], _marks(some)
        with database.transaction() as transaction:
            _deleted(transaction, "spans", f"trace IN ({marks})", numbers)
            count += _deleted(transaction, "traces", f"n IN ({marks})", numbers)
    return count


def left(database: Database, taken: Sequence[Taken]) -> Counter[str]:
    """What tables still hold of these traces, counted: nothing, where all went well."""
    found = Counter[str]()
    for some in chunks(taken):
        numbers, ids = [one.n for one in some], [bytes.fromhex(one.id) for one in some]
        names, turns = [one.id for one in some], [bytes.fromhex(one.id) + one.started_ns.to_bytes(8) for one in some]
        for table, column, values in (
            *((table, column, numbers) for table, column in _BY_NUMBER),
            ("traces", "n", numbers),
            *((table, column, ids) for table, column in _BY_ID),
            *((table, column, names) for table, column in _BY_NAME),
            ("turns", "turn", turns),
        ):
            sql = f"SELECT count(*) FROM {table} WHERE {column} IN ({_marks(values)})"
            found[table] += int(database.query(sql, values)[0][0])
        found["bodies"] += len(database.bodies.get(database, numbers))
    return +found


_BY_NUMBER = (("spans", "trace"), ("body_parts", "trace"))
_BY_ID = (("feedback", "trace"), ("review_items", "trace"), ("review_items", "other"))
_BY_NAME = (("cache_labels", "asked_trace"), ("cache_labels", "kept_trace"), ("evaluation_cases", "id"))
"""Tables by the column that says which trace their rows are of: by its number, by its id, by that in digits."""


def _words(transaction: Transaction, some: Sequence[Taken]) -> Counter[str]:
    numbers, ids = [one.n for one in some], [bytes.fromhex(one.id) for one in some]
    names, turns = [one.id for one in some], [bytes.fromhex(one.id) + one.started_ns.to_bytes(8) for one in some]
    removed = Counter[str]()
    bodies = f"SELECT count(*) FROM traces WHERE n IN ({_marks(numbers)})"
    removed["bodies"] += int(transaction.execute(bodies, numbers)[0][0])
    transaction.bodies.remove(transaction, numbers)
    for table, column in _BY_NUMBER:
        kept = f" AND NOT ({_FOUND_BY})" if table == "spans" else ""
        removed[table] += _deleted(transaction, table, f"{column} IN ({_marks(numbers)}){kept}", numbers)
    copied = f"trace IN ({_marks(numbers)}) AND NOT ({_KEYED})"
    transaction.execute(f"UPDATE spans SET decision = '', reason = '' WHERE {copied}", numbers)
    removed["ledger reasons"] += ledger.blank(transaction, numbers)
    removed["feedback"] += _quoting(transaction, turns, set(names))
    removed["review_turns"] += _deleted(
        transaction,
        "review_turns",
        f"item IN (SELECT id FROM review_items WHERE trace IN ({_marks(ids)}) OR other IN ({_marks(ids)}))",
        [*ids, *ids],
    )
    for table, column in _BY_ID:
        removed[table] += _deleted(transaction, table, f"{column} IN ({_marks(ids)})", ids)
    removed["feedback"] += _deleted(
        transaction, "feedback", f"kind = 'preference' AND other IN ({_marks(names)})", names
    )
    removed["feedback"] += _deleted(
        transaction, "feedback", f"session IN ({_marks(names)}) AND length(trace) = 0", names
    )
    removed += _turns(transaction, turns)
    removed["cache_labels"] += caches.forget(transaction, names)
    return removed


def _turns(transaction: Transaction, turns: Sequence[bytes]) -> Counter[str]:
    """Take turns out of their conversations, and conversations away of which none is left."""
    marks = _marks(turns)
    sessions = [row[0] for row in transaction.execute(f"SELECT session FROM turns WHERE turn IN ({marks})", turns)]
    removed = Counter({"turns": _deleted(transaction, "turns", f"turn IN ({marks})", turns)})
    for some in chunks(list(dict.fromkeys(sessions))):
        empty = (
            f"session IN ({_marks(some)}) AND NOT EXISTS "
            "(SELECT 1 FROM turns WHERE turns.session = conversations.session)"
        )
        removed["conversations"] += _deleted(transaction, "conversations", empty, some)
    return removed


def _quoting(transaction: Transaction, turns: Sequence[bytes], names: set[str]) -> int:
    """Take away what was found of other turns of the same conversations and rests on words of these traces."""
    beside = f"SELECT turn FROM turns WHERE session IN (SELECT session FROM turns WHERE turn IN ({_marks(turns)}))"
    others = list(dict.fromkeys(bytes(row[0])[:16] for row in transaction.execute(beside, turns)))
    gone = 0
    for some in chunks(others):
        rows = transaction.execute(f"SELECT id, evidence FROM feedback WHERE trace IN ({_marks(some)})", some)
        quoting = [id for id, evidence in rows if any(one.trace in names for one in _evidence(evidence))]
        if quoting:
            gone += _deleted(transaction, "feedback", f"id IN ({_marks(quoting)})", quoting)
    return gone


def _copies(database: Database, of: Sequence[Taken]) -> Iterator[Taken]:
    for stage in COPIED:
        for some in chunks([one.id for one in of]):
            copies = _COPIES.format(stage, _marks(some))
            yield from map(_taken, database.query(f"{_FOUND} WHERE n IN ({copies})", some))


def chunks(of: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """What there is, in parts for one transaction."""
    return (of[start : start + SOME] for start in range(0, len(of), SOME))


def _deleted(transaction: Transaction, table: str, where: str, given: Sequence[Any] = ()) -> int:
    return len(transaction.execute(f"DELETE FROM {table} WHERE {where} RETURNING 1", given))


def _taken(row: Row) -> Taken:
    n, id, *rest = row
    return Taken(n, bytes(id).hex(), *rest)


def _is_key(reason: str) -> bool:
    return len(reason) == 32 and not set(reason) - set("0123456789abcdef")


def _marks(of: Sequence[Any]) -> str:
    return ", ".join("?" * len(of))
