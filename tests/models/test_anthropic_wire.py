"""Translation to and from Anthropic's wire, without a network. The official client's types are the judge."""

import json
from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from regista.core.errors import ProviderError, RequestError
from regista.core.nouns import Delta, Json, Message, Request, Tool, Usage
from regista.models import anthropic_request, anthropic_wire
from regista.models.prompt_cache import Heads
from regista.serve.collector import Collector

PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="
CITY: Json = {"type": "object", "properties": {"city": {"type": "string"}}}
CALL: Json = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
USE: Json = {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Oslo"}}
FUNCTION: Json = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": CITY}}
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TOOL: Json = {"name": "weather", "description": "d", "input_schema": CITY}


def text(said: str) -> Json:
    return {"type": "text", "text": said}


def turns(*messages: Message) -> list[Json]:
    return anthropic_request.turns(messages)


def fields(rest: Json | None = None, *messages: Message, tools: tuple[Tool, ...] = ()) -> Json:
    request = Request("m", messages or (Message("user", "hi"),), tools=tools, rest=rest or {})
    return anthropic_request.fields(request, 4096)


# Requests


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([Message("user", "a")], [("user", [text("a")])]),
        ([Message("user", "a"), Message("user", "b")], [("user", [text("a"), text("b")])]),
        ([Message("system", "s"), Message("developer", "d"), Message("user", "a")], [("user", [text("a")])]),
        (
            [Message("user", "a"), Message("assistant", None, {"tool_calls": [CALL]})],
            [("user", [text("a")]), ("assistant", [USE])],
        ),
        (
            [
                Message("tool", "12 °C", {"tool_call_id": "c1"}),
                Message("tool", "", {"tool_call_id": "c2"}),
                Message("user", "a"),
            ],
            [
                (
                    "user",
                    [
                        {"type": "tool_result", "tool_use_id": "c1", "content": [text("12 °C")]},
                        {"type": "tool_result", "tool_use_id": "c2"},
                        text("a"),
                    ],
                )
            ],
        ),
        ([Message("assistant", "  \n"), Message("user", "a")], [("user", [text("a")])]),
        (
            [Message("assistant", [{"type": "refusal", "refusal": "no"}])],
            [("assistant", [text("no")])],
        ),
    ],
)
def test_messages_become_turns(messages: list[Message], expected: list[tuple[str, list[Json]]]) -> None:
    assert turns(*messages) == [{"role": role, "content": content} for role, content in expected]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            {"type": "image_url", "image_url": {"url": PNG}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}},
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
        ),
        (
            {"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}},
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                "title": "a.pdf",
            },
        ),
        (
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        ),
    ],
)
def test_content_parts_become_blocks(part: Json, block: Json) -> None:
    assert anthropic_request.blocks([part]) == [block]


