"""The writer process: traces come in on stdin, go to the store, and are acknowledged on stdout.

`python -m regista.observe.writer`; the first frame is the store's URL. It ends when stdin does, after what it has read
is stored: signals meant for the server do not end it. Knows nothing of requests.
"""

import contextlib
import gc
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from regista.core.errors import StoreError
from regista.core.nouns import Trace
from regista.observe.otel.nouns import OtlpSpan
from regista.observe.otel.packing import decode_span
from regista.observe.otel.storing import receive
from regista.observe.priority import make_way
from regista.observe.wire import (
    HEADER,
    Acknowledgement,
    decode_batch,
    decode_gathered,
    decode_trace,
    decode_url,
    frame,
    thinned,
)
from regista.store import Database, connect
from regista.store.traces import sum_up, write

RETRY_S = 0.25
LINGER_S = 30.0
"""How long a store that cannot be written is tried again after the server has gone."""


class Writer:
    """Stores batches in their order. A store that cannot be written is tried again: its state may pass."""

    def __init__(self, source: BinaryIO, answers: BinaryIO) -> None:
        self._url = ""
        self._source = source
        self._answers = answers
        self._database: Database | None = None
        self._alone_since: float | None = None
        self._hangup = select.poll()
        self._hangup.register(source, select.POLLHUP | getattr(select, "POLLRDHUP", 0))

    def run(self) -> None:
        """Store what comes in until it ends. A frame that is cut off is no batch."""
        if url := self._read():
            self._url = decode_url(url)
        while payload := self._read():
            self._settle(payload)
        if self._database is not None:
            self._database.close()

    def _read(self) -> bytes:
        """The payload of the next frame; empty where it ends before it is whole."""
        header = self._source.read(HEADER.size)
        length = HEADER.unpack(header)[0] if len(header) == HEADER.size else 0
        payload = self._source.read(length)
        return payload if len(payload) == length else b""

    def _settle(self, payload: bytes) -> None:
        batch = decode_batch(payload)
        traces, gathered, refused = _decoded(batch.traces)
        while True:
            try:
                refused += self._store(traces)
                refused += self._receive(gathered)
            except StoreError as error:
                self._reopen()
                self._answer(Acknowledgement(batch.number, False, 0, error.message))
                if self._given_up():
                    print(f"{len(traces)} traces are lost: {error.message}", file=sys.stderr)  # noqa: T201
                    return
                time.sleep(RETRY_S)
            else:
                self._answer(Acknowledgement(batch.number, True, refused))
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

    def _receive(self, gathered: Sequence[tuple[str, list[OtlpSpan]]]) -> int:
        """Store what was sent from elsewhere, as `_store` does. Returns how many of these are lost."""
        if not gathered:
            return 0
        try:
            return receive(self._opened(), gathered, os.sched_yield)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one, the others are stored and it is counted
            return 1 if len(gathered) == 1 else sum(self._receive([one]) for one in gathered)

    def _opened(self) -> Database:
        if self._database is None:
            self._database = connect(self._url)
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


def _decoded(encoded: Sequence[msgspec.Raw]) -> tuple[list[Trace], list[tuple[str, list[OtlpSpan]]], int]:
    """Traces of our own, spans from elsewhere with their tenants, and how many could not be read."""
    traces: list[Trace] = []
    gathered: list[tuple[str, list[OtlpSpan]]] = []
    for raw in encoded:
        try:
            traces.append(decode_trace(raw))
        except msgspec.DecodeError:
            with contextlib.suppress(msgspec.DecodeError):
                found = decode_gathered(raw)
                gathered.append((found.tenant, [decode_span(span) for span in found.spans]))
    return traces, gathered, len(encoded) - len(traces) - len(gathered)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    make_way(5)  # where both share a core, an answer goes before its trace
    gc.disable()  # traces hold no cycles; looking for some in every batch costs a fifth of the work
    Writer(sys.stdin.buffer, sys.stdout.buffer).run()
