"""The `gemini` provider against a real server on the loopback interface, which the official client takes for Gemini."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from google import genai
from google.genai import types
from tests._upstream import answers, gemini
from tests._upstream.server import Upstream

from regista.core.errors import (
    ConfigurationError,
    ProviderError,
    ProviderTimeoutError,
    RequestError,
    StreamCutError,
)
from regista.core.nouns import Delta, Message, Request, Response, Tool, Usage
from regista.egress.client import Client
from regista.models.providers.gemini import Gemini
from regista.serve.collector import collect

KEY = "AIzaNotToBeShown0123456789012345678901"
MODEL = "gemini-3.1-pro-preview"
WEATHER = Tool("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
def provider(upstream: Upstream, transport: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Gemini]:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)

    def make(path: str = "", seconds: float = 10.0) -> Gemini:
        return Gemini(upstream.url(path), "GEMINI_API_KEY", first_s=seconds, between_s=seconds, transport=transport)

    return make


def ask(said: str = "Which city?", *, stream: bool = True, tools: tuple[Tool, ...] = (), **rest: Any) -> Request:
    return Request(MODEL, (Message("user", said),), stream, tools, rest=rest)


async def answered(provider: Gemini, request: Request) -> Response:
    return await collect(provider.generate(request))


@BOTH
async def test_an_answer_arrives_with_its_finish_and_exact_usage(provider: Callable[..., Gemini], stream: bool) -> None:
    response = await answered(provider(), ask(stream=stream, reasoning_effort="low"))
    assert (response.text, response.finish) == (answers.ANSWER, "stop")
    assert response.reasoning == answers.THOUGHT
    used = (answers.INPUT, answers.OUTPUT, answers.CACHED, answers.THINKING)
    assert response.usage == Usage(*used, audio_tokens=3)


@BOTH
async def test_a_call_brings_its_signature_and_takes_it_back(
    provider: Callable[..., Gemini], upstream: Upstream, stream: bool
) -> None:
    called = await answered(provider(), ask(stream=stream, tools=(WEATHER,)))
    (call,) = called.tool_calls
    assert (call.id, call.name, json.loads(call.arguments)) == (
        gemini.CALL_ID,
        "weather",
        json.loads(answers.ARGUMENTS),
    )
    assert called.finish == "tool_calls"
    (thought,) = called.thoughts
    wire = [{"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}]
    sealed = [{"type": "thinking", "thinking": thought.text, "signature": thought.seal}]
    conversation = (
        Message("user", "Which city?"),
        Message("assistant", None, {"tool_calls": wire, "thinking_blocks": sealed}),
        Message("tool", "12 °C", {"tool_call_id": call.id}),
    )
    response = await answered(provider(), Request(MODEL, conversation, stream, (WEATHER,)))
    assert response.text == answers.ANSWER
    back, result = upstream.requests[-1].json["contents"][1:]
    assert back["parts"][0]["thoughtSignature"] == gemini.SIGNATURE
    assert result["parts"] == [
        {"functionResponse": {"id": gemini.CALL_ID, "name": "weather", "response": {"output": "12 °C"}}}
    ]


@BOTH
async def test_tokens_come_with_their_log_probabilities(provider: Callable[..., Gemini], stream: bool) -> None:
    response = await answered(provider(), ask(stream=stream, logprobs=True, top_logprobs=2))
    assert "".join(entry["token"] for entry in response.logprobs) == answers.ANSWER
    assert [len(entry["top_logprobs"]) for entry in response.logprobs] == [2] * len(response.logprobs)
    assert bytes(response.logprobs[0]["bytes"]).decode() == response.logprobs[0]["token"]


@BOTH
async def test_a_blocked_question_is_no_stop(provider: Callable[..., Gemini], stream: bool) -> None:
    response = await answered(provider(), ask("BLOCK this", stream=stream))
    assert (response.text, response.finish) == ("", "content_filter")
    assert response.usage == Usage(answers.INPUT)


async def test_vectors_come_in_openais_shape(provider: Callable[..., Gemini]) -> None:
    body = json.loads(await provider().embed_upstream("gemini-embedding-001", ["a", "abc"], {"dimensions": 2}))
    assert [row["embedding"] for row in body["data"]] == [[1.0, 1.0], [3.0, 1.0]]
    assert body["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    coded = json.loads(await provider().embed_upstream("m", ["a"], {"encoding_format": "base64"}))
    assert coded["data"][0]["embedding"] == "AACAPwAAgD8="


async def test_vectors_of_token_numbers_are_refused_before_anything_is_sent(
    provider: Callable[..., Gemini], upstream: Upstream
) -> None:
    with pytest.raises(RequestError, match="Send the texts"):
        await provider().embed_upstream("gemini-embedding-001", [[1, 2]], {})
    assert not upstream.requests


async def test_tokens_are_counted_before_they_are_paid_for(provider: Callable[..., Gemini], upstream: Upstream) -> None:
    assert await provider().count_tokens(ask(max_tokens=5)) == answers.INPUT
    counted = upstream.requests[-1].json["generateContentRequest"]
    assert (counted["model"], "generationConfig" in counted) == (f"models/{MODEL}", False)


async def test_the_key_goes_in_its_header_and_shows_nowhere(
    provider: Callable[..., Gemini], upstream: Upstream
) -> None:
    with pytest.raises(ProviderError) as raised:
        await answered(provider("/s401"), ask())
    assert upstream.requests[-1].headers["x-goog-api-key"] == KEY
    assert KEY not in f"{raised.value} {provider()!r}"
    assert "GEMINI_API_KEY" in raised.value.message


async def test_a_models_name_cannot_leave_its_place_in_the_url(
    provider: Callable[..., Gemini], upstream: Upstream
) -> None:
    with pytest.raises(ProviderError):
        await answered(provider("/s404"), Request("../files?x=", (Message("user", "hi"),)))
    assert upstream.requests[-1].path == "/s404/v1beta/models/../files?x=:generateContent"


@BOTH
@pytest.mark.parametrize("path", ["/html", "/empty", "/notjson", "/cutclean", "/cut", "/huge"])
async def test_what_is_no_whole_answer_is_an_error(provider: Callable[..., Gemini], path: str, stream: bool) -> None:
    with pytest.raises(ProviderError):
        await answered(provider(path), ask(stream=stream))


@pytest.mark.parametrize("path", ["/cut", "/cutclean"])
async def test_a_cut_stream_gives_what_came_and_what_it_used_so_far(provider: Callable[..., Gemini], path: str) -> None:
    got: list[Delta] = []
    with pytest.raises(StreamCutError):
        async for delta in provider(path).generate(ask()):
            got.append(delta)
    assert answers.ANSWER.startswith("".join(delta.text for delta in got))
    assert got[-1].usage is not None and got[-1].usage.input_tokens == answers.INPUT
    assert all(delta.finish is None for delta in got)


@pytest.mark.parametrize("path", ["/silent", "/stall"])
async def test_silence_ends_in_a_timeout(provider: Callable[..., Gemini], path: str) -> None:
    with pytest.raises(ProviderTimeoutError):
        await answered(provider(path, seconds=0.2), ask())


async def test_closing_the_stream_closes_the_connection(provider: Callable[..., Gemini], upstream: Upstream) -> None:
    stream = provider("/endless").generate(ask())
    assert (await anext(stream)).text
    await stream.aclose()
    assert (await upstream.disconnected()).path.endswith(":streamGenerateContent")


async def test_google_itself_is_not_called_without_a_key(transport: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="set the environment variable GEMINI_API_KEY"):
        await answered(Gemini(transport=transport), ask())


async def test_the_loopback_provider_speaks_as_the_official_client_expects(upstream: Upstream) -> None:
    options = types.HttpOptions(base_url=upstream.url())
    config = types.GenerateContentConfig(
        response_logprobs=True, logprobs=1, thinking_config=types.ThinkingConfig(include_thoughts=True)
    )
    async with genai.Client(api_key="k", http_options=options).aio as client:
        models: Any = client.models
        stream = await models.generate_content_stream(model=MODEL, contents="?", config=config)
        chunks: list[types.GenerateContentResponse] = [chunk async for chunk in stream]
        blocked = await models.generate_content(model=MODEL, contents="BLOCK")
        counted = await models.count_tokens(model=MODEL, contents="?")
    assert "".join(chunk.text or "" for chunk in chunks) == answers.ANSWER
    last = chunks[-1]
    assert last.usage_metadata is not None and last.candidates is not None
    assert last.usage_metadata.thoughts_token_count == answers.THINKING
    assert last.candidates[0].logprobs_result is not None
    assert blocked.prompt_feedback is not None and counted.total_tokens == answers.INPUT