def test_system_messages_go_to_their_own_field() -> None:
    result = fields({}, Message("system", "be brief"), Message("user", "a"), Message("developer", "be kind"))
    assert result["system"] == [text("be brief"), text("be kind")]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ({}, {"max_tokens": 4096}),
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 6}, {"max_tokens": 6}),
        ({"max_tokens": None}, {"max_tokens": 4096}),
        ({"stop": "x"}, {"stop_sequences": ["x"]}),
        ({"stop": ["x", "y"]}, {"stop_sequences": ["x", "y"]}),
        ({"user": "u1"}, {"metadata": {"user_id": "u1"}}),
        ({"temperature": 0.5, "top_p": 0.9, "top_k": 3}, {"temperature": 0.5, "top_p": 0.9, "top_k": 3}),
        ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
        ({"reasoning_effort": "minimal"}, {"output_config": {"effort": "low"}}),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        ({"service_tier": "flex"}, {}),
        ({"n": 1, "logprobs": False, "seed": 4, "presence_penalty": 1, "stream_options": {}}, {}),
        (
            {"reasoning_effort": "high", "response_format": {"type": "json_schema", "json_schema": {"schema": CITY}}},
            {"output_config": {"effort": "high", "format": {"type": "json_schema", "schema": CITY}}},
        ),
        ({"tools": [FUNCTION], "tool_choice": "required"}, {"tools": [TOOL], "tool_choice": {"type": "any"}}),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "weather"}}},
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "weather"}},
        ),
        (
            {"tools": [FUNCTION], "parallel_tool_calls": False},
            {"tools": [TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        ({"tool_choice": "none"}, {}),
    ],
)
def test_fields_are_translated_passed_on_or_dropped(rest: Json, expected: Json) -> None:
    own: Json = {"model": "m", "max_tokens": 4096, "messages": [{"role": "user", "content": [text("hi")]}]}
    result = fields(rest)
    assert result == own | expected
    TypeAdapter(MessageCreateParamsNonStreaming).validate_python(result)


def test_a_tool_of_the_application_stands_beside_the_clients() -> None:
    result = fields({"tools": [FUNCTION]}, tools=(Tool("table", "The table.", {}),))
    assert [tool["name"] for tool in result["tools"]] == ["weather", "table"]
    assert result["tools"][1]["input_schema"] == {"type": "object", "properties": {}}


def test_a_whole_conversation_is_one_the_official_types_accept() -> None:
    conversation = (
        Message("system", "s"),
        Message("user", [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": PNG}}]),
        Message("assistant", "let me see", {"tool_calls": [CALL]}),
        Message("tool", "12 °C", {"tool_call_id": "c1"}),
        Message("user", "and tomorrow?"),
    )
    request = Request("m", conversation, True, (Tool("weather", "d", CITY),))
    sent = json.loads(anthropic_request.body(request, 4096))
    TypeAdapter(MessageCreateParamsStreaming).validate_python(sent)
    assert [turn["role"] for turn in sent["messages"]] == ["user", "assistant", "user"]


REFUSED: list[tuple[Json, Message, str]] = [
    ({"n": 2}, Message("user", "a"), "n=2"),
    ({"logprobs": True}, Message("user", "a"), "logprobs"),
    ({"response_format": {"type": "json_object"}}, Message("user", "a"), "json_schema"),
    ({"response_format": {}}, Message("user", "a"), "response_format is not shaped"),
    ({"tool_choice": "maybe"}, Message("user", "a"), "maybe"),
    ({"tools": [{"type": "function", "function": {}}]}, Message("user", "a"), "tools is not shaped"),
    ({}, Message("function", "a"), "role 'function'"),
    ({}, Message("tool", "a"), "tool_call_id"),
    ({}, Message("user", [{"type": "image_url"}]), "image_url"),
    ({}, Message("system", [{"type": "text"}]), r"messages\[0\] is not shaped"),
    ({"system": [{"text": "a"}]}, Message("user", "a"), "system is not shaped"),
    ({}, Message("user", [{"type": "image_url", "image_url": {"url": "http://a/b"}}]), "https://"),
    ({}, Message("user", [{"type": "file", "file": {"file_id": "f"}}]), "file ids"),
    (
        {},
        Message("assistant", None, {"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "[1]"}}]}),
        "JSON object",
    ),
]


@pytest.mark.parametrize(("rest", "message", "says"), REFUSED)
def test_what_anthropic_has_no_words_for_is_refused(rest: Json, message: Message, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        fields(rest, message)


@given(TEXT, TEXT)
def test_any_text_survives_both_ways(said: str, back: str) -> None:
    sent = json.loads(anthropic_request.body(Request("m", (Message("user", said),)), 1))
    assert sent["messages"] == ([{"role": "user", "content": [text(said)]}] if said.strip() else [])
    answer = {"type": "message", "content": [text(back)], "stop_reason": "end_turn"}
    assert whole(answer)[-1].text == back


# Answers


def events(*items: Json) -> bytes:
    return b"".join(f"event: {item['type']}\ndata: {json.dumps(item)}\n\n".encode() for item in items)


def delta_event(index: int, **delta: Any) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": delta}


STOP: Json = {"type": "message_stop"}


def feed(data: bytes, size: int) -> tuple[anthropic_wire.Stream, list[Delta]]:
    stream = anthropic_wire.Stream()
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    return stream, [delta for block in blocks for delta in stream.feed(block)]


def whole(answer: Json) -> list[Delta]:
    return anthropic_wire.whole(json.dumps(answer).encode())


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("refusal", "content_filter"),
        ("a_new_one", "a_new_one"),
    ],
)
def test_stop_reasons_have_openais_names(reason: str, finish: str) -> None:
    end: Json = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 3}}
    assert feed(events(end, STOP), 1000)[1] == [Delta(finish=finish, usage=Usage(0, 3))]
    assert whole({"type": "message", "content": [], "stop_reason": reason})[-1].finish == finish


def test_a_stop_reason_holds_whatever_is_told_after_it() -> None:
    end: Json = {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 3}}
    again: Json = {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 4}}
    assert feed(events(end, again, STOP), 1000)[1] == [Delta(finish="length", usage=Usage(0, 4))]


def test_usage_sums_what_anthropic_lists_apart_and_keeps_the_last_totals() -> None:
    first = {
        "input_tokens": 5,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "cache_creation": {"ephemeral_5m_input_tokens": 12, "ephemeral_1h_input_tokens": 8},
        "output_tokens": 1,
    }
    last = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}
    start: Json = {"type": "message_start", "message": {"type": "message", "content": [], "usage": first}}
    end: Json = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": last}
    assert feed(events(start, end, STOP), 1000)[1][-1].usage == Usage(125, 9, 100, 4, 20, 8)


