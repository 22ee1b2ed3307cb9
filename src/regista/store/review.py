"""What people are asked to judge, as rows: items of a queue, who has which for how long, and what came of it.

Knows no scale and no order but that of `value`. What takes a `Transaction` holds together with what else is in it:
transactions that write go one after the other, so that two people are never given what one alone may have.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from regista.core.errors import RequestError
from regista.store.database import Database, Row, Transaction

State = Literal["held", "voted", "skipped"]
_ITEM = (
    "id, application, queue, trace, other, tenant, started_ns, added_ns, sent_by, votes, disagreement, uncertainty, "
    "novelty, value, topic"
)
_TURN = "item, annotator, again, state, side, leased_ns, until_ns, ended_ns, vote"
_PUT_ITEM = f"INSERT INTO review_items ({_ITEM}) VALUES ({', '.join('?' * 15)}) ON CONFLICT (id) DO NOTHING"
_PUT_TURN = (
    f"INSERT INTO review_turns (application, queue, {_TURN}) VALUES ({', '.join('?' * 11)}) "
    "ON CONFLICT (item, annotator, again) DO UPDATE SET state = excluded.state, side = excluded.side, "
    "leased_ns = excluded.leased_ns, until_ns = excluded.until_ns, ended_ns = excluded.ended_ns, vote = excluded.vote"
)
_BUSY = (
    "(SELECT count(*) FROM review_turns t WHERE t.item = i.id AND t.again = 0 AND t.state = 'held' "
    "AND t.until_ns > ? AND t.annotator <> ?)"
)
"""How many others have an item just now."""
_FREE = (
    f"i.application = ? AND i.queue = ? AND i.votes < ? AND i.votes + {_BUSY} < ? AND NOT EXISTS (SELECT 1 FROM "
    "review_turns t WHERE t.item = i.id AND t.annotator = ? AND t.again = 0 AND t.state <> 'held')"
)
"""Whether somebody may be given an item."""
_GIVEN = (
    "SELECT t.item, t.annotator, t.again, t.ended_ns - t.leased_ns, t.ended_ns, i.trace, i.other, f.kind, f.name, "
    "f.value, f.trace, f.side FROM review_turns t JOIN review_items i ON i.id = t.item "
    "JOIN feedback f ON f.id = t.vote WHERE t.state = 'voted'"
)
_IDS = 400


class Place(NamedTuple):
    """A queue of an application."""

    application: str
    queue: str


class Item(Struct, frozen=True):
    """What is asked about: `id` is 16 bytes. `votes` are those that count. The rest is as its table says."""

    id: bytes
    application: str
    queue: str
    trace: str
    other: str
    tenant: str
    started_ns: int
    added_ns: int
    sent_by: str = ""
    votes: int = 0
    disagreement: float = 0.0
    uncertainty: float = 0.0
    novelty: float = 0.0
    value: float = 0.0
    topic: bytes = b""


class Turn(Struct, frozen=True):
    """One person's turn at an item: who has it until when, or what came of it."""

    item: bytes
    annotator: str
    again: bool
    state: State
    side: str
    leased_ns: int
    until_ns: int
    ended_ns: int = 0
    vote: bytes = b""


class Given(Struct, frozen=True):
    """A turn that ended in a vote, with the vote: feedback of `kind`. `trace` and `other` are the item's.

    `preferred` is the trace that was, empty for neither; `chosen_side` is where it was shown.
    """

    item: bytes
    annotator: str
    again: bool
    took_ns: int
    ended_ns: int
    trace: str
    other: str
    kind: str
    name: str
    value: float | None
    preferred: str
    chosen_side: str


class Sum(NamedTuple):
    """How much of a queue there is: items, those that still need votes, votes, and those who gave them."""

    items: int
    open: int
    votes: int
    annotators: int


class LeaseOverError(RequestError):
    """Who votes has not, or no longer, what the vote is on."""

    status = 409
    code = "lease_over"


def put(transaction: Transaction, items: Sequence[Item]) -> None:
    """Add items; those there already stay as they are."""
    for one in items:
        transaction.execute(_PUT_ITEM, _item_row(one))


