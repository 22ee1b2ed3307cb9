"""Which requests follow which: turns of conversations, and the digests under which they are found again.

Knows rows of bytes and times, not what a digest is made of. Calls block.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from regista.store.database import Database, Row, Transaction

MOST = 1_000
"""Turns of a conversation that are looked at: the last."""
_COLUMNS = "turn, session, started_ns, ended_ns, status, way, after, refused, stands"
_PUT_TURN = (
    f"INSERT INTO turns ({_COLUMNS}) VALUES ({', '.join('?' * 9)}) ON CONFLICT (turn) DO UPDATE SET "
    "stands = excluded.stands"
)
_PUT_KEY = (
    "INSERT INTO turn_keys (digest, turn, seen_ns) VALUES (?, ?, ?) "
    "ON CONFLICT (digest) DO UPDATE SET turn = excluded.turn, seen_ns = excluded.seen_ns"
)
_PUT_SESSION = (
    "INSERT INTO conversations (session, tenant, application, ended_ns, is_over) VALUES (?, ?, ?, ?, 0) "
    "ON CONFLICT (session) DO UPDATE SET ended_ns = excluded.ended_ns, is_over = 0"
)


class TurnRow(Struct, frozen=True):
    """A turn without its words. `turn`, `session` and `after` are 24 bytes: a trace's id and when it began."""

    turn: bytes
    session: bytes
    started_ns: int
    ended_ns: int
    status: Any
    way: Any
    after: bytes
    refused: bool
    stands: bool = True


class SessionRow(Struct, frozen=True):
    """A conversation: whose it is, and when its last answer was out."""

    session: bytes
    tenant: str
    application: str
    ended_ns: int


def find(database: Database, digest: bytes) -> bytes:
    """The turn stored last under a digest; empty for none."""
    rows = database.query("SELECT turn FROM turn_keys WHERE digest = ?", (digest,))
    return bytes(rows[0][0]) if rows else b""


def turn(database: Database, turn: bytes) -> TurnRow | None:
    """One turn, also one that no longer stands."""
    rows = database.query(f"SELECT {_COLUMNS} FROM turns WHERE turn = ?", (turn,))
    return _turn(rows[0]) if rows else None


def turns(database: Database, session: bytes, most: int = MOST, *, standing: bool = True) -> list[TurnRow]:
    """The turns of a conversation in the order they were asked, of a very long one the last.

    Those that stand; else also those in whose place another stands, before it.
    """
    where = "session = ? AND stands = 1" if standing else "session = ?"
    sql = f"SELECT {_COLUMNS} FROM turns WHERE {where} ORDER BY started_ns DESC, stands DESC, turn DESC LIMIT ?"
    return [_turn(row) for row in reversed(database.query(sql, (session, most)))]


def session_of(read: Callable[[str, Sequence[Any]], list[Row]], trace: str) -> str:
    """The conversation that a trace is a turn of, by the trace of its first turn; empty where it is not known.

    `read` is a database's `query`, or the `execute` of a transaction under way.
    """
    low, high = bytes.fromhex(trace) + bytes(8), bytes.fromhex(trace) + b"\xff" * 8
    sql = "SELECT session FROM turns WHERE turn BETWEEN ? AND ? ORDER BY turn DESC LIMIT 1"
    rows = read(sql, (low, high))
    return bytes(rows[0][0])[:16].hex() if rows else ""


def write(
    transaction: Transaction,
    turns: Sequence[TurnRow],
    keys: Mapping[bytes, tuple[bytes, int]],
    sessions: Sequence[SessionRow],
) -> None:
    """Store turns, each in the place of itself; `keys` are digests, each with its turn and when that was seen."""
    for one in turns:
        flags = int(one.refused), int(one.stands)
        transaction.execute(
            _PUT_TURN,
            (one.turn, one.session, one.started_ns, one.ended_ns, one.status, one.way, one.after, *flags),
        )
    # In one order everywhere, so that two processes never wait for each other's rows.
    for digest in sorted(keys):
        transaction.execute(_PUT_KEY, (digest, *keys[digest]))
    for one in sorted(sessions, key=lambda one: one.session):
        transaction.execute(_PUT_SESSION, (one.session, one.tenant, one.application, one.ended_ns))


def idle(database: Database, before_ns: int, limit: int) -> list[SessionRow]:
    """Conversations that are not known to be over, and whose last answer was out before a time."""
    sql = (
        "SELECT session, tenant, application, ended_ns FROM conversations "
        "WHERE is_over = 0 AND ended_ns < ? ORDER BY ended_ns LIMIT ?"
    )
    return [SessionRow(bytes(row[0]), *row[1:]) for row in database.query(sql, (before_ns, limit))]


def end(transaction: Transaction, session: SessionRow) -> bool:
    """Take a conversation for over; False where it went on, or somebody else has done it."""
    place = session.session, session.ended_ns
    where = "session = ? AND ended_ns = ? AND is_over = 0"
    if not transaction.execute(f"SELECT 1 FROM conversations WHERE {where}", place):
        return False
    transaction.execute(f"UPDATE conversations SET is_over = 1 WHERE {where}", place)
    return True


def forget_keys(transaction: Transaction, before_ns: int) -> None:
    """Find no turn again that was seen before a time."""
    transaction.execute("DELETE FROM turn_keys WHERE seen_ns < ?", (before_ns,))


def _turn(row: Row) -> TurnRow:
    turn, session, started_ns, ended_ns, status, way, after, refused, stands = row
    return TurnRow(
        *(bytes(turn), bytes(session), started_ns, ended_ns, status, way, bytes(after)), bool(refused), bool(stands)
    )
