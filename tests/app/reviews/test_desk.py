"""A review queue at work: who is asked what, and what becomes of what they say."""

import asyncio
import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace as replace_desk
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.surfaces.console.made import trace

from regista.app.reviews import drawing
from regista.app.reviews.desk import LOW, Asked, Desk, Side
from regista.core.errors import NotFoundError, RequestError
from regista.core.nouns import Feedback, Trace
from regista.data import dataset
from regista.feedback.review.queue import DEFAULTS, Choice, Queue, Traces
from regista.store import Database, connect, feedback, forgetting, review, traces
from regista.store.feedback import Kept
from regista.store.review import LeaseOverError, Place

PLACE = Place("shop", "answers")
GRADES = DEFAULTS["answers"]
ONE = replace(GRADES, annotators=1, blind_repeats=0.0)
PAIRS = Queue(question="Which helps more?", pairwise=True, annotators=2, blind_repeats=0.0)
NUMBERS = itertools.count(1)


class Clock:
    """A time that only moves when it is told to, but for a nanosecond a look."""

    def __init__(self) -> None:
        self.now = 10**18

    def __call__(self) -> int:
        self.now += 1
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * 10**9)


class Shop:
    """A store with traces and a folder, and desks over it that share a clock."""

    def __init__(self, folder: Path, made: Sequence[Trace], thought: Sequence[Feedback] = ()) -> None:
        self.folder, self.clock = folder, Clock()
        self.database: Database = connect(f"sqlite://{folder / 'regista.db'}")
        with self.database.transaction() as transaction:
            traces.write(transaction, made)
            feedback.put(transaction, [Kept(bytes([n]) * 16, one, "default", "shop") for n, one in enumerate(thought)])

    def desk(self, queue: Queue = ONE, place: Place = PLACE) -> Desk:
        return Desk(self.database, self.folder, place, queue, clock=self.clock)

    def next(self, desk: Desk, by: str) -> Asked | None:
        return asyncio.run(desk.next(by))

    def must(self, desk: Desk, by: str) -> Asked:
        asked = self.next(desk, by)
        assert asked is not None
        return asked

    def given(self) -> list[Feedback]:
        return [one.feedback for one in feedback.recent(self.database, source="reviewer", limit=1000)]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, [trace(n, question=f"Is there a {word}?") for n, word in enumerate(WORDS, 1)])
    yield made
    made.database.close()


WORDS = ("parcel", "voucher", "refund", "kettle", "door", "garden", "ship", "teacup")


def test_everything_is_asked_once_and_then_nothing_is_left(shop: Shop) -> None:
    desk = shop.desk()
    seen: list[str] = []
    while (asked := shop.next(desk, "ann")) is not None:
        seen.append(asked.question)
        assert desk.vote(asked.id, "ann", "4") == ("score", True)
    assert sorted(seen) == sorted(f"Is there a {word}?" for word in WORDS)
    assert desk.sum() == (8, 0, 8, 1) and desk.mine("ann") == 8 and shop.next(desk, "ben") is None
    assert {(one.kind, one.name, one.value, one.by, one.source) for one in shop.given()} == {
        ("score", "answers", 4.0, "ann", "reviewer")
    }


def test_what_one_has_is_shown_again_until_it_is_judged(shop: Shop) -> None:
    desk = shop.desk()
    first = shop.must(desk, "ann")
    shop.clock.wait(500)
    again = shop.must(desk, "ann")
    assert again.id == first.id and again.until_ns > first.until_ns
    desk.vote(first.id, "ann", "1")
    assert shop.must(desk, "ann").id != first.id


def test_two_people_are_never_asked_the_same_where_one_vote_is_enough(shop: Shop) -> None:
    desk = shop.desk()
    assert shop.must(desk, "ann").id != shop.must(desk, "ben").id