def send(transaction: Transaction, item: Item) -> None:
    """Add an item that somebody wants judged, or have one that is there asked about first."""
    put(transaction, [item])
    transaction.execute("UPDATE review_items SET sent_by = ? WHERE id = ?", (item.sent_by, item.id))


def known(database: Database, ids: Sequence[bytes]) -> set[bytes]:
    """Those of these items that are there."""
    found: set[bytes] = set()
    for start in range(0, len(ids), _IDS):
        some = ids[start : start + _IDS]
        marks = ", ".join("?" * len(some))
        rows = database.query(f"SELECT id FROM review_items WHERE id IN ({marks})", some)
        found |= {bytes(row[0]) for row in rows}
    return found


def item(reader: Transaction, id: bytes) -> Item | None:
    """The item of an id."""
    rows = reader.execute(f"SELECT {_ITEM} FROM review_items WHERE id = ?", (id,))
    return _item(rows[0]) if rows else None


def held(transaction: Transaction, place: Place, annotator: str, now_ns: int) -> Turn | None:
    """What somebody has in a queue just now."""
    rows = transaction.execute(
        f"SELECT {_TURN} FROM review_turns WHERE application = ? AND queue = ? AND annotator = ? AND state = 'held' "
        "AND until_ns > ? ORDER BY leased_ns DESC LIMIT 1",
        (*place, annotator, now_ns),
    )
    return _turn(rows[0]) if rows else None


def free(transaction: Transaction, place: Place, annotator: str, wanted: int, now_ns: int) -> bytes | None:
    """The item to give somebody next: one that others sent, then one that was begun, then that of the highest value.

    It needs votes beyond those of who has it now, and was never judged or left out by this person.
    """
    rows = transaction.execute(
        f"SELECT i.id FROM review_items i WHERE {_FREE} "
        "ORDER BY CASE WHEN i.sent_by = '' THEN 1 ELSE 0 END, i.votes DESC, i.value DESC, i.id LIMIT 1",
        (*place, wanted, now_ns, annotator, wanted, annotator),
    )
    return bytes(rows[0][0]) if rows else None


def free_count(database: Database, place: Place, annotator: str, wanted: int, now_ns: int) -> int:
    """How many items could be given to somebody."""
    rows = database.query(
        f"SELECT count(*) FROM review_items i WHERE {_FREE}",
        (*place, wanted, now_ns, annotator, wanted, annotator),
    )
    return int(rows[0][0])


def judged(transaction: Transaction, place: Place, annotator: str, skip: int, limit: int) -> list[bytes]:
    """Items somebody judged once, the last first, without the last `skip`."""
    rows = transaction.execute(
        "SELECT t.item FROM review_turns t WHERE t.application = ? AND t.queue = ? AND t.annotator = ? "
        "AND t.state = 'voted' AND t.again = 0 AND NOT EXISTS (SELECT 1 FROM review_turns o WHERE o.item = t.item "
        "AND o.annotator = t.annotator AND o.again = 1 AND o.state <> 'held') ORDER BY t.ended_ns DESC LIMIT ?",
        (*place, annotator, skip + limit),
    )
    return [bytes(row[0]) for row in rows[skip:]]


def ended_count(transaction: Transaction, place: Place, annotator: str) -> int:
    """How many turns of somebody have ended."""
    sql = "SELECT count(*) FROM review_turns WHERE application = ? AND queue = ? AND annotator = ? AND state <> 'held'"
    return int(transaction.execute(sql, (*place, annotator))[0][0])


def keep(transaction: Transaction, place: Place, turn: Turn) -> None:
    """Enter a turn, in the place of what is there of it."""
    rest = (turn.state, turn.side, turn.leased_ns, turn.until_ns, turn.ended_ns, turn.vote)
    transaction.execute(_PUT_TURN, (*place, turn.item, turn.annotator, int(turn.again), *rest))


def turns(transaction: Transaction, item: bytes, annotator: str) -> list[Turn]:
    """Somebody's turns at an item: what is held first, then the last to end."""
    rows = transaction.execute(
        f"SELECT {_TURN} FROM review_turns WHERE item = ? AND annotator = ? "
        "ORDER BY CASE WHEN state = 'held' THEN 0 ELSE 1 END, ended_ns DESC, again DESC",
        (item, annotator),
    )
    return [_turn(row) for row in rows]


