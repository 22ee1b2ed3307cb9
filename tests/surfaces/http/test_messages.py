"""`/v1/messages` with Anthropic's official SDK, unmodified, against a live server."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import MessageParam, ToolParam
from pydantic import BaseModel
from tests._upstream import answers
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import APPLICATION, Live, Start
from tests.surfaces.http.test_serving import until

from regista.store import connect, keys

HELLO: list[MessageParam] = [{"role": "user", "content": "hello"}]
MODELS = ["shop", "openai/good", "anthropic/claude", "echo/any"]
TOOL: ToolParam = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class City(BaseModel):
    name: str
    people: int


@pytest.fixture
def client(live: Live, upstream: Upstream) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=live.url, api_key="unused", max_retries=0) as client:
        yield client


def said(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def received(client: anthropic.Anthropic, **fields: Any) -> dict[str, Any]:
    """What a model is sent for a request."""
    create: Any = client.messages.create
    return json.loads(said(create(**({"model": "echo/mirror", "max_tokens": 9} | fields))))


@pytest.mark.parametrize("model", MODELS)
def test_an_answer(client: anthropic.Anthropic, model: str) -> None:
    answer = client.messages.create(model=model, max_tokens=100, messages=HELLO, system="Be kind.")
    assert said(answer) and answer.stop_reason == "end_turn" and answer.model == model
    assert answer.usage.input_tokens + answer.usage.output_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_says_what_the_whole_answer_says(client: anthropic.Anthropic, model: str) -> None:
    whole = client.messages.create(model=model, max_tokens=100, messages=HELLO)
    with client.messages.stream(model=model, max_tokens=100, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == said(final) == said(whole)
    assert final.usage == whole.usage and final.stop_reason == whole.stop_reason


def test_the_events_of_a_stream_come_in_their_order(client: anthropic.Anthropic) -> None:
    kinds = [e.type for e in client.messages.create(model="shop", max_tokens=9, messages=HELLO, stream=True)]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}


async def test_the_async_client(live: Live, upstream: Upstream) -> None:
    async with anthropic.AsyncAnthropic(base_url=live.url, api_key="unused", max_retries=0) as client:
        answer = await client.messages.create(model="openai/good", max_tokens=100, messages=HELLO)
        async with client.messages.stream(model="openai/good", max_tokens=100, messages=HELLO) as stream:
            text = "".join([piece async for piece in stream.text_stream])
    assert text == said(answer) == answers.ANSWER


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude"])
def test_a_tool_is_called_and_its_result_goes_back(
    client: anthropic.Anthropic, upstream: Upstream, model: str, stream: bool
) -> None:
    create: Any = client.messages.create
    asked: dict[str, Any] = {"model": model, "max_tokens": 100, "tools": [TOOL]}
    first: Any
    if stream:
        with client.messages.stream(messages=HELLO, **asked) as events:
            first = events.get_final_message()
    else:
        first = create(messages=HELLO, **asked)
    assert first.stop_reason == "tool_use"
    (use,) = [block for block in first.content if block.type == "tool_use"]
    assert use.name == "weather" and use.input == json.loads(answers.ARGUMENTS)
    result: MessageParam = {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": use.id, "content": [{"type": "text", "text": "It rains."}]},
            {"type": "text", "text": "So?"},
        ],
    }
    second = create(messages=[*HELLO, first.to_param(), result], **asked)
    assert said(second) == answers.ANSWER
    sent = upstream.requests[-1].json["messages"]
    if model == "anthropic/claude":
        assert [block["type"] for block in sent[1]["content"]] == ["thinking", "tool_use"]
        assert sent[1]["content"][0]["signature"] == answers.SIGNATURE
        assert [block["type"] for block in sent[2]["content"]] == ["tool_result", "text"]
    else:
        assert [message["role"] for message in sent] == ["user", "assistant", "tool", "user"]
        assert "thinking_blocks" not in sent[1], "OpenAI's API refuses fields it does not know."


def test_calls_that_come_by_turns_are_an_error_and_not_two_halves(client: anthropic.Anthropic) -> None:
    asked: list[MessageParam] = [{"role": "user", "content": "MIXED"}]
    with pytest.raises(anthropic.APIStatusError, match="tool call it had ended"):
        list(client.messages.create(model="openai/good", max_tokens=9, messages=asked, tools=[TOOL], stream=True))


def test_blocks_become_the_messages_of_a_chat(client: anthropic.Anthropic) -> None:
    pixel: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    there: Any = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    failed: Any = {"type": "tool_result", "tool_use_id": "t", "content": "no such city", "is_error": True}
    marked: Any = {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}}
    used: Any = {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "Zürich"}}
    sent = received(
        client,
        system=[marked],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "See"}, pixel, there]},
            {"role": "assistant", "content": [{"type": "text", "text": "I look."}, used]},
            {"role": "user", "content": [failed]},
        ],
    )["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool"]
    assert sent[0]["content"] == [marked]
    assert [part["type"] for part in sent[1]["content"]] == ["text", "image_url", "image_url"]
    assert sent[1]["content"][1]["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgo="
    assert sent[2]["content"] == "I look."
    assert json.loads(sent[2]["rest"]["tool_calls"][0]["function"]["arguments"]) == {"city": "Zürich"}
    assert sent[3]["content"] == "error: no such city"


def test_fields_become_those_of_a_chat(client: anthropic.Anthropic) -> None:
    sent = received(
        client,
        messages=HELLO,
        stop_sequences=["END"],
        metadata={"user_id": "u"},
        tools=[TOOL],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
        extra_body={"temperature": 0.5, "top_k": 5, "future": 1},
    )["rest"]
    function = {"name": "weather", "description": TOOL.get("description"), "parameters": TOOL["input_schema"]}
    schema = {"name": "answer", "schema": {"type": "object"}, "strict": True}
    assert sent == {
        "max_completion_tokens": 9,
        "stop": ["END"],
        "temperature": 0.5,
        "user": "u",
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "reasoning_effort": "low",
        "response_format": {"type": "json_schema", "json_schema": schema},
        "top_k": 5,
        "future": 1,
    }


def test_a_users_name_longer_than_others_take_goes_by_its_digest(client: anthropic.Anthropic) -> None:
    first, second = (received(client, messages=HELLO, metadata={"user_id": "u" * 65 + x})["rest"]["user"] for x in "ab")
    assert len(first) <= 64 and first != second


@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude", "shop"])
def test_an_image_reaches_the_model(client: anthropic.Anthropic, model: str) -> None:
    pixel: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    asked: list[MessageParam] = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, pixel]}]
    answer = client.messages.create(model=model, max_tokens=100, messages=asked)
    assert "[image/png, 12 characters]" in said(answer)


@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude"])
def test_an_answer_is_parsed_into_a_type(client: anthropic.Anthropic, model: str) -> None:
    answer = client.messages.parse(model=model, max_tokens=100, messages=HELLO, output_format=City)
    assert answer.parsed_output == City(name="Paris", people=7)


def test_thinking_is_a_block_with_its_signature(client: anthropic.Anthropic) -> None:
    asked: dict[str, Any] = {"model": "anthropic/claude", "max_tokens": 100, "messages": HELLO}
    with client.messages.stream(**asked) as stream:
        final = stream.get_final_message()
    create: Any = client.messages.create
    for answer in (create(**asked), final):
        first: Any = answer.content[0]
        assert (first.type, first.thinking, first.signature) == ("thinking", answers.THOUGHT, answers.SIGNATURE)


def test_reasoning_of_other_models_is_a_block_too(client: anthropic.Anthropic) -> None:
    effort: Any = {"effort": "low"}
    answer = client.messages.create(model="openai/good", max_tokens=100, messages=HELLO, output_config=effort)
    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert answer.usage.output_tokens_details is not None
    assert answer.usage.output_tokens_details.thinking_tokens == answers.THINKING


def test_a_refusal_is_a_stop_reason(client: anthropic.Anthropic) -> None:
    asked: list[MessageParam] = [{"role": "user", "content": "REFUSE this"}]
    answer = client.messages.create(model="openai/good", max_tokens=100, messages=asked)
    assert answer.stop_reason == "refusal" and said(answer) == answers.REFUSAL


@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude"])
def test_an_answer_cut_short_by_its_limit_says_so(client: anthropic.Anthropic, model: str) -> None:
    assert client.messages.create(model=model, max_tokens=1, messages=HELLO).stop_reason == "max_tokens"


def test_what_the_providers_cache_held_is_not_input(client: anthropic.Anthropic) -> None:
    usage = client.messages.create(model="anthropic/claude", max_tokens=100, messages=HELLO).usage
    assert usage.input_tokens == answers.INPUT - answers.CACHED - 1
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (answers.CACHED, 1)
    assert usage.output_tokens == answers.OUTPUT


def test_tokens_are_counted_by_the_provider_where_it_can(client: anthropic.Anthropic) -> None:
    raw = client.messages.with_raw_response.count_tokens
    counted = raw(model="anthropic/claude", messages=HELLO)
    assert (counted.headers["x-regista-count"], counted.parse().input_tokens) == ("exact", answers.INPUT)
    guessed = raw(model="openai/good", messages=[{"role": "user", "content": "four letters " * 100}])
    assert guessed.headers["x-regista-count"] == "estimate"
    assert 250 < guessed.parse().input_tokens < 450


def test_models_are_listed_for_this_sdk_too(client: anthropic.Anthropic) -> None:
    names = [model.id for model in client.models.list()]
    assert names[0] == "shop" and "anthropic/claude" in names
    assert client.models.retrieve("anthropic/claude").display_name == "anthropic/claude"


def test_an_application_says_its_trace_and_citations(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(model="shop", max_tokens=100, messages=HELLO)
    assert set((answer.model_extra or {})["regista"]) == {"trace_id", "variant", "cached", "cost", "citations"}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": -1}, "max_tokens"),
    ({"tool_choice": {"type": "tool"}}, "tool_choice"),
    ({"max_tokens": None}, "max_tokens"),
    ({"temperature": 3}, "temperature"),
    ({"messages": []}, "empty"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "user, assistant"),
    ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "video"),
    ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "image"),
    (
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x"}]}]},
        "no message before it makes",
    ),
    (
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]}]},
        "no results",
    ),
    ({"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "a"}]}]}, "cannot have"),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "web_search"),
    ({"container": "c"}, "container"),
    ({"mcp_servers": [{"url": "x"}]}, "mcp_servers"),
]


@pytest.mark.parametrize(("fields", "part"), REFUSED)
def test_what_cannot_be_honoured_is_refused_with_what_is_wrong(
    client: anthropic.Anthropic, fields: dict[str, Any], part: str
) -> None:
    asked: dict[str, Any] = {"model": "openai/good", "max_tokens": 9, "messages": HELLO}
    body = {name: value for name, value in (asked | fields).items() if value is not None}
    with pytest.raises(anthropic.BadRequestError, match=part):
        client.post("/v1/messages", cast_to=object, body=body)


@pytest.mark.parametrize(
    ("model", "error", "kind"),
    [
        ("nobody/x", anthropic.NotFoundError, "not_found_error"),
        ("openai/s429", anthropic.RateLimitError, "rate_limit_error"),
        ("openai/s500", anthropic.InternalServerError, "api_error"),
        ("openai/silent", anthropic.InternalServerError, "timeout_error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_the_sdks_own(
    client: anthropic.Anthropic, model: str, error: type[anthropic.APIStatusError], kind: str, stream: bool
) -> None:
    with pytest.raises(error) as caught:
        client.messages.create(model=model, max_tokens=9, messages=HELLO, stream=stream)
    body: Any = caught.value.body
    assert body["type"] == "error" and body["error"]["type"] == kind
    if model != "nobody/x":
        assert caught.value.request_id == caught.value.response.headers["x-regista-trace"]


def test_errors_before_a_route_is_found_have_this_shape_too(live: Live) -> None:
    for path, status in (("/v1/messages", 405), ("/v1/messages/batches", 404)):
        answer = httpx2.get(live.url + path)
        assert answer.status_code == status and answer.json()["type"] == "error"


@pytest.mark.parametrize("fault", ["cut", "cutclean", "stall"])
def test_a_stream_cut_upstream_raises(client: anthropic.Anthropic, fault: str) -> None:
    kinds: list[str] = []
    with pytest.raises(anthropic.APIStatusError):
        for event in client.messages.create(model=f"openai/{fault}", max_tokens=9, messages=HELLO, stream=True):
            kinds.append(event.type)
    assert "content_block_delta" in kinds and "message_stop" not in kinds


async def test_when_the_client_leaves_the_provider_is_told(live: Live, upstream: Upstream) -> None:
    body = {"model": "openai/endless", "stream": True, "max_tokens": 9, "messages": HELLO}
    async with httpx2.AsyncClient() as client, client.stream("POST", f"{live.url}/v1/messages", json=body) as answer:
        async for _ in answer.aiter_bytes():
            break
    await upstream.disconnected()


def test_a_key_comes_in_either_header(start: Start, upstream: Upstream) -> None:
    live = start(f'{APPLICATION}[models.default]\nmodel = "openai/good"\nbase_url = "{upstream.url()}"\n')
    with closing(connect(f"sqlite://{live.folder / '.regista' / 'regista.db'}")) as database:
        key = keys.add(database, "sdk")
    body = {"model": "shop", "max_tokens": 9, "messages": HELLO}
    until(lambda: httpx2.post(f"{live.url}/v1/messages", json=body).status_code == 401, "The new key is noticed.")
    for headers in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
        answer = httpx2.post(f"{live.url}/v1/messages", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
    with (
        anthropic.Anthropic(base_url=live.url, api_key="rk-wrong", max_retries=0) as refused,
        pytest.raises(anthropic.AuthenticationError),
    ):
        refused.messages.create(model="shop", max_tokens=9, messages=HELLO)
