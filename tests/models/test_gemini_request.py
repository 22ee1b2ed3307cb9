"""Translation into Gemini's words, without a network. The official client's types are the judge."""

import json
from typing import Any

import pytest
from google.genai import types

from regista.core.errors import ProviderError, RequestError, StreamCutError
from regista.core.nouns import Delta, Json, Message, Request, Tool, Usage
from regista.models import gemini_request, gemini_wire

SEARCH: Json = {"googleSearch": {}}
PNG = "data:image/png;base64,iVBORw0KGgo="
CITY: Json = {"type": "object", "properties": {"city": {"type": "string"}}}
CALL: Json = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
FUNCTION: Json = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": CITY}}
DECLARED: Json = {"name": "weather", "description": "d", "parametersJsonSchema": CITY}


def fields(rest: Json | None = None, *messages: Message, model: str = "gemini-3.1-pro", tools: Any = ()) -> Json:
    request = Request(model, messages or (Message("user", "hi"),), tools=tools, rest=rest or {})
    made = json.loads(gemini_request.body(request))
    for content in made["contents"]:
        types.Content.model_validate(content)
    types.GenerationConfig.model_validate(made.get("generationConfig", {}))
    for tool in made.get("tools", ()):
        types.Tool.model_validate(tool)
    types.ToolConfig.model_validate(made.get("toolConfig", {}))
    return made


@pytest.mark.parametrize(
    ("part", "made"),
    [
        ({"type": "text", "text": "a"}, {"text": "a"}),
        (
            {"type": "image_url", "image_url": {"url": PNG}},
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png?x=1"}},
            {"fileData": {"fileUri": "https://a.example/b.png?x=1", "mimeType": "image/png"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}},
            {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}},
        ),
        ({"type": "refusal", "refusal": "no"}, {"text": "no"}),
    ],
)
def test_content_parts_become_geminis(part: Json, made: Json) -> None:
    assert fields({}, Message("user", [part]))["contents"] == [{"role": "user", "parts": [made]}]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ({}, {}),
        ({"max_tokens": 5}, {"generationConfig": {"maxOutputTokens": 5}}),
        ({"max_completion_tokens": 5, "top_k": 2}, {"generationConfig": {"maxOutputTokens": 5, "topK": 2}}),
        (
            {"temperature": 0.5, "top_p": 0.9, "seed": 4},
            {"generationConfig": {"temperature": 0.5, "topP": 0.9, "seed": 4}},
        ),
        ({"stop": "x"}, {"generationConfig": {"stopSequences": ["x"]}}),
        (
            {"presence_penalty": 1, "frequency_penalty": 2},
            {"generationConfig": {"presencePenalty": 1, "frequencyPenalty": 2}},
        ),
        ({"logprobs": True, "top_logprobs": 3}, {"generationConfig": {"responseLogprobs": True, "logprobs": 3}}),
        ({"logprobs": False, "n": 1, "user": "u", "stream_options": {}, "cache_control": {}}, {}),
        ({"response_format": {"type": "json_object"}}, {"generationConfig": {"responseMimeType": "application/json"}}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": CITY}}},
            {"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": CITY}},
        ),
        ({"reasoning_effort": "none"}, {"generationConfig": {"thinkingConfig": {"thinkingLevel": "minimal"}}}),
        (
            {"reasoning_effort": "high"},
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "high", "includeThoughts": True}}},
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            {"generationConfig": {"thinkingConfig": {"includeThoughts": True, "thinkingBudget": 2048}}},
        ),
        ({"thinking": {"type": "disabled"}}, {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}),
        (
            {"tools": [FUNCTION, SEARCH]},
            {"tools": [{"functionDeclarations": [DECLARED]}, SEARCH]},
        ),
        ({"tool_choice": "required"}, {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
            {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}},
        ),
        ({"safetySettings": []}, {"safetySettings": []}),
    ],
)
def test_fields_are_translated_passed_on_or_dropped(rest: Json, expected: Json) -> None:
    assert fields(rest) == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]} | expected