def test_an_expired_lease_returns_and_a_late_vote_counts_only_where_nobody_took_it(shop: Shop) -> None:
    desk = shop.desk()
    late = shop.must(desk, "ann")
    shop.clock.wait(601)
    assert shop.must(desk, "ben").id == late.id
    with pytest.raises(LeaseOverError, match="others judge it now"):
        desk.vote(late.id, "ann", "3")
    assert shop.given() == []
    slow = shop.must(desk, "ann")
    shop.clock.wait(10_000)
    desk.vote(slow.id, "ann", "3")
    assert len(shop.given()) == 1


def test_an_item_that_was_begun_is_finished_before_a_new_one(shop: Shop) -> None:
    desk = shop.desk(replace(ONE, annotators=2))
    first = shop.must(desk, "ann")
    desk.vote(first.id, "ann", "5")
    assert shop.must(desk, "ben").id == first.id
    assert shop.must(desk, "ann").id != first.id


def test_nobody_votes_on_what_they_were_not_asked(shop: Shop) -> None:
    desk = shop.desk()
    asked = shop.must(desk, "ann")
    with pytest.raises(LeaseOverError):
        desk.vote(asked.id, "ben", "3")
    for wrong in ("0", "6", "good", "", "a"):
        with pytest.raises(RequestError, match="choices here: 1, 2, 3, 4, 5"):
            desk.vote(asked.id, "ann", wrong)
    for name in ("", " ", "x" * 101, "a\nb"):
        with pytest.raises(RequestError, match="Say who judges"):
            desk.vote(asked.id, name, "3")
    for item in ("", "zz", "00" * 16):
        with pytest.raises(NotFoundError):
            desk.vote(item, "ann", "3")
    with pytest.raises(NotFoundError):
        shop.desk(place=Place("shop", "others")).vote(asked.id, "ann", "3")


def test_a_vote_sent_again_takes_the_place_of_the_first(shop: Shop) -> None:
    desk = shop.desk()
    asked = shop.must(desk, "ann")
    assert desk.vote(asked.id, "ann", "2").new and not desk.vote(asked.id, "ann", "5").new
    assert [one.value for one in shop.given()] == [5.0] and desk.sum().votes == 1


def test_a_vote_that_is_changed_changes_what_one_more_would_tell(shop: Shop) -> None:
    desk = shop.desk(replace(ONE, annotators=3))
    asked = shop.must(desk, "ann")
    assert shop.must(desk, "ben").id == asked.id
    desk.vote(asked.id, "ann", "5")
    desk.vote(asked.id, "ben", "5")
    assert shop.must(desk, "eve").worth.disagreement == 0
    desk.vote(asked.id, "ann", "1")
    assert shop.must(desk, "eve").worth.disagreement == 1


def test_what_has_its_votes_since_the_file_asks_for_fewer_is_held_no_longer(shop: Shop) -> None:
    both = shop.desk(replace(ONE, annotators=2))
    asked = shop.must(both, "ann")
    assert shop.must(both, "ben").id == asked.id
    both.vote(asked.id, "ben", "3")
    assert shop.must(both, "ann").id == asked.id
    assert shop.must(shop.desk(), "ann").id != asked.id


def test_what_is_left_out_goes_to_others_and_not_to_oneself_again(shop: Shop) -> None:
    desk = shop.desk()
    asked = shop.must(desk, "ann")
    desk.skip(asked.id, "ann")
    mine = {shop.must(desk, "ann").id}
    assert asked.id not in mine and shop.must(desk, "ben").id == asked.id


def test_undo_takes_back_the_vote_and_what_was_said_with_it(shop: Shop) -> None:
    desk = shop.desk()
    with pytest.raises(NotFoundError, match="nothing to take back"):
        desk.undo("ann")
    first = shop.must(desk, "ann")
    desk.comment(first.id, "ann", "Odd.")
    desk.vote(first.id, "ann", "1")
    second = shop.must(desk, "ann")
    desk.undo("ann")
    assert shop.given() == [] and desk.sum().votes == 0 and shop.must(desk, "ann").id == first.id
    assert shop.must(desk, "ben").id == second.id, "What one had meanwhile is free again."
    desk.vote(first.id, "ann", "2")
    assert [one.value for one in shop.given()] == [2.0]


