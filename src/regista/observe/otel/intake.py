"""Spans that somebody sends, gathered by trace for a moment and handed on to be stored. Knows no HTTP and no store.

Spans of one trace come in several requests: what is stored once is not stored anew with each. Memory is bounded by what
spans take as bytes, for all and for each tenant, until they are stored.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

from regista.core.errors import OverloadedError
from regista.observe.otel.bounds import Rest, at_once
from regista.observe.otel.nouns import Decoded
from regista.observe.otel.packing import encode_span

QUIET_S = 1.0
"""A trace of which nothing came for so long is handed on."""
HELD_S = 5.0
"""How long one is held at most: as long as SDKs collect before they send."""
SWEEP_S = 0.25
TRACE_BYTES = 4 << 20
"""What is larger is handed on at once."""
TENANT_BYTES = 32 << 20
ALL_BYTES = 128 << 20
AHEAD = 400
"""Traces that wait for the writer before no more are handed to it: two batches, so that it never waits."""
SMALL = 8 << 10
"""Bytes of a request that is read in place: less than a millisecond. Others are read in a thread, one at a time."""


class Log(Protocol):
    """Who takes spans to the store: `observe.log.TraceLog`. All it says counts traces, ours and these."""

    written: int
    dropped: int
    depth: int

    def append_gathered(self, spans: Sequence[bytes], tenant: str) -> None: ...


class _Trace:
    """Spans of one trace so far."""

    __slots__ = ("bytes", "first", "last", "spans")

    def __init__(self, now: float) -> None:
        self.first = self.last = now
        self.bytes = 0
        self.spans: list[bytes] = []


class _Handed(NamedTuple):
    """A trace that is in the log: stored once as many are settled there."""

    settled: int
    tenant: str
    bytes: int


class Intake:
    """Takes spans in. Use it from one event loop.

    `received` counts spans, `rejected` those of them that could not be read, `refused` requests there was no room for.
    """

    def __init__(self, log: Log) -> None:
        self.received = 0
        self.rejected = 0
        self.refused = 0
        self._log = log
        self._used: dict[str, int] = {}
        self._all = 0
        # The one of which the last span came longest ago comes first.
        self._traces: OrderedDict[tuple[str, str], _Trace] = OrderedDict()
        self._handed: deque[_Handed] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._reader: ThreadPoolExecutor | None = None

    @property
    def held(self) -> int:
        """Bytes of spans that are not stored yet."""
        return self._all

    async def take(self, tenant: str, size: int, read: Callable[[Rest], Decoded]) -> Decoded:
        """Take in what `read` makes of a request of `size` bytes. What it raises is raised.

        `read` is given what it calls every few spans, for the event loop's sake.

        Raises:
            OverloadedError: there is no room for it; says when there may be.
        """
        self._settle()
        if self._used.get(tenant, 0) + size > TENANT_BYTES or self._all + size > ALL_BYTES:
            self.refused += 1
            raise OverloadedError(
                "Spans come faster than they are stored. Send them again later, as OpenTelemetry's exporters do.",
                retry_after="2",
            )
        self._use(tenant, size)
        try:
            if size <= SMALL:
                decoded, spans = _read(read, at_once)
            else:
                self._reader = self._reader or ThreadPoolExecutor(1, "otlp")
                decoded, spans = await asyncio.get_running_loop().run_in_executor(self._reader, _read, read, breathe)
        finally:
            self._use(tenant, -size)
        self.received += len(spans) + decoded.rejected
        self.rejected += decoded.rejected
        for trace_id, span in spans:
            self._add((tenant, trace_id), span)
        self._sweep_later()
        return decoded

    def close(self) -> None:
        """Hand on all that is there. The log must still take it."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for key in list(self._traces):
            self._hand(key)
        if self._reader is not None:
            self._reader.shutdown(wait=False)

    def _add(self, key: tuple[str, str], span: bytes) -> None:
        now = time.monotonic()
        trace = self._traces.get(key)
        if trace is None:
            trace = self._traces[key] = _Trace(now)
        trace.spans.append(span)
        trace.bytes += len(span)
        trace.last = now
        self._use(key[0], len(span))
        self._traces.move_to_end(key)
        if (trace.bytes > TRACE_BYTES or now - trace.first > HELD_S) and self._log.depth < AHEAD:
            self._hand(key)

    def _hand(self, key: tuple[str, str]) -> None:
        trace, log = self._traces.pop(key), self._log
        log.append_gathered(trace.spans, key[0])
        self._handed.append(_Handed(log.written + log.dropped + log.depth, key[0], trace.bytes))

    def _settle(self) -> None:
        """Let go of what is stored."""
        settled = self._log.written + self._log.dropped
        while self._handed and self._handed[0].settled <= settled:
            done = self._handed.popleft()
            self._use(done.tenant, -done.bytes)

    def _use(self, tenant: str, size: int) -> None:
        self._all += size
        used = self._used.get(tenant, 0) + size
        if used:
            self._used[tenant] = used
        else:
            self._used.pop(tenant, None)

    def _sweep_later(self) -> None:
        if self._sweeper is None and (self._traces or self._handed):
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        """Hand on those of which nothing came for a while, as fast as they are stored."""
        self._sweeper = None
        self._settle()
        quiet = time.monotonic() - QUIET_S
        while self._traces and self._log.depth < AHEAD:
            key = next(iter(self._traces))
            if self._traces[key].last > quiet:
                break
            self._hand(key)
        self._sweep_later()


def breathe() -> None:
    """Let the event loop have the interpreter, which it would else be given after five milliseconds."""
    time.sleep(1e-5)


def _read(read: Callable[[Rest], Decoded], rest: Rest) -> tuple[Decoded, list[tuple[str, bytes]]]:
    """What a request holds, and each span of it with its trace as the log takes it."""
    decoded = read(rest)
    return decoded, [(span.trace_id, encode_span(span)) for span in decoded.spans]