def test_models_before_gemini_3_think_by_tokens() -> None:
    made = fields({"reasoning_effort": "medium"}, model="gemini-2.5-flash")
    assert made["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 8192, "includeThoughts": True}
    with pytest.raises(RequestError, match="reasoning_effort 'lots'"):
        fields({"reasoning_effort": "lots"}, model="gemini-2.5-flash")


def test_a_whole_conversation_keeps_its_order_and_its_calls() -> None:
    conversation = (
        Message("system", "s"),
        Message("user", "a"),
        Message("assistant", "let me see", {"tool_calls": [CALL, CALL | {"id": "c2"}]}),
        Message("tool", '{"celsius": 12}', {"tool_call_id": "c1"}),
        Message("tool", "12 °C", {"tool_call_id": "c2"}),
        Message("user", "and tomorrow?"),
    )
    made = fields({}, *conversation, tools=(Tool("weather", "d", CITY),))
    assert made["systemInstruction"] == {"parts": [{"text": "s"}]}
    assert made["tools"] == [{"functionDeclarations": [DECLARED]}]
    user, model, results = made["contents"]
    assert [turn["role"] for turn in (user, model, results)] == ["user", "model", "user"]
    # Nobody kept a signature: the first call of a step says so.
    assert [part.get("thoughtSignature") for part in model["parts"]] == [None, gemini_request.UNSIGNED, None]
    assert [part["functionResponse"]["response"] for part in results["parts"][:2]] == [
        {"celsius": 12},
        {"output": "12 °C"},
    ]
    assert results["parts"][2] == {"text": "and tomorrow?"}


def test_an_id_that_gemini_never_gave_is_not_told_it() -> None:
    call = CALL | {"id": gemini_request.OWN_ID + "1"}
    made = fields(
        {}, Message("assistant", None, {"tool_calls": [call]}), Message("tool", "x", {"tool_call_id": call["id"]})
    )
    assert "id" not in made["contents"][0]["parts"][0]["functionCall"]
    assert made["contents"][1]["parts"][0]["functionResponse"]["name"] == "weather"


@pytest.mark.parametrize(
    ("rest", "message", "says"),
    [
        ({"n": 2}, Message("user", "a"), "n=2"),
        ({"response_format": {}}, Message("user", "a"), "response_format is not shaped"),
        ({"tool_choice": "maybe"}, Message("user", "a"), "maybe"),
        ({}, Message("function", "a"), "role 'function'"),
        ({}, Message("tool", "a"), "tool_call_id"),
        ({}, Message("user", [{"type": "image_url", "image_url": {"url": "http://a/b"}}]), "https://"),
        ({}, Message("user", [{"type": "file", "file": {"file_id": "f"}}]), "file ids"),
        ({}, Message("user", [{"type": "hologram"}]), "hologram"),
        ({}, Message("system", [{"type": "hologram"}]), "hologram"),
        (
            {},
            Message("assistant", None, {"tool_calls": [CALL | {"function": {"name": "f", "arguments": "[1]"}}]}),
            "JSON",
        ),
    ],
)
def test_what_gemini_has_no_words_for_is_refused(rest: Json, message: Message, says: str) -> None:
    with pytest.raises(RequestError, match=says):
        fields(rest, message)


# Answers


def ended(reason: str, *parts: Json) -> Delta:
    candidate: Json = {"content": {"parts": list(parts)}, "finishReason": reason, "finishMessage": "why"}
    return gemini_wire.whole(json.dumps({"candidates": [candidate]}).encode())[-1]


@pytest.mark.parametrize("reason", [reason.value for reason in types.FinishReason])
def test_every_reason_the_official_client_knows_has_an_end(reason: str) -> None:
    if reason in gemini_wire.BROKEN:
        with pytest.raises(StreamCutError, match=f"{reason}: why"):
            ended(reason)
        return
    finish = ended(reason).finish
    assert finish == gemini_wire.FINISH.get(reason, reason.lower())
    assert (finish == "stop") == (reason == "STOP")


def test_a_stop_after_a_call_is_a_call() -> None:
    call = {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}
    assert ended("STOP", call).finish == "tool_calls"
    assert ended("MAX_TOKENS", call).finish == "length"


def test_calls_without_ids_get_one_of_their_own() -> None:
    call: Json = {"functionCall": {"name": "weather"}}
    answer: Json = {"candidates": [{"content": {"parts": [call, call]}, "finishReason": "STOP"}]}
    parts = [part for delta in gemini_wire.whole(json.dumps(answer).encode()) for part in delta.tool_calls]
    assert len({part.id for part in parts}) == 2
    assert [(part.index, part.arguments) for part in parts] == [(0, "{}"), (1, "{}")]


def test_usage_counts_what_tools_brought_in_and_what_was_thought() -> None:
    counts = {
        "promptTokenCount": 100,
        "toolUsePromptTokenCount": 20,
        "candidatesTokenCount": 7,
        "thoughtsTokenCount": 30,
        "cachedContentTokenCount": 40,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 50}],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 15}],
    }
    answer = {"candidates": [{"finishReason": "STOP"}], "usageMetadata": counts}
    used = gemini_wire.whole(json.dumps(answer).encode())[-1].usage
    assert used == Usage(120, 37, 40, 30, audio_tokens=35)


def test_an_answer_without_usage_has_none() -> None:
    assert ended("STOP").usage is None


def test_an_error_in_the_stream_is_the_error_its_status_would_be() -> None:
    error = {"error": {"code": 429, "message": "Quota. AIzaSyNotToBeShown012345", "status": "RESOURCE_EXHAUSTED"}}
    with pytest.raises(ProviderError, match="Quota") as raised:
        list(gemini_wire.Stream().feed(b"data: " + json.dumps(error).encode() + b"\n\n"))
    assert (raised.value.upstream_status, raised.value.status) == (429, 429)
    assert "NotToBeShown" not in raised.value.message


@pytest.mark.parametrize("after", [b'{"error": {"code": 500}}', b"half {"])
def test_what_stands_before_an_event_that_breaks_the_stream_is_told(after: bytes) -> None:
    said = b'{"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}'
    deltas = gemini_wire.Stream().feed(b"data: " + said + b"\n\ndata: " + after + b"\n\n")
    assert next(deltas) == Delta("Hi")
    with pytest.raises(ProviderError):
        next(deltas)


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"{}", b'{"candidates": 3}'])
def test_what_is_no_answer_is_an_error(data: bytes) -> None:
    with pytest.raises(ProviderError, match="no answer of Gemini's"):
        gemini_wire.whole(data)
