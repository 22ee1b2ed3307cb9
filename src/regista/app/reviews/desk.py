"""One queue at work: what somebody is asked next, what they say, and what they take back.

A vote is feedback; the queue keeps who was asked what, and when.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from regista.app.reviews.drawing import Embed, fill, opinions
from regista.core.errors import NotFoundError, RequestError
from regista.core.nouns import Citation, Feedback, FeedbackKind, Trace
from regista.data.adding import add_one
from regista.data.from_traces import example_of, masking
from regista.feedback.review import repeats, topic
from regista.feedback.review.health import TIE, Ballot, Health, health
from regista.feedback.review.queue import Queue
from regista.feedback.review.worth import Worth, graded, spread, why, worth
from regista.store import Database, conversations, feedback, review, traces
from regista.store.database import Transaction
from regista.store.feedback import Kept, identity
from regista.store.review import Given, Item, LeaseOverError, Place, Sum, Turn
from regista.store.review_traces import thoughts

SECOND_NS = 10**9
LOW = 20
"""With fewer items for who asks, more are drawn."""
REVALUED = 1_000
"""Items whose newness is looked at again after a vote: those of the highest value."""
COUNTED = 1_000
"""Votes that agreement and the like are made of: the last."""
LONGEST_NAME = 100
LONGEST = 100_000
"""Characters of a text."""
_VOTES: dict[str, FeedbackKind] = {"grades": "score", "labels": "label", "pairs": "preference"}
_SAID: tuple[FeedbackKind, ...] = (*_VOTES.values(), "comment")
Side = Literal["", "a", "b"]


class Shown(Struct, frozen=True):
    """One answer as it is shown; `side` is empty where there is only one."""

    side: Side
    text: str
    citations: tuple[Citation, ...]
    error: str = ""


class Asked(Struct, frozen=True):
    """What somebody is asked: the question that an application was asked, and its answer, or two.

    Whether it is asked again is not told. `until_ns` is how long it is theirs.
    """

    id: str
    question: str
    answers: tuple[Shown, ...]
    worth: Worth
    why: str
    sent_by: str
    until_ns: int


class Voted(NamedTuple):
    """What a vote was stored as, and whether it was a new one."""

    kind: FeedbackKind
    new: bool


@dataclass(frozen=True)
class Desk:
    """A queue of an application, over its store and its folder. All but `next` block."""

    database: Database
    folder: Path
    place: Place
    queue: Queue
    embed: Embed | None = None
    clock: Callable[[], int] = time.time_ns

    async def next(self, by: str) -> Asked | None:
        """What somebody has, or is given now; None where nothing is left for them. Fills the queue where it is low."""
        check_name(by)
        if await asyncio.to_thread(self._is_low, by):
            await fill(self.database, self.place, self.queue, self.embed)
        return await asyncio.to_thread(self._next, by)

    def vote(self, item_id: str, by: str, choice: str) -> Voted:
        """Take a vote: a grade's number, a label's name; of two `a`, `b` or `neither`.

        Who votes again on what they judged before changes the vote.

        Raises:
            RequestError: there is no such choice.
            LeaseOverError: they were not asked this, or their time was over and others judge it.
        """
        check_name(by)
        now = self.clock()
        with self.database.transaction() as transaction:
            item, turn = self._turn(transaction, item_id, by)
            given = self._kept(transaction, item, turn, self._vote_of(item, turn, choice, now))
            fresh = turn.state != "voted"
            if fresh and not turn.again and not review.room(transaction, item, by, self.queue.annotators, now):
                raise LeaseOverError("Your time for this one was over, and others judge it now. Go on with the next.")
            feedback.put(transaction, [given])
            ended = replace(turn, state="voted", ended_ns=now, vote=given.id) if fresh else turn
            review.keep(transaction, self.place, ended)
            if fresh and not turn.again:
                review.count_vote(transaction, item.id, 1)
            if not turn.again:
                self._revalue(transaction, item)
                if not item.votes:
                    self._reviewed(transaction, item)
        return Voted(given.feedback.kind, fresh)

    def skip(self, item_id: str, by: str) -> None:
        """Leave an item to others: it is not asked of this person again. Raises `LeaseOverError` as `vote`."""
        check_name(by)
        with self.database.transaction() as transaction:
            _, turn = self._turn(transaction, item_id, by)
            if turn.state == "held":
                skipped = replace(turn, state="skipped", ended_ns=self.clock())
                review.keep(transaction, self.place, skipped)

    def undo(self, by: str) -> None:
        """Take back the last vote, or what was left out last, with what was said of it; it is asked again next.

        Raises:
            NotFoundError: there is nothing to take back.
            LeaseOverError: what was left out has gone to others.
        """
        check_name(by)
        now = self.clock()
        with self.database.transaction() as transaction:
            turn = review.last_ended(transaction, self.place, by)
            item = review.item(transaction, turn.item) if turn is not None else None
            if turn is None or item is None:
                raise NotFoundError("There is nothing to take back: you have judged nothing here.", code="no_vote")
            counts = turn.state == "voted" and not turn.again
            wanted = self.queue.annotators
            if not counts and not turn.again and not review.room(transaction, item, by, wanted, now):
                raise LeaseOverError("Others judge what you left out last: it cannot be taken back.")
            review.release(transaction, self.place, by)
            until = now + self.queue.lease_s * SECOND_NS
            back = replace(turn, state="held", leased_ns=now, until_ns=until, ended_ns=0, vote=b"")
            review.keep(transaction, self.place, back)
            said = [_feedback_id(turn, kind) for kind in _SAID]
            said += [_feedback_id(turn, "correction", trace) for trace in (item.trace, item.other)]
            feedback.withdraw(transaction, said)
            if counts:
                review.count_vote(transaction, item.id, -1)
                self._revalue(transaction, item)

    def comment(self, item_id: str, by: str, text: str) -> None:
        """Say something of what is judged; the last counts. Raises `RequestError` without a text, and as `vote`."""
        check_name(by)
        said = _text(text, "comment")
        with self.database.transaction() as transaction:
            item, turn = self._turn(transaction, item_id, by)
            given = self._kept(transaction, item, turn, Feedback("comment", "reviewer", 0, text=said))
            feedback.put(transaction, [given])

    def correct(self, item_id: str, by: str, text: str, side: Side = "") -> None:
        """Take an answer as it should have been: a correction, and an example of the next version of the dataset.

        Raises:
            RequestError: there is no text, or it may not be an example, or `side` names none of the answers there are.
            LeaseOverError: as `vote`.
        """
        check_name(by)
        said = _text(text, "correction")
        if bool(side) != self.queue.pairwise:
            told = "Say which of the two: 'side' is a or b." if self.queue.pairwise else "There is one answer, no side."
            raise RequestError(told, param="side")
        with self.database.transaction() as transaction:
            item, turn = self._turn(transaction, item_id, by)
        trace = item.trace if side == turn.side else item.other
        found = self._traces(trace)
        if trace not in found:
            raise NotFoundError("The trace of this answer is gone.", code="trace_not_found")
        example = example_of(found[trace], said)
        add_one(self.folder, self.queue.dataset, example, masking(), self.place.application)
        with self.database.transaction() as transaction:
            corrected = Feedback("correction", "reviewer", 0, trace=trace, text=said)
            feedback.put(transaction, [self._kept(transaction, item, turn, corrected)])

    def left(self, by: str) -> int:
        """How many items could be asked of somebody now."""
        now = self.clock()
        return review.free_count(self.database, self.place, by, self.queue.annotators, now)

    def mine(self, by: str) -> int:
        """How many items somebody has judged."""
        return review.votes_of(self.database, self.place, by)

    def sum(self) -> Sum:
        """How much of the queue there is."""
        return review.count(self.database, self.place, self.queue.annotators)

    def health(self, by: str = "") -> Health:
        """What the last votes are worth, and how those of `by` stand beside the others."""
        given = review.given(self.database, self.place, COUNTED)
        return health([_ballot(one) for one in given], by, self.queue.kind)

    def _is_low(self, by: str) -> bool:
        return self.left(by) < LOW

    def _next(self, by: str) -> Asked | None:
        while (found := self._lease(by)) is not None:
            item, turn = found
            answers = self._traces(item.trace, item.other)
            gone = [one for one in (item.trace, item.other) if one and one not in answers]
            if not gone:
                return self._asked(item, turn, answers)
            with self.database.transaction() as transaction:
                review.remove(transaction, gone)
        return None

    def _lease(self, by: str) -> tuple[Item, Turn] | None:
        """Give somebody what they have already, or something else, for the time of a lease from now on."""
        now = self.clock()
        with self.database.transaction() as transaction:
            turn = self._held(transaction, by, now) or self._chosen(transaction, by, now)
            if turn is None:
                return None
            turn = replace(turn, until_ns=now + self.queue.lease_s * SECOND_NS)
            review.keep(transaction, self.place, turn)
            item = review.item(transaction, turn.item)
        return (item, turn) if item is not None else None

    def _held(self, transaction: Transaction, by: str, now: int) -> Turn | None:
        """What somebody has, unless others gave all its votes: the queue's file asks fewer of it than it did."""
        turn = review.held(transaction, self.place, by, now)
        item = review.item(transaction, turn.item) if turn is not None else None
        if turn is None or item is None or turn.again:
            return turn
        if review.room(transaction, item, by, self.queue.annotators, now):
            return turn
        review.release(transaction, self.place, by)
        return None

    def _chosen(self, transaction: Transaction, by: str, now: int) -> Turn | None:
        """What somebody is to be given: what they judged before, if that is due, else what tells most."""
        seed = (*self.place, by, review.ended_count(transaction, self.place, by))
        old: list[bytes] = []
        if repeats.is_due(self.queue.blind_repeats, *seed):
            old = review.judged(transaction, self.place, by, repeats.APART, repeats.FROM)
        if old:
            id = old[repeats.drawn(len(old), "which", *seed)]
        else:
            id = review.free(transaction, self.place, by, self.queue.annotators, now)
        if id is None:
            return None
        side = ""
        if self.queue.pairwise:
            # A page that was left open beyond its time still says which answer is which.
            before = (one.side for one in review.turns(transaction, id, by) if one.again == bool(old))
            side = next(before, "") or secrets.choice("ab")
        return Turn(id, by, bool(old), "held", side, now, now)

    def _turn(self, transaction: Transaction, item_id: str, by: str) -> tuple[Item, Turn]:
        """An item of this queue, and the turn that somebody has or had at it."""
        try:
            item = review.item(transaction, bytes.fromhex(item_id))
        except ValueError:
            item = None
        if item is None or (item.application, item.queue) != self.place:
            raise NotFoundError(f"The queue {self.place.queue} has no item {item_id[:40]!r}.", code="item_not_found")
        found = review.turns(transaction, item.id, by)
        if not found:
            raise LeaseOverError("You were not asked this, or your time for it was over. Go on with the next.")
        return item, found[0]

    def _vote_of(self, item: Item, turn: Turn, choice: str, now: int) -> Feedback:
        """A vote as feedback."""
        queue = self.queue
        known = ("a", "b", TIE) if queue.pairwise else tuple(one.name for one in queue.labels)
        if queue.grades:
            known = tuple(str(n) for n in range(1, len(queue.grades) + 1))
        if choice not in known:
            told = f"{choice[:40]!r} is none of the choices here: {', '.join(known)}."
            raise RequestError(told, code="no_such_choice", param="choice")
        kind = _VOTES[queue.kind]
        if queue.grades:
            return Feedback(kind, "reviewer", now, name=self.place.queue, value=float(choice))
        if queue.labels:
            return Feedback(kind, "reviewer", now, name=choice)
        if choice == TIE:
            return Feedback(kind, "reviewer", now, trace=item.trace, other=item.other, value=0)
        won, lost = (item.trace, item.other) if choice == turn.side else (item.other, item.trace)
        side: Side = "a" if choice == "a" else "b"
        return Feedback(kind, "reviewer", now, trace=won, other=lost, side=side)

    def _kept(self, transaction: Transaction, item: Item, turn: Turn, said: Feedback) -> Kept:
        trace = said.trace or item.trace
        session = conversations.session_of(transaction.execute, trace)
        whole = replace(said, made_ns=self.clock(), trace=trace, session=session, by=turn.annotator)
        id = _feedback_id(turn, said.kind, trace if said.kind == "correction" else "")
        return Kept(id, whole, item.tenant, item.application)

    def _revalue(self, transaction: Transaction, item: Item) -> None:
        """What one more vote on an item would tell, now that the votes on it are others."""
        votes = [one for one in review.given_on(transaction, item.id) if not one.again]
        told = thoughts(transaction.execute, [one for one in (item.trace, item.other) if one])
        made = worth([*opinions(told, item.trace), *self._opinions(votes)], item.novelty)
        if self.queue.labels:
            made = made._replace(disagreement=max(made.disagreement, spread([one.name for one in votes])))
        review.revalue(transaction, [_worth(item, made)])

    def _opinions(self, votes: list[Given]) -> list[float]:
        if self.queue.grades:
            return [graded(one.value or 1, len(self.queue.grades)) for one in votes]
        if self.queue.pairwise:
            return [0.5 if not one.preferred else float(one.preferred == one.trace) for one in votes]
        return []

    def _reviewed(self, transaction: Transaction, item: Item) -> None:
        """What is like an item that was judged is less new from now on."""
        others = review.open_items(transaction, self.place, self.queue.annotators, REVALUED)
        others = [one for one in others if one.id != item.id]
        new = topic.novelty([one.topic for one in others], [item.topic])
        review.revalue(
            transaction,
            [
                _worth(one, Worth(one.disagreement, one.uncertainty, now))
                for one, now in zip(others, new, strict=True)
                if now < one.novelty
            ],
        )

    def _traces(self, *ids: str) -> dict[str, Trace]:
        """The newest trace of each id."""
        found = sorted(traces.of_ids(self.database, [one for one in ids if one]), key=lambda one: one[0])
        return {trace.id: trace for _, trace in found}

    def _asked(self, item: Item, turn: Turn, found: dict[str, Trace]) -> Asked:
        sides: list[tuple[Side, str]] = [("", item.trace)]
        if item.other:
            first, second = (item.trace, item.other) if turn.side == "a" else (item.other, item.trace)
            sides = [("a", first), ("b", second)]
        made = Worth(item.disagreement, item.uncertainty, item.novelty)
        return Asked(
            item.id.hex(),
            found[item.trace].question,
            tuple(Shown(side, found[one].answer, found[one].citations, found[one].error) for side, one in sides),
            made,
            why(made, item.sent_by),
            item.sent_by,
            turn.until_ns,
        )


