"""The `bedrock` provider against a real server on loopback, which Amazon's own client takes for Bedrock."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import boto3  # pyright: ignore[reportMissingTypeStubs]
import pytest
from botocore import eventstream  # pyright: ignore[reportMissingTypeStubs]
from botocore.config import Config  # pyright: ignore[reportMissingTypeStubs]
from tests._upstream import answers, bedrock
from tests._upstream.server import Recorded, Upstream
from tests.models.providers.conftest import InOneBlock

from regista.core.errors import ConfigurationError, ProviderError, ProviderTimeoutError, StreamCutError
from regista.core.nouns import Delta, Message, Request, Response, Tool, Usage
from regista.egress.client import Client
from regista.models import bedrock_wire
from regista.models.providers.bedrock import Bedrock
from regista.serve.collector import collect

MODEL = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
SECRET = "not/to+be/shown"
TOKEN = "session-not-to-be-shown"
WEATHER = Tool("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
USAGE = Usage(answers.INPUT, answers.OUTPUT, answers.CACHED, 0, bedrock.WRITTEN, bedrock.LONG)


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account in the environment, and nothing else of Amazon's."""
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)


@pytest.fixture
def provider(upstream: Upstream, transport: Client) -> Callable[..., Bedrock]:
    def make(path: str = "", seconds: float = 10.0, account: str = "AWS", **options: Any) -> Bedrock:
        url = upstream.url(path)
        wait = {"first_s": seconds, "between_s": seconds}
        return Bedrock(url, "eu-central-1", account_env=account, transport=transport, **wait, **options)

    return make


def ask(said: str = "Which city?", *, stream: bool = True, tools: tuple[Tool, ...] = (), **rest: Any) -> Request:
    return Request(MODEL, (Message("user", said),), stream, tools, rest=rest)


async def answered(provider: Bedrock, request: Request) -> Response:
    return await collect(provider.generate(request))


@BOTH
async def test_an_answer_arrives_with_its_finish_and_exact_usage(
    provider: Callable[..., Bedrock], stream: bool
) -> None:
    response = await answered(provider(), ask(stream=stream))
    assert (response.text, response.finish, response.usage) == (answers.ANSWER, "stop", USAGE)
    assert (response.thoughts[0].text, response.thoughts[0].seal) == (answers.THOUGHT, answers.SIGNATURE)


async def test_a_thought_that_is_kept_secret_has_a_seal_all_the_same(provider: Callable[..., Bedrock]) -> None:
    response = await answered(provider(), ask(stream=False))
    assert (response.thoughts[1].text, response.thoughts[1].seal) == ("", f"redacted:{bedrock.REDACTED}")