def test_undo_after_undo_goes_further_back(shop: Shop) -> None:
    desk = shop.desk()
    done: list[str] = []
    for _ in range(3):
        done.append(shop.must(desk, "ann").id)
        desk.vote(done[-1], "ann", "3")
    for id in reversed(done):
        desk.undo("ann")
        assert shop.must(desk, "ann").id == id
    assert desk.sum().votes == 0


def test_what_was_left_out_cannot_be_taken_back_once_others_have_it(shop: Shop) -> None:
    desk = shop.desk()
    asked = shop.must(desk, "ann")
    desk.skip(asked.id, "ann")
    shop.must(desk, "ben")
    with pytest.raises(LeaseOverError):
        desk.undo("ann")
    assert shop.must(desk, "ann").id != asked.id


def test_a_blind_repeat_comes_after_other_votes_and_counts_for_nothing_but_steadiness(shop: Shop) -> None:
    desk = shop.desk(replace(ONE, blind_repeats=0.5))
    seen: list[str] = []
    while (asked := shop.next(desk, "ann")) is not None:
        seen.append(asked.id)
        desk.vote(asked.id, "ann", "4" if seen.count(asked.id) == 1 else "3")
    twice = [id for id in set(seen) if seen.count(id) == 2]
    assert twice and max(seen.count(id) for id in seen) == 2 and len(set(seen)) == 8
    assert all(len(set(seen[seen.index(id) :]) - {id}) >= 5 for id in twice)
    found = desk.health("ann")
    assert desk.sum().votes == found.votes == 8
    assert found.own_repeats is not None and (found.own_repeats.estimate, found.own_repeats.n) == (0, len(twice))


def test_an_edited_answer_becomes_a_correction_and_an_example(shop: Shop) -> None:
    desk = shop.desk()
    asked = shop.must(desk, "ann")
    desk.correct(asked.id, "ann", "Yes, behind the door. Write to jo@example.com.")
    (example,) = dataset.read(shop.folder, dataset.find(shop.folder, "gold"))
    assert example.input == asked.question
    assert example.reference.startswith("Yes, behind the door.") and "jo@example.com" not in example.reference
    assert [(one.kind, one.by) for one in shop.given()] == [("correction", "ann")]
    assert shop.must(desk, "ann").id == asked.id, "It is still to be judged."
    with pytest.raises(RequestError):
        desk.correct(asked.id, "ann", "  ")
    with pytest.raises(LeaseOverError):
        desk.correct(asked.id, "ben", "Mine.")


def test_traces_that_were_forgotten_are_asked_about_no_more(shop: Shop) -> None:
    desk = shop.desk()
    shop.must(desk, "ann")
    forgetting.forget(shop.database, 2 * 10**18)
    assert shop.next(desk, "ben") is None and desk.sum().items == 0


def test_a_trace_that_is_gone_alone_is_passed_over(shop: Shop) -> None:
    desk = shop.desk()
    gone = shop.must(desk, "ann")
    with shop.database.transaction() as transaction:
        number = transaction.execute(
            "SELECT n FROM traces WHERE id = (SELECT trace FROM review_items WHERE id = ?)", (bytes.fromhex(gone.id),)
        )[0][0]
        traces.remove(transaction, [number])
    assert shop.must(desk, "ann").id != gone.id and desk.sum().items == 7


# What comes first


def test_what_somebody_sent_comes_before_all_that_is_drawn(shop: Shop) -> None:
    desk = shop.desk()
    shop.must(desk, "eve")
    id = trace(3).id
    asyncio.run(drawing.send(shop.database, PLACE, id, "ben", None))
    asked = shop.must(desk, "ann")
    assert (asked.question, asked.why, asked.sent_by) == ("Is there a refund?", "sent by ben", "ben")


