"""The official SDK, unmodified, against a live server."""

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionStreamOptionsParam
from tests._upstream.server import Upstream
from tests.surfaces.http.conftest import Live

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
MODELS = ["shop", "openai/good", "embedded/reader", "echo/any"]


@pytest.fixture
def client(live: Live, upstream: Upstream) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{live.url}/v1", api_key="unused", max_retries=0)


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


def test_embeddings(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="embedded/default", input=["a player", "a match"])
    assert len(answer.data) == 2
    assert abs(sum(x * x for x in answer.data[0].embedding) - 1) < 1e-3


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
