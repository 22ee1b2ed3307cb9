"""The loopback provider speaks and fails as it says: what tests that use it rest on."""

import json
from collections.abc import AsyncIterator

import pytest
from openai import AsyncOpenAI, InternalServerError, NotFoundError, RateLimitError
from tests._upstream import answers
from tests._upstream.server import Upstream

from regista.core.errors import ProviderError, StreamCutError
from regista.egress.client import Client

TOOL: answers.Json = {"type": "function", "function": {"name": "weather", "parameters": {}}}


@pytest.fixture
async def client(upstream: Upstream) -> AsyncIterator[Client]:
    client = Client([upstream.url()])
    yield client
    await client.close()


def openai(upstream: Upstream, path: str = "") -> AsyncOpenAI:
    return AsyncOpenAI(api_key="k", base_url=upstream.url(path) + "/v1", max_retries=0)


async def test_the_official_openai_client_understands_its_stream(upstream: Upstream) -> None:
    async with openai(upstream) as client:
        stream = await client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == answers.ANSWER
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == answers.OUTPUT


async def test_it_calls_the_first_tool_and_then_answers(upstream: Upstream) -> None:
    body: answers.Json = {"model": "m", "messages": [{"role": "user", "content": "?"}], "tools": [TOOL]}
    called = json.loads(answers.openai_chat(body, "a").parts[0])["choices"][0]
    assert called["message"]["tool_calls"][0]["function"]["name"] == "weather"
    body["messages"] += [called["message"], {"role": "tool", "content": "12", "tool_call_id": "call_1"}]
    assert json.loads(answers.openai_chat(body, "a").parts[0])["choices"][0]["message"]["content"] == "a"


async def test_it_embeds_and_lists_models(upstream: Upstream) -> None:
    async with openai(upstream) as client:
        vectors = await client.embeddings.create(model="e", input=["one", "three"], encoding_format="float")
        models = await client.models.list()
    assert [row.embedding for row in vectors.data] == [[3.0, 1.0], [5.0, 1.0]]
    assert [model.id for model in models.data] == ["model-1", "model-2"]


@pytest.mark.parametrize(("path", "error"), [("/s429", RateLimitError), ("/s500", InternalServerError)])
async def test_statuses_are_what_the_official_client_takes_them_for(
    upstream: Upstream, path: str, error: type[Exception]
) -> None:
    async with openai(upstream, path) as client:
        with pytest.raises(error):
            await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])


async def test_a_path_no_provider_has_is_not_found(upstream: Upstream) -> None:
    async with openai(upstream) as client:
        with pytest.raises(NotFoundError):
            await client.files.list()


async def test_a_flaky_one_recovers_after_one_failure(upstream: Upstream, client: Client) -> None:
    statuses: list[int] = []
    for _ in range(3):
        async with await client.open("GET", upstream.url("/flaky/v1/models"), (), b"") as reply:
            await reply.read()
            statuses.append(reply.status)
    assert statuses == [503, 200, 200]


@pytest.mark.parametrize(("path", "error"), [("/cut", StreamCutError), ("/huge", ProviderError)])
async def test_a_broken_reply_is_broken_on_the_wire(
    upstream: Upstream, client: Client, path: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        async with await client.open("GET", upstream.url(path + "/v1/models"), (), b"") as reply:
            await reply.read()
    assert upstream.disconnects == []


async def test_it_notices_who_leaves_early(upstream: Upstream, client: Client) -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "?"}], "stream": True}).encode()
    async with await client.open("POST", upstream.url("/endless/chat/completions"), (), body) as reply:
        await anext(aiter(reply.blocks()))
    left = await upstream.disconnected()
    assert (left.path, left.sent > 0) == ("/endless/chat/completions", True)
    assert upstream.requests[0].json["stream"] is True
