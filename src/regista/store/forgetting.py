"""Traces that are too old to be kept: taken away with what was said in them and of them. Calls block."""

from regista.store import feedback
from regista.store.database import Database
from regista.store.traces import remove

_SOME = 400
"""Traces in one transaction: others write in between."""


def older(database: Database, before: int) -> int:
    """How many traces began before a time, in nanoseconds since 1970."""
    return int(database.query("SELECT count(*) FROM traces WHERE started_ns < ?", (before,))[0][0])


def forget(database: Database, before: int) -> int:
    """Take away all traces that began before a time, what was said in them, and feedback of that age. Returns how many.

    The sums over them by the hour stay, and so does what was spent, in the ledger. Where it is interrupted, or fails,
    the next time does the rest.

    Raises:
        StoreError: a file cannot be used, and what is to be forgotten may still be in it.
    """
    count = 0
    while some := _forget_some(database, before):
        count += some
    with database.transaction() as transaction:
        feedback.forget(transaction, before)
    database.bodies.purge(database, before)
    return count


def _forget_some(database: Database, before: int) -> int:
    with database.transaction() as transaction:
        rows = transaction.execute("SELECT n FROM traces WHERE started_ns < ? LIMIT ?", (before, _SOME))
        if rows:
            remove(transaction, [row[0] for row in rows])
        return len(rows)
