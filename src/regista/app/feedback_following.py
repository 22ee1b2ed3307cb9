"""Follows conversations through a store: links each request to the one before it, and keeps what that says of answers.

Knows no process and no queue. Calls block, and read words: never on the path of a request.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from regista.app.feedback_seen import Seen
from regista.core.errors import RegistaError
from regista.core.nouns import Feedback
from regista.feedback.conversation import History, Link, history, keys, link
from regista.feedback.derive import derive
from regista.feedback.turns import Conversation, Turn
from regista.store import Database, conversations, traces
from regista.store import feedback as rows
from regista.store.conversations import SessionRow, TurnRow
from regista.store.feedback import Kept

WORDS = 4_000_000
"""Characters of questions and answers kept at hand: those of the last some thousand requests."""
KEPT_NS = 14 * 86_400 * 10**9
"""How long a turn is found again by what was said in it."""
ENDED = 200
"""Conversations taken for over in one step."""


class _Said(NamedTuple):
    """What was said in a turn. What may not be kept is held to be compared with what comes next, and no longer."""

    question: str
    answer: str
    is_kept: bool = True


class Following:
    """One reader of requests as they ended. Several may share a store, each with requests of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._said: OrderedDict[bytes, _Said] = OrderedDict()
        self._size = 0

    def take(self, seen: Seen, idle_ns: int) -> list[Feedback]:
        """Link a request, and keep and return what it says. Requests are taken in the order they ended.

        Raises `StoreError`.
        """
        past = history(seen.messages, seen.scope)
        said_out = seen.out if seen.out is not None else seen.answer
        seen = _masked(seen, past) if seen.capture == "masked" else seen
        found = self._link(past, seen)
        before = conversations.turn(self._database, _bytes(found.trace)) if found.trace else None
        if before is None:
            found = Link()
        own = _turn(seen, found, before)
        stepped = before is not None and past.step and found.way == "continues"
        if stepped and before is not None:
            own = replace(own, started_ns=before.started_ns, way=before.way, after=before.after)
        self._remember(own.turn, _Said(seen.question, seen.answer, seen.capture != "off"))
        said = self._conversation(own, found, before.turn if stepped and before is not None else b"")
        told = self._told(derive(said), [own])
        kept = [_kept(one, own, seen.tenant, seen.application) for one in told]
        stands = [replace(before, stands=False)] if stepped and before is not None else []
        digests = keys(past, said_out, seen.calls)
        with self._database.transaction() as transaction:
            conversations.write(
                transaction,
                [*stands, own],
                dict.fromkeys(digests, (own.turn, own.ended_ns)),
                [SessionRow(own.session, seen.tenant, seen.application, own.ended_ns)],
            )
            if before is not None and own.started_ns - before.ended_ns > idle_ns:
                # It was taken for over, and is not.
                rows.withdraw(transaction, [_id("abandoned", before.turn, before.started_ns, before.session)])
            rows.put(transaction, kept)
        return [one.feedback for one in kept]

    def end(self, now_ns: int, idle_ns: int) -> list[Feedback]:
        """Take conversations for over with which nobody went on, and keep and return what that says."""
        told: list[Feedback] = []
        for session in conversations.idle(self._database, now_ns - idle_ns, ENDED):
            turns = conversations.turns(self._database, session.session)
            over = self._of(turns, over=True)
            known = derive(replace(over, over=False)) if turns else []
            made = [one for one in derive(over) if one not in known] if turns else []
            kept = [_kept(one, turns[-1], session.tenant, session.application) for one in self._told(made, turns[-1:])]
            with self._database.transaction() as transaction:
                if conversations.end(transaction, session):
                    rows.put(transaction, kept)
                    told += [one.feedback for one in kept]
        return told

    def forget(self, now_ns: int) -> None:
        """Find no turn again by what was said in it that is two weeks old."""
        with self._database.transaction() as transaction:
            conversations.forget_keys(transaction, now_ns - KEPT_NS)

    def _link(self, past: History, seen: Seen) -> Link:
        found = link(past, lambda digest: conversations.find(self._database, digest).hex())
        if found.way == "regenerates" and past.answer is None and not seen.named:
            # Two people may ask the same first question through one key.
            return Link()
        if found.returned and seen.returned is not None:
            return replace(found, returned=seen.returned)
        return found

    def _conversation(self, own: TurnRow, found: Link, instead: bytes) -> Conversation:
        """The conversation up to a turn, with the words of those that are looked at."""
        earlier = [
            row for row in conversations.turns(self._database, own.session) if row.turn not in (own.turn, instead)
        ]
        conversation = self._of([*earlier, own])
        *others, last = conversation.turns
        return replace(conversation, turns=(*others, replace(last, returned=found.returned)))

    def _of(self, turns: Sequence[TurnRow], *, over: bool = False) -> Conversation:
        """Turns with the words of the last of them and of the one it follows: no signal looks at others."""
        wanted = {turns[-1].turn, turns[-1].after} if turns else set[bytes]()
        said = {turn: self._words(turn) for turn in wanted if turn}
        session = turns[0].session[:16].hex() if turns else ""
        return Conversation(session, tuple(_bare(row, said.get(row.turn)) for row in turns), over)

    def _told(self, found: Sequence[Feedback], last: Sequence[TurnRow]) -> list[Feedback]:
        """What was found, without the words it rests on where some of them may not be kept."""
        turns = [turn for row in last for turn in (row.turn, row.after)]
        if all(said.is_kept for turn in turns if (said := self._said.get(turn)) is not None):
            return list(found)
        return [replace(one, evidence=()) for one in found]

    def _words(self, turn: bytes) -> _Said | None:
        if (said := self._said.get(turn)) is not None:
            self._said.move_to_end(turn)
            return said
        trace, started_ns = turn[:16].hex(), int.from_bytes(turn[16:])
        for _, stored in traces.of_ids(self._database, [trace]):
            if stored.started_ns == started_ns:
                return _Said(stored.question, stored.answer)
        return None

    def _remember(self, turn: bytes, said: _Said) -> None:
        self._said[turn] = said
        self._size += len(said.question) + len(said.answer)
        while self._size > WORDS:
            _, old = self._said.popitem(last=False)
            self._size -= len(old.question) + len(old.answer)


