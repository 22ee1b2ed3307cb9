"""What makes two requests the same, and what never may."""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from regista.core.nouns import Message, Request, Variant
from regista.serve.caches.keys import place_key, question_key, request_key

ASKED = Request("shop", (Message("user", "When are you open?"),))
VARIANT = Variant("shop", "v1", 3)

Where = tuple[Variant, str, int]
wheres = st.tuples(
    st.builds(Variant, st.sampled_from(["shop", "club"]), st.sampled_from(["v1", "v2"]), st.integers(0, 3)),
    st.sampled_from(["acme", "globex", "acm"]),
    st.integers(0, 2),
)


@given(wheres, wheres)
def test_tenants_variants_and_epochs_never_share_a_key_or_a_place(one: Where, other: Where) -> None:
    assume(one != other)
    assert request_key(ASKED, *one) != request_key(ASKED, *other)
    assert place_key(ASKED, *one, "minilm") != place_key(ASKED, *other, "minilm")


def test_how_an_answer_is_delivered_changes_no_key() -> None:
    streamed = replace(ASKED, stream=True, rest={"stream_options": {"include_usage": True}, "user": "u-1"})
    assert request_key(streamed, VARIANT, "t", 0) == request_key(ASKED, VARIANT, "t", 0)


def test_spaces_at_the_ends_change_no_key_and_case_does() -> None:
    def key(text: str) -> bytes:
        return request_key(replace(ASKED, messages=(Message("user", text),)), VARIANT, "t", 0)

    assert key("  When are you open? \n") == key("When are you open?") != key("when are you open?")


@given(st.sampled_from(["temperature", "seed", "logprobs", "response_format"]), st.sampled_from([0, 1, True, "x"]))
def test_every_other_field_is_part_of_what_is_asked(name: str, value: Any) -> None:
    other = replace(ASKED, rest={name: value})
    assert request_key(other, VARIANT, "t", 0) != request_key(ASKED, VARIANT, "t", 0)
    assert place_key(other, VARIANT, "t", 0, "m") != place_key(ASKED, VARIANT, "t", 0, "m")


def test_a_place_is_all_but_the_last_question() -> None:
    said = (Message("user", "Hello"), Message("assistant", "Hi"))
    talk = replace(ASKED, messages=(*said, Message("user", "When are you open?")))
    other = replace(ASKED, messages=(*said, Message("user", "Where are you?")))
    alone = replace(ASKED, messages=(Message("user", "Where are you?"),))
    assert place_key(talk, VARIANT, "t", 0, "m") == place_key(other, VARIANT, "t", 0, "m")
    assert place_key(talk, VARIANT, "t", 0, "m") != place_key(alone, VARIANT, "t", 0, "m")
    assert place_key(talk, VARIANT, "t", 0, "m") != place_key(talk, VARIANT, "t", 0, "another embedder")


def test_a_question_has_another_key_in_another_place() -> None:
    assert question_key(b"a" * 16, "When?") != question_key(b"b" * 16, "When?")
    assert question_key(b"a" * 16, "When? ") == question_key(b"a" * 16, "When?")
