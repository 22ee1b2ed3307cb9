import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from tests._upstream.server import Upstream

from regista.core.errors import ConfigurationError, ProviderError, ProviderTimeoutError, StreamCutError
from regista.egress import Patience
from regista.egress.client import Client, target

JSON = (("content-type", "application/json"),)
BODY = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client()
    yield client
    await client.close()


async def ask(client: Client, url: str, patience: Patience = Patience(5, 5, 5)) -> tuple[int, bytes]:
    client.allow(url)
    async with await client.open("POST", url, JSON, BODY, patience) as reply:
        return reply.status, await reply.read()


async def serve_bytes(answer: bytes, *, then_close: bool = True) -> tuple[asyncio.Server, str]:
    """A server that answers every request with these bytes, whatever they are."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if not then_close:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_a_connection_is_used_again(client: Client, upstream: Upstream) -> None:
    url = upstream.url("/chat/completions")
    for _ in range(3):
        status, body = await ask(client, url)
        assert status == 200 and b"choices" in body
    assert sum(len(idle) for idle in client._idle.values()) == 1  # pyright: ignore[reportPrivateUsage]


async def test_many_requests_at_once_get_their_own_answers(client: Client, upstream: Upstream) -> None:
    answers = await asyncio.gather(*(ask(client, upstream.url("/chat/completions")) for _ in range(50)))
    assert {status for status, _ in answers} == {200}


async def test_an_origin_that_is_not_named_is_never_contacted(client: Client, upstream: Upstream) -> None:
    with pytest.raises(ConfigurationError, match="not named in the configuration"):
        await client.open("POST", upstream.url("/chat/completions"), JSON, BODY)
    assert not upstream.requests


async def test_a_redirect_is_an_answer_and_is_not_followed(client: Client, upstream: Upstream) -> None:
    status, _ = await ask(client, upstream.url("/redirect/chat/completions"))
    assert status == 302
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:169.254.169.254]", "0.0.0.0", "[fe80::1]"])
async def test_addresses_that_keep_credentials_are_refused_even_when_named(client: Client, host: str) -> None:
    with pytest.raises(ConfigurationError, match="never contacted"):
        await ask(client, f"http://{host}/latest/meta-data")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/x", "http://", "https://user:key@host/", "gopher://x"])
def test_only_plain_http_urls_are_taken(url: str) -> None:
    with pytest.raises(ConfigurationError):
        target(url)


async def test_a_body_that_is_cut_raises_instead_of_ending(client: Client) -> None:
    server, url = await serve_bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")
    async with server:
        with pytest.raises(StreamCutError, match="before its answer was whole"):
            await ask(client, url)


async def test_chunks_that_do_not_end_raise(client: Client) -> None:
    server, url = await serve_bytes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
    async with server:
        with pytest.raises(StreamCutError):
            await ask(client, url)


async def test_a_body_without_a_length_ends_with_its_connection(client: Client) -> None:
    server, url = await serve_bytes(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    async with server:
        assert await ask(client, url) == (200, b"all of it")


async def test_an_interim_answer_is_not_the_answer(client: Client) -> None:
    both = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    server, url = await serve_bytes(both)
    async with server:
        assert await ask(client, url) == (200, b"ok")


async def test_a_second_answer_never_answers_the_next_request(client: Client) -> None:
    one = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none"
    server, url = await serve_bytes(one + one.replace(b"one", b"two"), then_close=False)
    async with server:
        assert await ask(client, url) == (200, b"one")
        assert await ask(client, url) == (200, b"one")


@pytest.mark.parametrize("garbage", [b"hello\r\n\r\n", b"HTTP/9 what", b"\x00" * 50])
async def test_what_is_not_http_is_an_error_that_says_so(client: Client, garbage: bytes) -> None:
    server, url = await serve_bytes(garbage)
    async with server:
        with pytest.raises(ProviderError):
            await ask(client, url)


async def test_a_head_without_end_is_refused(client: Client, upstream: Upstream) -> None:
    with pytest.raises(ProviderError, match="head"):
        await ask(client, upstream.url("/huge/chat/completions"))


async def test_silence_ends_in_a_timeout_however_long_connecting_took(
    client: Client, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Deadlines are looked at every so often; here that is more often than a connection takes to be made.
    monkeypatch.setattr("regista.egress.client.SWEEP_S", 0.00001)
    for _ in range(5):
        with pytest.raises(ProviderTimeoutError, match="kept silent"):
            async with asyncio.timeout(20):
                await ask(client, upstream.url("/silent/chat/completions"), Patience(5, 0.05, 0.05))


async def test_silence_ends_in_a_timeout_on_a_connection_whose_last_reader_has_not_heard_yet(client: Client) -> None:
    async def once_and_then_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"ok")
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(once_and_then_silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    client.allow(url)
    async with server:
        first = await client.open("POST", url, JSON, BODY)
        reader = asyncio.create_task(first.read())
        await asyncio.sleep(0)
        while not getattr(first, "complete"):  # noqa: B009, ASYNC110 - Reply does not promise it
            # Ready in every turn of the loop: when the answer is whole, this goes on before its reader does.
            await asyncio.sleep(0)
        assert not reader.done()
        with pytest.raises(ProviderTimeoutError, match="kept silent"):
            async with asyncio.timeout(5):
                await client.open("POST", url, JSON, BODY, Patience(5, 0.2, 0.2))
        assert await reader == b"ok"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 413 Too Large\r\n\r\ntoo much"], ids=["unanswered", "answered"])
async def test_a_server_that_ends_its_side_before_it_has_read_a_request_is_not_waited_for(
    client: Client, answer: bytes
) -> None:
    over = asyncio.Event()

    async def reads_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.write_eof()
        await over.wait()
        writer.close()

    server = await asyncio.start_server(reads_nothing, "127.0.0.1", 0, limit=1024)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    client.allow(url)
    async with server:
        async with asyncio.timeout(5):
            # More than the sockets of both sides hold: some of it can never be sent.
            sending = client.open("POST", url, JSON, bytes(32 << 20), Patience(5, 5, 5))
            if answer:
                assert await (await sending).read() == b"too much"
            else:
                with pytest.raises(ProviderError, match="without an answer"):
                    await sending
        over.set()


async def test_a_connection_on_which_a_request_is_still_being_sent_carries_no_other(client: Client) -> None:
    over = asyncio.Event()

    async def answers_unread(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await over.wait()
        writer.close()

    server = await asyncio.start_server(answers_unread, "127.0.0.1", 0, limit=1024)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    client.allow(url)
    async with server:
        async with await client.open("POST", url, JSON, bytes(32 << 20)) as reply:
            assert (reply.status, await reply.read()) == (413, b"no")
        assert await ask(client, url) == (413, b"no")
        over.set()


async def test_silence_ends_in_a_timeout_that_says_who_was_silent(client: Client, upstream: Upstream) -> None:
    with pytest.raises(ProviderTimeoutError, match="kept silent"):
        await ask(client, upstream.url("/silent/chat/completions"), Patience(5, 0.2, 0.2))


async def test_nobody_listening_is_told_with_advice(client: Client) -> None:
    server, url = await serve_bytes(b"")
    server.close()
    await server.wait_closed()
    with pytest.raises(ProviderError, match="base_url"):
        await ask(client, url)


async def test_an_idle_connection_the_server_closed_is_replaced(client: Client) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    server, url = await serve_bytes(answer)
    async with server:
        for _ in range(3):
            assert await ask(client, url) == (200, b"ok")


async def test_leaving_early_closes_the_connection(client: Client, upstream: Upstream) -> None:
    url = upstream.url("/endless/chat/completions")
    client.allow(url)
    async with await client.open("POST", url, JSON, BODY.replace(b"}]}", b'}], "stream": true}')) as reply:
        async for block in reply.blocks():
            assert block
            break
    await upstream.disconnected()


async def test_a_line_break_cannot_be_smuggled_into_a_head(client: Client, upstream: Upstream) -> None:
    client.allow(upstream.url())
    with pytest.raises(ConfigurationError, match="line break"):
        await client.open("POST", upstream.url("/chat/completions"), (("x", "a\r\nb: c"),), BODY)
