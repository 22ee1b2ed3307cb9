"""What words say of an answer: where the rules find it, and where the classifier does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.feedback.head import read
from regista.feedback.labels import LABELS
from regista.feedback.words import READ, cleaned, told

ASKED = "When do the under-15s train?", "I think they may train on Tuesday evening."
SAID = [
    ("No, I meant the under-13s", "correction"),
    ("That's wrong, they train on Mondays", "wrong"),
    ("This doesn't answer my question", "unanswered"),
    ("too vague, which hall?", "incomplete"),
    ("stop saying you're not sure", "unconfident"),
    ("you already told me that twice", "repetitive"),
    ("please check the documents", "use_results"),
    ("the second document says it on page 3", "points_to_results"),
    ("this is useless", "negative"),
    ("perfect, thank you!", "positive"),
    ("I asked for the under-15s, as I said before", "clarifies"),
]
INNOCENT = [
    "no problem, I'll ask the coach",
    "No, thanks, that is all",
    "No thanks, the weather is perfect",
    "Actually, next question: who is the coach?",
    "No goals were scored? How come?",
    "Translate: 'That is not what I ordered.'",
    "The customer wrote 'this is useless'. Draft a reply.",
    "How do I tell a player politely that he is wrong?",
    "What went wrong in the second half?",
    "Is it rude to arrive early?",
    "My knee hurts, what helps?",
    "I meant to ask: is there parking?",
    "ok",
    "",
]


@pytest.mark.parametrize(("turn", "label"), SAID)
def test_what_is_said_plainly_is_told(turn: str, label: str) -> None:
    assert label in [one.label for one in read(turn, *ASKED)]


@pytest.mark.parametrize("turn", INNOCENT)
def test_what_only_looks_alike_is_not(turn: str) -> None:
    assert read(turn, *ASKED) == ()


def test_the_same_question_in_other_words_is_told_and_another_one_is_not() -> None:
    question, answer = "How do I cancel my gym membership?", "Would you like to upgrade?"
    assert "rephrased" in [one.label for one in read("What is the way to cancel my gym membership?", question, answer)]
    assert "rephrased" not in [one.label for one in read("Does the gym have a sauna?", question, answer)]


@pytest.mark.parametrize("turn", ["No,  I\n meant the under-13s", "“Great” my foot.\n\nThis  is   USELESS"])
def test_the_words_that_told_stand_where_it_is_said(turn: str) -> None:
    one = told(turn)[0]
    words = turn[one.start : one.end].lower()
    assert "meant" in words or "useless" in words


def test_who_writes_more_than_is_read_writes_a_task() -> None:
    assert told("x " * READ + "this is useless") == ()


@given(st.text(st.sampled_from("aB’'\"“” \n\tİß."), max_size=40))
def test_a_cleaned_text_is_as_long_as_its_places_and_each_is_where_it_says(text: str) -> None:
    clean, places = cleaned(text)
    at = list(range(len(clean))) if places is None else places
    assert len(at) == len(clean) and at == sorted(set(at))
    assert all(text[place].isspace() == (letter == " ") for place, letter in zip(at, clean, strict=True))


@given(st.text(max_size=300), st.text(max_size=50), st.text(max_size=50))
def test_any_text_is_read_and_what_is_found_lies_within_it(turn: str, question: str, answer: str) -> None:
    for one in read(turn, question, answer):
        assert one.label in LABELS and 0 < one.confidence <= 1
        assert 0 <= one.start < one.end <= len(turn)
