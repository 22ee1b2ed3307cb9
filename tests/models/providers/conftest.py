"""A transport that may reach the loopback provider, and what tests of providers ask again and again."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests._upstream.server import Upstream

from regista.egress.client import Client


@pytest.fixture
async def transport(upstream: Upstream) -> AsyncIterator[Client]:
    client = Client([upstream.url()])
    yield client
    await client.close()


class InOneBlock:
    """A provider that sends the bytes `events` at once, as the stream of whatever is asked, and counts how often."""

    def __init__(self) -> None:
        self.events = b""
        self.asked = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
        self.asked += 1
        length = f"content-length: {len(self.events)}\r\n\r\n".encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n" + length + self.events)
        await writer.drain()
        writer.close()


@pytest.fixture
async def in_one_block(transport: Client) -> AsyncIterator[InOneBlock]:
    told = InOneBlock()
    async with await asyncio.start_server(told.serve, "127.0.0.1", 0) as server:
        told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        transport.allow(told.url)
        yield told
