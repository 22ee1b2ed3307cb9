"""The `anthropic` provider against a real server on the loopback interface."""

import json
from collections.abc import Callable

import anthropic
import pytest
from tests._upstream import answers
from tests._upstream.server import Upstream

from regista.core.errors import ConfigurationError, ProviderError, ProviderTimeoutError, StreamCutError
from regista.core.nouns import Delta, Message, Request, Tool, Usage
from regista.egress.client import Client
from regista.models.providers.anthropic import Anthropic

KEY = "sk-ant-not-to-be-shown-0123456789"
MODEL = "claude-sonnet-5-5"
WEATHER = Tool("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
USAGE = Usage(answers.INPUT, answers.OUTPUT, answers.CACHED, cache_write_tokens=1)


@pytest.fixture
def provider(upstream: Upstream, transport: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Anthropic]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)

    def make(path: str = "", seconds: float = 10.0) -> Anthropic:
        return Anthropic(
            upstream.url(path), "ANTHROPIC_API_KEY", first_s=seconds, between_s=seconds, transport=transport
        )

    return make


def ask(stream: bool = True, tools: tuple[Tool, ...] = ()) -> Request:
    return Request(MODEL, (Message("user", "Which city?"),), stream, tools)


async def collect(provider: Anthropic, request: Request) -> list[Delta]:
    return [delta async for delta in provider.generate(request)]


def joined(deltas: list[Delta]) -> tuple[str, str, str]:
    """Text, tool name and arguments."""
    parts = [part for delta in deltas for part in delta.tool_calls]
    return (
        "".join(delta.text for delta in deltas),
        "".join(part.name for part in parts),
        "".join(part.arguments for part in parts),
    )


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_arrives_with_its_finish_and_usage(provider: Callable[..., Anthropic], stream: bool) -> None:
    deltas = await collect(provider(), ask(stream))
    assert joined(deltas) == (answers.ANSWER, "", "")
    assert (deltas[-1].finish, deltas[-1].usage) == ("stop", USAGE)
    assert [delta.finish for delta in deltas[:-1]] == [None] * (len(deltas) - 1)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_tool_call_arrives_whole(provider: Callable[..., Anthropic], stream: bool) -> None:
    deltas = await collect(provider(), ask(stream, (WEATHER,)))
    text, name, arguments = joined(deltas)
    assert (text, name) == ("", "weather")
    assert json.loads(arguments) == json.loads(answers.ARGUMENTS)
    assert deltas[-1].finish == "tool_calls"
    assert next(part for delta in deltas for part in delta.tool_calls).id == "toolu_1"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_thought_arrives_with_its_seal(provider: Callable[..., Anthropic], stream: bool) -> None:
    deltas = await collect(provider(), ask(stream))
    assert "".join(delta.reasoning for delta in deltas) == answers.THOUGHT
    assert [delta.seal for delta in deltas if delta.seal] == [answers.SIGNATURE]


async def test_a_stream_that_nobody_waits_for_has_told_what_it_read(provider: Callable[..., Anthropic]) -> None:
    stream = provider("/stall", seconds=5.0).generate(ask())
    first = await anext(stream)
    await stream.aclose()
    assert first.usage is not None and first.usage.input_tokens == answers.INPUT


async def test_tokens_are_counted_before_they_are_paid_for(
    provider: Callable[..., Anthropic], upstream: Upstream
) -> None:
    counted = await provider().count_tokens(
        Request(MODEL, (Message("user", "hi"),), True, (WEATHER,), rest={"max_tokens": 5, "temperature": 0})
    )
    sent = upstream.requests[0]
    assert (counted, sent.path) == (answers.INPUT, "/v1/messages/count_tokens")
    assert sent.json.keys() == {"model", "messages", "tools"}
    with pytest.raises(ProviderError, match="429"):
        await provider("/s429").count_tokens(ask())


async def test_the_prompt_cache_is_told_what_to_keep(upstream: Upstream, transport: Client) -> None:
    provider = Anthropic(upstream.url(), prompt_cache=True, transport=transport)
    await collect(provider, Request(MODEL, (Message("system", "Be brief."), Message("user", "hi"))))
    assert upstream.requests[0].json["system"][0]["cache_control"] == {"type": "ephemeral"}


