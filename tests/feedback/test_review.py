"""What a vote is worth, how new a question is, when one is asked again, and how far people agree."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.feedback.review import repeats, topic
from regista.feedback.review.health import TIE, Ballot, health
from regista.feedback.review.worth import Worth, graded, opinion, spread, why, worth
from regista.stats.agreement import cohen_kappa

shares = st.floats(0, 1)
texts = st.text(max_size=60)


@given(st.lists(shares, max_size=20), shares)
def test_every_part_of_what_a_vote_is_worth_is_a_share(opinions: list[float], novelty: float) -> None:
    made = worth(opinions, novelty)
    assert all(0 <= part <= 1 for part in made) and 0 <= made.value <= 1


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=9))
def test_opinions_differ_most_where_half_of_them_say_the_contrary(opinions: list[float]) -> None:
    whole = worth([*opinions, *(1 - one for one in opinions)], 0)
    assert whole.disagreement == pytest.approx(1) and whole.uncertainty == pytest.approx(1)
    assert worth([1.0] * len(opinions), 0).disagreement == 0


def test_what_is_known_makes_less_worth_and_what_contradicts_it_more() -> None:
    nothing, agreed, torn = worth([], 0), worth([0.9, 0.8], 0), worth([0.9, 0.1], 0)
    assert agreed.value < nothing.value < torn.value


def test_feedback_that_says_nothing_of_an_answer_is_no_opinion() -> None:
    assert opinion("signal", "length", 4.0, 1.0) is None and opinion("label", "tone", None, 1.0) is None
    assert opinion("score", "judge", 0.52, 1.0) == 0.52 and opinion("score", "stars", 4.0, 1.0) is None
    assert opinion("signal", "positive", None, 0.95) == 0.95 and opinion("correction", "", None, 1.0) == 0.2
    assert graded(1, 5) == 0 and graded(5, 5) == 1


def test_labels_differ_by_the_share_of_pairs_that_do() -> None:
    assert (
        spread(["a", "b"]) == 1 and spread(["a", "a"]) == 0 and spread(["a", "b", "c", "a"]) == pytest.approx(10 / 12)
    )


def test_why_an_item_was_picked_says_its_parts_and_not_which_way_they_lean() -> None:
    assert why(Worth(0.6, 0.9, 0.1), "") == "nothing sure is known of it (0.90), opinions differ (0.60)"
    assert why(Worth(0, 0, 0), "ann") == "sent by ann" and why(Worth(0.1, 0.2, 0.3), "") == (
        "the next of what is left (0.20)"
    )
    assert why(worth([0.1], 0.2), "") == why(worth([0.9], 0.2), "")


@given(texts, st.lists(texts, max_size=6))
def test_a_question_that_was_reviewed_is_not_new_and_newness_is_a_share(question: str, others: list[str]) -> None:
    topics = [topic.of_words(one) for one in (question, *others)]
    found = topic.novelty(topics, topics[:1])
    assert all(0 <= one <= 1 for one in found)
    if len(topics[0]) > 1:
        assert found[0] == pytest.approx(0)


@given(texts, texts, st.lists(texts, max_size=5))
def test_the_more_was_reviewed_the_less_is_new(question: str, more: str, reviewed: list[str]) -> None:
    about, other = topic.of_words(question), topic.of_words(more)
    before = [topic.of_words(one) for one in reviewed]
    assert topic.novelty([about], [*before, other], []) <= topic.novelty([about], before, [other])


def test_a_rare_word_makes_a_topic_and_a_frequent_one_does_not() -> None:
    asked = [f"Where do I find my order number {n}?" for n in range(30)]
    reviewed = topic.of_words("Where do I find my order number 3? It is a gift voucher.")
    same = topic.of_words("The gift voucher: where do I find it?")
    other = topic.of_words("The broken kettle: where do I find it?")
    new = topic.novelty([same, other], [reviewed], [topic.of_words(one) for one in asked])
    assert new[0] < new[1]


def test_vectors_are_compared_with_vectors_alone() -> None:
    one, near, far = topic.of_vector([1, 0, 0]), topic.of_vector([0.8, 0.6, 0]), topic.of_vector([0, 0, 1])
    assert topic.novelty([near, far], [one]) == pytest.approx([0.2, 1], abs=0.01)
    assert topic.novelty([one], [topic.of_words("words"), topic.of_vector([1, 0])]) == [1]


def test_repeats_come_in_about_their_share_and_without_a_rhythm() -> None:
    due = [n for n in range(2_000) if repeats.is_due(0.1, "ann", n)]
    assert 150 < len(due) < 250
    assert len({b - a for a, b in pairwise(due)}) > 10
    assert due != [n for n in range(2_000) if repeats.is_due(0.1, "ben", n)]


def ballots(votes: dict[str, list[float]]) -> list[Ballot]:
    return [Ballot(n, by, vote, 10.0 + n) for by, row in votes.items() for n, vote in enumerate(row)]


def test_people_agree_as_far_as_alpha_and_kappa_say() -> None:
    grades = [1.0, 2, 3, 4, 5, 4, 3, 2, 1, 5]
    found = health(ballots({"ann": grades, "ben": grades}), "ann", "grades")
    assert found.agreement is not None and found.agreement.estimate == 1 and found.agreement.low < 0.95
    assert found.kappa is not None and found.kappa.n == 10 and found.median_s == 14.5
    assert found.annotators == (("ann", 10), ("ben", 10)) and found.votes == 20
    three = health(ballots({"ann": grades, "ben": grades, "eve": grades}), "ann", "grades")
    assert three.kappa is None and three.agreement is not None


def test_grades_that_nobody_gave_still_lie_between_those_given() -> None:
    ann, ben = [1.0, 2, 5, 5, 1, 2, 5, 1], [1.0, 5, 5, 2, 2, 1, 5, 1]
    found = health(ballots({"ann": ann, "ben": ben}), "ann", "grades")
    whole = cohen_kappa(ann, ben, "quadratic", categories=[1, 2, 3, 4, 5])
    assert found.kappa is not None and found.kappa.estimate == pytest.approx(float(whole))
    assert found.kappa.estimate != pytest.approx(float(cohen_kappa(ann, ben, "quadratic")))


def test_who_is_kinder_is_told_how_much() -> None:
    grades = [1.0, 2, 3, 4, 2, 3, 1, 2, 3, 4]
    votes = ballots({"ann": [one + 1 for one in grades], "ben": grades})
    kinder, stricter = health(votes, "ann", "grades").leniency, health(votes, "ben", "grades").leniency
    assert kinder is not None and stricter is not None
    assert kinder.low > 0 > stricter.high and kinder.estimate == pytest.approx(0.5, abs=0.05)
    assert health(votes, "nobody", "grades").leniency is None


def test_a_blind_repeat_is_no_second_vote_and_says_who_is_steady() -> None:
    votes = ballots({"ann": [1, 2, 3, 4], "ben": [1, 2, 3, 4]})
    votes += [
        Ballot(0, "ann", 1.0, 5, again=True),
        Ballot(1, "ann", 5.0, 5, again=True),
        Ballot(2, "ben", 3.0, 5, True),
    ]
    found = health(votes, "ann", "grades")
    assert found.votes == 8 and found.agreement is not None and found.agreement.estimate == 1
    assert found.repeats is not None and (found.repeats.estimate, found.repeats.n) == (pytest.approx(2 / 3), 3)
    assert found.own_repeats is not None and (found.own_repeats.estimate, found.own_repeats.n) == (0.5, 2)


def test_the_side_that_wins_is_counted_and_ties_are_no_side() -> None:
    sides = [("first", "a")] * 7 + [("second", "b")] * 3 + [(TIE, "")] * 5
    found = health([Ballot(n, "ann", choice, 1, side=side) for n, (choice, side) in enumerate(sides)], "ann", "pairs")
    assert found.side_a is not None and (found.side_a.estimate, found.side_a.n) == (0.7, 10)
    assert found.side_a.low < 0.5 < found.side_a.high and dict(found.shares) == {"first": 7, "second": 3, TIE: 5}


def test_too_little_to_tell_is_told() -> None:
    assert health([], "ann", "grades").why.startswith("Nobody else") and health([], "", "grades").median_s is None
    alone = health(ballots({"ann": [1, 2, 3]}), "ann", "grades")
    assert alone.agreement is None and "two people" in alone.why and alone.median_s == 11
    equal = health(ballots({"ann": [3, 3, 3], "ben": [3, 3, 3]}), "ann", "grades")
    assert equal.agreement is None and "equal" in equal.why
