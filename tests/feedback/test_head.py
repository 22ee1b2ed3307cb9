"""What the shipped head tells of turns it never saw: the figures that decide what is shown by default."""

import pytest
from benchmarks.feedback.data import Turn, answers, turns
from benchmarks.feedback.signals import again, rates

from regista.feedback.head import read
from regista.feedback.labels import LABELS
from regista.text.refusals import declines

UNSEEN, HELD_OUT = turns("unseen"), turns("held-out")
MADE_FROM = [*turns("development"), *turns("others")]
ENOUGH = 5
"""Findings without which a label is not shown."""


def test_what_is_shown_by_default_was_right_nine_times_of_ten_and_all_else_says_it_is_not() -> None:
    told = [{one.label for one in read(turn.text, turn.question, turn.answer)} for turn in UNSEEN]
    told += [{"refusal"} if declines(text) else set[str]() for text, _ in answers("held-out")]
    meant = [turn.labels for turn in UNSEEN]
    meant += [frozenset({"refusal"} if is_one else ()) for _, is_one in answers("held-out")]
    precision = {label: found["precision"] for label, found in rates(told, meant).items()}
    assert {label: about.shown for label, about in LABELS.items()} == {
        label: one["of"] >= ENOUGH and one["share"] >= 0.9 for label, one in precision.items()
    }


def test_the_files_have_many_of_each_label_and_of_none() -> None:
    for rows, least in ((UNSEEN, 15), (HELD_OUT, 30), (MADE_FROM, 150)):
        counts = {label: sum(label in turn.labels for turn in rows) for label in LABELS if label != "refusal"}
        assert min(counts.values()) >= least, counts
        assert sum(not turn.labels for turn in rows) >= 80
    assert sum(is_one for _, is_one in answers("held-out")) >= 30


@pytest.mark.parametrize("rows", [UNSEEN, HELD_OUT], ids=["unseen", "held-out"])
def test_no_turn_and_no_context_that_is_measured_was_trained_on(rows: list[Turn]) -> None:
    assert {turn.text for turn in rows}.isdisjoint(turn.text for turn in MADE_FROM if len(turn.text) > 20)
    assert {turn.question for turn in rows}.isdisjoint(turn.question for turn in MADE_FROM)


def test_labels_given_again_without_knowing_the_first_are_nearly_always_the_same() -> None:
    assert again() >= 0.95 * len(HELD_OUT)
