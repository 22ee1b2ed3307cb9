"""Conversations as people look through them: a page of a list, and one with its turns and what was said in them.

Knows no screen, and not what a signal means. Calls block.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from regista.core.errors import NotFoundError
from regista.core.nouns import Citation, Feedback, Span, Usage
from regista.store import conversations, feedback, trace_pages
from regista.store.conversations import MOST, TurnRow
from regista.store.database import Database, Row
from regista.store.replays import Said, said, traces_of, turn_id
from regista.store.traces import NOTHING, PART, attributes_of, spans_from

ADDED_UP = 40
"""Turns of a conversation that a list reads: the last. Of what came before it knows only how many those are."""
SOUGHT = 400
"""Conversations of a signal, or with a trace, that a list looks through: those where it was found last."""
FOUND = 2_000
"""Findings of a signal that these are taken from."""
_IDS = 400
_GONE: Row = (0, b"", 0, 0, 0, "", "", "", 0, 0, None)
_TOGETHER = 100
_SESSIONS = "SELECT session, tenant, application, ended_ns, is_over FROM conversations"
_NEWEST = "ORDER BY substr(session, 17) DESC, session DESC"
"""Word for word what migration 0015 has indexes of."""
_FIGURES = ", duration_ns, first_token_ns, status, error, model, input_tokens, output_tokens, cost_nano"


class Wanted(Struct, frozen=True):
    """Which conversations: those of which all holds that is not empty. `trace` is how the id of a turn's trace starts.

    Times are those of their beginning; `until_ns` is 0 for none.
    """

    application: str = ""
    signal: str = ""
    trace: str = ""
    since_ns: int = 0
    until_ns: int = 0


class Talk(Struct, frozen=True):
    """A conversation: `id` is 48 hexadecimal digits, the trace of its first turn and when that began."""

    id: str
    tenant: str
    application: str
    ended_ns: int
    is_over: bool

    @property
    def begun_ns(self) -> int:
        return int(self.id[32:], 16)


class Cost(Struct, frozen=True):
    """What was spent: `nano` on calls whose price is known; `partly` where there were others, or more turns."""

    nano: int
    partly: bool


class Listed(Struct, frozen=True):
    """A conversation as a list shows it: `turns` is how many stand, `question` the beginning of the first.

    `status` and `refused` are those of the last turn. `found` is the feedback on its last turns and on the whole.
    """

    talk: Talk
    turns: int
    status: str
    refused: bool
    cost: Cost
    question: str
    found: list[trace_pages.Mark]


class Turn(Struct, frozen=True):
    """One turn of a conversation; `number` counts from 1, `after` is the number of the one it follows, or 0.

    `cost_nano` is that of the turn with all its steps, `so_far` of the conversation up to its end. `trace` is empty
    where the trace is gone; then all is 0 that was on it.
    """

    number: int
    turn: bytes
    trace: str
    started_ns: int
    duration_ns: int
    first_token_ns: int
    status: str
    error: str
    model: str
    way: str
    after: int
    refused: bool
    usage: Usage
    cost_nano: int | None
    so_far: Cost
    n: int = 0


class Detail(Struct, frozen=True):
    """What happened in a turn beside its words."""

    spans: tuple[Span, ...]
    citations: tuple[Citation, ...]
    feedback: tuple[Feedback, ...]


def page(database: Database, wanted: Wanted, limit: int, after: str = "") -> list[Listed]:
    """The conversations that began last of those wanted; those listed after the one of an id, where one is given."""
    return _listed(database, page_of_talks(database, wanted, limit, after))


def page_of_talks(database: Database, wanted: Wanted, limit: int, after: str = "") -> list[Talk]:
    """The same without their turns."""
    if not (wanted.signal or wanted.trace):
        return _talks(database, wanted, limit, after)
    ranges = _with_trace(database, wanted.trace) if wanted.trace else _with_signal(database, wanted)
    if wanted.trace and wanted.signal:
        having = {low[:16] for low, _ in _with_signal(database, wanted)}
        ranges = [one for one in ranges if one[0][:16] in having]
    found: dict[str, Talk] = {}
    for start in range(0, len(ranges), _TOGETHER):
        some = ranges[start : start + _TOGETHER]
        where = " OR ".join(["session BETWEEN ? AND ?"] * len(some))
        rows = database.query(f"{_SESSIONS} WHERE {where} LIMIT {SOUGHT}", [one for pair in some for one in pair])
        found |= {talk.id: talk for talk in map(_talk, rows)}
    kept = [talk for talk in found.values() if _is_wanted(talk, wanted) and (not after or _key(talk.id) < _key(after))]
    return sorted(kept, key=lambda talk: _key(talk.id), reverse=True)[:limit]


def located(database: Database, id: str) -> Talk:
    """The conversation whose id starts so; where several have the trace of their first turn, the newest.

    Raises `NotFoundError` where there is none, or several are meant.
    """
    start = id.strip().lower()
    if start and len(start) <= 48 and not set(start) - set("0123456789abcdef"):
        low, high = (bytes.fromhex(start.ljust(48, fill)) for fill in "0f")
        rows = database.query(f"{_SESSIONS} WHERE session BETWEEN ? AND ? ORDER BY session DESC LIMIT 2", (low, high))
        talks = [_talk(row) for row in rows]
        if len({talk.id[:32] for talk in talks}) > 1:
            raise NotFoundError(f"Several conversations' ids start with {start!r}. Type more of the one you mean.")
        if talks:
            return talks[0]
    raise NotFoundError(
        f"No conversation's id starts with {id[:60]!r}. It is that of the trace of its first turn; "
        "a conversation is known some seconds after an answer."
    )


def turns_of(database: Database, talk: Talk) -> list[Turn]:
    """The turns of a conversation that stand, in the order they were asked; of a very long one the last."""
    rows = _turns(database, bytes.fromhex(talk.id), MOST)
    traces = _traces(database, [row.turn for row in rows])
    stand = [row.turn for row in rows if row.stands]
    earlier = _count(database, talk) - len(stand) if len(rows) == MOST else 0
    numbers = {turn: n for n, turn in enumerate(stand, earlier + 1)}
    found: list[Turn] = []
    # Of what came before those that are read nothing is added up.
    nano, partly, step = 0, len(rows) == MOST, list[int | None]()
    for row in rows:
        traced = traces.get(row.turn)
        cost = traced[10] if traced is not None else None
        nano, partly, step = nano + (cost or 0), partly or cost is None, [*step, cost]
        if row.stands:
            found.append(_turn(row, numbers, traced, step, Cost(nano, partly)))
            step = []
    return found


def said_in(database: Database, turns: Sequence[Turn]) -> dict[int, Said]:
    """What was said in turns, by their numbers."""
    bodies = database.bodies.get(database, [turn.n for turn in turns if turn.n])
    return {turn.number: said(turn.trace, bodies.get(turn.n)) for turn in turns}


def detail(database: Database, turn: Turn) -> Detail:
    """What happened in a turn: the first 200 spans of its trace, and the feedback on it."""
    body = database.bodies.get(database, [turn.n]).get(turn.n, NOTHING)
    sql = (
        "SELECT stage, name, parent, start_ns, duration_ns, decision, reason FROM spans "
        f"WHERE trace = ? AND n < {PART} ORDER BY n"
    )
    rows = database.query(sql, (turn.n,))
    spans = spans_from(rows, attributes_of(database, turn.n, body, 0, len(rows))) if rows else []
    given = feedback.of_trace(database, turn.trace) if turn.trace else []
    return Detail(tuple(spans), body.citations, tuple(kept.feedback for kept in given))


def on_whole(database: Database, talk: Talk) -> list[Feedback]:
    """The feedback on a conversation as a whole, the oldest first."""
    return feedback.of_session(database, talk.id[:32])


def place(database: Database, trace: str, started_ns: int) -> tuple[Talk, int, int] | None:
    """The conversation that a trace is a turn of, the turn's number, and how many there are; None for none."""
    row = conversations.turn(database, turn_id(trace, started_ns))
    rows = database.query(f"{_SESSIONS} WHERE session = ?", (row.session,)) if row is not None else []
    if row is None or not rows:
        return None
    stands = "FROM turns WHERE session = ? AND stands = 1"
    up_to = f"SELECT (SELECT count(*) {stands} AND started_ns <= ?), (SELECT count(*) {stands})"
    number, count = database.query(up_to, (row.session, row.started_ns, row.session))[0]
    return _talk(rows[0]), max(1, int(number)), int(count)


