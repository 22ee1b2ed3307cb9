"""The writer process: traces come in on stdin, go to the store, and are acknowledged on stdout.

`python -m regista.observe.writer`; the first frame says where to store them. It ends when stdin does, after what it has
read is stored: signals meant for the server do not end it. Knows nothing of requests.
"""

import contextlib
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from regista.core.errors import StoreError
from regista.core.framing import frame, read_frame
from regista.core.nouns import Trace
from regista.observe.capture import Capture, Hide, bare, hidden
from regista.observe.priority import make_way
from regista.observe.wire import (
    Acknowledgement,
    Orders,
    decode_batch,
    decode_gathered,
    decode_masked,
    decode_orders,
    decode_trace,
    thinned,
)
from regista.store import BESIDE_KB, Database, connect
from regista.store.traces import sum_up, write

if TYPE_CHECKING:
    # What many servers never need, a fifth of what this process takes at rest, is imported when it is needed.
    from regista.observe.otel.nouns import OtlpSpan, Received
    from regista.observe.retention import Retention

    _Gathered = list[tuple[str, list[OtlpSpan]]]
    _Look = Callable[[Received], Received]
RETRY_S = 0.25
LINGER_S = 30.0
"""How long a store that cannot be written is tried again after the server has gone."""


class Writer:
    """Stores batches in their order. A store that cannot be written is tried again: its state may pass."""

    def __init__(self, source: BinaryIO, answers: BinaryIO) -> None:
        self._orders = Orders("")
        self._hide: Hide | None = None
        self._retention: Retention | None = None
        self._source = source
        self._answers = answers
        self._database: Database | None = None
        self._bared = 0
        self._alone_since: float | None = None
        self._hangup = select.poll()
        self._hangup.register(source, select.POLLHUP | getattr(select, "POLLRDHUP", 0))

    def run(self) -> None:
        """Store what comes in until it ends. A frame that is cut off is no batch."""
        if orders := read_frame(self._source):
            self._orders = decode_orders(orders)
            self._keep(self._orders.keep_s)
        while payload := read_frame(self._source):
            self._settle(payload)
        if self._database is not None:
            self._database.close()

    def _settle(self, payload: bytes) -> None:
        batch = decode_batch(payload)
        if batch.keep_s is not None:
            self._keep(batch.keep_s)
        if not batch.number:
            return
        traces, gathered, refused = self._decoded(batch.traces)
        bared, self._bared = self._bared, 0
        while True:
            try:
                refused += self._store(traces)
                for capture, some in gathered.items():
                    refused += self._receive(some, capture)
            except StoreError as error:
                self._reopen()
                self._answer(Acknowledgement(batch.number, False, 0, error.message))
                if self._given_up():
                    print(f"{len(traces)} traces are lost: {error.message}", file=sys.stderr)  # noqa: T201
                    return
                time.sleep(RETRY_S)
            else:
                self._answer(Acknowledgement(batch.number, True, refused, bared=bared + self._bared))
                self._bared = 0
                return

    def _store(self, traces: Sequence[Trace]) -> int:
        """Store all in one transaction; if one is at fault, each in its own, and that one thinned.

        Returns how many were refused all the same.
        """
        database = self._opened()
        try:
            with database.transaction() as transaction:
                # An answer that waits for the processor waits a millisecond or two, not for a whole batch.
                write(transaction, traces, os.sched_yield)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with a trace, the others are stored and it is counted
            if len(traces) == 1:
                thin = thinned(traces[0])
                return 1 if thin == traces[0] else self._store([thin])
            return sum(self._store([trace]) for trace in traces)
        return 0

    def _receive(self, gathered: "_Gathered", capture: Capture) -> int:
        """Store what was sent from elsewhere, as `_store` does. Returns how many of these are lost."""
        if not gathered:
            return 0
        from regista.observe.otel.storing import receive  # noqa: PLC0415 - where nobody sends any, it is not needed

        try:
            return receive(self._opened(), gathered, os.sched_yield, self._look(capture))
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one, the others are stored and it is counted
            return 1 if len(gathered) == 1 else sum(self._receive([one], capture) for one in gathered)

    def _decoded(self, encoded: Sequence[msgspec.Raw]) -> "tuple[list[Trace], dict[Capture, _Gathered], int]":
        """Traces of our own, spans from elsewhere with their tenants, and how many could not be read."""
        traces: list[Trace] = []
        gathered: dict[Capture, _Gathered] = {}
        for raw in encoded:
            with contextlib.suppress(msgspec.DecodeError):
                try:
                    traces.append(decode_trace(raw))
                except msgspec.DecodeError:
                    self._decode_other(raw, traces, gathered)
        return traces, gathered, len(encoded) - len(traces) - sum(map(len, gathered.values()))

    def _decode_other(self, raw: msgspec.Raw, traces: list[Trace], gathered: "dict[Capture, _Gathered]") -> None:
        try:
            found = decode_gathered(raw)
        except msgspec.DecodeError:
            traces.append(self._masked(decode_masked(raw).trace))
        else:
            from regista.observe.otel.packing import decode_span  # noqa: PLC0415 - as `receive`

            spans = [decode_span(span) for span in found.spans]
            gathered.setdefault(found.capture, []).append((found.tenant, spans))

    def _masked(self, trace: Trace) -> Trace:
        try:
            return hidden(trace, self._hiding())
        except Exception:  # noqa: BLE001 - whatever hinders it: what cannot be hidden is not written, and it is counted
            self._bared += 1
            return bare(trace)

    def _look(self, capture: Capture) -> "_Look":
        """What makes of a span what may be kept of it."""
        from regista.observe.otel import capturing  # noqa: PLC0415 - as `receive`

        def hidden(span: "Received") -> "Received":
            try:
                return capturing.hidden(span, self._hiding())
            except Exception:  # noqa: BLE001 - as above
                self._bared += 1
                return capturing.bare(span)

        looks: dict[Capture, _Look] = {"full": lambda span: span, "masked": hidden, "off": capturing.bare}
        return looks[capture]

    def _hiding(self) -> Hide:
        """The function that hides what is personal, found by its name: it knows more than this folder may."""
        if self._hide is None:
            module, _, name = self._orders.masking.partition(":")
            self._hide = getattr(import_module(module), name)
        assert self._hide is not None  # noqa: S101 - it was found just now
        return self._hide

    def _keep(self, seconds: int) -> None:
        """Delete what is older from now on, beside all else."""
        if self._retention is None and seconds:
            from regista.observe.retention import Retention  # noqa: PLC0415 - where all is kept, it is not needed

            self._retention = Retention(self._orders.url, self._orders.booted)
            self._retention.start()
        if self._retention is not None:
            self._retention.keep_s = seconds

    def _opened(self) -> Database:
        if self._database is None:
            self._database = connect(self._orders.url, cache_kb=BESIDE_KB)
            sum_up(self._database)
        return self._database

    def _reopen(self) -> None:
        if self._database is not None:
            with contextlib.suppress(StoreError):
                self._database.close()
            self._database = None

    def _given_up(self) -> bool:
        if self._alone_since is None and self._hangup.poll(0):
            self._alone_since = time.monotonic()
        return self._alone_since is not None and time.monotonic() - self._alone_since > LINGER_S

    def _answer(self, acknowledgement: Acknowledgement) -> None:
        # The server may be gone: what it left here is stored all the same.
        with contextlib.suppress(BrokenPipeError):
            self._answers.write(frame(acknowledgement))
            self._answers.flush()


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    make_way(5)  # where both share a core, an answer goes before its trace
    gc.disable()  # traces hold no cycles; looking for some in every batch costs a fifth of the work
    Writer(sys.stdin.buffer, sys.stdout.buffer).run()
