"""Fills a review queue: the newest traces it wants that are not in it, each with what a vote on it is worth."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import combinations, islice, product
from typing import Any, NamedTuple

from regista.data.dataset import same
from regista.feedback.review import topic
from regista.feedback.review.queue import Queue
from regista.feedback.review.worth import opinion, worth
from regista.store import Database, review
from regista.store.bodies import Body
from regista.store.feedback import identity
from regista.store.review import Item, Place
from regista.store.review_traces import Seen, Thought, newest, of_ids, thoughts, with_signal

WINDOW = 2_000
"""Traces that are looked at: the newest."""
TOGETHER = 1_000
"""Of these, those whose questions are compared for pairs."""
DRAWN = 500
"""Items added at a time."""
PAIRS = 3
"""Pairs of one question."""
REVIEWED = 300
"""Reviewed questions that a new one is compared with: those last added."""

Embed = Callable[[Sequence[str]], Awaitable[Any]]
"""Vectors of texts, of length 1, a row each."""


class _Picked(NamedTuple):
    """What is to be an item: one trace, or two; and its question."""

    trace: Seen
    other: Seen | None
    question: str

    @property
    def traces(self) -> list[Seen]:
        return [self.trace] if self.other is None else [self.trace, self.other]


def item_id(place: Place, trace: str, other: str = "") -> bytes:
    """The id of what is asked about one trace or two: the same in every process that draws it."""
    return identity("review", *place, trace, other)


async def fill(database: Database, place: Place, queue: Queue, embed: Embed | None) -> int:
    """Add what the queue wants and has not; how many there were. Several may do so at once."""
    picked = await asyncio.to_thread(_picked, database, place, queue)
    if not picked:
        return 0
    topics = await topics_of([one.question for one in picked], embed)
    await asyncio.to_thread(_enter, database, place, picked, topics)
    return len(picked)


async def send(database: Database, place: Place, trace: str, by: str, embed: Embed | None) -> None:
    """Have a trace judged before all that is drawn, because somebody says so."""
    seen = (await asyncio.to_thread(of_ids, database, [trace]))[0]
    bodies = await asyncio.to_thread(database.bodies.get, database, [seen.n])
    picked = _Picked(seen, None, bodies[seen.n].question if seen.n in bodies else "")
    topics = await topics_of([picked.question], embed)
    await asyncio.to_thread(_enter, database, place, [picked], topics, by)


async def topics_of(questions: Sequence[str], embed: Embed | None) -> list[bytes]:
    """What questions are about: by vectors where there is an embedder, else by their words."""
    if embed is None:
        return await asyncio.to_thread(lambda: list(map(topic.of_words, questions)))
    vectors = await embed(questions)
    return await asyncio.to_thread(lambda: list(map(topic.of_vector, vectors)))


def opinions(picked: Sequence[Thought], trace: str) -> list[float]:
    """The chances that a trace's answer is good, as what is thought of it has them; for all others the contrary.

    Where two answers are compared, what speaks for the one speaks against the other.
    """
    found: list[float] = []
    for one in picked:
        chance = opinion(one.kind, one.name, one.value, one.confidence)
        if chance is not None:
            found.append(chance if one.trace == trace else 1 - chance)
    return found


def _picked(database: Database, place: Place, queue: Queue) -> list[_Picked]:
    since, wanted = queue.since_ns(time.time_ns()), queue.traces
    which = {"status": wanted.status, "model": wanted.model}
    if wanted.signal:
        seen = with_signal(database, place.application, since, WINDOW, wanted.signal, **which)
    else:
        seen = newest(database, place.application, since, WINDOW, **which)
    return _pairs(database, place, queue, seen) if queue.pairwise else _singles(database, place, queue, seen)


def _singles(database: Database, place: Place, queue: Queue, seen: Sequence[Seen]) -> list[_Picked]:
    ids = {item_id(place, one.id): one for one in seen}
    there = review.known(database, list(ids))
    new = [one for id, one in ids.items() if id not in there]
    found: list[_Picked] = []
    for start in range(0, len(new), DRAWN):
        bodies = database.bodies.get(database, [one.n for one in new[start : start + DRAWN]])
        found += [
            _Picked(one, None, bodies[one.n].question)
            for one in new[start : start + DRAWN]
            if one.n in bodies and bodies[one.n].question and (bodies[one.n].answer or queue.traces.status == "error")
        ]
        if len(found) >= DRAWN:
            break
    return found[:DRAWN]


def _pairs(database: Database, place: Place, queue: Queue, seen: Sequence[Seen]) -> list[_Picked]:
    some = seen[:TOGETHER]
    bodies = database.bodies.get(database, [one.n for one in some])
    groups: dict[str, list[Seen]] = {}
    for one in some:
        if one.n in bodies and bodies[one.n].answer and (question := same(bodies[one.n].question)):
            groups.setdefault(question, []).append(one)
    found = [
        _Picked(one, other, bodies[one.n].question)
        for group in groups.values()
        for one, other in _of_one_question(group, bodies, queue.traces.variants)
    ]
    ids = [item_id(place, one.trace.id, one.other.id if one.other else "") for one in found]
    there = review.known(database, ids)
    return [one for id, one in zip(ids, found, strict=True) if id not in there][:DRAWN]


def _of_one_question(
    group: Sequence[Seen], bodies: Mapping[int, Body], variants: Sequence[str]
) -> Iterator[tuple[Seen, Seen]]:
    """Some pairs of different answers; where variants are named, one of each, that of the first one first.

    The oldest come first: what is answered later makes no other pairs of the same.
    """

    def different(start: str) -> Mapping[str, Seen]:
        of = {same(bodies[one.n].answer): one for one in group if one.variant.startswith(start)}
        return dict(sorted(of.items(), key=lambda each: each[1].started_ns))

    answers = [different(start) for start in variants]
    pairs = product(*(each.items() for each in answers)) if answers else combinations(different("").items(), 2)
    return islice(((one, other) for (said, one), (told, other) in pairs if said != told), PAIRS)


def _enter(
    database: Database, place: Place, picked: Sequence[_Picked], topics: Sequence[bytes], sent_by: str = ""
) -> None:
    """Make items of what was picked, and store them."""
    reviewed = review.reviewed_topics(database, place, REVIEWED)
    new = topic.novelty(topics, reviewed, topics)
    thought: dict[str, list[Thought]] = {}
    for one in thoughts(database.query, [seen.id for each in picked for seen in each.traces]):
        thought.setdefault(one.trace, []).append(one)
    now = time.time_ns()
    items: list[Item] = []
    for one, about, novelty in zip(picked, topics, new, strict=True):
        other = one.other.id if one.other is not None else ""
        told = [each for seen in one.traces for each in thought.get(seen.id, ())]
        made = worth(opinions(told, one.trace.id), novelty)
        items.append(
            Item(
                item_id(place, one.trace.id, other),
                *place,
                trace=one.trace.id,
                other=other,
                tenant=one.trace.tenant,
                started_ns=min(seen.started_ns for seen in one.traces),
                added_ns=now,
                sent_by=sent_by,
                disagreement=made.disagreement,
                uncertainty=made.uncertainty,
                novelty=made.novelty,
                value=made.value,
                topic=about,
            )
        )
    with database.transaction() as transaction:
        (review.send(transaction, items[0]) if sent_by else review.put(transaction, items))
