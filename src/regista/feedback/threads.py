"""Requests in the order they came, threaded into conversations. It keeps what it is given and no more.

For a day's requests at once, and as the reference of what a store does with `keys` one request at a time.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from regista.core.nouns import Message
from regista.feedback.conversation import History, history, keys, link
from regista.feedback.turns import Conversation, Turn

IDLE_NS = 30 * 60 * 10**9
"""A conversation nobody went on with for so long is over: the half hour that web analytics use for a visit."""


class Exchanged(Struct, frozen=True):
    """A request and what became of it. Of `turn`, all that says how it follows another is filled in by `threads`.

    `calls` are the ids of the tool calls in the answer.
    """

    turn: Turn
    messages: tuple[Message, ...]
    scope: str = ""
    calls: tuple[str, ...] = ()


def threads(exchanged: Iterable[Exchanged], now_ns: int, idle_ns: int = IDLE_NS) -> list[Conversation]:
    """The conversations of these requests, in the order they began. A session's name is the trace of its first turn."""
    traces: dict[bytes, str] = {}
    session_of: dict[str, str] = {}
    turns: dict[str, list[Turn]] = {}
    for one in sorted(exchanged, key=lambda one: one.turn.started_ns):
        past = history(one.messages, one.scope)
        found = link(past, lambda digest: traces.get(digest, ""))
        turn = replace(one.turn, way=found.way, after=found.trace, returned=found.returned)
        session = session_of.get(found.trace, turn.trace)
        _add(turns.setdefault(session, []), turn, past)
        for digest in keys(past, turn.answer, one.calls):
            traces[digest] = turn.trace
        session_of[turn.trace] = session
    return [
        Conversation(session, tuple(said), now_ns - max(turn.ended_ns for turn in said) > idle_ns)
        for session, said in turns.items()
    ]


def _add(said: list[Turn], turn: Turn, past: History) -> None:
    """A turn after those before it. One that hands back what tools said takes the place of the one that called."""
    called = next((at for at, one in enumerate(said) if past.step and one.trace == turn.after), None)
    if called is None or turn.way != "continues":
        said.append(turn)
        return
    first = said[called]
    said[called] = replace(
        turn, question=first.question, started_ns=first.started_ns, way=first.way, after=first.after,
        duration_ns=turn.ended_ns - first.started_ns, returned=first.returned,
    )  # fmt: skip
