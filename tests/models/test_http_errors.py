"""What an error status means, from a real server's answers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from regista.core.errors import ProviderError, ProviderTimeoutError
from regista.egress import Patience
from regista.egress.client import Client
from regista.models.http_errors import error_in_stream, error_of


@asynccontextmanager
async def answering(head: str, body: str) -> AsyncGenerator[str]:
    """The URL of a server that gives one answer to everything."""
    data = body.encode()
    said = f"HTTP/1.1 {head}\r\ncontent-length: {len(data)}\r\nconnection: close\r\n\r\n".encode() + data

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def error(head: str, body: str = "") -> ProviderError:
    async with answering(head, body) as url:
        client = Client([url])
        try:
            async with await client.open("POST", url, (), b"{}", Patience(5, 5, 5)) as reply:
                return await error_of(reply, "gemini", "m", "GEMINI_API_KEY")
        finally:
            await client.close()


@pytest.mark.parametrize(
    ("head", "body", "after"),
    [
        ("429 Slow\r\nretry-after: 7", "", "7"),
        ("429 Slow\r\nretry-after: 7\r\nretry-after-ms: 1500", "", "1.5"),
        ("429 Slow", '{"error": {"details": [{"@type": "…RetryInfo", "retryDelay": "34.07s"}]}}', "34.07"),
        ("429 Slow", "", None),
        ("503 Full\r\nretry-after-ms: soon", "", None),
    ],
)
async def test_when_to_come_back_is_read_wherever_a_provider_writes_it(head: str, body: str, after: str | None) -> None:
    assert (await error(head, body)).retry_after == after


async def test_a_wrong_key_is_told_as_one_though_the_status_says_bad_request() -> None:
    refused = await error("400 Bad", '{"error": {"details": [{"reason": "API_KEY_INVALID"}]}}')
    assert (refused.code, refused.status, refused.upstream_status) == ("provider_key_refused", 502, 400)
    assert "set GEMINI_API_KEY" in str(refused)
    other = await error("400 Bad", '{"error": {"message": "no such field"}}')
    assert (other.code, other.status) == ("provider_refused_request", 400)


async def test_a_gateway_timeout_is_one_here_too() -> None:
    assert isinstance(await error("408 Late"), ProviderTimeoutError)


@pytest.mark.parametrize("key", ["sk-proj-abc123DEF", "gsk_abcdef123", "AIzaSyA1234567890abcdefg", "ABSKQmVkcm9ja0FQ"])
async def test_nothing_that_looks_like_a_key_is_repeated(key: str) -> None:
    assert key not in str(await error("401 No", f"Incorrect API key provided: {key}."))
    assert key not in str(error_in_stream("openai", "error", 401, f"Incorrect API key provided: {key}."))
