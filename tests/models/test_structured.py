"""Answers in JSON: what leaves is valid, what cannot be made valid is an error, and every try is counted."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models._asking import asked, saying, texts

from regista.core.errors import ProviderError, RequestError
from regista.core.nouns import Delta, Request, ToolCallPart, Usage
from regista.models.json_forms import Form, checked, form_of
from regista.models.structured import Structured

CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
GOOD = '{"city": "Zürich", "days": 2}'


def wanted(schema: Any = CITY, strict: bool = False) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "city", "schema": schema, "strict": strict}}


MENDED = {
    "bare": (GOOD, GOOD),
    "space around it": (f"\n {GOOD} \n", f"\n {GOOD} \n"),
    "a fence": (f"```json\n{GOOD}\n```", GOOD),
    "a fence among words": (f"Here it is:\n\n```\n{GOOD}\n```\nAnything else?", GOOD),
    "words around it": (f"Sure! {GOOD} Have fun.", GOOD),
    "a comma too many": ('{"city": "Zürich", "days": 2,}', '{"city": "Zürich", "days": 2}'),
    "both": ('```json\n{"city": "a,}", "days": 2, }\n```', '{"city": "a,}", "days": 2 }'),
    "a byte-order mark": ("\ufeff" + GOOD, GOOD),
    "words with brackets": (f"See [1]: {GOOD}", None),
}


@pytest.mark.parametrize(("said", "meant"), MENDED.values(), ids=MENDED)
def test_what_is_surely_meant_is_mended_without_a_model(said: str, meant: str | None) -> None:
    model = saying(said)
    client = asked(Structured(model, 0), response_format=wanted())
    assert (client.text or None) == meant and len(model.asked) == 1
    assert (client.error is None) == (meant is not None), "Of two that might be meant, neither is."


WRONG = {
    "no JSON": ("I would say Zürich, for two days.", "It is not JSON"),
    "half of it": ('{"city": "Zürich", "days": ', "truncated"),
    "another type": ('{"city": "Zürich", "days": "two"}', "At $.days"),
    "out of bounds": ('{"city": "Zürich", "days": 0}', "At $.days"),
    "something missing": ('{"city": "Zürich"}', '"days" is a required property'),
    "something too many": ('{"city": "Zürich", "days": 2, "x": 1}', "x"),
    "two of them": (f"{GOOD}\n{GOOD}", "It is not JSON"),
    "two fences": (f"```\n{GOOD}\n```\nor\n```\n{GOOD}\n```", "It is not JSON"),
    "no number": ('{"city": "Zürich", "days": NaN}', "It is not JSON"),
    "nothing": ("", "It is not JSON"),
}


@pytest.mark.parametrize(("said", "problem"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_told_to_the_model_which_is_asked_again(said: str, problem: str) -> None:
    model = saying(said, GOOD)
    client = asked(Structured(model, 2), response_format=wanted())
    assert (client.text, client.error, client.finishes) == (GOOD, None, ["stop"])
    assert client.causes == ["answer", "repair"]
    again = model.asked[1].messages
    assert [message.role for message in again] == ["user", "assistant", "user"]
    assert again[1].text == said and problem in again[2].text
    assert problem in client.notes[0]


def test_what_never_fits_is_an_error_that_says_why_and_no_answer() -> None:
    model = saying("no")
    client = asked(Structured(model, 3), response_format=wanted())
    assert isinstance(client.error, ProviderError) and client.error.code == "invalid_output"
    assert "It is not JSON" in client.error.message and "asked 4 times" in client.error.message
    assert client.deltas == [] and client.causes == ["answer", "repair", "repair", "repair"]


def test_usage_is_that_of_all_tries() -> None:
    client = asked(Structured(saying("one two three", GOOD), 2), response_format=wanted())
    first, second = (call.usage for call in client.calls)
    assert client.usage == first + second and first.output_tokens == 3


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_fits_at_once_is_passed_on_as_it_came(stream: bool) -> None:
    model = saying(GOOD, chunk=5)
    client = asked(Structured(model, 2), stream=stream, response_format=wanted())
    assert client.text == GOOD and len(client.deltas) == (6 if stream else 1)


def test_a_stream_is_held_until_it_fits() -> None:
    client = asked(Structured(saying("no no no", GOOD, chunk=2), 2), stream=True, response_format=wanted())
    assert client.text == GOOD, "Nothing of the wrong answer was told."


@pytest.mark.parametrize(("repairs", "enforces"), [(0, None), (2, True)])
def test_a_stream_that_is_not_held_ends_with_an_error_in_place_of_its_finish(
    repairs: int, enforces: bool | None
) -> None:
    model = saying('{"city": 7}', chunk=3)
    client = asked(Structured(model, repairs, enforces), stream=True, response_format=wanted(strict=True))
    assert '{"city": 7}'.startswith(client.text) and client.text and client.finishes == []
    assert client.error is not None and client.error.code == "invalid_output"
    good = asked(Structured(saying(GOOD, chunk=3), repairs, enforces), stream=True, response_format=wanted(strict=True))
    assert (good.text, good.error, good.finishes) == (GOOD, None, ["stop"])


def test_a_schema_that_is_not_strict_is_not_trusted_to_be_met() -> None:
    model = saying("no", GOOD, chunk=1)
    client = asked(Structured(model, 2, True), stream=True, response_format=wanted(strict=False))
    assert client.text == GOOD


def test_an_answer_that_was_cut_off_is_not_asked_again() -> None:
    class Cut:
        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            yield Delta('{"city": "Zü', finish="length", usage=Usage(3, 4))

    client = asked(Structured(Cut(), 2), response_format=wanted())
    assert client.error is not None and "raise max_tokens" in client.error.message


def test_tool_calls_and_plain_text_are_not_checked() -> None:
    called = asked(Structured(saying("x", calls=("look {}",)), 2), response_format=wanted())
    assert called.finishes == ["tool_calls"] and called.error is None
    assert asked(Structured(saying("text"), 2), response_format={"type": "text"}).text == "text"
    assert asked(Structured(saying("text"), 2)).text == "text"


class Turns:
    """Gives these answers in turn, each a list of deltas."""

    def __init__(self, *answers: list[Delta]) -> None:
        self.asked = 0
        self._answers = answers

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        self.asked += 1
        for delta in self._answers[self.asked - 1]:
            yield delta


def test_a_repair_that_calls_a_tool_calls_it() -> None:
    call = ToolCallPart(0, "c1", "look", "{}")
    called = [Delta(tool_calls=(call,), raw=b"its own"), Delta(finish="tool_calls", usage=Usage(5, 6))]
    client = asked(
        Structured(Turns([Delta("no", finish="stop", usage=Usage(1, 2))], called), 2), response_format=wanted()
    )
    assert [delta.tool_calls for delta in client.deltas] == [(call,), ()]
    assert (client.finishes, client.usage) == (["tool_calls"], Usage(6, 8))
    assert [delta.raw for delta in client.deltas] == [None, None], "Those bytes would tell the usage of one try."


def test_a_repair_that_refuses_is_told_as_a_refusal() -> None:
    refused = [Delta("I will not.", finish="stop", usage=Usage(1, 1), refused=True)]
    client = asked(Structured(Turns([Delta("no", finish="stop")], refused), 2), response_format=wanted())
    assert (client.text, client.deltas[-1].refused, client.error) == ("I will not.", True, None)


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_filter_ended_is_not_asked_again(stream: bool) -> None:
    model = Turns([Delta('{"city": '), Delta(finish="content_filter", usage=Usage(1, 1))])
    client = asked(Structured(model, 2, True), stream=stream, response_format=wanted(strict=stream))
    assert (client.finishes, client.error, model.asked) == (["content_filter"], None, 1)


@pytest.mark.parametrize("said", [f"```json\n{GOOD}\n```", f"Sure: {GOOD}", GOOD[:-1] + ",}"])
def test_a_stream_that_was_told_already_is_not_taken_for_what_it_might_be_mended_to(said: str) -> None:
    client = asked(Structured(saying(said, chunk=5), 0), stream=True, response_format=wanted())
    assert client.error is not None and client.error.code == "invalid_output" and client.finishes == []


@pytest.mark.parametrize("said", ['x\\"' * 150_000, "```\n" + " " * 600_000 + "x", "[" + "," * 600_000])
def test_text_that_looks_like_much_json_takes_no_time(said: str) -> None:
    assert checked(said, Form())[1]


def test_any_object_will_do_where_no_schema_is_given() -> None:
    assert asked(Structured(saying("[1]", "{}"), 1), response_format={"type": "json_object"}).text == "{}"


def test_a_model_that_takes_no_schema_is_told_in_words() -> None:
    model = saying("no", GOOD)
    asked(Structured(model, 1, False), response_format=wanted())
    assert all("response_format" not in request.rest for request in model.asked)
    assert '"minimum":1' in texts(model)[0] and "Answer again" in texts(model)[1]


NO_SCHEMA = [
    {"type": "objekt"},
    {"$ref": "#/nowhere"},
    {"$ref": "http://127.0.0.1:9/schema.json"},
    {"$ref": "file:///etc/passwd"},
    {"type": "string", "pattern": "("},
    {"minimum": "x"},
    7,
]


@pytest.mark.parametrize("schema", NO_SCHEMA)
def test_a_schema_that_is_none_is_refused_before_anything_is_asked(schema: Any) -> None:
    model = saying(GOOD)
    client = asked(Structured(model, 2), response_format=wanted(schema))
    assert isinstance(client.error, RequestError) and client.error.code == "invalid_schema"
    assert client.error.param == "response_format" and not model.asked


def test_several_choices_cannot_each_be_checked() -> None:
    client = asked(Structured(saying(GOOD), 2), response_format=wanted(), n=2)
    assert isinstance(client.error, RequestError) and client.error.param == "n"


def test_a_pattern_that_would_take_for_ever_takes_no_time() -> None:
    form = form_of(wanted({"type": "string", "pattern": "^(a+)+$"}))
    assert form is not None
    assert checked(json.dumps("a" * 50_000 + "!"), form)[1]


def test_deep_json_is_wrong_and_no_crash() -> None:
    text, problem = checked("[" * 100_000 + "]" * 100_000, Form(b"{}"))
    assert problem and text.startswith("[[")


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
schemas = st.sampled_from(
    [
        CITY,
        {},
        {"type": "array", "items": {"type": "integer"}},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"anyOf": [{"type": "string"}, {"type": "object", "required": ["a"]}]},
        {"enum": [1, "a", {"a": 1}]},
    ]
)
dressings = st.sampled_from(["{}", "```json\n{}\n```", "So: {}", "{} Done.", "```\n{}\n```\n", "{},", "[{}", "{}{}"])


@given(schema=schemas, answers=st.lists(st.tuples(values, dressings, st.booleans()), min_size=1, max_size=4))
def test_whatever_a_model_says_what_leaves_is_valid(schema: Any, answers: list[tuple[Any, str, bool]]) -> None:
    """The judge is another library than the one that is used."""
    said = [
        (json.dumps(value) if plain else str(value)).join(dressing.split("{}", 1)) for value, dressing, plain in answers
    ]
    client = asked(Structured(saying(*said), 3), response_format=wanted(schema))
    if client.error is None:
        jsonschema.validate(json.loads(client.text), schema)
        assert client.finishes == ["stop"]
    else:
        assert client.error.code == "invalid_output" and client.text == "" and len(client.calls) == 4
