"""`/v1/responses` with the official SDK, unmodified, against a live server."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai.types.responses import FunctionToolParam, ParsedResponse
from pydantic import BaseModel
from tests._upstream import answers
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live

from regista.surfaces.http.responses_items import Thought

MODELS = ["shop", "openai/good", "anthropic/claude", "echo/any"]
TOOL: FunctionToolParam = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
PIXEL = "data:image/png;base64,iVBORw0KGgo="


class City(BaseModel):
    name: str
    people: int


@pytest.fixture
def client(live: Live, upstream: Upstream) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def received(client: openai.OpenAI, **fields: Any) -> dict[str, Any]:
    """What a model is sent for a request."""
    create: Any = client.responses.create
    return json.loads(create(model="echo/mirror", **fields).output_text)


@pytest.mark.parametrize("model", MODELS)
def test_an_answer(client: openai.OpenAI, model: str) -> None:
    answer = client.responses.create(model=model, input="hello", instructions="Be kind.")
    assert answer.status == "completed" and answer.output_text
    assert answer.usage is not None and answer.usage.total_tokens > 0
    assert answer.model == model and answer.instructions == "Be kind."


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_says_what_the_whole_answer_says(client: openai.OpenAI, model: str) -> None:
    whole = client.responses.create(model=model, input="hello")
    events = list(client.responses.create(model=model, input="hello", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    final = events[-1]
    assert final.type == "response.completed"
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == final.response.output_text == whole.output_text
    assert final.response.usage == whole.usage


@pytest.mark.parametrize("model", MODELS)
def test_the_streaming_helper_adds_the_events_up(client: openai.OpenAI, model: str) -> None:
    with client.responses.stream(model=model, input="hello") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds.count("response.output_item.added") == kinds.count("response.output_item.done") > 0
    assert final.output_text


@pytest.mark.parametrize("model", MODELS)
async def test_the_async_client(live: Live, upstream: Upstream, model: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=0) as client:
        answer = await client.responses.create(model=model, input="hello")
        stream = await client.responses.create(model=model, input="hello", stream=True)
        said = [event.delta async for event in stream if event.type == "response.output_text.delta"]
    assert "".join(said) == answer.output_text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude"])
def test_a_tool_is_called_and_its_result_goes_back(client: openai.OpenAI, model: str, stream: bool) -> None:
    said: list[Any] = [{"role": "user", "content": "Will it rain?"}]
    if stream:
        with client.responses.stream(model=model, input=said, tools=[TOOL]) as events:
            kinds = [event.type for event in events]
            first: Any = events.get_final_response()
        assert "response.function_call_arguments.delta" in kinds and "response.function_call_arguments.done" in kinds
    else:
        first = client.responses.create(model=model, input=said, tools=[TOOL])
    (call,) = [item for item in first.output if item.type == "function_call"]
    assert call.name == "weather" and json.loads(call.arguments) == json.loads(answers.ARGUMENTS)
    said += [item.model_dump(exclude_none=True) for item in first.output]
    said.append({"type": "function_call_output", "call_id": call.call_id, "output": "It rains."})
    second = client.responses.create(model=model, input=said, tools=[TOOL])
    assert second.output_text == answers.ANSWER


def test_calls_that_come_by_turns_are_an_error_and_not_two_halves(client: openai.OpenAI) -> None:
    kinds: list[str] = []
    with pytest.raises(openai.APIError, match="tool call it had ended"):
        for event in client.responses.create(model="openai/good", input="MIXED", tools=[TOOL], stream=True):
            kinds.append(event.type)
    assert "response.completed" not in kinds


def test_items_become_the_messages_of_a_chat(client: openai.OpenAI) -> None:
    items: list[Any] = [
        {"role": "user", "content": [{"type": "input_text", "text": "one"}]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "s",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "two", "annotations": []}],
        },
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "b", "output": "B"},
        {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "A"}]},
    ]
    messages = received(client, input=items, instructions="Be kind.")["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "tool", "tool"]
    assert messages[1]["content"] == "one" and messages[2]["content"] == "two"
    assert [call["id"] for call in messages[2]["rest"]["tool_calls"]] == ["a", "b"]
    assert messages[2]["rest"]["thinking_blocks"] == [{"type": "thinking", "thinking": "Hm.", "signature": "s"}]
    assert [message["content"] for message in messages[3:]] == ["B", "A"]


def test_fields_become_those_of_a_chat(client: openai.OpenAI) -> None:
    sent = received(
        client,
        input="x",
        max_output_tokens=5,
        reasoning={"effort": "low"},
        top_logprobs=2,
        text={"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}},
        tools=[TOOL],
        tool_choice={"type": "function", "name": "weather"},
        temperature=0.5,
        store=False,
        include=["reasoning.encrypted_content"],
        extra_body={"future": 1},
    )["rest"]
    assert sent == {
        "max_completion_tokens": 5,
        "reasoning_effort": "low",
        "logprobs": True,
        "top_logprobs": 2,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
        },
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "The weather of a city.",
                    "parameters": TOOL["parameters"],
                    "strict": False,
                },
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "temperature": 0.5,
        "future": 1,
    }


@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude", "shop"])
def test_an_image_reaches_the_model(client: openai.OpenAI, upstream: Upstream, model: str) -> None:
    image = {"type": "input_image", "image_url": PIXEL, "detail": "low"}
    parts = [{"type": "input_text", "text": "What is this?"}, image]
    answer = client.responses.create(model=model, input=[{"role": "user", "content": parts}])  # pyright: ignore[reportArgumentType]
    assert "[image/png, 12 characters]" in answer.output_text


@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude"])
def test_an_answer_is_parsed_into_a_type(client: openai.OpenAI, model: str) -> None:
    answer: ParsedResponse[City] = client.responses.parse(model=model, input="Which city?", text_format=City)
    assert answer.output_parsed == City(name="Paris", people=7)
    with client.responses.stream(model=model, input="Which city?", text_format=City) as stream:
        stream.until_done()
        assert stream.get_final_response().output_parsed == City(name="Paris", people=7)


def test_log_probabilities_come_with_the_text(client: openai.OpenAI) -> None:
    answer = client.responses.create(
        model="openai/good", input="x", include=["message.output_text.logprobs"], top_logprobs=2
    )
    (message,) = answer.output
    assert message.type == "message" and message.content[0].type == "output_text"
    logprobs = message.content[0].logprobs or []
    assert "".join(entry.token for entry in logprobs) == answers.ANSWER
    assert [len(entry.top_logprobs) for entry in logprobs] == [2] * len(logprobs)
    events = list(client.responses.create(model="openai/good", input="x", top_logprobs=0, stream=True))
    streamed = [e.token for event in events if event.type == "response.output_text.delta" for e in event.logprobs]
    assert "".join(streamed) == answers.ANSWER


@pytest.mark.parametrize(("model", "sealed"), [("openai/good", None), ("anthropic/claude", answers.SIGNATURE)])
def test_reasoning_is_an_item_before_the_message(client: openai.OpenAI, model: str, sealed: str | None) -> None:
    whole = client.responses.create(model=model, input="x", reasoning={"effort": "low"})
    with client.responses.stream(model=model, input="x", reasoning={"effort": "low"}) as stream:
        thought = "".join(event.delta for event in stream if event.type == "response.reasoning_summary_text.delta")
        final = stream.get_final_response()
    assert thought == answers.THOUGHT
    for answer in (whole, final):
        assert [item.type for item in answer.output] == ["reasoning", "message"]
        first: Any = answer.output[0]
        assert first.summary[0].text == answers.THOUGHT and first.encrypted_content == sealed


def test_a_thought_that_is_all_seal_has_no_summary_in_the_stream_either() -> None:
    thought = Thought("1", 0)
    begun = thought.begin()
    thought.seal = "redacted:xyz"
    events, item = thought.end("completed")
    assert [name for name, _ in [*begun, *events]] == ["response.output_item.added", "response.output_item.done"]
    assert (item["summary"], item["encrypted_content"]) == ([], "redacted:xyz")


def test_a_refusal_is_one_and_no_text(client: openai.OpenAI) -> None:
    whole = client.responses.create(model="openai/good", input="REFUSE this")
    events = list(client.responses.create(model="openai/good", input="REFUSE this", stream=True))
    assert whole.output_text == ""
    assert "".join(event.delta for event in events if event.type == "response.refusal.delta") == answers.REFUSAL
    message: Any = whole.output[0]
    assert message.content[0].refusal == answers.REFUSAL


def test_an_answer_cut_short_by_its_limit_is_incomplete(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="openai/good", input="x", max_output_tokens=1)
    assert answer.status == "incomplete" and answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    events = list(client.responses.create(model="openai/good", input="x", max_output_tokens=1, stream=True))
    assert events[-1].type == "response.incomplete"


def test_an_application_says_its_trace_and_citations(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="shop", input="hello", extra_headers={"cache-control": "no-cache"})
    extension: Any = (answer.model_extra or {})["regista"]
    assert set(extension) == {"trace_id", "variant", "cached", "cost", "citations"}
    with client.responses.stream(model="shop", input="hello") as stream:
        final = stream.get_final_response()
    assert (final.model_extra or {})["regista"]["variant"] == extension["variant"]


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"previous_response_id": "resp_1"}, "whole conversation"),
        ({"conversation": "conv_1"}, "whole conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "pmpt_1"}}, "instructions"),
        ({"tools": [{"type": "web_search"}]}, "web_search"),
        ({"input": []}, "empty"),
        ({"tools": [TOOL], "tool_choice": {"type": "function"}}, "name"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "item_reference"),
        ({"input": [{"role": "robot", "content": "x"}]}, "robot"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}, "image_url"),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}, "no message before it makes"),
        ({"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]}, "no results"),
        ({"max_output_tokens": -1}, "max_output_tokens"),
        ({"temperature": 9}, "temperature"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_what_to_do(
    client: openai.OpenAI, fields: dict[str, Any], part: str
) -> None:
    create: Any = client.responses.create
    with pytest.raises(openai.BadRequestError, match=part):
        create(model="openai/good", **({"input": "x"} | fields))


def test_errors_are_the_sdks_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="nobody/x", input="x")
    with pytest.raises(openai.RateLimitError) as caught:
        client.responses.create(model="openai/s429", input="x")
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.request_id == caught.value.response.headers["x-regista-trace"]


def test_what_no_second_try_would_change_is_not_tried_again(live: Live, upstream: Upstream) -> None:
    with (
        openai.OpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=2) as patient,
        pytest.raises(openai.InternalServerError, match="refused the key"),
    ):
        patient.responses.create(model="openai/s401", input="x")
    assert len(upstream.requests) == 1


def test_a_stream_cut_upstream_fails_and_raises(client: openai.OpenAI) -> None:
    kinds: list[str] = []
    with pytest.raises(openai.APIError, match=r"before its answer was whole|not whole|ended before"):
        for event in client.responses.create(model="openai/cut", input="x", stream=True):
            kinds.append(event.type)
    assert kinds[-1] == "response.failed" and "response.completed" not in kinds


async def test_when_the_client_leaves_the_provider_is_told(live: Live, upstream: Upstream) -> None:
    body = {"model": "openai/endless", "stream": True, "input": "x"}
    async with (
        httpx2.AsyncClient() as client,
        client.stream("POST", f"{live.url}/v1/responses", json=body) as answer,
    ):
        async for _ in answer.aiter_bytes():
            break
    await upstream.disconnected()
