"""Takes traces from the serving core to the writer process, without ever making it wait.

Knows batches, acknowledgements and the writer's life, and which traces money hangs on; not the store.
"""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from regista.core.framing import HEADER, frame, receive_frame
from regista.core.nouns import Trace
from regista.observe.capture import Capture, bare
from regista.observe.clock import ahead_s, booted_s
from regista.observe.wire import (
    Acknowledgement,
    Batch,
    Gathered,
    Masked,
    Orders,
    decode_acknowledgement,
    decode_batch,
    decode_masked,
    decode_trace,
    encode_trace,
    thinned,
)

BATCH = 200
"""Traces in a batch: one transaction of the writer, some 10 ms."""
WINDOW = 4
"""Batches on their way at once: enough to keep the writer busy, few enough to hold twice."""
DEATHS = 5
"""Writers that may die with the same batch before it is taken for the cause, and thinned."""
THIN_DEATHS = 100
"""Writers that may die with it then before it is given up: some minutes, in which what kills them may pass."""
THIN_ROOM = 10
"""Where the queue is full, traces with calls are kept without what was said, up to so many times the queue."""
PAUSES_S = (0.0, 0.05, 0.2, 1.0, 5.0)
"""How long to wait for a new writer after so many deaths in which nothing got done."""


class _Sent(NamedTuple):
    """A batch on its way: `since` is when its first trace was appended, `data` its frame."""

    number: int
    since: float
    traces: int
    data: bytes
    thin: bool = False


