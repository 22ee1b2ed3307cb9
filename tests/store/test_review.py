"""Items that people are asked to judge, and who has which, on each engine."""

import asyncio
import multiprocessing
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.surfaces.console.made import trace

from regista.app.reviews.desk import Desk
from regista.app.reviews.drawing import send
from regista.core.nouns import Feedback
from regista.feedback.review.queue import DEFAULTS, Queue
from regista.store import Database, connect, feedback, forgetting, review, review_traces, traces
from regista.store.feedback import Kept
from regista.store.review import Item, Place, Turn

PLACE = Place("shop", "answers")
QUEUE = Queue(question="Good?", grades=DEFAULTS["answers"].grades, annotators=2, blind_repeats=0.0)
ITEMS = 30


def item(n: int, **changes: object) -> Item:
    whole = {"trace": trace(n).id, "other": "", "tenant": "default", "started_ns": n, "added_ns": n} | changes
    return Item(bytes([n]) * 16, *PLACE, **whole)  # pyright: ignore[reportArgumentType]


def put(database: Database, *items: Item) -> None:
    with database.transaction() as transaction:
        review.put(transaction, items)


def test_an_item_comes_back_as_it_was_put_and_is_put_once(database: Database) -> None:
    whole = item(1, other=trace(2).id, sent_by="ann", disagreement=0.1, uncertainty=0.2, novelty=0.3, value=0.2)
    put(database, whole, item(1))
    with database.transaction() as transaction:
        assert review.item(transaction, whole.id) == whole and review.item(transaction, b"x" * 16) is None
    assert review.known(database, [whole.id, b"x" * 16]) == {whole.id}
    assert review.count(database, PLACE, 1) == (1, 1, 0, 0)


def test_a_turn_comes_back_as_it_is_now(database: Database) -> None:
    put(database, item(1))
    turn = Turn(item(1).id, "ann", False, "held", "a", 5, 50)
    with database.transaction() as transaction:
        review.keep(transaction, PLACE, turn)
        assert review.held(transaction, PLACE, "ann", 49) == turn
        assert review.held(transaction, PLACE, "ann", 50) is None and review.held(transaction, PLACE, "ben", 0) is None
        assert review.turns(transaction, turn.item, "ann") == [turn]


def test_those_others_sent_come_first_then_those_begun_then_those_worth_most(database: Database) -> None:
    put(database, item(1, value=0.2), item(2, value=0.9), item(3, votes=1), item(4), item(5, votes=2))
    with database.transaction() as transaction:
        review.send(transaction, item(4, sent_by="ben"))
        found: list[int] = []
        while (id := review.free(transaction, PLACE, "ann", 2, 10)) is not None:
            found.append(id[0])
            review.keep(transaction, PLACE, Turn(id, "ann", False, "skipped", "", 1, 1, 1))
    assert found == [4, 3, 2, 1]


def test_what_others_have_is_free_once_their_time_is_over(database: Database) -> None:
    put(database, item(1))
    with database.transaction() as transaction:
        review.keep(transaction, PLACE, Turn(item(1).id, "ben", False, "held", "", 1, 100))
        assert review.free(transaction, PLACE, "ann", 1, 99) is None
        assert review.free(transaction, PLACE, "ann", 2, 99) == item(1).id
        assert review.free(transaction, PLACE, "ann", 1, 100) == item(1).id
        assert review.free(transaction, PLACE, "ben", 1, 99) == item(1).id, "It is theirs."
    assert review.free_count(database, PLACE, "ann", 1, 99) == 0
    assert review.free_count(database, Place("shop", "other"), "ann", 1, 999) == 0


def test_votes_come_back_with_what_was_said(database: Database) -> None:
    put(database, item(1, other=trace(2).id))
    said = Feedback("preference", "reviewer", 9, trace(2).id, other=trace(1).id, side="b", by="ann")
    with database.transaction() as transaction:
        feedback.put(transaction, [Kept(b"v" * 16, said, "default", "shop")])
        review.keep(transaction, PLACE, Turn(item(1).id, "ann", True, "voted", "a", 5, 50, 8, b"v" * 16))
        review.keep(transaction, PLACE, Turn(item(1).id, "eve", False, "skipped", "", 5, 50, 7))
        (on,) = review.given_on(transaction, item(1).id)
    (given,) = review.given(database, PLACE, 10)
    assert given == on and (given.annotator, given.again, given.took_ns) == ("ann", True, 3)
    assert (given.trace, given.preferred, given.chosen_side) == (trace(1).id, trace(2).id, "b")
    assert review.of_trace(database, trace(2).id) == [("answers", 0, "")]


def test_a_vote_that_was_taken_back_counts_no_more_and_its_item_is_free_again(database: Database) -> None:
    put(database, item(1, votes=2), item(2, votes=1))
    with database.transaction() as transaction:
        for of, again, vote in ((1, False, b"v"), (1, True, b"w"), (2, False, b"x")):
            turn = Turn(item(of).id, "ann", again, "voted", "", 5, 50, 8, vote * 16)
            review.keep(transaction, PLACE, turn)
        assert review.free(transaction, PLACE, "ann", 2, 60) is None
        review.withdrawn(transaction, b"w" * 16)
        counted = review.item(transaction, item(1).id)
        assert counted is not None and counted.votes == 2, "a blind repeat counted for nothing"
        review.withdrawn(transaction, b"v" * 16)
        review.withdrawn(transaction, b"v" * 16)
        assert review.turns(transaction, item(1).id, "ann") == []
        assert review.free(transaction, PLACE, "ann", 2, 60) == item(1).id
    assert review.count(database, PLACE, 2).votes == 2


