"""What was found to have changed, as rows: one alarm of a feature is open at a time. Calls block.

Knows no feature and nobody who is told.
"""

import json
import secrets
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import astuple

from regista.store.database import Database, Row

_COLUMNS = (
    "id, application, aspect, name, found, before, now, measure, effect, p, more, opened_ns, closed_ns, told_ns, "
    "examples"
)
Found = Literal["stream", "comparison"]
LEASE_NS = 300 * 10**9
"""For how long a server that tells an alarm has it to itself: one that dies over it may have told it, or not."""


class Alarm(Struct, frozen=True):
    """A change of a feature, before and now in words. `effect`, `measure` and `p` are those of `observe.drift.Drift`.

    `found` says whether it was seen as traces came, or by comparing a day with the week before it. `examples` are ids
    of traces. It is open until `closed_ns`; `told_ns` is when the webhook took it, None where it has not.
    """

    id: str
    application: str
    aspect: str
    name: str
    found: Found
    before: str
    now: str
    measure: str
    effect: float
    p: float
    more: str
    opened_ns: int
    closed_ns: int | None = None
    told_ns: int | None = None
    examples: tuple[str, ...] = ()


def new_id() -> str:
    """An id that no other alarm has."""
    return secrets.token_hex(8)


def open_alarm(database: Database, alarm: Alarm) -> bool:
    """Keep an alarm, unless one of its feature is open; whether it was kept."""
    with database.transaction() as transaction:
        transaction.execute(
            f"INSERT INTO alarms ({_COLUMNS}) VALUES ({', '.join('?' * 15)}) "
            "ON CONFLICT (application, aspect, name) WHERE closed_ns IS NULL DO NOTHING",
            _row(alarm),
        )
        return bool(transaction.execute("SELECT 1 FROM alarms WHERE id = ?", (alarm.id,)))


def close(database: Database, id: str, now_ns: int) -> bool:
    """Close an alarm; whether there was one of this id that was open."""
    sql = "UPDATE alarms SET closed_ns = ? WHERE id = ? AND closed_ns IS NULL RETURNING 1"
    with database.transaction() as transaction:
        return bool(transaction.execute(sql, (now_ns, id)))


def claim(database: Database, id: str, now_ns: int) -> bool:
    """Take an alarm to tell it; whether it is for this one to tell: nobody has told it, and nobody is about to."""
    sql = (
        "UPDATE alarms SET claimed_ns = ? WHERE id = ? AND told_ns IS NULL AND coalesce(claimed_ns, 0) <= ? RETURNING 1"
    )
    with database.transaction() as transaction:
        return bool(transaction.execute(sql, (now_ns, id, now_ns - LEASE_NS)))


def told(database: Database, id: str, now_ns: int | None) -> None:
    """Note that the webhook took an alarm; or, with None, that it did not, and whoever comes first may tell it."""
    with database.transaction() as transaction:
        transaction.execute("UPDATE alarms SET told_ns = ?, claimed_ns = NULL WHERE id = ?", (now_ns, id))


def opened(database: Database, applications: Sequence[str]) -> list[Alarm]:
    """Those of some applications that are open, the newest first."""
    if not applications:
        return []
    where = f"closed_ns IS NULL AND application IN ({', '.join('?' * len(applications))})"
    rows = database.query(f"SELECT {_COLUMNS} FROM alarms WHERE {where} ORDER BY opened_ns DESC, id", applications)
    return [_alarm(row) for row in rows]


def untold(database: Database, applications: Sequence[str], since_ns: int) -> list[Alarm]:
    """Those of some applications that were opened since then and that the webhook has not taken, the oldest first."""
    if not applications:
        return []
    where = f"told_ns IS NULL AND opened_ns >= ? AND application IN ({', '.join('?' * len(applications))})"
    sql = f"SELECT {_COLUMNS} FROM alarms WHERE {where} ORDER BY opened_ns, id"
    return [_alarm(row) for row in database.query(sql, (since_ns, *applications))]


def newest(database: Database, application: str, since_ns: int, limit: int = 100) -> list[Alarm]:
    """The alarms of an application that were opened since then, the newest first."""
    sql = f"SELECT {_COLUMNS} FROM alarms WHERE opened_ns >= ? AND application = ? ORDER BY opened_ns DESC, id LIMIT ?"
    return [_alarm(row) for row in database.query(sql, (since_ns, application, limit))]


def _row(one: Alarm) -> tuple[object, ...]:
    *plain, examples = astuple(one)
    return (*plain, json.dumps(examples))


def _alarm(row: Row) -> Alarm:
    *plain, examples = row
    return Alarm(*plain, examples=tuple(json.loads(examples)))
