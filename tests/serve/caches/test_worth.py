"""Which answers may serve others: by what is asked."""

import pytest

from regista.core.nouns import Message, Request
from regista.serve.caches.worth import worth, worth_of


@pytest.mark.parametrize(
    ("question", "cause"),
    [
        ("What is the weather in Oslo?", "time"),
        ("Who won yesterday's match?", "time"),
        ("What is the current score?", "time"),
        ("What is the exchange rate of the dollar?", "time"),
        ("What is my balance?", "personal"),
        ("Where is order 20019384?", "personal"),
        ("Please write to [EMAIL_1] what a six does.", "personal"),
        ("I am 34 weeks pregnant, what may I eat?", "personal"),
        ("Tell me another joke.", "chance"),
        ("Give me a random number.", "chance"),
        ("And him?", "context"),
        ("What about the goalkeeper?", "context"),
        ("Is it far from there?", "context"),
        ("Cancel my order.", "personal"),
        ("Book a room for two nights.", "act"),
    ],
)
def test_what_depends_on_when_by_whom_or_after_what_it_is_asked_is_for_one_asker(question: str, cause: str) -> None:
    assert worth_of(question).cause == cause


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Mongolia?",
        "How do I block my debit card?",
        "How do I get the current date in Python?",
        "What is a random forest?",
        "Who wrote the song Yesterday?",
        "Can I return a product after 14 days?",
        "Why is my sourdough bread too dense?",
        "What is the weather like on Venus?",
    ],
)
def test_what_anyone_could_ask_any_day_is_for_all(question: str) -> None:
    assert worth_of(question).cause == ""


def test_the_same_words_are_kept_briefly_where_the_time_counts_and_not_where_chance_or_an_act_does() -> None:
    kept = {question: worth_of(question).exactly for question in ("What is on tv tonight?", "Flip a coin.", "Hi!")}
    assert kept == {"What is on tv tonight?": "briefly", "Flip a coin.": "not", "Hi!": "whole"}
    assert worth_of("Send the invoice to accounting.").exactly == "not"
    assert worth_of("What is my balance?").exactly == "whole"


def test_what_asks_for_more_than_one_text_is_for_one_asker() -> None:
    asked = (Message("user", "What is the capital of Mongolia?"),)
    assert worth(Request("shop", asked)).cause == ""
    assert worth(Request("shop", asked, rest={"n": 3})).exactly == "not"
    assert worth(Request("shop", asked, rest={"tools": [{"type": "function"}]})).cause == "tools"
    image = Message("user", [{"type": "text", "text": "What is this?"}, {"type": "image_url"}])
    assert worth(Request("shop", (image,))).cause == "no text"
    assert worth(Request("shop", (*asked, Message("assistant", "It is")))).cause == "no text"
    assert worth(Request("shop", ())).cause == "no text"
