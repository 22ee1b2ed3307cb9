"""Traces that are too old to be kept: taken away with what was said in them and of them. Calls block."""

from collections.abc import Callable

from regista.store import caches, evaluations, feedback, ledger, review
from regista.store.database import Database, Transaction
from regista.store.traces import remove

_SOME = 400
"""Traces in one transaction: others write in between."""


def older(database: Database, before: int) -> int:
    """How many traces began before a time, in nanoseconds since 1970."""
    return int(database.query("SELECT count(*) FROM traces WHERE started_ns < ?", (before,))[0][0])


def forget(database: Database, before: int, rest: Callable[[], object] = lambda: None, slack_ns: int = 0) -> int:
    """Take away all traces that began before a time, what was said in them, and feedback of that age. Returns how many.

    So go answers that caches keep, and what they learned from. The sums over traces by the hour stay, and so does what
    was spent, in the ledger. Where it is interrupted, or fails, the next time does the rest. `rest` is called after
    each transaction; for `slack_ns` see `Bodies.purge`.

    Raises:
        StoreError: a file cannot be used, and what is to be forgotten may still be in it.
    """
    count = 0
    while some := _forget_some(database, before):
        count += some
        rest()
    for forget_some in (feedback.forget, review.forget, caches.forget_older):
        while _forgotten(database, before, forget_some):
            rest()
    for some in evaluations.replies(database, before):
        with database.transaction() as transaction:
            evaluations.forget_replies(transaction, some)
        rest()
    database.bodies.purge(database, before, slack_ns)
    return count


def _forgotten(database: Database, before: int, forget_some: Callable[[Transaction, int], int]) -> int:
    with database.transaction() as transaction:
        return forget_some(transaction, before)


def _forget_some(database: Database, before: int) -> int:
    with database.transaction() as transaction:
        rows = transaction.execute("SELECT n, id FROM traces WHERE started_ns < ? LIMIT ?", (before, _SOME))
        if rows:
            numbers = [int(n) for n, _ in rows]
            remove(transaction, numbers)
            ledger.blank(transaction, numbers)
            evaluations.erase(transaction, [id.hex() for _, id in rows])
        return len(rows)
