"""Translation into Bedrock's words, without a network. Botocore's own check of parameters is the judge."""

import json
from typing import Any

import pytest
from botocore import session, validate  # pyright: ignore[reportMissingTypeStubs]

from regista.core.errors import RequestError
from regista.core.nouns import Json, Message, Request, Tool
from regista.models import bedrock_request
from regista.models.prompt_cache import Heads

PNG = "data:image/png;base64,iVBORw0KGgo="
CITY: Json = {"type": "object", "properties": {"city": {"type": "string"}}}
CALL: Json = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
FUNCTION: Json = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": CITY}}
SPEC: Json = {"toolSpec": {"name": "weather", "description": "d", "inputSchema": {"json": CITY}}}
RULES = "Be brief.\n" * 100
POINT: Json = {"cachePoint": {"type": "default"}}


@pytest.fixture(scope="module")
def shape() -> Any:
    amazon: Any = session
    return amazon.get_session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape


@pytest.fixture
def fields(shape: Any) -> Any:
    def fields(rest: Json | None = None, *messages: Message, tools: Any = (), heads: Heads | None = None) -> Json:
        request = Request("m", messages or (Message("user", "hi"),), tools=tools, rest=rest or {})
        made = json.loads(bedrock_request.body(request, heads))
        check: Any = validate
        report = check.ParamValidator().validate({"modelId": "m", **made}, shape)
        assert not report.has_errors(), report.generate_report()
        return made

    return fields


@pytest.mark.parametrize(
    ("part", "made"),
    [
        ({"type": "text", "text": "a"}, {"text": "a"}),
        (
            {"type": "image_url", "image_url": {"url": PNG}},
            {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a_b.pdf"}},
            {"document": {"format": "pdf", "name": "a b pdf", "source": {"bytes": "JVBERi0="}}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"audio": {"format": "wav", "source": {"bytes": "AAAA"}}},
        ),
    ],
)
def test_content_parts_become_blocks(fields: Any, part: Json, made: Json) -> None:
    assert fields({}, Message("user", [part]))["messages"] == [{"role": "user", "content": [made]}]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ({}, {}),
        ({"max_tokens": 5, "temperature": 0.5}, {"inferenceConfig": {"maxTokens": 5, "temperature": 0.5}}),
        ({"max_completion_tokens": 5}, {"inferenceConfig": {"maxTokens": 5}}),
        ({"stop": "x", "top_p": 0.9}, {"inferenceConfig": {"stopSequences": ["x"], "topP": 0.9}}),
        ({"seed": 4, "n": 1, "logprobs": False, "user": "u", "stream_options": {}}, {}),
        ({"top_k": 3}, {"additionalModelRequestFields": {"top_k": 3}}),
        ({"reasoning_effort": "high"}, {"outputConfig": {"effort": "high"}}),
        ({"reasoning_effort": "none"}, {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}},
            {
                "outputConfig": {
                    "textFormat": {
                        "type": "json_schema",
                        "structure": {"jsonSchema": {"schema": '{"type":"object"}', "name": "a"}},
                    }
                }
            },
        ),
        (
            {"tools": [FUNCTION], "tool_choice": "required"},
            {"toolConfig": {"tools": [SPEC], "toolChoice": {"any": {}}}},
        ),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "weather"}}},
            {"toolConfig": {"tools": [SPEC], "toolChoice": {"tool": {"name": "weather"}}}},
        ),
        ({"tools": [FUNCTION], "tool_choice": "none"}, {}),
        ({"metadata": {"team": "a"}}, {"requestMetadata": {"team": "a"}}),
        ({"serviceTier": {"type": "flex"}}, {"serviceTier": {"type": "flex"}}),
    ],
)
def test_fields_are_translated_passed_on_or_dropped(fields: Any, rest: Json, expected: Json) -> None:
    assert fields(rest) == {"messages": [{"role": "user", "content": [{"text": "hi"}]}]} | expected