async def test_the_key_and_the_version_go_in_headers(provider: Callable[..., Anthropic], upstream: Upstream) -> None:
    await collect(provider(), ask())
    sent = upstream.requests[0]
    assert sent.path == "/v1/messages"
    assert sent.headers["x-api-key"] == KEY
    assert sent.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in sent.headers
    assert KEY not in repr(provider())


async def test_a_base_url_may_end_in_v1(provider: Callable[..., Anthropic], upstream: Upstream) -> None:
    await collect(provider("/v1/"), ask())
    assert upstream.requests[0].path == "/v1/messages"


@pytest.mark.parametrize(
    ("path", "upstream_status", "status", "says"),
    [
        ("/s400", 400, 400, "does not take this request"),
        ("/s401", 401, 502, "set ANTHROPIC_API_KEY to a valid one"),
        ("/s404", 404, 404, "check the model's name"),
        ("/s429", 429, 429, "wait"),
        ("/s500", 500, 502, "try again"),
        ("/s529", 529, 503, "try again later"),
        ("/redirect", 302, 502, "302"),
    ],
)
async def test_an_error_status_says_who_failed_and_what_to_do(
    provider: Callable[..., Anthropic], upstream: Upstream, path: str, upstream_status: int, status: int, says: str
) -> None:
    with pytest.raises(ProviderError, match=f"anthropic answered {upstream_status} for model '{MODEL}'") as raised:
        await collect(provider(path), ask())
    assert (raised.value.upstream_status, raised.value.status) == (upstream_status, status)
    assert says in raised.value.message
    assert KEY not in raised.value.message
    assert raised.value.retry_after == ("7" if upstream_status == 429 else None)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", ["/html", "/empty", "/notjson", "/cutclean", "/cut", "/huge"])
async def test_what_is_no_whole_answer_is_an_error(provider: Callable[..., Anthropic], path: str, stream: bool) -> None:
    with pytest.raises(ProviderError):
        await collect(provider(path), ask(stream))


@pytest.mark.parametrize("path", ["/cut", "/cutclean"])
async def test_a_broken_stream_gives_what_came_and_then_raises(provider: Callable[..., Anthropic], path: str) -> None:
    got: list[Delta] = []
    with pytest.raises(StreamCutError):
        async for delta in provider(path).generate(ask()):
            got.append(delta)
    assert answers.ANSWER.startswith(joined(got)[0])
    assert all(delta.finish is None for delta in got)


@pytest.mark.parametrize("path", ["/silent", "/stall"])
async def test_silence_ends_in_a_timeout(provider: Callable[..., Anthropic], path: str) -> None:
    with pytest.raises(ProviderTimeoutError):
        await collect(provider(path, seconds=0.2), ask())


async def test_a_slow_answer_is_waited_for(provider: Callable[..., Anthropic]) -> None:
    assert joined(await collect(provider("/slow"), ask()))[0] == answers.ANSWER


async def test_closing_the_stream_closes_the_connection(provider: Callable[..., Anthropic], upstream: Upstream) -> None:
    stream = provider("/endless").generate(ask())
    await anext(stream)
    await stream.aclose()
    assert (await upstream.disconnected()).path == "/endless/v1/messages"


async def test_without_a_key_the_official_host_is_not_asked(transport: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="set the environment variable ANTHROPIC_API_KEY"):
        await collect(Anthropic(transport=transport), ask())


async def test_an_unnamed_origin_is_never_contacted(upstream: Upstream, transport: Client) -> None:
    with pytest.raises(ConfigurationError, match="not named in the configuration"):
        await collect(Anthropic(upstream.url(host="localhost"), transport=transport), ask())
    assert upstream.requests == []


async def test_the_loopback_provider_speaks_as_the_official_client_expects(upstream: Upstream) -> None:
    async with (
        anthropic.AsyncAnthropic(api_key="k", base_url=upstream.url()) as client,
        client.messages.stream(
            model=MODEL, max_tokens=10, messages=[{"role": "user", "content": "Which city?"}]
        ) as stream,
    ):
        message = await stream.get_final_message()
    assert message.content[-1].type == "text"
    assert message.content[-1].text == answers.ANSWER
    assert message.usage.output_tokens == answers.OUTPUT
