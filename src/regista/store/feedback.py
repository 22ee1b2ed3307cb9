"""What is thought of answers, as rows: one each, found by its trace or by when it was made.

Knows the nouns and the tables, not what a signal means nor which are shown. Calls block.
"""

import secrets
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Literal

import msgspec
from msgspec import Struct

from regista.core.errors import NotFoundError
from regista.core.nouns import Evidence, Feedback, FeedbackKind
from regista.store.database import Database, Row, Transaction

HOUR_NS = 3_600 * 10**9
SECRET = 32
"""Bytes of the secret."""
_COLUMNS = (
    "id, made_ns, kind, source, tenant, application, trace, span, session, name, value, text, other, side, author, "
    "confidence, evidence, key"
)
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:])
_PUT = (
    f"INSERT INTO feedback ({_COLUMNS}) VALUES ({', '.join('?' for _ in _COLUMNS.split(', '))}) "
    f"ON CONFLICT (id) DO UPDATE SET {_CHANGES}"
)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Evidence, ...]).decode
_IDS = 400
"""Traces asked about in one query, and rows forgotten at once."""

Source = Literal["user", "reviewer", "gateway"]


class Kept(Struct, frozen=True):
    """Feedback with whose it is. `id` is 16 bytes; what has the id of another takes its place.

    `key` is the name of the key it was given with, empty for none.
    """

    id: bytes
    feedback: Feedback
    tenant: str
    application: str
    key: str = ""


class About(Struct, frozen=True):
    """The trace that feedback is about: its number, whose it is, of which application, and how many spans it has."""

    n: int
    tenant: str
    application: str
    spans: int


class Count(Struct, frozen=True):
    """How often; of thumbs `name` is up or down.

    `start_s` is when the hour began, in seconds since 1970, and 0 where hours are not told apart.
    """

    start_s: int
    kind: FeedbackKind
    source: Source
    name: str
    count: int


def identity(*parts: object) -> bytes:
    """The id of what these parts tell from all other feedback."""
    return blake2b(_encode(parts), digest_size=16).digest()


def put(transaction: Transaction, kept: Sequence[Kept]) -> None:
    """Store feedback, each in the place of what has its id."""
    for one in kept:
        transaction.execute(_PUT, _row(one))


def withdraw(transaction: Transaction, ids: Sequence[bytes]) -> None:
    """Take feedback away that has turned out wrong."""
    for one in ids:
        transaction.execute("DELETE FROM feedback WHERE id = ?", (one,))


def known(transaction: Transaction, id: bytes) -> Kept | None:
    """The feedback of an id, if there is some."""
    rows = transaction.execute(f"SELECT {_COLUMNS} FROM feedback WHERE id = ?", (id,))
    return _kept(rows[0]) if rows else None


def about(database: Database, trace: str, *, tenant: str | None = None, started_ns: int | None = None) -> About:
    """The newest trace of this id that is this tenant's, or that began then.

    Raises:
        NotFoundError: there is none; that it is another tenant's is not told.
    """
    conditions = {"tenant = ?": tenant, "started_ns = ?": started_ns}
    given = {sql: value for sql, value in conditions.items() if value is not None}
    where = " AND ".join(("id = ?", *given))
    sql = f"SELECT n, tenant, application FROM traces WHERE {where} ORDER BY n DESC LIMIT 1"
    rows = database.query(sql, (bytes.fromhex(trace), *given.values()))
    if not rows:
        raise NotFoundError(
            f"There is no trace {trace} of yours. An answer's id is in the header x-regista-trace.",
            code="trace_not_found",
            param="trace",
        )
    n, owner, application = rows[0]
    return About(n, owner, application, int(database.query("SELECT count(*) FROM spans WHERE trace = ?", (n,))[0][0]))


def of_trace(database: Database, trace: str, tenant: str | None = None) -> list[Kept]:
    """All feedback on a trace, the oldest first; of one tenant, or of all."""
    rows = database.query(
        f"SELECT {_COLUMNS} FROM feedback WHERE trace = ? ORDER BY made_ns, id", (bytes.fromhex(trace),)
    )
    return [kept for kept in map(_kept, rows) if tenant in (None, kept.tenant)]


def of_session(database: Database, session: str) -> list[Feedback]:
    """All feedback on a conversation as a whole, the oldest first."""
    return on_sessions(database, [session])[session]


def on_sessions(database: Database, sessions: Sequence[str]) -> dict[str, list[Feedback]]:
    """The same of each of some conversations, a few hundred at most."""
    found: dict[str, list[Feedback]] = {one: [] for one in sessions}
    if not found:
        return found
    marks = ", ".join("?" * len(found))
    # The second condition is word for word that of the index feedback_of_session.
    where = f"session IN ({marks}) AND length(trace) = 0"
    for row in database.query(f"SELECT {_COLUMNS} FROM feedback WHERE {where} ORDER BY made_ns, id", list(found)):
        kept = _kept(row)
        found[kept.feedback.session].append(kept.feedback)
    return found


