import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.observe.otel.conftest import map_one, sent
from tests.observe.otel.test_decode import values

from regista.core.nouns import Json
from regista.observe.otel import conventions
from regista.observe.otel.bounds import INT64, TEXT
from regista.observe.otel.grouping import trace_of
from regista.observe.otel.mapping import received
from regista.observe.otel.nouns import Event, Received


def test_attributes_that_contradict_each_other_lose_nothing() -> None:
    conflicting: Json = {
        "llm.input_messages.0.message.content": "text",
        "llm.input_messages.0.message.content.0.type": "a list",
        "llm.input_messages.0.message.role": {"not": "text"},
        "llm.input_messages.999999999.message.content": "last",
        "llm.input_messages.99999999999999999999.message.content": "too far",
        "llm.input_messages.x.message.content": "no index",
        "llm.input_messages.1." + "a." * 50 + "b": "deep",
    }
    found = map_one(**conflicting)
    assert [message.content for message in found.messages] == ["text", "last"]
    assert sorted(found.attributes.values()) == ["a list", "deep", "no index", "too far"]


def test_texts_beyond_the_bound_are_cut_and_counted() -> None:
    found = map_one(note="x" * (TEXT + 5), **{"session.id": "s" * 5_000, "k" * 9_000: 1})
    assert (len(found.attributes["note"]), len(found.session), found.dropped) == (TEXT, 1_000, 1)
    assert max(len(name) for name in found.attributes) == 1_000


@pytest.mark.parametrize("content", ["{}", [{"type": "text", "text": "{}"}], [{"type": "blob", "content": "{}"}]])
def test_what_was_said_beyond_the_bound_is_cut_and_counted(content: object) -> None:
    told = json.dumps([{"role": "user", "content": content}]).replace("{}", "x" * (TEXT + 5))
    found = received(sent(Event("e", 0, {"a": "y" * (TEXT + 1)}), gen_ai__input__messages=told))
    assert len(msgspec.json.encode(found.messages)) < TEXT + 100
    assert (len(found.events[0].attributes["a"]), found.dropped) == (TEXT, 2)


def test_a_name_longer_than_any_convention_has_is_not_read() -> None:
    name = "llm.input_messages.0." + "message." * 100_000 + "content"
    assert list(map_one(**{name: "said"}).attributes.values()) == ["said"]


def test_a_character_no_database_takes_is_replaced() -> None:
    found = map_one(**{"session.id": "a\0b", "gen_ai.request.model": "\0", "input.value": "\0"})
    assert (found.session, found.model, found.question) == ("a�b", "�", "�")
    ours = {"regista.decision": "\0", "regista.reason": "\0", "regista.variant": "\0", "error.type": "\0"}
    span = sent(Event(conventions.RESULT, 0, {"gen_ai.evaluation.name": "\0"}), status=2, message="\0", **ours)
    trace = trace_of([received(msgspec.structs.replace(span, name="\0", resource={"service.name": "\0"}))])
    columns = [value for value in msgspec.structs.astuple(trace) if isinstance(value, str)]
    (stage,) = trace.spans
    assert columns.count("�") == 3 and "\0" not in "".join([*columns, stage.name, stage.decision, stage.reason])
    assert stage.attributes["scores"][0]["name"] == "�"


def test_times_at_the_end_of_time_stay_within_it() -> None:
    parent = msgspec.structs.replace(sent(), start_ns=INT64 - 1, end_ns=INT64)
    child = msgspec.structs.replace(sent(), id="2" * 16, parent_id=parent.id, start_ns=0, end_ns=INT64)
    orphan = msgspec.structs.replace(sent(), id="3" * 16, parent_id="4" * 16, start_ns=0, end_ns=0)
    trace = trace_of(received(span) for span in (parent, child, orphan))
    times = [(span.start_ns, span.duration_ns) for span in trace.spans]
    assert all(
        0 <= time <= INT64 for time in (trace.started_ns, trace.duration_ns, *(t for pair in times for t in pair))
    )


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '[{"role": "user"', "[1, null, [], {}]", '{"messages": 1}', "{}", "[]"]
)
def test_json_that_is_no_list_of_messages_breaks_nothing(text: str) -> None:
    found = map_one(gen_ai__input__messages=text, gen_ai__system_instructions=text, gen_ai__retrieval__documents=text)
    assert msgspec.msgpack.encode(found)


ALL = sorted(
    {
        name
        for table in (conventions.TEXTS, conventions.COUNTS, conventions.NUMBERS, conventions.VALUES)
        for names in table.values()
        for name in names
    }
    | set(conventions.STAGES)
)
SEGMENTS = (
    *("0", "1", "03", "٣", "", "message", "content", "contents", "role", "tool_calls", "tool_call", "function"),
    *("name", "arguments", "parts", "text", "type", "image", "url", "score", "id"),
)


def path(name: str, parts: list[str]) -> str:
    return ".".join([name, *parts])


PATHS = st.builds(
    path,
    st.sampled_from(sorted(conventions.INDEXED)),
    st.lists(
        st.sampled_from(SEGMENTS),
        max_size=6,
    ),
)
EVENTS = sorted({*conventions.MESSAGES, conventions.DETAILS, conventions.RESULT, *conventions.FIRST_TOKEN, "exception"})
shapes: Any = st.recursive(
    values,
    lambda inner: (
        st.dictionaries(
            st.sampled_from(
                ["role", "content", "parts", "type", "text", "tool_calls", "id", "name", "message", "arguments"]
            ),
            inner | st.sampled_from(["text", "tool_call", "image", "tool_call_response", "reasoning"]),
            max_size=4,
        )
        | st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)
attributes_: Any = st.dictionaries(
    st.sampled_from(ALL) | PATHS | st.text(max_size=5), shapes | shapes.map(json.dumps), max_size=8
)


@given(attributes_, st.lists(st.builds(Event, st.sampled_from(EVENTS), st.integers(0, INT64), attributes_), max_size=3))
def test_whatever_is_sent_can_be_stored(attributes: Json, events: list[Event]) -> None:
    found = received(msgspec.structs.replace(sent(*events), attributes=attributes))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Received)
    counts = msgspec.structs.astuple(found.usage) if found.usage else ()
    assert all(0 <= count <= INT64 for count in (*counts, found.cost_nano, found.first_token_ns) if count is not None)