def test_what_opinions_differ_on_comes_before_what_they_agree_on(tmp_path: Path) -> None:
    def thumb(n: int, value: float, by: str) -> Feedback:
        return Feedback("thumb", "user", n, trace(n).id, value=value, by=by)

    thought = [thumb(1, 1.0, "a"), thumb(1, 1.0, "b"), thumb(2, 1.0, "a"), thumb(2, -1.0, "b")]
    shop = Shop(tmp_path, [trace(n, question=f"Is there a {WORDS[n]}?") for n in (1, 2)], thought)
    asked = shop.must(shop.desk(), "ann")
    assert asked.question == f"Is there a {WORDS[2]}?" and "opinions differ" not in asked.why
    assert asked.worth.disagreement == pytest.approx(0.36)
    shop.database.close()


def test_a_new_topic_comes_before_more_of_one_that_was_judged(tmp_path: Path) -> None:
    questions = [*(f"Where is my parcel, number {n}?" for n in range(20, 26)), "How is an invoice made out?"]
    shop = Shop(tmp_path, [trace(n, question=one) for n, one in enumerate(questions, 1)])
    desk = shop.desk()
    first = shop.must(desk, "ann")
    desk.vote(first.id, "ann", "3")
    other = shop.must(desk, "ann")
    assert ("invoice" in first.question) != ("invoice" in other.question)
    desk.vote(other.id, "ann", "3")
    assert shop.must(desk, "ann").worth.novelty < 0.8 < other.worth.novelty
    shop.database.close()


def test_with_an_embedder_topics_are_told_by_their_vectors(tmp_path: Path) -> None:
    asked = {"Where is my parcel?": [1.0, 0.0], "My box, has it come?": [0.96, 0.28], "Is it cold?": [0.0, 1.0]}

    async def embed(texts: Sequence[str]) -> list[list[float]]:
        return [asked[text] for text in texts]

    shop = Shop(tmp_path, [trace(n, question=one) for n, one in enumerate(asked, 1)])
    desk = replace_desk(shop.desk(), embed=embed)
    novelty: dict[str, float] = {}
    for _ in asked:
        one = shop.must(desk, "ann")
        desk.vote(one.id, "ann", "3")
        novelty[one.question] = one.worth.novelty
    # Of the two that are alike the second comes last.
    assert min(novelty.values()) == pytest.approx(0.04, abs=0.01) and novelty["Is it cold?"] > 0.7
    shop.database.close()


def test_votes_that_differ_make_one_more_vote_worth_more(shop: Shop) -> None:
    desk = shop.desk(replace(ONE, annotators=3))
    asked = shop.must(desk, "ann")
    desk.vote(asked.id, "ann", "5")
    agreed = shop.must(desk, "ben").worth
    desk.vote(asked.id, "ben", "1")
    torn = shop.must(desk, "eve")
    assert torn.id == asked.id and torn.worth.disagreement == 1 > agreed.disagreement


def test_the_newest_that_are_like_the_queue_wants_are_drawn(tmp_path: Path) -> None:
    made = [
        trace(1, model="openai/large"),
        trace(2, status="error"),
        trace(3, application="other"),
        trace(4, tenant="evaluation"),
        trace(5, ago_s=9 * 86_400),
        trace(6, question=""),
        trace(7),
    ]
    signal = Feedback("signal", "gateway", 10**18, trace(7).id, name="wrong", confidence=0.9)
    shop = Shop(tmp_path, made, [signal])

    def drawn(name: str, **wanted: object) -> int:
        queue = replace(ONE, traces=Traces(**wanted))  # pyright: ignore[reportArgumentType]
        return asyncio.run(drawing.fill(shop.database, Place("shop", name), queue, None))

    assert drawn("all") == 3 and drawn("all") == 0
    assert drawn("large", model="openai/large") == 1 and drawn("failed", status="error") == 1
    assert drawn("week", since="7d") == 2 and drawn("signalled", signal="wrong") == 1
    shop.database.close()


