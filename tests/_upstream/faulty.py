"""A provider that fails on the wire, byte by byte: what no HTTP server library would let itself do.

`faulty.url("cut-mid-utf8")` is a `base_url`. It speaks OpenAI's chat completions over raw sockets, keeps a meter of
what it would bill for each question, and knows which connections are open. Faults are rows of `FAULTS`.
"""

import asyncio
import json
import re
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

PIECES = (*(f"w{n} " for n in range(15)), "café ", "☕ ", *(f"w{n} " for n in range(15, 30)))
"""The words of every answer after the question itself, a token each."""
TEXT = "".join(PIECES)
INPUT = 9
OUTPUT = 1 + len(PIECES)
CUT = 10
"""Pieces sent before a stream breaks off."""
DRIP_S = 0.02


class Billed(NamedTuple):
    """What a provider would bill for one question, and whether it said so."""

    input: int
    output: int
    told: bool


class Faulty:
    """The server and its meter. Use as a context manager."""

    def __init__(self) -> None:
        self.asked: dict[str, list[Wire]] = {}
        """What was asked, by question, in order: a retry is asked, and billed, again."""
        self.open = 0
        """Connections open now."""
        self.waiting = 0
        """Those among them that are in the middle of an answer."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty upstream", daemon=True)
        self._closed_port = socket.socket()
        self._closed_port.bind(
            ("127.0.0.1", 0)
        )  # bound and not listening: nobody else can, and who connects is refused

    def url(self, fault: str) -> str:
        """The base URL of a fault, `good` for none."""
        port = self._closed_port.getsockname()[1] if fault == "refused" else self._port
        return f"http://127.0.0.1:{port}/{fault}/v1"

    def bill(self, question: str) -> Billed:
        """All that was billed for a question, as one."""
        asked = self.asked.get(question, [])
        return Billed(sum(w.input for w in asked), sum(w.output for w in asked), all(w.told for w in asked))

    def __enter__(self) -> "Faulty":
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(10)
        self._port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._closed_port.close()

    async def _end(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection carries another."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        body: dict[str, Any] = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))))
        fault = lines[0].split(" ")[1].split("/")[1]
        wire = Wire(reader, writer, body)
        self.asked.setdefault(wire.question, []).append(wire)
        self.waiting += 1
        try:
            return await (STREAM_FAULTS if wire.streams else FAULTS)[fault](wire)
        finally:
            self.waiting -= 1


class Wire:
    """One exchange: what can be put on the socket, and what it would cost."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: dict[str, Any]) -> None:
        self.streams = bool(body.get("stream"))
        self.model = str(body["model"])
        self.question = str(body["messages"][0]["content"]).split(" ")[0]
        self._said = next((m["content"] for m in reversed(body["messages"]) if m["role"] == "assistant"), "")
        self.input = self.output = 0
        self.told = False
        self._reader = reader
        self._writer = writer

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def head(self, status: int = 200, media: str = "application/json", *more: str) -> None:
        lines = [f"HTTP/1.1 {status} X", f"content-type: {media}", *more]
        await self.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def whole(self, status: int, data: bytes, *more: str, media: str = "application/json") -> bool:
        await self.head(status, media, f"content-length: {len(data)}", *more)
        await self.write(data)
        return True

    async def begin(self) -> None:
        """The head of a stream."""
        await self.head(200, "text/event-stream", "transfer-encoding: chunked")

    async def some(self, pieces: int) -> None:
        """The head of a stream, and so many pieces of it."""
        await self.begin()
        await self.chunk(self.opening())
        for text in self.pieces()[:pieces]:
            await self.chunk(self.piece(text))
            await asyncio.sleep(0)

    async def chunk(self, data: bytes) -> None:
        await self.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def end(self) -> bool:
        await self.write(b"0\r\n\r\n")
        return True

    def close(self) -> bool:
        self._writer.close()
        return False

    def reset(self) -> bool:
        """End the connection with RST, whatever is on its way."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        return False

    async def forever(self) -> bool:
        """Say nothing more, until the other side goes."""
        await self._reader.read()
        return False

    def answer(self) -> bytes:
        """A whole answer; it is billed and told."""
        self.input, self.output, self.told = INPUT, OUTPUT, True
        message = {"role": "assistant", "content": f"{self.question} {TEXT}"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return _encode({**self._head("chat.completion"), "choices": [choice], "usage": _usage()})

    def piece(self, text: str) -> bytes:
        """One event with text, which is billed."""
        self.input = INPUT
        self.output += 1
        return self._event([{"index": 0, "delta": {"content": text}, "finish_reason": None}])

    def opening(self) -> bytes:
        self.input = INPUT
        return self._event([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])

    def finish(self) -> bytes:
        return self._event([{"index": 0, "delta": {}, "finish_reason": "stop"}])

    def usage(self) -> bytes:
        self.told = True
        return self._event([], usage=_usage(self.output))

    def pieces(self) -> list[str]:
        """The words of the answer, less those an assistant's message of the request holds already."""
        full = f"{self.question} {TEXT}"
        rest = full[len(self._said) :] if full.startswith(self._said) else full
        return re.findall(r"\s*\S+ ", rest)

    def _event(self, choices: list[Any], **fields: Any) -> bytes:
        return b"data: " + _encode({**self._head("chat.completion.chunk"), "choices": choices, **fields}) + b"\n\n"

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1_760_000_000, "model": self.model}