def room(transaction: Transaction, item: Item, annotator: str, wanted: int, now_ns: int) -> bool:
    """Whether an item needs this person's vote beside those given and those of others who have it."""
    busy = transaction.execute(f"SELECT {_BUSY} FROM review_items i WHERE i.id = ?", (now_ns, annotator, item.id))
    return item.votes + int(busy[0][0]) < wanted


def count_vote(transaction: Transaction, item: bytes, by: int) -> None:
    """Count a vote, or one less."""
    transaction.execute("UPDATE review_items SET votes = votes + ? WHERE id = ?", (by, item))


def withdrawn(transaction: Transaction, vote: bytes) -> None:
    """Note that a vote was taken back as feedback: it counts no more, and whoever gave it may be asked again."""
    gone = "DELETE FROM review_turns WHERE vote = ? AND state = 'voted' RETURNING item, again"
    for item, again in transaction.execute(gone, (vote,)):
        if not again:
            count_vote(transaction, bytes(item), -1)


def last_ended(transaction: Transaction, place: Place, annotator: str) -> Turn | None:
    """What somebody judged or left out last."""
    rows = transaction.execute(
        f"SELECT {_TURN} FROM review_turns WHERE application = ? AND queue = ? AND annotator = ? AND state <> 'held' "
        "ORDER BY ended_ns DESC, again DESC LIMIT 1",
        (*place, annotator),
    )
    return _turn(rows[0]) if rows else None


def release(transaction: Transaction, place: Place, annotator: str) -> None:
    """Give back whatever somebody has."""
    transaction.execute(
        "DELETE FROM review_turns WHERE application = ? AND queue = ? AND annotator = ? AND state = 'held'",
        (*place, annotator),
    )


def revalue(transaction: Transaction, items: Sequence[Item]) -> None:
    """Write what items are worth now."""
    transaction.executemany(
        "UPDATE review_items SET disagreement = ?, uncertainty = ?, novelty = ?, value = ? WHERE id = ?",
        [(one.disagreement, one.uncertainty, one.novelty, one.value, one.id) for one in items],
    )


def open_items(transaction: Transaction, place: Place, wanted: int, limit: int) -> list[Item]:
    """Items that need votes, those of the highest value."""
    rows = transaction.execute(
        f"SELECT {_ITEM} FROM review_items WHERE application = ? AND queue = ? AND votes < ? "
        "ORDER BY value DESC, id LIMIT ?",
        (*place, wanted, limit),
    )
    return [_item(row) for row in rows]


def reviewed_topics(database: Database, place: Place, limit: int) -> list[bytes]:
    """What those were about that have a vote, the last to be added first."""
    rows = database.query(
        "SELECT topic FROM review_items WHERE application = ? AND queue = ? AND votes > 0 "
        "ORDER BY added_ns DESC, id LIMIT ?",
        (*place, limit),
    )
    return [bytes(row[0]) for row in rows]


def given(database: Database, place: Place, limit: int) -> list[Given]:
    """The last votes of a queue, the newest first."""
    sql = f"{_GIVEN} AND t.application = ? AND t.queue = ? ORDER BY t.ended_ns DESC LIMIT ?"
    return [_given(row) for row in database.query(sql, (*place, limit))]


def given_on(transaction: Transaction, item: bytes) -> list[Given]:
    """All votes on an item, blind repeats too."""
    return [_given(row) for row in transaction.execute(f"{_GIVEN} AND t.item = ?", (item,))]


def count(database: Database, place: Place, wanted: int) -> Sum:
    """How much of a queue there is."""
    items, still, votes = database.query(
        "SELECT count(*), coalesce(sum(CASE WHEN votes < ? THEN 1 ELSE 0 END), 0), coalesce(sum(votes), 0) "
        "FROM review_items WHERE application = ? AND queue = ?",
        (wanted, *place),
    )[0]
    people = database.query(
        "SELECT count(DISTINCT annotator) FROM review_turns WHERE application = ? AND queue = ? AND state = 'voted'",
        place,
    )[0][0]
    return Sum(int(items), int(still), int(votes), int(people))


