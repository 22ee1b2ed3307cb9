"""What the shipped head tells of turns it never saw: the figures that decide what is shown by default."""

from benchmarks.feedback.data import answers, turns
from benchmarks.feedback.signals import rates

from regista.feedback.head import read
from regista.feedback.labels import LABELS
from regista.text.refusals import declines

HELD_OUT, DEVELOPMENT = turns("held-out"), turns("development")


def test_what_is_shown_by_default_was_right_nine_times_of_ten_and_all_else_says_it_is_not() -> None:
    told = [{one.label for one in read(turn.text, turn.question, turn.answer)} for turn in HELD_OUT]
    told += [{"refusal"} if declines(text) else set[str]() for text, _ in answers("held-out")]
    meant = [turn.labels for turn in HELD_OUT]
    meant += [frozenset({"refusal"} if is_one else ()) for _, is_one in answers("held-out")]
    precision = {label: found["precision"]["share"] for label, found in rates(told, meant).items()}
    assert {label: about.shown for label, about in LABELS.items()} == {
        label: share is not None and share >= 0.9 for label, share in precision.items()
    }


def test_both_files_have_thirty_of_each_label_and_many_of_none() -> None:
    for name, rows in (("held-out", HELD_OUT), ("development", DEVELOPMENT)):
        counts = {label: sum(label in turn.labels for turn in rows) for label in LABELS if label != "refusal"}
        assert min(counts.values()) >= 30, counts
        assert sum(is_one for _, is_one in answers(name)) >= 30
        assert sum(not turn.labels for turn in rows) >= 80


def test_no_turn_and_no_context_is_in_both_files() -> None:
    assert {turn.text for turn in HELD_OUT}.isdisjoint(turn.text for turn in DEVELOPMENT if len(turn.text) > 20)
    assert {turn.question for turn in HELD_OUT}.isdisjoint(turn.question for turn in DEVELOPMENT)
