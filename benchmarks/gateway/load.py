"""Asks one URL over and over and takes down how long each answer took. Every answer is checked to be whole.

Closed loop (`rate` 0): so many connections, as fast as it goes. Open loop: arrivals at random with a mean
rate; latency counts from the moment a request was due, so that a stall is paid by all it delays.

    python -m benchmarks.gateway.load URL MODEL KEY json|sse RATE CONNECTIONS SECONDS
"""

import asyncio
import json
import random
import sys
import time
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop

WARM_UP_S = 1.0
MARK = b"@@@@@@@@@@@@"
LETTERS = b"abcdefghijklmnopqrstuvwxyz"


class Asker(asyncio.Protocol):
    """One connection: asks, waits for the whole answer, says when it came."""

    def __init__(self, request: bytes, streamed: bool) -> None:
        self._before, _, self._after = request.partition(MARK)
        self._streamed = streamed
        self.done: asyncio.Future[float] | None = None
        self.errors = 0
        self.gaps: list[float] = []
        """Seconds between two pieces of a stream."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self) -> "asyncio.Future[float]":
        """Send one request; the future holds the time of its first byte of body."""
        self.done = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._first = self._last = 0.0
        self._tail = b""
        # Every question is another one, so that no cache answers it.
        self._transport.write(self._before + bytes(random.choices(LETTERS, k=len(MARK))) + self._after)
        return self.done

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done is not None and not self.done.done():
            self.errors += 1
            self.done.set_result(time.perf_counter())

    def on_body(self, body: bytes) -> None:
        now = time.perf_counter()
        if self._first:
            self.gaps.append(now - self._last)
        self._first, self._last = self._first or now, now
        self._tail = body if len(body) >= 16 else (self._tail + body)[-16:]

    def on_message_complete(self) -> None:
        whole = self._tail.endswith(b"data: [DONE]\n\n") if self._streamed else self._tail.endswith(b"}")
        self.errors += self._parser.get_status_code() != 200 or not whole
        assert self.done is not None
        self.done.set_result(self._first)


def request_bytes(url: str, model: str, key: str, streamed: bool) -> bytes:
    """A chat request with a prompt of 400 bytes."""
    parts = urlsplit(url)
    prompt = MARK.decode() + (" Say what the gateway does with this request and why it does so." * 8)[: 400 - len(MARK)]
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], **({"stream": True} if streamed else {})}
    data = json.dumps(body).encode()
    head = [f"POST {parts.path} HTTP/1.1", f"host: {parts.netloc}", "content-type: application/json"]
    head += [f"authorization: Bearer {key}"] if key else []
    return ("\r\n".join(head) + f"\r\ncontent-length: {len(data)}\r\n\r\n").encode() + data


async def run(url: str, data: bytes, streamed: bool, rate: float, connections: int, seconds: float) -> dict[str, float]:
    """Ask for `seconds` after a warm-up; times in microseconds. `asked` counts the warm-up too."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    askers = [Asker(data, streamed) for _ in range(connections)]
    for asker in askers:
        await loop.create_connection(lambda asker=asker: asker, parts.hostname or "", parts.port or 80)
    times: list[float] = []
    asked = 0
    start = time.perf_counter() + WARM_UP_S
    end = start + seconds

    async def one(asker: Asker, due: float) -> None:
        nonlocal asked
        asked += 1
        first = await asker.ask()
        if due >= start:
            times.append((first if streamed else time.perf_counter()) - due)

    async def closed(asker: Asker) -> None:
        while (now := time.perf_counter()) < end:
            await one(asker, now)

    async def open_loop() -> None:
        free: asyncio.Queue[Asker] = asyncio.Queue()
        for asker in askers:
            free.put_nowait(asker)
        under_way: set[asyncio.Task[None]] = set()

        async def later(due: float) -> None:
            asker = await free.get()
            await one(asker, due)
            free.put_nowait(asker)

        due = time.perf_counter()
        while due < end:
            due += random.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(later(due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)

    await (open_loop() if rate else asyncio.gather(*(closed(asker) for asker in askers)))
    times.sort()
    errors = sum(asker.errors for asker in askers)
    at = {f"p{q}": times[min(len(times) - 1, len(times) * q // 100)] * 1e6 for q in (50, 95, 99)} if times else {}
    gaps = sorted(gap for asker in askers for gap in asker.gaps)
    gap = gaps[min(len(gaps) - 1, len(gaps) * 99 // 100)] * 1e6 if gaps else 0.0
    return {"rps": len(times) / seconds, "errors": errors, "asked": asked, "gap_p99": gap, **at}


if __name__ == "__main__":
    url, model, key, mode, rate, connections, seconds = sys.argv[1:]
    data = request_bytes(url, model, key, mode == "sse")
    print(json.dumps(uvloop.run(run(url, data, mode == "sse", float(rate), int(connections), float(seconds)))))