class TraceLog:
    """A bounded queue before a writer process that is started again when it dies.

    Batches that were not acknowledged are sent again, and the store knows a trace it already has,
    so that every trace is stored once. All counters count traces; `lag_ms` is the age of the
    oldest one not stored yet, `last_error` what stood in the way most recently, if anything does.

    Where the queue is full, traces are dropped, but not the money: one with calls, or of a key, is `thinned`
    (`regista.observe.wire`) and kept as long as there is any room. `bared` are stored without a word of what was said,
    as it could not be masked. `masking` is where the function for that is, `module:name`. Use it from one event loop.
    """

    def __init__(self, url: str, queue: int = 10_000, flush_ms: int = 100, masking: str = "") -> None:
        self.capture: Capture = "full"
        """How much is kept of what was said in traces that are appended from now on."""
        self.written = 0
        self.dropped = 0
        self.thinned = 0
        self.bared = 0
        self.depth = 0
        self.restarts = 0
        self.last_error = ""
        self._url = url
        self._masking = masking
        self._keep_s = 0
        self._booted = booted_s()
        self._queue = queue
        self._flush_s = flush_ms / 1000
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._sent: deque[_Sent] = deque()
        self._number = self._queued = 0
        self._due = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._ending = False

    @property
    def lag_ms(self) -> float:
        """Milliseconds since the oldest trace that is not stored was appended; 0 where all are."""
        oldest = self._sent[0].since if self._sent else self._waiting[0][0] if self._waiting else None
        return 0.0 if oldest is None else (time.monotonic() - oldest) * 1000

    @property
    def held_off(self) -> str:
        """Why nothing is deleted for its age just now; empty where it is."""
        ahead = ahead_s(self._booted, self._keep_s) if self._keep_s else 0.0
        if not ahead:
            return ""
        return (
            f"The clock jumped {ahead / 3_600:,.1f} hours ahead, so nothing is deleted for its age. Set it right; or, "
            "if it is right, start the server again."
        )

    async def start(self) -> None:
        """Start the writer. Traces may be appended before."""
        self._loop = asyncio.get_running_loop()
        self._keeper = self._loop.create_task(self._keep(), name="trace writer")
        self._schedule()

    def keep(self, seconds: int) -> None:
        """Delete by and by what began longer ago than that; 0: keep all."""
        if seconds != self._keep_s:
            self._keep_s = seconds
            self._write(frame(Batch(0, (), seconds)))

    def append_gathered(self, spans: Sequence[bytes], tenant: str) -> None:
        """Queue spans of one trace from elsewhere, each as `otel.packing` has it. Never waits and never raises."""
        if self._ending or self.depth >= self._queue:
            self.dropped += 1
        else:
            self._enqueue(encode_trace(Gathered([msgspec.Raw(span) for span in spans], tenant, self.capture)))

    def append(self, trace: Trace) -> None:
        """Queue a trace. Never waits and never raises: what finds no room or cannot be encoded is counted."""
        full = self.depth >= self._queue
        if self._ending or (full and (self.depth >= THIN_ROOM * self._queue or not (trace.calls or trace.key))):
            self.dropped += 1
            return
        encoded = self._encoded(trace, thin=full)
        if encoded is None:
            self.dropped += 1
        else:
            self._enqueue(encoded)

    def _enqueue(self, encoded: bytes) -> None:
        self.depth += 1
        self._queued += 1
        self._waiting.append((time.monotonic(), encoded))
        if len(self._waiting) >= BATCH:
            self._send()
        elif self._timer is None:
            self._schedule()

    async def stored(self, patience_s: float = 10.0) -> None:
        """Wait until all that was appended so far is stored; raises `TimeoutError` if that takes longer."""
        until = self._queued
        self._due = True
        self._send()
        async with asyncio.timeout(patience_s):
            while self._queued - self.depth < until:
                self._settled.clear()
                await self._settled.wait()

    async def close(self, patience_s: float = 10.0) -> None:
        """Store what is queued and end the writer. What could not be stored in `patience_s` is counted as dropped."""
        if self._keeper is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    while self.depth:
                        await self.stored(patience_s)
            await self._end(self._keeper)
        if self._timer is not None:
            self._timer.cancel()
        self.dropped += self.depth
        self.depth = 0
        self._waiting.clear()
        self._sent.clear()

    async def _end(self, keeper: "asyncio.Task[None]") -> None:
        self._ending = True
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        done, _ = await asyncio.wait([keeper], timeout=2)
        if not done:
            keeper.cancel()
            await asyncio.wait([keeper], timeout=2)

    def _encoded(self, trace: Trace, *, thin: bool) -> bytes | None:
        """A trace as it is sent; thinned where there is no room for all of it, or where all of it cannot be encoded."""
        kept = thinned(trace) if thin else trace
        try:
            if self.capture == "off":
                kept = bare(kept)
            encoded = encode_trace(kept if self.capture != "masked" else Masked(kept))
        except Exception as error:  # noqa: BLE001 - no attribute of a span may end a request
            self.last_error = f"A trace could not be encoded: {type(error).__name__}: {error}"
            return None if thin else self._encoded(trace, thin=True)
        self.thinned += thin
        return encoded

    # Down: traces wait, go out in batches, and stay at hand until they are acknowledged.

    def _schedule(self) -> None:
        if self._loop is not None and self._timer is None and self._waiting:
            self._timer = self._loop.call_later(self._flush_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._due = True
        self._send()

    def _send(self) -> None:
        """Send full batches, and the rest too when it has waited long enough, as far as the window is open."""
        while self._waiting and len(self._sent) < WINDOW and (self._due or len(self._waiting) >= BATCH):
            some = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._number += 1
            batch = Batch(self._number, [msgspec.Raw(encoded) for _, encoded in some])
            sent = _Sent(self._number, some[0][0], len(some), frame(batch))
            self._sent.append(sent)
            self._write(sent.data)
        if not self._waiting:
            self._due = False
        elif not self._due:
            self._schedule()

    def _write(self, data: bytes) -> None:
        stdin = self._process.stdin if self._process is not None else None
        if stdin is not None and not stdin.transport.is_closing():
            stdin.write(data)

    # Up: acknowledgements open the window again; their end means that the writer is gone.

    async def _keep(self) -> None:
        """Keep a writer running: each that dies is followed by another, sooner if it got something done."""
        deaths = 0
        while not self._ending:
            known = self.written
            try:
                status = await self._run()
            except OSError as error:
                status = f"could not be started: {error}"
            if self._ending:
                return
            self.restarts += 1
            self.last_error = f"The trace writer {status}; it is started again."
            deaths = 1 if self.written > known else deaths + 1
            if self._sent and deaths >= (THIN_DEATHS if self._sent[0].thin else DEATHS):
                self._give_up(self._sent[0])
                deaths = 0
            await asyncio.sleep(PAUSES_S[min(deaths, len(PAUSES_S) - 1)])

    def _give_up(self, sent: _Sent) -> None:
        """Thin the first batch, which ends every writer it is given to; drop it where it is thin already."""
        if sent.thin:
            self._settle(sent, sent.traces, "A batch of traces ended every writer it was given to.")
            return
        traces: list[msgspec.Raw] = []
        for raw in decode_batch(sent.data[HEADER.size :]).traces:
            with suppress(msgspec.DecodeError):
                traces.append(msgspec.Raw(_thinner(raw)))
        self.thinned += len(traces)
        self.dropped += sent.traces - len(traces)
        self.depth -= sent.traces - len(traces)
        self._sent[0] = _Sent(sent.number, sent.since, len(traces), frame(Batch(sent.number, traces)), thin=True)

    async def _run(self) -> str:
        """One life of a writer; how it ended."""
        # Its own session: a signal to the server's group does not end it before it has stored what it was given.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "regista.observe.writer"),
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,
        )
        self._process = process
        try:
            self._write(frame(Orders(self._url, self._masking, self._keep_s, self._booted)))
            for sent in self._sent:
                self._write(sent.data)
            if self._ending and process.stdin is not None:
                process.stdin.close()
            if process.stdout is not None:
                await self._listen(process.stdout)
            await process.wait()
        finally:
            self._process = None
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return f"ended with status {process.returncode}"

    async def _listen(self, answers: asyncio.StreamReader) -> None:
        with suppress(msgspec.DecodeError):
            while payload := await receive_frame(answers):
                self._hear(decode_acknowledgement(payload))

    def _hear(self, answer: Acknowledgement) -> None:
        if not answer.done:
            self.last_error = answer.error
        elif self._sent and self._sent[0].number == answer.number:
            self.bared += answer.bared
            reason = "The store refused a trace." if answer.refused else ""
            self._settle(self._sent[0], answer.refused, reason)

    def _settle(self, sent: _Sent, lost: int, error: str) -> None:
        self._sent.popleft()
        self.written += sent.traces - lost
        self.dropped += lost
        self.depth -= sent.traces
        self.last_error = error
        self._settled.set()
        self._send()


def _thinner(raw: msgspec.Raw) -> bytes:
    """A trace thinned, and still to be masked where it was. Raises `msgspec.DecodeError`."""
    try:
        return encode_trace(thinned(decode_trace(raw)))
    except msgspec.DecodeError:
        return encode_trace(Masked(thinned(decode_masked(raw).trace)))