def test_traces_that_go_take_what_is_asked_about_them_along(database: Database) -> None:
    put(database, item(1), item(2, other=trace(3).id), item(4))
    with database.transaction() as transaction:
        review.keep(transaction, PLACE, Turn(item(2).id, "ann", False, "held", "", 1, 100))
        assert review.remove(transaction, [trace(3).id, trace(9).id]) == 1
        assert review.turns(transaction, item(2).id, "ann") == []
    forgetting.forget(database, 2)
    assert review.known(database, [item(n).id for n in (1, 2, 4)]) == {item(4).id}


def test_what_is_drawn_from_is_each_trace_once_with_what_is_thought_of_it(database: Database) -> None:
    vote = Feedback("score", "reviewer", 3, trace(1).id, name="answers", value=1.0)
    thumb = Feedback("thumb", "user", 2, trace(1).id, value=-1.0)
    with database.transaction() as transaction:
        traces.write(transaction, [trace(1), trace(2), trace(1, ago_s=5)])
        feedback.put(transaction, [Kept(b"%d" % n * 16, one, "default", "shop") for n, one in enumerate((vote, thumb))])
    seen = review_traces.newest(database, "shop", 0, 10)
    assert [one.id for one in seen] == [trace(1).id, trace(2).id]
    told = review_traces.thoughts(database.query, [trace(1).id])
    assert [(one.trace, one.kind, one.value) for one in told] == [(trace(1).id, "thumb", -1.0)]


async def test_all_that_a_reviewer_does_is_the_same_on_each_engine(database: Database, tmp_path: Path) -> None:
    with database.transaction() as transaction:
        traces.write(transaction, [trace(n, question=f"What is {n}?") for n in range(1, 4)])
    desk = Desk(database, tmp_path, PLACE, QUEUE)
    first = await desk.next("ann")
    assert first is not None
    desk.comment(first.id, "ann", "Odd. \u2615")
    desk.correct(first.id, "ann", "So.")
    desk.vote(first.id, "ann", "2")
    desk.undo("ann")
    assert feedback.recent(database, source="reviewer") == [] and desk.sum() == (3, 3, 0, 0)
    desk.vote(first.id, "ann", "4")
    second = await desk.next("ann")
    assert second is not None
    desk.skip(second.id, "ann")
    desk.undo("ann")
    again = await desk.next("ann")
    assert again is not None and again.id == second.id and (desk.left("ben"), desk.mine("ann")) == (3, 1)
    await send(database, PLACE, trace(3).id, "eve", None)
    sent = await desk.next("ben")
    assert sent is not None and sent.sent_by == "eve" and sent.question == "What is 3?"


def test_what_is_drawn_from_is_looked_for_among_the_last_traces_of_all(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as transaction:
        traces.write(transaction, [trace(n, model="a/rare" if n == 5 else "a/usual") for n in range(1, 7)])
    assert [one.id for one in review_traces.newest(database, "shop", 0, 10, model="a/rare")] == [trace(5).id]
    monkeypatch.setattr(review_traces, "LOOKED", 3)
    assert review_traces.newest(database, "shop", 0, 10, model="a/rare") == []
    assert len(review_traces.newest(database, "shop", 0, 10)) == 4


# Several at once


def test_twenty_who_vote_in_one_process_wait_for_each_other_and_for_nothing_else(
    database: Database, tmp_path: Path
) -> None:
    with database.transaction() as transaction:
        traces.write(transaction, [trace(1)])
    desk = Desk(database, tmp_path, PLACE, replace(QUEUE, annotators=20))
    people = [f"rater {n}" for n in range(20)]
    begin = threading.Barrier(len(people))

    def vote(by: str) -> None:
        begin.wait()
        desk.comment(items[by], by, "Odd.")
        desk.vote(items[by], by, "3")

    items: dict[str, str] = {}
    for by in people:
        asked = asyncio.run(desk.next(by))
        assert asked is not None
        items[by] = asked.id
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(vote, people))
    assert desk.sum() == (1, 0, 20, 20)


def judge(url: str, folder: str, people: Sequence[str]) -> None:
    """What one process of reviewers does: each judges until nothing is left."""
    desk = Desk(connect(url), Path(folder), PLACE, QUEUE)

    async def work(by: str) -> None:
        while (asked := await desk.next(by)) is not None:
            await asyncio.to_thread(desk.vote, asked.id, by, "3")

    async def all_of_them() -> None:
        await asyncio.gather(*map(work, people))

    asyncio.run(all_of_them())
    desk.database.close()


@pytest.mark.timeout(180)
def test_two_processes_of_reviewers_never_judge_an_item_more_often_than_it_needs(url: str, tmp_path: Path) -> None:
    database = connect(url)
    with database.transaction() as transaction:
        traces.write(transaction, [trace(n, question=f"What is {n}?") for n in range(1, ITEMS + 1)])
    spawn = multiprocessing.get_context("spawn")
    teams = (("ann", "ben"), ("eve", "ida"))
    processes = [spawn.Process(target=judge, args=(url, str(tmp_path), team)) for team in teams]
    begun = time.time_ns()
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    votes = database.query("SELECT item, annotator FROM review_turns WHERE state = 'voted'")
    counts = [votes_ for (votes_,) in database.query("SELECT votes FROM review_items")]
    assert counts == [2] * ITEMS and len(votes) == len({(bytes(item), by) for item, by in votes}) == 2 * ITEMS
    assert len(feedback.recent(database, source="reviewer", since_ns=begun, limit=100)) == 2 * ITEMS
    assert len({by for _, by in votes}) >= 2
    database.close()