def _talks(database: Database, wanted: Wanted, limit: int, after: str) -> list[Talk]:
    conditions, given = ["substr(session, 17) >= ?"], list[Any]([wanted.since_ns.to_bytes(8)])
    if wanted.application:
        conditions.append("application = ?")
        given.append(wanted.application)
    if wanted.until_ns:
        conditions.append("substr(session, 17) < ?")
        given.append(wanted.until_ns.to_bytes(8))
    if after:
        begun, session = _key(after)
        conditions += ["substr(session, 17) <= ?", "(substr(session, 17) < ? OR session < ?)"]
        given += [begun, begun, session]
    rows = database.query(f"{_SESSIONS} WHERE {' AND '.join(conditions)} {_NEWEST} LIMIT ?", (*given, limit))
    return [_talk(row) for row in rows]


def _with_signal(database: Database, wanted: Wanted) -> list[tuple[bytes, bytes]]:
    """Where the ids of conversations lie in which a signal was found, those where it was found last."""
    sql = (
        "SELECT session FROM feedback WHERE name = ? AND name <> '' AND kind = 'signal' AND made_ns >= ? "
        f"ORDER BY made_ns DESC LIMIT {FOUND}"
    )
    sessions = dict.fromkeys(row[0] for row in database.query(sql, (wanted.signal, wanted.since_ns)))
    return [(bytes.fromhex(one) + bytes(8), bytes.fromhex(one) + b"\xff" * 8) for one in sessions if one][:SOUGHT]


