"""A provider that costs next to nothing: it answers at once, so that what is measured is the gateway.

python -m benchmarks.gateway.upstream 9001      # a stream's pieces all at once
python -m benchmarks.gateway.upstream 9001 20   # a piece each 20 ms
"""

import asyncio
import json
import sys
from typing import cast

import httptools
import uvloop

WORDS = ("the", "gateway", "passes", "on", "what", "the", "provider", "says", "and", "adds", "little", "to", "it")
TOKENS = 32


def _completion() -> bytes:
    text = " ".join(WORDS * 6)[:600]
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "mock",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 57, "completion_tokens": TOKENS, "total_tokens": 57 + TOKENS},
    }
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(data), data)


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _stream() -> list[bytes]:
    """The pieces of a streamed answer, each an HTTP chunk."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mock"}
    said = [WORDS[i % len(WORDS)] + " " for i in range(TOKENS)]
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}, *({"content": word} for word in said)]
    events: list[dict[str, object]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    events.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    usage = {"prompt_tokens": 57, "completion_tokens": TOKENS, "total_tokens": 57 + TOKENS}
    events.append({**head, "choices": [], "usage": usage})
    parts = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]
    return [b"%x\r\n%b\r\n" % (len(part), part) for part in parts]


JSON_ANSWER, PIECES = _completion(), _stream()
STREAM_ANSWER = HEAD + b"".join(PIECES) + b"0\r\n\r\n"


class Provider(asyncio.Protocol):
    """One connection."""

    def __init__(self, cadence_s: float) -> None:
        self._cadence = cadence_s

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        streamed = b'"stream":true' in self._body or b'"stream": true' in self._body
        self._body = b""
        if streamed and self._cadence:
            self._transport.write(HEAD)
            self._piece(0)
        else:
            self._transport.write(STREAM_ANSWER if streamed else JSON_ANSWER)

    def _piece(self, number: int) -> None:
        """Send a piece of a stream, and the next one after the pause."""
        last = number + 1 == len(PIECES)
        self._transport.write(PIECES[number] + b"0\r\n\r\n" if last else PIECES[number])
        if not last:
            asyncio.get_running_loop().call_later(self._cadence, self._piece, number + 1)


async def main(port: float, cadence_ms: float = 0) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Provider(cadence_ms / 1000), "127.0.0.1", int(port), backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(*(float(argument) for argument in sys.argv[1:])))
