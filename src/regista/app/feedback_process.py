"""The process that follows conversations: requests come in on stdin, what they say goes to the store.

`python -m regista.app.feedback_process`; the first frame is the store's URL. It ends when stdin does, after what it has
read is done: signals meant for the server do not end it.
"""

import contextlib
import select
import signal
import time
from collections.abc import Callable
from io import FileIO

import msgspec

from regista.app.feedback_following import Following
from regista.app.feedback_seen import Batch, Told, decode_batch, decode_seen, decode_url
from regista.core.errors import StoreError
from regista.core.framing import frame, read_frame
from regista.observe.priority import make_way
from regista.store import BESIDE_KB, Database, connect

SWEEP_S = 30.0
"""How often it is looked which conversations are over, at the least; where one is after less, more often."""
FORGET_S = 3_600.0
TRIES = 20
RETRY_S = 0.25
"""A store that cannot be written is tried again for five seconds: a queue waits behind it."""


class Follower:
    """Takes batches in their order. What cannot be stored or read is lost, and counted.

    `begun` is called once, after the first: by then all is loaded that takes a while.
    """

    def __init__(self, source: FileIO, answers: FileIO, begun: Callable[[], None] | None = None) -> None:
        self._source = source
        self._answers = answers
        self._begun = begun
        self._url = ""
        self._database: Database | None = None
        self._following: Following | None = None
        self._idle_s = 0.0
        self._swept = self._forgot = time.monotonic()
        self._readable = select.poll()
        self._readable.register(source, select.POLLIN | select.POLLHUP)

    def run(self) -> None:
        """Follow what comes in until it ends. A frame that is cut off is no batch."""
        if url := read_frame(self._source):
            self._url = decode_url(url)
        while True:
            while not self._readable.poll(self._pause_s() * 1000):
                self._sweep()
            if not (payload := read_frame(self._source)):
                break
            self._take(decode_batch(payload))
            if self._begun is not None:
                self._begun()
                self._begun = None
            if time.monotonic() - self._swept > self._pause_s():
                self._sweep()
        if self._database is not None:
            self._database.close()

    def _pause_s(self) -> float:
        return min(SWEEP_S, self._idle_s / 2) if self._idle_s else SWEEP_S

    def _take(self, batch: Batch) -> None:
        self._idle_s = batch.idle_s
        lost = found = 0
        error = ""
        for raw in batch.seen:
            try:
                found += self._one(raw)
            except StoreError as failure:
                lost, error = lost + 1, failure.message
            except Exception as failure:  # noqa: BLE001 - whatever is wrong with one, the others are followed, and it is counted
                lost, error = lost + 1, f"A request could not be followed: {type(failure).__name__}"
        self._tell(Told(len(batch.seen), lost, found, error))

    def _one(self, raw: msgspec.Raw) -> int:
        seen = decode_seen(raw)
        for attempt in range(TRIES):
            try:
                return len(self._opened().take(seen, int(self._idle_s * 1e9)))
            except StoreError:
                self._reopen()
                if attempt == TRIES - 1:
                    raise
                time.sleep(RETRY_S)
        return 0

    def _sweep(self) -> None:
        now = self._swept = time.monotonic()
        if not self._idle_s:
            return
        try:
            found = len(self._opened().end(time.time_ns(), int(self._idle_s * 1e9)))
            if now - self._forgot > FORGET_S:
                self._forgot = now
                self._opened().forget(time.time_ns())
        except StoreError as failure:
            self._reopen()
            self._tell(Told(0, 0, 0, failure.message))
        else:
            if found:
                self._tell(Told(0, 0, found))

    def _opened(self) -> Following:
        if self._database is None or self._following is None:
            self._database = connect(self._url, cache_kb=BESIDE_KB)
            self._following = Following(self._database)
        return self._following

    def _reopen(self) -> None:
        if self._database is not None:
            with contextlib.suppress(StoreError):
                self._database.close()
        self._database = self._following = None

    def _tell(self, told: Told) -> None:
        # The server may be gone: what it left here is followed all the same.
        with contextlib.suppress(BrokenPipeError):
            self._answers.write(frame(told))


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with open(0, "rb", buffering=0, closefd=False) as source, open(1, "wb", buffering=0, closefd=False) as answers:
        # An answer, and the trace of it, go before what is thought of the last one. But who has no time to begin
        # keeps a server that ends waiting, for seconds on a busy machine.
        Follower(source, answers, lambda: make_way(19)).run()
