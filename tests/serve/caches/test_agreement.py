"""Questions taken apart and laid side by side: what differs is seen, what is said otherwise is not."""

import pytest

from regista.serve.caches.agreement import compare
from regista.serve.caches.english_words import AXES, SAME
from regista.serve.caches.reading import LONGEST, Reading, read
from regista.text.stems import stem


def taken_apart(question: str) -> Reading:
    reading = read(question)
    assert reading is not None, question
    return reading


@pytest.mark.parametrize(
    ("one", "other", "objection"),
    [
        ("What are the top 5 sights in Vienna?", "What are the top 10 sights in Vienna?", "number"),
        ("Can I get a refund within 14 days?", "Can I get a refund within 30 days?", "number"),
        ("How do I set a timeout of 30 seconds?", "How do I set a timeout of 30 milliseconds?", "number"),
        ("How many inches are in a metre?", "How many feet are in a metre?", "unit"),
        ("Is the shop open on Sunday?", "Is the shop open on Monday?", "date"),
        ("When is a player offside?", "When is a player not offside?", "negation"),
        ("How do I tune a guitar with a tuner?", "How do I tune a guitar without a tuner?", "direction"),
        ("What is the cheapest month to fly to Bali?", "What is the most expensive month to fly to Bali?", "direction"),
        ("How do I enable CORS?", "How do I turn off CORS?", "direction"),
        ("Which dynasty came before the Ming?", "Which dynasty came after the Ming?", "direction"),
        ("What is the capital of Australia?", "What is the capital of Austria?", "name"),
        ("Is the X200 compatible with the charger?", "Is the X250 compatible with the charger?", "name"),
        ("How do I get from Lisbon to Porto?", "How do I get from Porto to Lisbon?", "place"),
        ("Is Greenland bigger than Australia?", "Is Australia bigger than Greenland?", "place"),
        ("How do I convert a string to an integer?", "How do I convert an integer to a string?", "place"),
        ("Did Arsenal beat Chelsea?", "Did Chelsea beat Arsenal?", "order"),
        ("When was penicillin discovered?", "Who discovered penicillin?", "kind of question"),
        ("How high is the highest mountain in Africa?", "What is the highest mountain in Africa?", "kind of question"),
        ("Why is the sky blue?", "When is the sky blue?", "kind of question"),
    ],
)
def test_what_changes_the_answer_is_objected_to(one: str, other: str, objection: str) -> None:
    assert compare(taken_apart(one), taken_apart(other)).objection == f"another {objection}"
    assert compare(taken_apart(other), taken_apart(one)).objection == f"another {objection}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What are the top 5 sights in Vienna?", "what are the top five sights in vienna"),
        ("Can I get a refund within 14 days?", "Can I get a refund within two weeks?"),
        ("How do I get from Lisbon to Porto by train?", "What is the way to get to Porto from Lisbon by train?"),
        ("What is the capital of Australia?", "Could you tell me Australia's capital, please?"),
        ("How do I turn off the fog lights?", "How can the fog lights be switched off?"),
        ("Who discovered penicillin?", "Penicillin was discovered by whom?"),
        ("Is Greenland bigger than Australia?", "Is Greenland larger than Australia?"),
        ("How much is express shipping?", "What is the price of express delivery?"),
        ("When did the Second World War end?", "In what year did World War II end?"),
        ("What is 350 °F in Celsius?", "What's 350 degrees fahrenheit in celsius?"),
        ("Do I need a visa for the US?", "Do I need a visa for the USA?"),
    ],
)
def test_what_says_the_same_in_other_words_is_not(one: str, other: str) -> None:
    assert compare(taken_apart(one), taken_apart(other)).objection == ""


def test_a_word_in_the_place_of_another_is_counted_on_both_sides() -> None:
    found = compare(taken_apart("How do I restart a pod?"), taken_apart("How do I restart a node?"))
    assert (found.objection, found.more, found.less) == ("", 1, 1)


@pytest.mark.parametrize(
    "question",
    [
        "Was ist die Hauptstadt von Australien?",
        "Quelle est la capitale de l'Australie ?",
        "¿Cuál es la capital de Australia?",
        "オーストラリアの首都はどこですか",
        "",
        "?!",
        "What " + "very " * LONGEST + "long question is this?",
    ],
)
def test_a_question_of_no_known_language_or_none_at_all_is_not_taken_apart(question: str) -> None:
    assert read(question) is None


def test_no_word_of_the_tables_has_two_meanings() -> None:
    first: dict[str, str] = {}
    for group in SAME.split(";"):
        words = group.split()
        assert len(words) > 1, group
        for word in words:
            assert first.setdefault(stem(word), words[0]) == words[0], word
    assert all(axis.count("|") == 1 for axis in AXES.split(";"))