@BOTH
async def test_a_call_is_made_and_its_result_goes_back_with_what_was_thought(
    provider: Callable[..., Bedrock], upstream: Upstream, stream: bool
) -> None:
    called = await answered(provider(), ask(stream=stream, tools=(WEATHER,)))
    (call,) = called.tool_calls
    assert (call.id, call.name, json.loads(call.arguments)) == ("tooluse_1", "weather", json.loads(answers.ARGUMENTS))
    assert called.finish == "tool_calls"
    wire = [{"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}]
    sealed = [{"type": "thinking", "thinking": answers.THOUGHT, "signature": answers.SIGNATURE}]
    conversation = (
        Message("user", "Which city?"),
        Message("assistant", None, {"tool_calls": wire, "thinking_blocks": sealed}),
        Message("tool", "12 °C", {"tool_call_id": call.id}),
    )
    assert (await answered(provider(), Request(MODEL, conversation, stream, (WEATHER,)))).text == answers.ANSWER
    _, back, result = upstream.requests[-1].json["messages"]
    thought, use = back["content"]
    assert thought["reasoningContent"]["reasoningText"]["signature"] == answers.SIGNATURE
    assert use["toolUse"]["toolUseId"] == result["content"][0]["toolResult"]["toolUseId"] == "tooluse_1"


async def test_a_request_is_signed_as_amazon_checks_it(provider: Callable[..., Bedrock], upstream: Upstream) -> None:
    await answered(provider(), ask())
    sent = upstream.requests[-1]
    assert sent.headers["x-amz-security-token"] == TOKEN
    assert sent.headers["authorization"].endswith(signature(sent, "eu-central-1"))
    assert SECRET not in f"{sent} {provider()!r}"


async def test_a_large_request_is_signed_too(provider: Callable[..., Bedrock], upstream: Upstream) -> None:
    await answered(provider(), ask("word " * 100_000))
    assert upstream.requests[-1].headers["authorization"].endswith(signature(upstream.requests[-1], "eu-central-1"))


async def test_a_key_of_bedrocks_own_goes_before_a_signature(
    provider: Callable[..., Bedrock], upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDROCK_KEY", "ABSKnot-to-be-shown")
    await answered(provider(api_key_env="BEDROCK_KEY"), ask())
    assert upstream.requests[-1].headers["authorization"] == "Bearer ABSKnot-to-be-shown"
    with pytest.raises(ProviderError) as raised:
        await answered(provider("/s401", api_key_env="BEDROCK_KEY"), ask())
    assert "BEDROCK_KEY" in raised.value.message


async def test_amazons_credentials_do_not_follow_it_to_another_origin(
    provider: Callable[..., Bedrock], upstream: Upstream
) -> None:
    await answered(provider(account=""), ask())
    assert not {"authorization", "x-amz-security-token"} & upstream.requests[-1].headers.keys()


async def test_the_region_is_read_off_the_url() -> None:
    assert Bedrock("https://bedrock-runtime.eu-west-3.amazonaws.com").region == "eu-west-3"


async def test_amazon_itself_is_not_called_without_credentials(
    transport: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(ConfigurationError, match="AWS_BEARER_TOKEN_BEDROCK"):
        await answered(Bedrock(transport=transport), ask())


async def test_nothing_but_the_named_url_is_contacted(transport: Client) -> None:
    with pytest.raises(ConfigurationError, match="not named in the configuration"):
        await answered(Bedrock(transport=transport), ask())


async def test_tokens_are_counted_before_they_are_paid_for(
    provider: Callable[..., Bedrock], upstream: Upstream
) -> None:
    assert await provider().count_tokens(ask(tools=(WEATHER,), max_tokens=5)) == answers.INPUT
    counted = upstream.requests[-1].json["input"]["converse"]
    assert counted.keys() == {"messages", "toolConfig"}


@pytest.mark.parametrize(
    ("kind", "upstream_status", "status"),
    [
        ("throttlingException", 429, 429),
        ("serviceUnavailableException", 503, 503),
        ("modelStreamErrorException", 424, 502),
    ],
)
def test_an_exception_in_the_stream_is_the_error_its_status_would_be(
    kind: str, upstream_status: int, status: int
) -> None:
    with pytest.raises(ProviderError, match="Too many") as raised:
        bedrock_wire.Stream().take(kind, b'{"message": "Too many. AKIAABCDEFGHIJKLMNOP"}')
    assert (raised.value.upstream_status, raised.value.status) == (upstream_status, status)
    assert "AKIAABC" not in raised.value.message


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("a_new_one", "a_new_one"),
    ],
)
def test_stop_reasons_have_openais_names(reason: str, finish: str) -> None:
    stream = bedrock_wire.Stream()
    assert stream.take("messageStop", json.dumps({"stopReason": reason}).encode()) is None
    assert stream.end() == Delta(finish=finish)


@pytest.mark.parametrize("reason", ["malformed_tool_use", "malformed_model_output"])
def test_what_the_model_wrote_wrong_is_no_answer(reason: str) -> None:
    with pytest.raises(StreamCutError, match=reason):
        bedrock_wire.Stream().take("messageStop", json.dumps({"stopReason": reason}).encode())


@BOTH
@pytest.mark.parametrize("path", ["/html", "/empty", "/notjson", "/cutclean", "/cut", "/huge"])
async def test_what_is_no_whole_answer_is_an_error(provider: Callable[..., Bedrock], path: str, stream: bool) -> None:
    with pytest.raises(ProviderError):
        await answered(provider(path), ask(stream=stream))


@pytest.mark.parametrize("path", ["/silent", "/stall"])
async def test_silence_ends_in_a_timeout(provider: Callable[..., Bedrock], path: str) -> None:
    with pytest.raises(ProviderTimeoutError):
        await answered(provider(path, seconds=0.2), ask())


async def test_a_message_that_does_not_say_what_it_is_is_passed_over(
    in_one_block: InOneBlock, transport: Client
) -> None:
    in_one_block.events = bedrock.message("", {}, {":content-type": "application/json"})
    with pytest.raises(StreamCutError):
        await answered(Bedrock(in_one_block.url, "eu-central-1", transport=transport), ask())


async def test_closing_the_stream_closes_the_connection(provider: Callable[..., Bedrock], upstream: Upstream) -> None:
    stream = provider("/endless").generate(ask())
    assert (await anext(stream)).reasoning
    await stream.aclose()
    assert (await upstream.disconnected()).path.endswith("/converse-stream")


async def test_the_loopback_provider_speaks_as_amazons_client_expects(upstream: Upstream) -> None:
    def talk() -> tuple[str, Any, Any]:
        settings: Any = {"endpoint_url": upstream.url(), "region_name": "eu-central-1", "config": Config(retries={})}
        amazon: Any = boto3
        client = amazon.client("bedrock-runtime", **settings)
        asked = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "Which city?"}]}]}
        whole = client.converse(**asked)
        events = list(client.converse_stream(**asked)["stream"])
        texts = [e["contentBlockDelta"]["delta"].get("text", "") for e in events if "contentBlockDelta" in e]
        return "".join(texts), whole, events[-1]["metadata"]["usage"]

    text, whole, usage = await asyncio.to_thread(talk)
    assert text == answers.ANSWER == whole["output"]["message"]["content"][-1]["text"]
    assert usage["cacheDetails"][0] == {"ttl": "1h", "inputTokens": bedrock.LONG}
    assert base64.b64decode(bedrock.REDACTED) in str(whole).encode()
    sent = upstream.requests[0]
    assert sent.headers["authorization"].endswith(signature(sent, "eu-central-1"))