def _masked(seen: Seen, past: History) -> Seen:
    """A request with what is personal in it hidden; where that cannot be told, nothing of it is kept."""
    came = past.messages[past.answer].text if past.answer is not None else ""
    returned = seen.returned if seen.returned is not None else came
    from regista.app.hiding import hide  # noqa: PLC0415 - where nothing is masked, it is not needed

    try:
        return replace(seen, question=hide(seen.question), answer=hide(seen.answer), returned=hide(returned))
    except RegistaError:
        return replace(seen, capture="off")


def _turn(seen: Seen, found: Link, before: TurnRow | None) -> TurnRow:
    turn = bytes.fromhex(seen.trace) + seen.started_ns.to_bytes(8)
    session = before.session if before is not None else turn
    ended_ns = seen.started_ns + seen.duration_ns
    after = before.turn if before is not None else b""
    return TurnRow(turn, session, seen.started_ns, ended_ns, seen.status, found.way, after, seen.refused)


def _bare(row: TurnRow, said: _Said | None) -> Turn:
    """A turn as signals read it; by its whole id, since traces may share theirs."""
    question, answer, _ = said or _Said("", "")
    return Turn(
        *(row.turn.hex(), question, answer, row.started_ns, row.ended_ns - row.started_ns),
        status=row.status,
        way=row.way,
        after=row.after.hex(),
        refused=row.refused,
    )


def _kept(found: Feedback, by: TurnRow, tenant: str, application: str) -> Kept:
    """A finding as it is stored: of the trace itself, and once for each turn that tells it."""
    evidence = tuple(replace(one, trace=one.trace[:32]) for one in found.evidence)
    # A turn that takes the place of another began with it, and says the same; a conversation is told of once.
    id = _id(found.name, _bytes(found.trace), by.started_ns if found.trace else 0, by.session)
    return Kept(id, replace(found, trace=found.trace[:32], evidence=evidence), tenant, application)


def _id(name: str, about: bytes, by: int, session: bytes) -> bytes:
    return rows.identity("signal", name, about, by, session)


def _bytes(turn: str) -> bytes:
    return bytes.fromhex(turn)