def test_what_was_read_is_known_from_the_beginning() -> None:
    usage = {"input_tokens": 5, "output_tokens": 1}
    start: Json = {"type": "message_start", "message": {"type": "message", "content": [], "usage": usage}}
    assert feed(events(start), 1000)[1] == [Delta(usage=Usage(5, 1))]


def test_two_tool_calls_keep_their_places_and_one_without_arguments_has_an_empty_object() -> None:
    opening = [
        {"type": "content_block_start", "index": i, "content_block": {"type": "tool_use", "id": f"t{i}", "name": name}}
        for i, name in ((1, "a"), (2, "b"))
    ]
    data = events(
        opening[0],
        delta_event(1, type="input_json_delta", partial_json=""),
        {"type": "content_block_stop", "index": 1},
        opening[1],
        delta_event(2, type="input_json_delta", partial_json='{"x":'),
        delta_event(2, type="input_json_delta", partial_json=" 1}"),
        {"type": "content_block_stop", "index": 2},
    )
    parts = [part for delta in feed(data, 7)[1] for part in delta.tool_calls]
    calls = {i: [p for p in parts if p.index == i] for i in (0, 1)}
    assert ["".join(p.name for p in calls[i]) for i in (0, 1)] == ["a", "b"]
    assert ["".join(p.arguments for p in calls[i]) for i in (0, 1)] == ["{}", '{"x": 1}']


def test_pings_and_unknown_events_say_nothing() -> None:
    data = events({"type": "ping"}, {"type": "something_new", "delta": {"text": None}})
    assert feed(data, 1000)[1] == []


def opened(index: int, kind: str, **block: Any) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **block}}


@pytest.mark.parametrize("size", [7, 100_000])
def test_every_thought_comes_with_its_own_seal(size: int) -> None:
    data = events(
        opened(0, "thinking", thinking="", signature=""),
        delta_event(0, type="thinking_delta", thinking="H"),
        delta_event(0, type="thinking_delta", thinking="m."),
        delta_event(0, type="signature_delta", signature="s1"),
        opened(1, "redacted_thinking", data="xyz"),
        opened(2, "text", text=""),
        delta_event(2, type="text_delta", text="Hi"),
        opened(3, "thinking", thinking="", signature=""),
        delta_event(3, type="thinking_delta", thinking="So."),
        delta_event(3, type="signature_delta", signature="s2"),
        delta_event(4, type="text_delta", text="!"),
    )
    collector = Collector()
    for delta in feed(data, size)[1]:
        collector.add(delta)
    assert [(thought.text, thought.seal) for thought in collector.response().thoughts] == [
        ("Hm.", "s1"),
        ("", "redacted:xyz"),
        ("So.", "s2"),
    ]
    assert collector.text == "Hi!"


def test_thoughts_of_a_whole_answer_have_their_seals() -> None:
    thinking = {"type": "thinking", "thinking": "Hm.", "signature": "s1"}
    secret = {"type": "redacted_thinking", "data": "xyz"}
    deltas = whole({"type": "message", "content": [thinking, secret, text("Hi")], "stop_reason": "end_turn"})
    assert [(delta.reasoning, delta.seal, delta.text) for delta in deltas] == [
        ("Hm.", "s1", ""),
        ("", "redacted:xyz", "Hi"),
    ]


def test_sealed_thoughts_go_back_word_for_word_before_all_else() -> None:
    blocks = [{"type": "thinking", "thinking": "Hm.", "signature": "s1"}, {"type": "redacted_thinking", "data": "xyz"}]
    said = Message("assistant", "Hi", {"thinking_blocks": blocks, "tool_calls": [CALL]})
    assert turns(said) == [{"role": "assistant", "content": [*blocks, text("Hi"), USE]}]
    foreign = {"type": "thinking", "thinking": "", "signature": "gemini-call:xyz"}
    assert turns(Message("assistant", "Hi", {"thinking_blocks": [foreign]}))[0]["content"] == [text("Hi")]


# The prompt cache

KEPT = {"cache_control": {"type": "ephemeral"}}
RULES = "Be brief.\n" * 100


def marked(heads: Heads, *messages: Message, **rest: Any) -> Json:
    request = Request("m", messages, rest=rest)
    sent = json.loads(anthropic_request.body(request, 4096, heads))
    TypeAdapter(MessageCreateParamsNonStreaming).validate_python(sent)
    return sent