def test_the_encoding_of_the_event_stream_is_amazons() -> None:
    buffer: Any = eventstream.EventStreamBuffer()
    buffer.add_data(bedrock.message("metadata", {"a": "☕"}))
    (message,) = buffer
    assert (message.headers[":event-type"], message.payload) == ("metadata", b'{"a": "\xe2\x98\x95"}')


def signature(sent: Recorded, region: str) -> str:
    """Signature Version 4 of a request, by https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html."""
    credential, signed, _ = sent.headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", ")
    scope = credential.partition("/")[2]
    names = signed.removeprefix("SignedHeaders=").split(";")
    headers = "".join(f"{name}:{sent.headers[name].strip()}\n" for name in names)
    path = quote(quote(sent.path, safe="/"), safe="/")  # every segment is escaped twice
    payload = hashlib.sha256(sent.body).hexdigest()
    canonical = "\n".join([sent.method, path, "", headers, ";".join(names), payload])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    told = "\n".join(["AWS4-HMAC-SHA256", sent.headers["x-amz-date"], scope, digest])
    key = f"AWS4{SECRET}".encode()
    for part in _parts(scope, region):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, told.encode(), hashlib.sha256).hexdigest()


def _parts(scope: str, region: str) -> Iterator[str]:
    day, signed_for, service, end = scope.split("/")
    assert (signed_for, service, end) == (region, "bedrock", "aws4_request")
    yield from (day, region, service, end)