def test_a_whole_conversation_is_one_that_amazon_accepts(fields: Any) -> None:
    thoughts = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s1"},
        {"type": "redacted_thinking", "data": "eHl6"},
    ]
    conversation = (
        Message("system", "s"),
        Message("user", [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": PNG}}]),
        Message("assistant", "let me see", {"tool_calls": [CALL], "thinking_blocks": thoughts}),
        Message("tool", "", {"tool_call_id": "c1"}),
        Message("user", "and tomorrow?"),
    )
    made = fields({}, *conversation, tools=(Tool("weather", "d", CITY),))
    assert made["system"] == [{"text": "s"}]
    assert [turn["role"] for turn in made["messages"]] == ["user", "assistant", "user"]
    said = made["messages"][1]["content"]
    assert said[0] == {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s1"}}}
    assert said[1] == {"reasoningContent": {"redactedContent": "eHl6"}}
    assert [next(iter(block)) for block in said[2:]] == ["text", "toolUse"]
    assert made["messages"][2]["content"][0]["toolResult"]["content"] == [{"text": "(nothing)"}]


def test_what_stays_is_followed_by_a_cache_point(fields: Any) -> None:
    heads = Heads()
    for passage in ("[1] Oslo\n", "[1] Rome\n"):
        made = fields({}, Message("system", RULES + passage), Message("user", "hi"), heads=heads)
    assert made["system"] == [{"text": RULES}, POINT, {"text": "[1] Rome\n"}]
    tools = fields({"tools": [FUNCTION]}, Message("user", "hi"), heads=Heads())["toolConfig"]["tools"]
    assert tools == [SPEC, POINT]


def test_a_mark_of_the_clients_own_becomes_a_cache_point_and_is_left_alone(fields: Any) -> None:
    own: Json = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    made = fields({}, Message("system", RULES), Message("user", [own]), heads=Heads())
    assert (made["system"], made["messages"][0]["content"]) == ([{"text": RULES}], [{"text": "a"}, POINT])


def test_a_mark_within_a_tools_result_stands_behind_it(fields: Any) -> None:
    own: Json = {"type": "text", "text": "12 °C", "cache_control": {"type": "ephemeral"}}
    called = Message("assistant", None, {"tool_calls": [CALL]})
    made = fields({}, Message("user", "a"), called, Message("tool", [own], {"tool_call_id": "c1"}))
    result, point = made["messages"][-1]["content"]
    assert (result["toolResult"]["content"], point) == ([{"text": "12 °C"}], POINT)


@pytest.mark.parametrize(
    ("rest", "message", "says"),
    [
        ({"n": 2}, Message("user", "a"), "n=2"),
        ({"logprobs": True}, Message("user", "a"), "logprobs"),
        ({"response_format": {"type": "json_object"}}, Message("user", "a"), "json_schema"),
        ({"tools": [FUNCTION], "tool_choice": "maybe"}, Message("user", "a"), "maybe"),
        ({"tool_choice": "none"}, Message("assistant", None, {"tool_calls": [CALL]}), "'none'"),
        ({"tools": [FUNCTION], "tool_choice": {"type": "tool"}}, Message("user", "a"), "tool_choice is not shaped"),
        ({}, Message("system", [{"type": "hologram"}]), "hologram"),
        ({}, Message("function", "a"), "role 'function'"),
        ({}, Message("tool", "a"), "tool_call_id"),
        ({}, Message("user", [{"type": "image_url", "image_url": {"url": "https://a/b.png"}}]), "with its data"),
        ({}, Message("user", [{"type": "file", "file": {"file_id": "f"}}]), "file ids"),
        ({}, Message("user", [{"type": "file", "file": {"file_data": "data:a/b;base64,AA"}}]), "a/b"),
        (
            {},
            Message("assistant", None, {"tool_calls": [CALL | {"function": {"name": "f", "arguments": "1"}}]}),
            "JSON",
        ),
    ],
)
def test_what_bedrock_has_no_words_for_is_refused(fields: Any, rest: Json, message: Message, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        fields(rest, message)
