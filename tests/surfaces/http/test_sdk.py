"""`/v1/chat/completions` and `/v1/models` with the official SDK, unmodified, against a live server."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionStreamOptionsParam
from pydantic import BaseModel
from tests._upstream import answers
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
MODELS = ["shop", "openai/good", "embedded/reader", "echo/any", "anthropic/claude"]


class City(BaseModel):
    name: str
    people: int


@pytest.fixture
def client(live: Live, upstream: Upstream) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", MODELS)
def test_an_answer(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=HELLO)
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None and answer.usage.total_tokens > 0


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_says_what_the_whole_answer_says(client: openai.OpenAI, model: str) -> None:
    whole = client.chat.completions.create(model=model, messages=HELLO, extra_headers={"cache-control": "no-cache"})
    stream = client.chat.completions.create(model=model, messages=HELLO, stream=True)
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.choices for chunk in chunks), "No chunk without choices comes to who did not ask for usage."


@pytest.mark.parametrize("model", MODELS)
def test_usage_ends_a_stream_when_it_is_asked_for(client: openai.OpenAI, model: str) -> None:
    asked: ChatCompletionStreamOptionsParam = {"include_usage": True}
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, stream=True, stream_options=asked))
    assert chunks[-1].usage is not None and chunks[-1].usage.total_tokens > 0
    assert not chunks[-1].choices


@pytest.mark.parametrize("model", MODELS)
def test_the_streaming_helper(client: openai.OpenAI, model: str) -> None:
    with client.chat.completions.stream(model=model, messages=HELLO) as stream:
        said = "".join(event.delta for event in stream if event.type == "content.delta")
        final = stream.get_final_completion()
    assert said and said == final.choices[0].message.content


@pytest.mark.parametrize("model", MODELS)
async def test_the_async_client(live: Live, upstream: Upstream, model: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=0) as client:
        answer = await client.chat.completions.create(model=model, messages=HELLO)
        stream = await client.chat.completions.create(model=model, messages=HELLO, stream=True)
        said = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(said) == answer.choices[0].message.content


def test_tools_pass_through(client: openai.OpenAI, upstream: Upstream) -> None:
    function: dict[str, object] = {"name": "look_up", "parameters": {"type": "object", "properties": {}}}
    tools = [{"type": "function", "function": function}]
    answer = client.chat.completions.create(model="openai/good", messages=HELLO, tools=tools)  # pyright: ignore[reportArgumentType]
    assert upstream.requests[-1].json["tools"] == tools
    assert answer.choices[0].message.tool_calls and answer.choices[0].finish_reason == "tool_calls"


def test_fields_nobody_here_knows_pass_both_ways(client: openai.OpenAI, upstream: Upstream) -> None:
    answer = client.chat.completions.create(model="openai/good", messages=HELLO, extra_body={"future": {"a": 1}})
    assert upstream.requests[-1].json["future"] == {"a": 1}
    assert set(answer.model_extra or {}) > set()


def test_models_are_listed_with_the_application_first(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names[0] == "shop" and "openai/good" in names


def test_one_model_is_looked_up_by_its_name(client: openai.OpenAI) -> None:
    assert client.models.retrieve("openai/good").owned_by == "openai"
    with pytest.raises(openai.NotFoundError, match="Did you mean 'openai/good'"):
        client.models.retrieve("openai/goods")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude"])
def test_a_tool_is_called_and_its_result_goes_back(client: openai.OpenAI, model: str, stream: bool) -> None:
    tools: Any = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    said: list[Any] = [*HELLO]
    if stream:
        with client.chat.completions.stream(model=model, messages=said, tools=tools) as events:
            first: Any = events.get_final_completion().choices[0]
    else:
        first = client.chat.completions.create(model=model, messages=said, tools=tools).choices[0]
    assert first.finish_reason == "tool_calls"
    (call,) = first.message.tool_calls
    assert (call.function.name, call.function.arguments.replace(" ", "")) == (
        "weather",
        answers.ARGUMENTS.replace(" ", ""),
    )
    said += [first.message.model_dump(exclude_none=True, exclude={"parsed"})]
    said.append({"role": "tool", "tool_call_id": call.id, "content": "It rains."})
    second = client.chat.completions.create(model=model, messages=said, tools=tools)
    assert second.choices[0].message.content == answers.ANSWER


@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude"])
def test_an_answer_is_parsed_into_a_type(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.parse(model=model, messages=HELLO, response_format=City)
    assert answer.choices[0].message.parsed == City(name="Paris", people=7)


@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude", "shop"])
def test_an_image_reaches_the_model(client: openai.OpenAI, model: str) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    asked: Any = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}]
    answer = client.chat.completions.create(model=model, messages=asked)
    assert "[image/png, 12 characters]" in (answer.choices[0].message.content or "")


def test_log_probabilities_come_with_the_text(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "openai/good", "messages": HELLO, "logprobs": True, "top_logprobs": 2}
    create: Any = client.chat.completions.create
    whole = create(**asked).choices[0].logprobs
    chunks = create(**asked, stream=True)
    pieces = [entry for chunk in chunks if chunk.choices[0].logprobs for entry in chunk.choices[0].logprobs.content]
    for entries in (whole.content, pieces):
        assert "".join(entry.token for entry in entries) == answers.ANSWER
        assert [len(entry.top_logprobs) for entry in entries] == [2] * len(entries)


@pytest.mark.parametrize("stream", [False, True])
def test_a_raw_model_gives_as_many_answers_as_are_asked_for(client: openai.OpenAI, stream: bool) -> None:
    answer: Any = client.chat.completions.create(model="openai/good", messages=HELLO, n=3, stream=stream)
    choices = [choice for part in (answer if stream else [answer]) for choice in part.choices]
    texts = {0: "", 1: "", 2: ""}
    for choice in choices:
        texts[choice.index] += (choice.delta if stream else choice.message).content or ""
    assert texts == {0: answers.ANSWER, 1: f"{answers.ANSWER} #1", 2: f"{answers.ANSWER} #2"}


@pytest.mark.parametrize("model", ["openai/good", "anthropic/claude"])
def test_reasoning_comes_beside_the_answer(client: openai.OpenAI, model: str) -> None:
    asked: dict[str, Any] = {"model": model, "messages": HELLO, "reasoning_effort": "low"}
    create: Any = client.chat.completions.create
    whole = create(**asked).choices[0].message
    chunks = create(**asked, stream=True)
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert whole.reasoning_content == answers.THOUGHT and whole.content == answers.ANSWER
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == answers.THOUGHT


def test_reasoning_nobody_screened_stays_behind_guardrails(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="shop", messages=HELLO, reasoning_effort="low", logprobs=True)
    assert "reasoning_content" not in answer.choices[0].message.model_dump()
    assert answer.choices[0].logprobs is None


@pytest.mark.parametrize("model", ["openai/good", "shop"])
def test_a_refusal_is_no_content(client: openai.OpenAI, model: str) -> None:
    asked: Any = [{"role": "user", "content": "REFUSE this"}]
    whole = client.chat.completions.create(model=model, messages=asked).choices[0].message
    assert whole.content is None and whole.refusal == answers.REFUSAL
    chunks = client.chat.completions.create(model=model, messages=asked, stream=True)
    assert "".join(chunk.choices[0].delta.refusal or "" for chunk in chunks if chunk.choices) == answers.REFUSAL


async def test_leaving_a_stream_tells_the_provider(live: Live, upstream: Upstream) -> None:
    async with openai.AsyncOpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=0) as client:
        stream = await client.chat.completions.create(model="openai/endless", messages=HELLO, stream=True)
        async for _ in stream:
            break
        await stream.close()
    await upstream.disconnected()


def test_errors_are_the_sdks_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="openai/good"):
        client.chat.completions.create(model="openai", messages=HELLO)
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(model="openai/s429", messages=HELLO)
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="shop", messages=[])


def test_a_stream_cut_upstream_raises(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIError, match=r"before its answer was whole|not whole"):
        list(client.chat.completions.create(model="openai/cut", messages=HELLO, stream=True))