def _with_trace(database: Database, start: str) -> list[tuple[bytes, bytes]]:
    start = start.strip().lower()
    if len(start) > 32 or set(start) - set("0123456789abcdef"):
        return []
    low, high = (bytes.fromhex(start.ljust(48, fill)) for fill in "0f")
    rows = database.query(f"SELECT DISTINCT session FROM turns WHERE turn BETWEEN ? AND ? LIMIT {SOUGHT}", (low, high))
    return [(bytes(row[0]), bytes(row[0])) for row in rows]


def _listed(database: Database, talks: Sequence[Talk]) -> list[Listed]:
    turns = {talk.id: _turns(database, bytes.fromhex(talk.id), ADDED_UP) for talk in talks}
    wanted = [row.turn for rows in turns.values() for row in rows]
    traces = _traces(database, [*wanted, *(bytes.fromhex(talk.id) for talk in talks)])
    firsts = {talk.id: traces[first][0] for talk in talks if (first := bytes.fromhex(talk.id)) in traces}
    bodies = database.bodies.get(database, list(firsts.values()))
    marks: dict[str, list[trace_pages.Mark]] = {}
    for some in _chunks(list(dict.fromkeys(one[:16].hex() for one in wanted))):
        marks |= trace_pages.marks(database, some)
    whole = feedback.on_sessions(database, [talk.id[:32] for talk in talks])
    listed: list[Listed] = []
    for talk in talks:
        rows = turns[talk.id]
        stand = [row for row in rows if row.stands]
        more = len(rows) == ADDED_UP
        costs = [traces[row.turn][10] if row.turn in traces else None for row in rows]
        last = stand[-1] if stand else None
        said = bodies.get(firsts.get(talk.id, 0), NOTHING).question[: trace_pages.PREVIEW]
        found = [mark for one in dict.fromkeys(row.turn[:16].hex() for row in rows) for mark in marks.get(one, ())]
        listed.append(
            Listed(
                talk,
                _count(database, talk) if more else len(stand),
                last.status if last is not None else "",
                last is not None and last.refused,
                Cost(sum(cost or 0 for cost in costs), more or None in costs),
                said,
                [*found, *(trace_pages.Mark(one.kind, one.source, one.name, one.value) for one in whole[talk.id[:32]])],
            )
        )
    return listed


def _count(database: Database, talk: Talk) -> int:
    sql = "SELECT count(*) FROM turns WHERE session = ? AND stands = 1"
    return int(database.query(sql, (bytes.fromhex(talk.id),))[0][0])


def _turns(database: Database, session: bytes, most: int) -> list[TurnRow]:
    """The last turns of a conversation, also those that no longer stand, in the order they were asked."""
    return conversations.turns(database, session, most, standing=False)


def _traces(database: Database, turns: Sequence[bytes]) -> dict[bytes, Row]:
    return traces_of(database, turns, _FIGURES)


def _turn(
    row: TurnRow, numbers: dict[bytes, int], traced: Row | None, step: Iterable[int | None], so_far: Cost
) -> Turn:
    costs = list(step)
    n, id, _, duration, first, status, error, model, put_in, put_out, _ = traced or (
        0,
        b"",
        0,
        0,
        0,
        "",
        "",
        "",
        0,
        0,
        0,
    )
    return Turn(
        *(numbers[row.turn], row.turn, id.hex(), row.started_ns),
        *(duration or row.ended_ns - row.started_ns, first, status or row.status, error, model),
        *(row.way, numbers.get(row.after, 0), row.refused, Usage(put_in, put_out)),
        None if None in costs else sum(cost or 0 for cost in costs),
        so_far,
        n,
    )


def _talk(row: Row) -> Talk:
    session, tenant, application, ended_ns, is_over = row
    return Talk(bytes(session).hex(), tenant, application, ended_ns, bool(is_over))


def _is_wanted(talk: Talk, wanted: Wanted) -> bool:
    within = wanted.since_ns <= talk.begun_ns and (not wanted.until_ns or talk.begun_ns < wanted.until_ns)
    return within and wanted.application in ("", talk.application)


def _key(id: str) -> tuple[bytes, bytes]:
    """What conversations are ordered by."""
    session = bytes.fromhex(id)
    return session[16:], session


def _chunks(of: list[Any]) -> Iterable[list[Any]]:
    return (of[start : start + _IDS] for start in range(0, len(of), _IDS))