def test_a_system_prompt_that_stays_is_marked_with_the_tools_before_it() -> None:
    sent = marked(Heads(), Message("system", RULES), Message("user", "hi"), tools=[FUNCTION])
    assert sent["system"] == [text(RULES) | KEPT]
    assert (sent["tools"], sent["messages"]) == ([TOOL], turns(Message("user", "hi")))
    assert marked(Heads(), Message("user", "hi"), tools=[FUNCTION])["tools"] == [TOOL | KEPT]


def test_a_system_prompt_with_passages_is_marked_up_to_where_they_begin() -> None:
    heads = Heads()
    for passage in ("[1] Oslo\n", "[1] Rome\n"):
        sent = marked(heads, Message("system", RULES + passage), Message("user", "hi"), tools=[FUNCTION])
    assert sent["system"] == [text(RULES) | KEPT, text("[1] Rome\n")]


def test_tools_alone_are_marked_before_a_system_prompt_of_which_nothing_stays() -> None:
    heads = Heads()
    for word in ("noon", "one"):
        sent = marked(heads, Message("system", f"It is {word}."), Message("user", "hi"), tools=[FUNCTION])
    assert (sent["system"], sent["tools"]) == ([text("It is one.")], [TOOL | KEPT])


def test_documents_and_a_conversation_that_goes_on_are_marked() -> None:
    document: Json = {"type": "file", "file": {"file_data": PDF}}
    first = Message("user", [document, {"type": "text", "text": "What is it?"}])
    heads = Heads()
    begun = marked(heads, Message("system", RULES), first)["messages"][0]["content"]
    assert [("cache_control" in block) for block in begun] == [True, False]
    sent = marked(heads, Message("system", RULES), first, Message("assistant", "A map."), Message("user", "Of?"))
    assert sent["messages"][-1]["content"] == [text("Of?") | KEPT]


def test_marks_of_the_clients_own_are_left_alone() -> None:
    own: Json = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    sent = marked(Heads(), Message("system", RULES), Message("user", [own]))
    assert (sent["system"], sent["messages"][0]["content"]) == ([text(RULES)], [own])
    assert marked(Heads(), Message("system", RULES), Message("user", "hi"), **KEPT)["system"] == [text(RULES)]


def test_nothing_is_marked_unless_it_is_asked_for() -> None:
    request = Request("m", (Message("system", RULES), Message("user", "hi")), rest={"tools": [FUNCTION]})
    assert b"cache_control" not in anthropic_request.body(request, 4096)


@given(st.lists(TEXT.filter(bool), min_size=1), st.integers(1, 64))
def test_a_streamed_text_is_the_same_however_its_bytes_are_cut(pieces: list[str], size: int) -> None:
    stop: Json = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}
    data = events(*(delta_event(0, type="text_delta", text=piece) for piece in pieces), stop, STOP)
    stream, deltas = feed(data, size)
    assert "".join(delta.text for delta in deltas) == "".join(pieces)
    assert stream.done
    assert [delta.finish for delta in deltas if delta.finish] == ["stop"]


@pytest.mark.parametrize(
    ("kind", "upstream", "status"),
    [("overloaded_error", 529, 503), ("rate_limit_error", 429, 429), ("api_error", 500, 502), ("new", 500, 502)],
)
def test_an_error_event_is_the_error_its_status_would_be(kind: str, upstream: int, status: int) -> None:
    with pytest.raises(ProviderError, match="Try me") as raised:
        feed(events({"type": "error", "error": {"type": kind, "message": "Try me. sk-ant-api03-abcdefgh"}}), 1000)
    assert (raised.value.upstream_status, raised.value.status) == (upstream, status)
    assert "abcdefgh" not in raised.value.message


@pytest.mark.parametrize("data", [events({"type": "error", "error": {"message": "no"}}), b"data: half {\n\n"])
def test_what_stands_before_an_event_that_breaks_the_stream_is_told(data: bytes) -> None:
    deltas = anthropic_wire.Stream().feed(events(delta_event(0, type="text_delta", text="Hi")) + data)
    assert next(deltas) == Delta("Hi")
    with pytest.raises(ProviderError):
        next(deltas)


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b'{"type": "error"}', b'{"content": 3}'])
def test_what_is_no_message_is_an_error(data: bytes) -> None:
    with pytest.raises(ProviderError, match="not an Anthropic message"):
        anthropic_wire.whole(data)


def test_a_tool_call_in_one_piece_keeps_the_models_own_json() -> None:
    data = b'{"type": "message", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"x":  1.0}}]}'
    assert anthropic_wire.whole(data)[-1].tool_calls[0].arguments == '{"x":  1.0}'