def test_a_signal_is_wanted_beside_all_else_that_is(tmp_path: Path) -> None:
    made = [trace(1, model="openai/large"), trace(2), trace(3, status="error"), trace(4, tenant="evaluation"), trace(5)]
    found = [Feedback("signal", "gateway", n, trace(n).id, name="wrong", confidence=0.9) for n in (1, 2, 3, 4)]
    shop = Shop(tmp_path, made, found)
    for wanted, count in (
        (Traces(signal="wrong"), 2),
        (Traces(signal="wrong", model="openai/large"), 1),
        (Traces(signal="wrong", status="error"), 1),
    ):
        place = Place("shop", f"{wanted.model}{wanted.status}")
        assert asyncio.run(drawing.fill(shop.database, place, replace(ONE, traces=wanted), None)) == count
    shop.database.close()


def test_many_without_an_answer_do_not_hide_those_with_one(tmp_path: Path) -> None:
    made = [trace(n, answer="") for n in range(1, drawing.DRAWN + 5)]
    shop = Shop(tmp_path, [*made, trace(len(made) + 1, question="What is here?")])
    assert shop.must(shop.desk(), "ann").question == "What is here?"
    shop.database.close()


def test_vectors_are_made_topics_beside_the_event_loop(shop: Shop) -> None:
    threads: set[int] = set()

    class Vector(list[float]):
        def __iter__(self) -> Iterator[float]:
            threads.add(threading.get_ident())
            return super().__iter__()

    async def embed(texts: Sequence[str]) -> list[Vector]:
        return [Vector([1.0, 0.0]) for _ in texts]

    shop.must(replace_desk(shop.desk(), embed=embed), "ann")
    assert threads and threading.get_ident() not in threads


def test_a_queue_is_filled_again_when_little_is_left(tmp_path: Path) -> None:
    shop = Shop(tmp_path, [trace(n, question=f"What is {n}?") for n in range(1, LOW + 6)])
    desk = shop.desk()
    shop.must(desk, "ann")
    with shop.database.transaction() as transaction:
        traces.write(transaction, [trace(99, question="What came since?")])
    for _ in range(7):
        desk.vote(shop.must(desk, "ann").id, "ann", "3")
    assert desk.sum().items == LOW + 6
    shop.database.close()


# Two answers


def pairs(folder: Path) -> Shop:
    made = [
        trace(n, question=f"Is there a {WORDS[n // 2]}?", answer=f"{['yes', 'no'][n % 2]} {n}", variant=variant)
        for n in range(2, 12)
        for variant in ["aaaa1111" if n % 2 else "bbbb2222"]
    ]
    return Shop(folder, made)


def test_two_answers_to_one_question_are_compared_on_sides_that_are_dealt(tmp_path: Path) -> None:
    shop = pairs(tmp_path)
    desk = shop.desk(replace(PAIRS, annotators=20))
    sides: set[str] = set()
    for n in range(20):
        asked = shop.must(desk, f"rater {n}")
        assert [one.side for one in asked.answers] == ["a", "b"]
        sides.add(asked.answers[0].text)
        desk.vote(asked.id, f"rater {n}", "a")
        preferred = next(one for one in shop.given() if one.by == f"rater {n}")
        shown = {trace(n).id: n for n in range(2, 12)}
        assert asked.answers[0].text.endswith(f" {shown[preferred.trace]}") and preferred.side == "a"
        assert asked.answers[1].text.endswith(f" {shown[preferred.other]}")
    assert len(sides) == 2, "In a half of a million runs all twenty fall to one side once."
    found = desk.health("rater 1")
    assert found.side_a is not None and found.side_a.estimate == 1
    shop.database.close()


def test_sides_stay_as_they_were_dealt_when_one_is_given_the_same_after_its_time(tmp_path: Path) -> None:
    shop = pairs(tmp_path)
    desk = shop.desk(PAIRS)
    asked = shop.must(desk, "ann")
    for _ in range(20):
        shop.clock.wait(601)
        later = shop.must(desk, "ann")
        assert (later.id, later.answers) == (asked.id, asked.answers)
    shop.database.close()


