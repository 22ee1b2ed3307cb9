"""What a review queue is drawn from: the newest traces that are like it wants, and what is thought of them.

Knows no queue. Calls block.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from regista.store.database import Database, Row

LOOKED = 50_000
"""Of so many traces those that are wanted are looked for: the last, of all applications."""
_IDS = 400
_EVALUATION = "evaluation"
"""Whose requests are those of evaluations: their answers are judged there."""


_SEEN = "n, id, tenant, variant, model, started_ns"


class Seen(NamedTuple):
    """A trace as it is drawn; `n` is its number."""

    n: int
    id: str
    tenant: str
    variant: str
    model: str
    started_ns: int


class Thought(NamedTuple):
    """A piece of feedback on a trace, votes of reviewers left out."""

    trace: str
    kind: str
    name: str
    value: float | None
    confidence: float


def newest(
    database: Database, application: str, since_ns: int, limit: int, *, status: str = "", model: str = ""
) -> list[Seen]:
    """The newest traces of an application among the last `LOOKED` of all, one for each id."""
    floor = database.query("SELECT started_ns FROM traces ORDER BY started_ns DESC LIMIT 1 OFFSET ?", (LOOKED,))
    where, given = _wanted(status, model)
    sql = (
        f"SELECT {_SEEN} FROM traces WHERE application = ? AND started_ns >= ? AND {where} "
        "ORDER BY started_ns DESC, n DESC LIMIT ?"
    )
    since_ns = max(since_ns, floor[0][0] if floor else 0)
    return _each_once(database.query(sql, (application, since_ns, *given, limit)))


def with_signal(
    database: Database, application: str, since_ns: int, limit: int, name: str, *, status: str = "", model: str = ""
) -> list[Seen]:
    """Those of them of which the gateway found a signal, the last to be found first."""
    sql = (
        "SELECT trace FROM feedback WHERE made_ns >= ? AND kind = 'signal' AND name = ? AND application = ? "
        "ORDER BY made_ns DESC LIMIT ?"
    )
    ids = list(dict.fromkeys(bytes(row[0]) for row in database.query(sql, (since_ns, name, application, limit))))
    return _of_ids(database, [id.hex() for id in ids if id], *_wanted(status, model))


def of_ids(database: Database, ids: Sequence[str]) -> list[Seen]:
    """The newest trace of each of these ids, in their order; those that are gone are left out."""
    return _of_ids(database, ids, "1 = 1", [])


def _of_ids(database: Database, ids: Sequence[str], where: str, given: Sequence[Any]) -> list[Seen]:
    found: dict[str, Seen] = {}
    for start in range(0, len(ids), _IDS):
        some = [bytes.fromhex(one) for one in ids[start : start + _IDS]]
        sql = (
            f"SELECT {_SEEN} FROM traces WHERE id IN ({', '.join('?' * len(some))}) AND {where} "
            "ORDER BY started_ns DESC, n DESC"
        )
        found |= {seen.id: seen for seen in _each_once(database.query(sql, [*some, *given]))}
    return [found[one] for one in ids if one in found]


def thoughts(read: Callable[[str, Sequence[Any]], list[Row]], ids: Sequence[str]) -> list[Thought]:
    """What is thought of each of these traces, said outright or found; not what reviewers voted.

    `read` is a database's `query`, or the `execute` of a transaction under way.
    """
    found: list[Thought] = []
    for start in range(0, len(ids), _IDS):
        some = [bytes.fromhex(one) for one in ids[start : start + _IDS]]
        sql = (
            f"SELECT trace, kind, name, value, confidence FROM feedback WHERE trace IN ({', '.join('?' * len(some))}) "
            "AND NOT (source = 'reviewer' AND kind IN ('score', 'label', 'preference'))"
        )
        found += [Thought(bytes(trace).hex(), *rest) for trace, *rest in read(sql, some)]
    return found


def _wanted(status: str, model: str) -> tuple[str, list[Any]]:
    where, given = "tenant <> ?", list[Any]([_EVALUATION])
    for column, value in (("status", status), ("model", model)):
        if value:
            where += f" AND {column} = ?"
            given.append(value)
    if status not in ("", "ok"):
        where += " AND status <> 'ok'"  # word for word the condition of the index traces_failed
    return where, given


def _each_once(rows: Sequence[Row]) -> list[Seen]:
    found: dict[str, Seen] = {}
    for n, id, *rest in rows:
        found.setdefault(bytes(id).hex(), Seen(n, bytes(id).hex(), *rest))
    return list(found.values())
