from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from tests._upstream.server import Upstream

from regista.core.errors import ConfigurationError, ProviderError, ProviderTimeoutError, StreamCutError
from regista.core.nouns import Message, Request, Response
from regista.egress.client import Client
from regista.models.providers.anthropic import Anthropic
from regista.models.providers.openai import OpenAI
from regista.serve.collector import collect

STREAMED = [False, True]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client()
    yield client
    await client.close()


def request(*, stream: bool = False, **rest: object) -> Request:
    return Request("gpt-test", (Message("user", "hello"),), stream, rest=rest)


async def ask(client: Client, url: str, asked: Request, **options: float) -> Response:
    client.allow(url)
    provider = OpenAI(base_url=url, transport=client, **options)  # pyright: ignore[reportArgumentType]
    async with aclosing(provider.generate(asked)) as deltas:
        return await collect(deltas)


@pytest.mark.parametrize("stream", STREAMED)
async def test_an_answer_comes_whole_with_its_usage(client: Client, upstream: Upstream, stream: bool) -> None:
    response = await ask(client, upstream.url(), request(stream=stream))
    assert response.text == upstream.answer
    assert response.finish == "stop"
    assert response.usage is not None and response.usage.output_tokens > 0


@pytest.mark.parametrize("stream", STREAMED)
async def test_fields_nobody_here_knows_reach_the_provider(client: Client, upstream: Upstream, stream: bool) -> None:
    await ask(client, upstream.url(), request(stream=stream, logit_bias={"1": 2}, future={"a": [1]}))
    sent = upstream.requests[-1].json
    assert sent["logit_bias"] == {"1": 2} and sent["future"] == {"a": [1]} and sent["model"] == "gpt-test"


@pytest.mark.parametrize("asked", [True, False])
async def test_the_usage_chunk_reaches_only_who_asked_for_it(client: Client, upstream: Upstream, asked: bool) -> None:
    rest = {"stream_options": {"include_usage": True}} if asked else {}
    client.allow(upstream.url())
    provider = OpenAI(base_url=upstream.url(), transport=client)
    raw = b"".join([delta.raw or b"" async for delta in provider.generate(request(stream=True, **rest))])
    assert (b"prompt_tokens" in raw) == asked
    assert b"[DONE]" not in raw


async def test_the_key_goes_as_a_bearer_and_shows_nowhere(
    client: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "very-secret-value")
    client.allow(upstream.url("/s401"))
    provider = OpenAI(base_url=upstream.url("/s401"), api_key_env="TEST_KEY", transport=client)
    with pytest.raises(ProviderError) as error:
        await collect(provider.generate(request()))
    assert upstream.requests[-1].headers["authorization"] == "Bearer very-secret-value"
    assert "very-secret-value" not in f"{error.value} {provider!r} {vars(error.value)}"
    assert "TEST_KEY" in error.value.message


@pytest.mark.parametrize("provider", [OpenAI, Anthropic])
async def test_a_providers_own_key_does_not_follow_it_to_another_origin(
    client: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, provider: type[OpenAI | Anthropic]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-others")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "not-for-others")
    client.allow(upstream.url())
    await collect(provider(base_url=upstream.url(), transport=client).generate(request()))
    assert "not-for-others" not in str(upstream.requests[-1])


async def test_openai_itself_is_not_called_without_a_key(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        await collect(OpenAI(transport=client).generate(request()))


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("/s500", 502, "500"),
        ("/s429", 429, "rate limit"),
        ("/s404", 404, "model"),
        ("/redirect", 502, "302"),
        ("/html", 502, ""),
        ("/empty", 502, ""),
        ("/notjson", 502, ""),
    ],
)
async def test_every_failure_is_an_error_that_says_what_came(
    client: Client, upstream: Upstream, path: str, status: int, part: str, stream: bool
) -> None:
    with pytest.raises(ProviderError) as error:
        await ask(client, upstream.url(path), request(stream=stream))
    assert error.value.status == status
    assert part in error.value.message


async def test_when_to_come_back_is_kept(client: Client, upstream: Upstream) -> None:
    with pytest.raises(ProviderError) as error:
        await ask(client, upstream.url("/s429"), request())
    assert error.value.retry_after == "7"


@pytest.mark.parametrize("path", ["/cut", "/cutclean"])
async def test_a_stream_that_is_cut_never_ends_as_a_success(client: Client, upstream: Upstream, path: str) -> None:
    with pytest.raises(StreamCutError):
        await ask(client, upstream.url(path), request(stream=True))


@pytest.mark.parametrize("path", ["/silent", "/stall"])
async def test_silence_ends_in_a_timeout(client: Client, upstream: Upstream, path: str) -> None:
    with pytest.raises(ProviderTimeoutError):
        await ask(client, upstream.url(path), request(stream=True), first_s=0.2, between_s=0.2)


async def test_closing_the_stream_tells_the_provider(client: Client, upstream: Upstream) -> None:
    client.allow(upstream.url("/endless"))
    provider = OpenAI(base_url=upstream.url("/endless"), transport=client)
    async with aclosing(provider.generate(request(stream=True))) as deltas:
        await anext(deltas)
    await upstream.disconnected()