def votes_of(database: Database, place: Place, annotator: str) -> int:
    """How many items somebody has judged, blind repeats left out."""
    sql = (
        "SELECT count(*) FROM review_turns WHERE application = ? AND queue = ? AND annotator = ? "
        "AND state = 'voted' AND again = 0"
    )
    return int(database.query(sql, (*place, annotator))[0][0])


def judged_since(database: Database, application: str, since_ns: int) -> tuple[int, int]:
    """How many votes were given in all queues of an application since a time, and by how many people."""
    sql = (
        "SELECT count(*), count(DISTINCT annotator) FROM review_turns "
        "WHERE application = ? AND state = 'voted' AND ended_ns >= ?"
    )
    votes, people = database.query(sql, (application, since_ns))[0]
    return int(votes), int(people)


class Standing(NamedTuple):
    """How far a trace is in a queue."""

    queue: str
    votes: int
    sent_by: str


def of_trace(database: Database, trace: str) -> list[Standing]:
    """The queues that a trace is in."""
    sql = "SELECT queue, max(votes), max(sent_by) FROM review_items WHERE trace = ? OR other = ? GROUP BY queue"
    id = bytes.fromhex(trace)
    return sorted(Standing(queue, int(votes), by) for queue, votes, by in database.query(sql, (id, id)))


def remove(transaction: Transaction, traces: Sequence[str]) -> int:
    """Take away what is asked about these traces, and who was asked. What was said is feedback, and is not touched."""
    removed = 0
    for start in range(0, len(traces), _IDS // 2):
        some = [bytes.fromhex(one) for one in traces[start : start + _IDS // 2]]
        marks = ", ".join("?" * len(some))
        which = f"trace IN ({marks}) OR other IN ({marks})"
        items = f"SELECT id FROM review_items WHERE {which}"
        transaction.execute(f"DELETE FROM review_turns WHERE item IN ({items})", some + some)
        removed += int(transaction.execute(f"SELECT count(*) FROM review_items WHERE {which}", some + some)[0][0])
        transaction.execute(f"DELETE FROM review_items WHERE {which}", some + some)
    return removed


def forget(transaction: Transaction, before_ns: int) -> int:
    """Take away some of what is asked about traces that began before a time; how many items, 0 where none is left."""
    rows = transaction.execute(f"SELECT id FROM review_items WHERE started_ns < ? LIMIT {_IDS}", (before_ns,))
    if rows:
        items, marks = [row[0] for row in rows], ", ".join("?" * len(rows))
        transaction.execute(f"DELETE FROM review_turns WHERE item IN ({marks})", items)
        transaction.execute(f"DELETE FROM review_items WHERE id IN ({marks})", items)
    return len(rows)


def _item_row(one: Item) -> tuple[Any, ...]:
    return (
        *(one.id, one.application, one.queue, bytes.fromhex(one.trace), bytes.fromhex(one.other), one.tenant),
        *(one.started_ns, one.added_ns, one.sent_by, one.votes),
        *(one.disagreement, one.uncertainty, one.novelty, one.value, one.topic),
    )


def _item(row: Row) -> Item:
    id, application, queue, trace, other, *rest = row
    named: dict[str, Any] = dict(zip(Item.__struct_fields__[5:], rest, strict=True))
    named["topic"] = bytes(named["topic"])
    return Item(bytes(id), application, queue, bytes(trace).hex(), bytes(other).hex(), **named)


def _turn(row: Row) -> Turn:
    item, annotator, again, state, side, leased, until, ended, vote = row
    return Turn(bytes(item), annotator, bool(again), state, side, leased, until, ended, bytes(vote))


def _given(row: Row) -> Given:
    item, annotator, again, took, ended, trace, other, kind, name, value, preferred, side = row
    return Given(
        *(bytes(item), annotator, bool(again), int(took), int(ended), bytes(trace).hex(), bytes(other).hex()),
        *(kind, name, value, bytes(preferred).hex() if value != 0 else "", side),
    )