def test_neither_is_a_vote_without_a_side(tmp_path: Path) -> None:
    shop = pairs(tmp_path)
    desk = shop.desk(PAIRS)
    asked = shop.must(desk, "ann")
    desk.vote(asked.id, "ann", "neither")
    (tie,) = shop.given()
    assert (tie.kind, tie.value, tie.side) == ("preference", 0, "") and desk.health().side_a is None
    with pytest.raises(RequestError, match="a, b, neither"):
        desk.vote(asked.id, "ann", "1")
    shop.database.close()


def test_named_variants_make_pairs_of_one_of_each(tmp_path: Path) -> None:
    shop = pairs(tmp_path)
    queue = replace(PAIRS, traces=Traces(variants=("aaaa", "bbbb")))
    assert asyncio.run(drawing.fill(shop.database, PLACE, queue, None)) == 5
    none = replace(PAIRS, traces=Traces(variants=("aaaa", "cccc")))
    assert asyncio.run(drawing.fill(shop.database, Place("shop", "none"), none, None)) == 0
    shop.database.close()


def test_the_same_two_answers_given_again_make_no_new_pair(tmp_path: Path) -> None:
    made = [trace(n, question="Is it so?", answer=("yes", "no")[n % 2]) for n in range(10, 14)]
    shop = Shop(tmp_path, made)
    assert asyncio.run(drawing.fill(shop.database, PLACE, PAIRS, None)) == 1
    with shop.database.transaction() as transaction:
        traces.write(transaction, [trace(n, question="is it so?", answer=("yes", "no")[n % 2]) for n in (1, 2)])
    assert asyncio.run(drawing.fill(shop.database, PLACE, PAIRS, None)) == 0
    with shop.database.transaction() as transaction:
        traces.write(transaction, [trace(100 - n, question="Is it so?", answer=f"{n}") for n in range(91, 100)])
    assert asyncio.run(drawing.fill(shop.database, PLACE, PAIRS, None)) <= drawing.PAIRS - 1
    shop.database.close()


def test_an_answer_that_both_variants_gave_does_not_hide_what_they_differ_in(tmp_path: Path) -> None:
    said = [("yes", "aaaa1111"), ("no", "aaaa1111"), ("yes", "bbbb2222")]
    made = [trace(n, question="Is it so?", answer=answer, variant=one) for n, (answer, one) in enumerate(said, 1)]
    for order in (made, made[::-1]):
        folder = tmp_path / order[0].id
        folder.mkdir()
        shop = Shop(folder, [replace(one, started_ns=10**18 + at) for at, one in enumerate(order)])
        queue = replace(PAIRS, traces=Traces(variants=("aaaa", "bbbb")))
        asked = shop.must(shop.desk(queue), "ann")
        assert {one.text for one in asked.answers} == {"yes", "no"} and shop.desk(queue).sum().items == 1
        shop.database.close()


def test_an_edit_says_which_side_where_there_are_two_and_none_where_there_is_one(tmp_path: Path) -> None:
    shop = pairs(tmp_path)
    wrong: list[tuple[Desk, Side, str]] = [(shop.desk(PAIRS), "", "which of the two"), (shop.desk(), "b", "no side")]
    for desk, side, says in wrong:
        desk = replace_desk(desk, place=Place("shop", desk.queue.kind))
        asked = shop.must(desk, "ann")
        with pytest.raises(RequestError, match=says):
            desk.correct(asked.id, "ann", "Better.", side)
    shop.database.close()


def test_an_edit_is_of_the_side_that_was_edited(tmp_path: Path) -> None:
    shop = pairs(tmp_path)
    desk = shop.desk(PAIRS)
    asked = shop.must(desk, "ann")
    desk.correct(asked.id, "ann", "Better.", "b")
    (example,) = dataset.read(shop.folder, dataset.find(shop.folder, desk.queue.dataset))
    assert example.output == asked.answers[1].text and shop.given()[0].trace == example.trace
    shop.database.close()