def recent(
    database: Database,
    *,
    tenant: str | None = None,
    kind: FeedbackKind | None = None,
    source: Source | None = None,
    name: str | None = None,
    hidden: Sequence[str] = (),
    since_ns: int = 0,
    limit: int = 20,
) -> list[Kept]:
    """The newest feedback, newest first. `hidden` are names of signals that are left out."""
    where, given = _where(tenant, kind, source, name, hidden, since_ns)
    sql = f"SELECT {_COLUMNS} FROM feedback WHERE {where} ORDER BY made_ns DESC, id LIMIT ?"
    return [_kept(row) for row in database.query(sql, (*given, limit))]


def counts(database: Database, *, hourly: bool = False, hidden: Sequence[str] = (), since_ns: int = 0) -> list[Count]:
    """How often each kind was given and each signal found: by the hour, oldest first, or altogether, most first."""
    where, given = _where(None, None, None, None, hidden, since_ns)
    groups = "kind, source, CASE WHEN kind <> 'thumb' THEN name WHEN value < 0 THEN 'down' ELSE 'up' END"
    sql = f"SELECT 0, {groups}, count(*) FROM feedback WHERE {where} GROUP BY {groups}"
    if hourly:
        groups = f"made_ns / {HOUR_NS}, {groups}"
        sql = f"SELECT {groups}, count(*) FROM feedback WHERE {where} GROUP BY {groups}"
    found = [Count(row[0] * 3_600, *row[1:]) for row in database.query(sql, given)]
    return sorted(found, key=lambda one: (one.start_s, -one.count, one.source, one.kind, one.name))


def questions(database: Database, traces: Sequence[str]) -> dict[str, str]:
    """The questions of traces by their ids, of those that are stored still."""
    numbers: dict[int, str] = {}
    for start in range(0, len(traces), _IDS):
        some = [bytes.fromhex(trace) for trace in traces[start : start + _IDS]]
        marks = ", ".join("?" * len(some))
        rows = database.query(f"SELECT n, id FROM traces WHERE id IN ({marks}) ORDER BY n", some)
        numbers |= {n: id.hex() for n, id in rows}
    bodies = database.bodies.get(database, list(numbers))
    return {trace: bodies[n].question for n, trace in numbers.items() if n in bodies}


def outcomes(database: Database, since_ns: int, limit: int) -> list[tuple[str, str]]:
    """How the last traces since a time ended: their ids, each with its status."""
    sql = "SELECT id, status FROM traces WHERE started_ns >= ? ORDER BY started_ns DESC, n DESC LIMIT ?"
    return [(id.hex(), status) for id, status in database.query(sql, (since_ns, limit))]


def forget(transaction: Transaction, before_ns: int) -> int:
    """Take some of the feedback away that was made before a time, and of the conversations that ended before it.

    Returns how much that was: 0 where none is left.
    """
    gone = 0
    for table, key, time in (("feedback", "id", "made_ns"), ("turn_keys", "digest", "seen_ns")):
        some = f"SELECT {key} FROM {table} WHERE {time} < ? LIMIT {_IDS}"
        gone += len(transaction.execute(f"DELETE FROM {table} WHERE {key} IN ({some}) RETURNING 1", (before_ns,)))
    rows = transaction.execute(f"SELECT session FROM conversations WHERE ended_ns < ? LIMIT {_IDS}", (before_ns,))
    if rows:
        sessions, marks = [row[0] for row in rows], ", ".join("?" * len(rows))
        for table in ("turns", "conversations"):
            transaction.execute(f"DELETE FROM {table} WHERE session IN ({marks})", sessions)
    return gone + len(rows)


def secret(database: Database) -> bytes:
    """What tokens are signed with: the same for all servers of this store, made by the first that asks."""
    sql = "SELECT secret FROM feedback_secret WHERE n = 1"
    if rows := database.query(sql):
        return bytes(rows[0][0])
    with database.transaction() as transaction:
        transaction.execute(
            "INSERT INTO feedback_secret (n, secret) VALUES (1, ?) ON CONFLICT (n) DO NOTHING",
            (secrets.token_bytes(SECRET),),
        )
        return bytes(transaction.execute(sql)[0][0])


def _where(
    tenant: str | None,
    kind: str | None,
    source: str | None,
    name: str | None,
    hidden: Sequence[str],
    since_ns: int,
) -> tuple[str, list[Any]]:
    conditions = {"tenant = ?": tenant, "kind = ?": kind, "source = ?": source, "name = ?": name}
    given = {"made_ns >= ?": since_ns} | {sql: value for sql, value in conditions.items() if value is not None}
    where = " AND ".join(given)
    if hidden:
        where += f" AND NOT (kind = 'signal' AND name IN ({', '.join('?' * len(hidden))}))"
    return where, [*given.values(), *hidden]


def _row(kept: Kept) -> tuple[Any, ...]:
    one = kept.feedback
    return (
        *(kept.id, one.made_ns, one.kind, one.source, kept.tenant, kept.application),
        *(bytes.fromhex(one.trace), one.span, one.session, one.name, one.value, one.text),
        *(one.other, one.side, one.by, one.confidence, _encode(one.evidence), kept.key),
    )


def _kept(row: Row) -> Kept:
    id, made_ns, kind, source, tenant, application, trace, span, session, name, value, *rest = row
    text, other, side, author, confidence, evidence, key = rest
    feedback = Feedback(
        *(kind, source, made_ns, bytes(trace).hex(), span, session, name, value, text, other, side, author),
        confidence=confidence,
        evidence=_decode(evidence),
    )
    return Kept(bytes(id), feedback, tenant, application, key)