def check_name(by: str) -> None:
    """Raise `RequestError` where nobody can be called so."""
    if not by.strip() or not by.isprintable() or len(by) > LONGEST_NAME:
        raise RequestError(
            f"Say who judges: a name of at most {LONGEST_NAME} letters, as 'by'.", code="no_reviewer", param="by"
        )


def _text(text: str, what: str) -> str:
    if not text.strip() or len(text) > LONGEST:
        raise RequestError(f"A {what} needs a text of at most {LONGEST:,} characters.", param=what)
    return text


def _feedback_id(turn: Turn, kind: FeedbackKind, trace: str = "") -> bytes:
    """One of a kind, but that each of two answers may be corrected."""
    return identity("review", turn.item, turn.annotator, turn.again, kind, trace)


def _worth(item: Item, made: Worth) -> Item:
    disagreement, uncertainty, novelty = made
    return replace(item, disagreement=disagreement, uncertainty=uncertainty, novelty=novelty, value=made.value)


def _ballot(one: Given) -> Ballot:
    choice: str | float = one.name
    if one.kind == "score":
        choice = one.value or 0.0
    elif one.kind == "preference":
        choice = TIE if not one.preferred else "first" if one.preferred == one.trace else "second"
    return Ballot(one.item, one.annotator, choice, one.took_ns / SECOND_NS, one.again, one.chosen_side)
