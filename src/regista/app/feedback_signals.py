"""Hands answered requests to the process that follows conversations, without ever making a request wait.

Knows a bounded queue and the process's life; not what a request says. The process is started with the first request.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from contextlib import suppress

import msgspec

from regista.app.feedback_seen import Batch, Seen, Told, decode_told, encode_seen
from regista.core.framing import frame, receive_frame

WAITING = 2_000
"""Requests that may wait; further ones are left out."""
BYTES = 16 << 20
"""The same in bytes of what they say."""
BATCH, BATCH_BYTES = 100, 1 << 20
"""A batch ends with the request that reaches one of these."""
WINDOW = 4
"""Batches on their way at once."""
FLUSH_S = 0.02
PAUSES_S = (0.0, 1.0, 5.0, 30.0)
"""How long no process is started after so many that ended early."""


class Signals:
    """A queue before a process that is started again when it dies; what it was given by then is lost.

    All counters count requests, but `found`, which counts signals. Use it from one event loop.
    """

    def __init__(self, url: str) -> None:
        self.followed = 0
        self.dropped = 0
        self.found = 0
        self.restarts = 0
        self.last_error = ""
        self.idle_s = 0.0
        self._url = url
        self._waiting: deque[bytes] = deque()
        self._sent: deque[tuple[int, int]] = deque()
        self._bytes = self._queued = 0
        self._timer: asyncio.TimerHandle | None = None
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._deaths = 0
        self._ending = False

    @property
    def depth(self) -> int:
        """Requests that wait, or are being looked at."""
        return len(self._waiting) + sum(count for count, _ in self._sent)

    def offer(self, seen: Seen, idle_s: float) -> None:
        """Queue a request. Never waits and never raises: what finds no room or cannot be encoded is counted."""
        if self._ending or self.depth >= WAITING or self._bytes >= BYTES:
            self.dropped += 1
            return
        try:
            encoded = encode_seen(seen)
        except Exception as error:  # noqa: BLE001 - nothing a client sends may end a request here
            self.last_error = f"A request could not be encoded: {type(error).__name__}"
            self.dropped += 1
            return
        self.idle_s = idle_s
        self._bytes += len(encoded)
        self._queued += 1
        self._waiting.append(encoded)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._send)

    async def settled(self, patience_s: float = 10.0) -> None:
        """Wait until all that was offered so far is done; raises `TimeoutError` if that takes longer."""
        until = self._queued
        async with asyncio.timeout(patience_s):
            while self._queued - self.depth < until:  # noqa: ASYNC110 - asked by tests and at the end alone
                await asyncio.sleep(0.01)

    async def close(self, patience_s: float = 5.0) -> None:
        """Have what waits looked at, for so long at most, and end the process. The rest is counted as dropped."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while self.depth:
                    await self.settled(patience_s)
        self._ending = True
        if self._timer is not None:
            self._timer.cancel()
        if self._keeper is not None:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
            _, late = await asyncio.wait([self._keeper], timeout=2)
            for keeper in late:
                keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._lose()
        self.dropped += len(self._waiting)
        self._waiting.clear()

    def _send(self) -> None:
        self._timer = None
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.get_running_loop().create_task(self._run(), name="feedback")
            return
        stdin = self._process.stdin if self._process is not None else None
        if stdin is None or stdin.transport.is_closing():
            return
        while self._waiting and len(self._sent) < WINDOW:
            some, size = list[bytes](), 0
            while self._waiting and len(some) < BATCH and size < BATCH_BYTES:
                some.append(self._waiting.popleft())
                size += len(some[-1])
            self._sent.append((len(some), size))
            stdin.write(frame(Batch([msgspec.Raw(one) for one in some], self.idle_s)))

    async def _run(self) -> None:
        """One life of the process. The next one begins with the next request."""
        await asyncio.sleep(PAUSES_S[min(self._deaths, len(PAUSES_S) - 1)])
        try:
            # Its own session: a signal to the server's group does not end it before it has done what it was given.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "regista.app.feedback_process"),
                stdin=PIPE,
                stdout=PIPE,
                start_new_session=True,
            )
        except OSError as error:
            self._died(f"could not be started: {error}")
            return
        self._process = process
        try:
            if process.stdin is not None and not process.stdin.transport.is_closing():
                process.stdin.write(frame(self._url))
            self._send()
            if process.stdout is not None:
                await self._listen(process.stdout)
            await process.wait()
        finally:
            self._process = None
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if not self._ending:
            self._died(f"ended with status {process.returncode}")

    def _died(self, how: str) -> None:
        self._deaths += 1
        self.restarts += 1
        self.last_error = f"The process that follows conversations {how}; another one is started."
        self._lose()
        if self._waiting and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self._send)

    def _lose(self) -> None:
        """Give up what a process was given: whether it has been looked at is not known."""
        for count, size in self._sent:
            self.dropped += count
            self._bytes -= size
        self._sent.clear()

    async def _listen(self, answers: asyncio.StreamReader) -> None:
        with suppress(msgspec.DecodeError):
            while payload := await receive_frame(answers):
                self._hear(decode_told(payload))

    def _hear(self, told: Told) -> None:
        self.found += told.found
        self.last_error = told.error
        if told.done and self._sent:
            self._deaths = 0
            count, size = self._sent.popleft()
            self._bytes -= size
            self.dropped += told.lost
            self.followed += count - told.lost
            if self._timer is None:
                self._send()