def test_both_of_two_answers_may_be_edited_and_undo_takes_both_back(tmp_path: Path) -> None:
    shop = pairs(tmp_path)
    desk = shop.desk(PAIRS)
    asked = shop.must(desk, "ann")
    for side in ("a", "b", "a"):
        desk.correct(asked.id, "ann", f"Better than {side}.", side)
    assert {one.text for one in shop.given()} == {"Better than a.", "Better than b."} and len(shop.given()) == 2
    desk.vote(asked.id, "ann", "a")
    desk.undo("ann")
    assert shop.given() == []
    shop.database.close()


def test_labels_are_voted_by_their_names(shop: Shop) -> None:
    queue = Queue(question="What is it?", labels=(Choice("…", "refusal"), Choice("…", "answer")), blind_repeats=0.0)
    desk = shop.desk(queue)
    asked = shop.must(desk, "ann")
    desk.vote(asked.id, "ann", "refusal")
    desk.vote(shop.must(desk, "ben").id, "ben", "answer")
    assert {(one.kind, one.name) for one in shop.given()} == {("label", "refusal"), ("label", "answer")}
    assert desk.health().shares == (("answer", 1), ("refusal", 1))


# Whatever people do

PEOPLE = ("ann", "ben", "eve")
DOES = st.tuples(
    st.sampled_from(PEOPLE), st.sampled_from(["next", "next", "next", "vote", "vote", "late", "skip", "undo", "wait"])
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(does=st.lists(DOES, min_size=30, max_size=60), annotators=st.integers(1, 3), repeats=st.sampled_from([0.0, 0.5]))
def test_whatever_people_do_no_item_is_asked_of_more_than_it_needs_nor_of_anyone_twice(
    tmp_path_factory: pytest.TempPathFactory, does: list[tuple[str, str]], annotators: int, repeats: float
) -> None:
    made = [trace(n, question=f"Is there a {word}?") for n, word in enumerate(WORDS[:3], 1)]
    shop = Shop(tmp_path_factory.mktemp("any"), made)
    desk = shop.desk(replace(ONE, annotators=annotators, blind_repeats=repeats))
    has: dict[str, Asked] = {}
    for n, (by, what) in enumerate(does):
        try:
            if what == "next":
                asked = shop.next(desk, by)
                if asked is not None:
                    has[by] = asked
            elif what == "wait":
                shop.clock.wait(601)
            elif what == "late" and by in has:
                shop.clock.wait(601)
                shop.next(desk, PEOPLE[(PEOPLE.index(by) + 1) % 3])
                desk.vote(has[by].id, by, "1")
            elif what == "undo":
                desk.undo(by)
                has.pop(by, None)
            elif by in has and what == "vote":
                desk.vote(has[by].id, by, str(1 + n % 5))
            elif by in has:
                desk.skip(has.pop(by).id, by)
        except (LeaseOverError, NotFoundError):
            pass
        _holds(shop, desk, annotators)
    shop.database.close()


def _holds(shop: Shop, desk: Desk, annotators: int) -> None:
    turns = shop.database.query("SELECT item, annotator, again, state, until_ns FROM review_turns")
    for item, votes in shop.database.query("SELECT id, votes FROM review_items"):
        first = [row for row in turns if row[0] == item and not row[2]]
        voted = [row for row in first if row[3] == "voted"]
        busy = [row for row in first if row[3] == "held" and row[4] > shop.clock.now]
        assert votes == len(voted) and len(voted) + len(busy) <= annotators
        assert all(any(one[1] == row[1] for one in voted) for row in turns if row[0] == item and row[2])
    for by in PEOPLE:
        held = [row for row in turns if row[1] == by and row[3] == "held" and row[4] > shop.clock.now]
        assert len(held) <= 1
    stored = shop.database.query("SELECT count(*) FROM feedback WHERE source = 'reviewer'")[0][0]
    assert stored == sum(row[3] == "voted" for row in turns)
    assert review.count(shop.database, desk.place, annotators).votes == sum(
        row[3] == "voted" and not row[2] for row in turns
    )
