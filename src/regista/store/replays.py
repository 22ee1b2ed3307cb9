"""What was asked in a trace and said before it, and the traces in which it was asked again. Calls block."""

from collections.abc import Sequence

from msgspec import Struct

from regista.store import conversations
from regista.store.bodies import Body
from regista.store.database import Database, Row
from regista.store.traces import NOTHING, located

DEEPEST = 100
"""Turns before one that are read to tell it again."""
_TOGETHER = 100
LISTED = 20
"""Replays of a trace that are listed."""


class Said(Struct, frozen=True):
    """A turn's words, as they were kept; `kept` is False where nothing is there of them any more."""

    trace: str
    question: str
    answer: str
    kept: bool = True


class Question(Struct, frozen=True):
    """What was asked in a trace; `screened` are the decisions of guardrails on it."""

    trace: str
    started_ns: int
    application: str
    model: str
    question: str
    screened: tuple[str, ...]


class Replay(Struct, frozen=True):
    """A trace in which another's question was asked again."""

    id: str
    started_ns: int
    model: str
    status: str


def question_of(database: Database, trace: str, started_ns: int = 0) -> Question:
    """What was asked in a trace; of several with one id in the one that began then, else in the newest.

    Raises `NotFoundError` as `traces.find`.
    """
    n, id, application, _, model, _, began, *_ = located(database, trace)
    if started_ns and began != started_ns:
        sql = "SELECT n, application, model, started_ns FROM traces WHERE id = ? AND started_ns = ?"
        for row in database.query(sql, (id, started_ns)):
            n, application, model, began = row
    question = database.bodies.get(database, [n]).get(n, NOTHING).question
    screened = database.query("SELECT decision FROM spans WHERE trace = ? AND stage = 'guard request'", (n,))
    return Question(id.hex(), began, application, model, question, tuple(row[0] for row in screened))


def said_before(database: Database, turn: bytes) -> list[Said]:
    """What had been said when a turn was asked, the oldest first: the answers it goes on from, and their questions.

    What was asked again or reworded since is not among it. Empty for a trace that is no turn.
    """
    found: list[bytes] = []
    row = conversations.turn(database, turn)
    for _ in range(conversations.MOST):
        if row is None or not row.after or len(found) == DEEPEST:
            break
        if row.way == "continues":
            found.append(row.after)
        row = conversations.turn(database, row.after)
    traces = traces_of(database, found)
    bodies = database.bodies.get(database, [row[0] for row in traces.values()])
    return [said(one[:16].hex(), bodies.get(traces[one][0]) if one in traces else None) for one in reversed(found)]


def said(trace: str, body: Body | None) -> Said:
    """The words of a turn's trace; `body` is None where it is gone."""
    return Said(trace, body.question, body.answer) if body is not None else Said(trace, "", "", kept=False)


def turn_id(trace: str, started_ns: int) -> bytes:
    """Under which a trace is a turn."""
    return bytes.fromhex(trace) + started_ns.to_bytes(8)


def replays(database: Database, trace: str) -> list[Replay]:
    """The traces in which the question of a trace was asked again, the newest first."""
    # The second condition is word for word that of the index spans_replay.
    sql = (
        "SELECT t.id, t.started_ns, t.model, t.status FROM spans s JOIN traces t ON t.n = s.trace "
        f"WHERE s.name = ? AND s.stage = 'replay' ORDER BY s.trace DESC LIMIT {LISTED}"
    )
    return [Replay(id.hex(), *rest) for id, *rest in database.query(sql, (trace,))]


def traces_of(database: Database, turns: Sequence[bytes], columns: str = "") -> dict[bytes, Row]:
    """Number, id, beginning and further `columns` of the traces of turns, by these; of those that are stored still."""
    wanted = list(dict.fromkeys(turns))
    found: dict[bytes, Row] = {}
    for start in range(0, len(wanted), _TOGETHER):
        some = wanted[start : start + _TOGETHER]
        # Spelled out: rows compared with a list of rows are a scan to one of the engines.
        where = " OR ".join(["(id = ? AND started_ns = ?)"] * len(some))
        given = [part for one in some for part in (one[:16], int.from_bytes(one[16:]))]
        rows = database.query(f"SELECT n, id, started_ns{columns} FROM traces WHERE {where}", given)
        found |= {turn_id(row[1].hex(), row[2]): row for row in rows}
    return found