def _usage(output: int = OUTPUT) -> dict[str, int]:
    return {"prompt_tokens": INPUT, "completion_tokens": output, "total_tokens": INPUT + output}


def _encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


# Faults. Each answers one request and says whether its connection carries another.


def status(code: int, *headers: str) -> "Fault":
    """An error status with an error in OpenAI's shape."""

    async def fault(wire: Wire) -> bool:
        error = {"error": {"message": f"upstream says {code}", "type": "server_error", "param": None, "code": None}}
        return await wire.whole(code, _encode(error), *headers)

    return fault


async def good(wire: Wire) -> bool:
    if not wire.streams:
        return await wire.whole(200, wire.answer())
    await wire.some(1_000)
    await wire.chunk(wire.finish())
    await wire.chunk(wire.usage())
    await wire.chunk(b"data: [DONE]\n\n")
    return await wire.end()


async def reset_before_head(wire: Wire) -> bool:
    return wire.reset()


async def reset_after_head(wire: Wire) -> bool:
    await (wire.begin() if wire.streams else wire.head(200, "application/json", "content-length: 400"))
    await asyncio.sleep(0.02)
    return wire.reset()


async def html(wire: Wire) -> bool:
    return await wire.whole(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", media="text/html")


async def html_200(wire: Wire) -> bool:
    return await wire.whole(200, b"<html><body>Welcome to the proxy</body></html>", media="text/html")


async def malformed(wire: Wire) -> bool:
    """Half a JSON object under its right length; in a stream, an event that is none."""
    if not wire.streams:
        data = wire.answer()
        wire.told = False
        return await wire.whole(200, data[: len(data) // 2])
    await wire.some(CUT)
    await wire.chunk(b"data: {oops\n\n")
    return await wire.end()


async def silent(wire: Wire) -> bool:
    wire.input = INPUT
    return await wire.forever()


async def stall(wire: Wire) -> bool:
    """Begins and then says nothing more."""
    if wire.streams:
        await wire.some(CUT)
    else:
        data = wire.answer()
        wire.told = False
        await wire.head(200, "application/json", f"content-length: {len(data)}")
        await wire.write(data[:40])
    return await wire.forever()


async def pings(wire: Wire) -> bool:
    """A stream that is alive on the wire and says nothing."""
    await wire.begin()
    wire.input = INPUT
    while True:
        await wire.chunk(b": ping\n\n")
        await asyncio.sleep(0.05)


async def drip(wire: Wire) -> bool:
    """The whole answer, a few bytes at a time."""
    if wire.streams:
        await wire.begin()
        parts = [wire.opening(), *(wire.piece(text) for text in wire.pieces()), wire.finish(), wire.usage()]
        data = b"".join([*parts, b"data: [DONE]\n\n"])
        for start in range(0, len(data), 97):
            await wire.chunk(data[start : start + 97])
            await asyncio.sleep(DRIP_S)
        return await wire.end()
    data = wire.answer()
    await wire.head(200, "application/json", f"content-length: {len(data)}")
    for start in range(0, len(data), 17):
        await wire.write(data[start : start + 17])
        await asyncio.sleep(DRIP_S)
    return True


async def length_too_long(wire: Wire) -> bool:
    """Announces more bytes than come."""
    data = wire.answer()
    wire.told = False
    await wire.head(200, "application/json", f"content-length: {len(data) + 100}")
    await wire.write(data)
    return wire.close()


async def length_too_short(wire: Wire) -> bool:
    """Announces fewer bytes than come: the rest would be read as another answer."""
    data = wire.answer()
    wire.told = False
    await wire.head(200, "application/json", f"content-length: {len(data) - 30}")
    await wire.write(data)
    return True


async def never_closes(wire: Wire) -> bool:
    """A whole answer without its length on a connection that stays: its end is in what it says alone."""
    if wire.streams:
        await wire.head(200, "text/event-stream", "connection: close")
        for part in (wire.opening(), *(wire.piece(text) for text in wire.pieces()), wire.finish(), wire.usage()):
            await wire.write(part)
        await wire.write(b"data: [DONE]\n\n")
    else:
        await wire.head(200, "application/json", "connection: close")
        await wire.write(wire.answer())
        wire.told = False
    return await wire.forever()


async def cut_before_first(wire: Wire) -> bool:
    await wire.begin()
    wire.input = INPUT
    await asyncio.sleep(0.02)
    return wire.close()


async def ended_before_first(wire: Wire) -> bool:
    """A stream that ends as HTTP should and holds nothing."""
    await wire.begin()
    wire.input = INPUT
    return await wire.end()


async def cut_mid_token(wire: Wire) -> bool:
    """Half an event, and the connection is gone."""
    await wire.some(CUT)
    await wire.write(b"40\r\n" + wire.piece("lost ")[:40])
    return wire.close()


async def cut_mid_utf8(wire: Wire) -> bool:
    """An event that ends between the bytes of one character, and the connection is gone."""
    await wire.some(CUT)
    event = wire.piece("caf\u00e9 ")
    middle = event.index("\u00e9".encode()) + 1
    await wire.chunk(event[:middle])
    return wire.close()


async def ended_early(wire: Wire) -> bool:
    """A stream that ends as HTTP should, in the middle of the answer."""
    await wire.some(CUT)
    return await wire.end()


async def cut_before_usage(wire: Wire) -> bool:
    """All of the text and its finish, and then neither usage nor `[DONE]`."""
    await wire.some(1_000)
    await wire.chunk(wire.finish())
    return wire.close()


async def slow(wire: Wire) -> bool:
    """A good stream, one piece each 20 ms: time for a client to leave."""
    await wire.begin()
    await wire.chunk(wire.opening())
    for text in wire.pieces():
        await wire.chunk(wire.piece(text))
        await asyncio.sleep(0.02)
    await wire.chunk(wire.finish())
    await wire.chunk(wire.usage())
    await wire.chunk(b"data: [DONE]\n\n")
    return await wire.end()


Fault = Callable[[Wire], Awaitable[bool]]
FAULTS: dict[str, Fault] = {
    "good": good,
    "refused": good,
    "reset-before-head": reset_before_head,
    "reset-after-head": reset_after_head,
    "500": status(500),
    "502": status(502),
    "503": status(503),
    "503-after": status(503, "retry-after: 1"),
    "429": status(429),
    "429-after": status(429, "retry-after: 1"),
    "html": html,
    "html-200": html_200,
    "malformed": malformed,
    "silent": silent,
    "stall": stall,
    "drip": drip,
    "length-too-long": length_too_long,
    "length-too-short": length_too_short,
    "never-closes": never_closes,
}
"""Faults of an answer in one piece. `refused` is at a port where nothing listens."""
STREAM_FAULTS: dict[str, Fault] = {
    **{name: fault for name, fault in FAULTS.items() if not name.startswith("length-")},
    "pings": pings,
    "cut-before-first": cut_before_first,
    "ended-before-first": ended_before_first,
    "cut-mid-token": cut_mid_token,
    "cut-mid-utf8": cut_mid_utf8,
    "ended-early": ended_early,
    "cut-before-usage": cut_before_usage,
    "slow": slow,
}
"""Faults of a stream."""
