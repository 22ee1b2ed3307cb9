"""Our own traces to a collector, by OTLP over HTTP in JSON, beside all else: a bounded queue, and whole batches.

Who made a trace never waits. A collector that is gone is asked again while there is room; what finds none is counted.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from regista.core.errors import ConfigurationError, ProviderError, RegistaError
from regista.core.nouns import Trace
from regista.core.secret import Secret
from regista.egress import Patience, Transport
from regista.observe.capture import Capture, Hide, bare, hidden
from regista.observe.otel import json_form
from regista.observe.otel.export import spans_of
from regista.observe.otel.intake import breathe
from regista.observe.otel.nouns import OtlpSpan

PATH = "/v1/traces"
"""What is below a collector's endpoint: https://opentelemetry.io/docs/specs/otlp/#otlphttp-request."""
QUEUE = 2_048
"""Traces that wait at most."""
BATCH = 128
"""Traces in a request."""
PASSING = frozenset({408, 429, 502, 503, 504})
"""Statuses that may pass: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes."""
PAUSES_S = (1.0, 2.0, 5.0, 15.0, 30.0)
"""How long a trace waits for others to go with it, and a collector is left alone after so many failures in a row."""
PATIENCE = Patience(5.0, 10.0, 10.0)
LAST_S = 3.0
"""How long what is left may take at the end."""


class Collector(NamedTuple):
    """Where traces go, and what goes there: with `content` also what was said. `read` reads its headers."""

    url: str
    headers: Secret
    content: bool


class Exporter:
    """Sends traces to a collector, if there is one. Use it from one event loop.

    `exported` and `dropped` count traces; `problem` is why the last request failed, empty where it did not.
    """

    def __init__(self, transport: Transport, hide: Hide = str) -> None:
        self.capture: Capture = "full"
        """How much goes out of what is said in traces that are offered from now on, at most."""
        self.exported = 0
        self.dropped = 0
        self.problem = ""
        self._transport = transport
        self._hide = hide
        self._collector: Collector | None = None
        self._headers: tuple[tuple[str, str], ...] = ()
        self._queue: deque[tuple[Trace, Capture]] = deque()
        self._full = asyncio.Event()
        self._end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def aim(self, collector: Collector | None) -> None:
        """Send to this collector from now on, or to none. Raises `ConfigurationError` where its headers are none."""
        self._headers = (("content-type", "application/json"), *read(collector.headers)) if collector else ()
        self._collector = collector
        self.problem = ""
        if collector is not None and self._task is None:
            self._task = asyncio.create_task(self._run(), name="otlp export")

    def offer(self, trace: Trace) -> None:
        """Send a trace, some time. Never waits and never raises."""
        if self._collector is None:
            return
        if len(self._queue) >= QUEUE:
            self.dropped += 1
            return
        self._queue.append((trace, self.capture))
        if len(self._queue) == BATCH:
            self._full.set()

    async def close(self) -> None:
        """Send what is left, if that is soon done."""
        self._end.set()
        self._full.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=LAST_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._collector = None
        self._drop(len(self._queue))

    async def _run(self) -> None:
        failures = 0
        while not self._end.is_set():
            # After a failure, a batch that is full waits too.
            awaited = self._end if failures else self._full
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSES_S[min(failures, len(PAUSES_S) - 1)]):
                    await awaited.wait()
            self._full.clear()
            failures = 0 if await self._empty() else failures + 1

    async def _empty(self) -> bool:
        """Send all that waits. False where a batch did not arrive, for a reason that may pass: it waits on."""
        while self._queue:
            some = list(islice(self._queue, BATCH))
            if self._collector is None:
                self._drop(len(some))
            elif await self._send(self._collector, some):
                return False
            else:
                for _ in some:
                    self._queue.popleft()
        return True

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._queue.popleft()
        self.dropped += count

    def _written(self, traces: Sequence[tuple[Trace, Capture]], content: bool) -> bytes:
        spans: list[OtlpSpan] = []
        for trace, capture in traces:
            spans += spans_of(self._shown(trace, capture), content=content)
            breathe()
        return json_form.write(spans)

    def _shown(self, trace: Trace, capture: Capture) -> Trace:
        if capture == "masked":
            try:
                return hidden(trace, self._hide)
            except RegistaError:
                return bare(trace)
        return bare(trace) if capture == "off" else trace

    async def _send(self, collector: Collector, traces: Sequence[tuple[Trace, Capture]]) -> bool:
        """Send a batch. True where it did not arrive, for a reason that may pass."""
        try:
            body = await asyncio.to_thread(self._written, traces, collector.content)
        except Exception as error:  # noqa: BLE001 - no trace may be the last that is exported
            self.problem = f"Traces are not exported: they cannot be written as OTLP ({type(error).__name__})."
            self.dropped += len(traces)
            return False
        try:
            reply = await self._transport.open("POST", collector.url, self._headers, body, PATIENCE)
            async with reply:
                said = await reply.read()
        except ProviderError as error:
            self.problem = f"Traces are not exported: {error.message}"
            return True
        except ConfigurationError as error:
            self.problem = f"Traces are not exported: {error.message}"
            self.dropped += len(traces)
            return False
        if reply.status in PASSING:
            self.problem = f"Traces are not exported: {collector.url} answered HTTP {reply.status}."
            return True
        if reply.status // 100 != 2:
            self.problem = f"Traces are not exported: {collector.url} answered HTTP {reply.status}, and they are lost."
            self.dropped += len(traces)
            return False
        self.exported += len(traces)
        self.problem = _rejected(said)
        return False


def read(headers: Secret) -> tuple[tuple[str, str], ...]:
    """Headers as `OTEL_EXPORTER_OTLP_HEADERS` has them: `name=value,name=value`, values percent-encoded.

    https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables. Raises
    `ConfigurationError`, without a word of what they hold.

    >>> read(Secret("authorization=Bearer%20rg-1, x-scope=a"))
    (('authorization', 'Bearer rg-1'), ('x-scope', 'a'))
    """
    found: list[tuple[str, str]] = []
    for pair in filter(str.strip, headers.reveal().split(",")):
        name, given, value = pair.partition("=")
        value = unquote(value.strip())
        if not given or not name.strip() or not (name + value).isascii() or not value.isprintable():
            raise ConfigurationError("Headers for the collector are written name=value,name=value, in ASCII.")
        found.append((name.strip().lower(), value))
    return tuple(found)


class _Partial(msgspec.Struct, rename="camel"):
    rejected_spans: int | str = 0
    error_message: str = ""


class _Reply(msgspec.Struct, rename="camel"):
    partial_success: _Partial | None = None


def _rejected(said: bytes) -> str:
    """What the collector did not take of a batch, in its words."""
    try:
        partial = msgspec.json.decode(said or b"{}", type=_Reply).partial_success
    except msgspec.DecodeError:
        return ""
    if partial is None or str(partial.rejected_spans) == "0":
        return ""
    return f"The collector left out {partial.rejected_spans} spans: {partial.error_message[:500]}"
