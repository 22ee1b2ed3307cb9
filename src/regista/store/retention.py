"""What is deleted by itself once it is old enough: whose turn it is among several servers, and what came of it.

Knows a time and a table of one row, and not what makes somebody look at the clock. Calls block.
"""

import time
from collections.abc import Callable

from msgspec import Struct

from regista.core.errors import StoreError
from regista.store import forgetting
from regista.store.database import Database

DAY_NS = 86_400 * 10**9
_COLUMNS = "ran_ns, before_ns, traces, total, problem"
_LAST = f"SELECT {_COLUMNS} FROM retention WHERE n = 1"


class Ran(Struct, frozen=True):
    """The last time: when, what was deleted (all that began before `before_ns`), how many traces, and so far in all.

    `problem` says why not all of it was, empty where it was.
    """

    ran_ns: int
    before_ns: int
    traces: int
    total: int
    problem: str


def last(database: Database) -> Ran | None:
    """What came of the last time; None where nothing was ever to be deleted."""
    rows = database.query(_LAST)
    return Ran(*rows[0]) if rows else None


def run(database: Database, keep_ns: int, every_ns: int, rest: Callable[[], object] = lambda: None) -> Ran | None:
    """Delete what began longer ago than that, unless somebody did less than `every_ns` ago: then None.

    Somebody who keeps it longer did not, and neither did who looked at a clock that was wrong.

    `rest` is called after each small transaction. Bodies of a week that is not over go a day, or a tenth of the time,
    after their rows, whichever is sooner: the file they are in is written anew for it.
    """
    now = time.time_ns()
    with database.transaction() as transaction:
        rows = transaction.execute(_LAST)
        before = Ran(*rows[0]) if rows else Ran(0, now - keep_ns, 0, 0, "")
        # While somebody deletes, what is known is how far it went the time before: so twice as much is allowed for.
        if now - every_ns < before.ran_ns <= now and before.before_ns >= now - keep_ns - 2 * every_ns:
            return None
        _enter(transaction.execute, Ran(now, before.before_ns, before.traces, before.total, before.problem))
    problem, count = "", 0
    try:
        count = forgetting.forget(database, now - keep_ns, rest, min(DAY_NS, keep_ns // 10))
    except StoreError as error:
        problem = error.message
    ran = Ran(now, now - keep_ns, count, before.total + count, problem)
    with database.transaction() as transaction:
        _enter(transaction.execute, ran)
    return ran


def _enter(execute: Callable[..., object], ran: Ran) -> None:
    changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", "))
    execute(
        f"INSERT INTO retention (n, {_COLUMNS}) VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT (n) DO UPDATE SET {changes}",
        (ran.ran_ns, ran.before_ns, ran.traces, ran.total, ran.problem),
    )
