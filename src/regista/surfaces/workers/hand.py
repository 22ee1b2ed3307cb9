"""A worker in its supervisor's hand: its process, what it is asked, what it is dealt, what it left behind.

It does not know why a worker is started or ended.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from regista.core.errors import RegistaError, StoreError
from regista.observe.figures import Figure
from regista.store.counters import Claim, Counters
from regista.store.counters.socket import Desk
from regista.surfaces.workers.channel import Answers, Channel
from regista.surfaces.workers.words import Orders, Served

FIGURES_S = 1.0
"""How long a worker may take to tell its figures; later ones are counted the next time."""
Progress = Callable[[int, int, str], None]


class Hand:
    """`served` is there once the worker is ready; `begun` is set then, or when it has failed to be.

    It is `silent` when it did not answer the last time it was asked for its figures.
    """

    def __init__(self, orders: Orders, counters: Counters, progress: Progress) -> None:
        self.begun = asyncio.Event()
        self.served: Served | None = None
        self.failure = ""
        self.figures: tuple[Figure, ...] = ()
        self.silent = False
        self.missed = 0
        """How often in a row it was silent when it was asked to see whether it is."""
        self._orders = orders
        self._desk = Desk(counters, self._recall)
        self._show = progress
        self._status: int | None = None

    async def start(self, answers: Answers) -> None:
        """Start the process. `answers` are those of the supervisor, beside what concerns this worker alone."""
        ours, theirs = socket.socketpair()
        self._dealt, dealt = socket.socketpair()
        self._dealt.setblocking(False)
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "regista.surfaces.cli._worker", str(theirs.fileno()), str(dealt.fileno())),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), dealt.fileno()),
            # Ctrl-C is for the supervisor, which then ends it.
            start_new_session=True,
        )
        theirs.close()
        dealt.close()
        own = {
            "begin": self._begin,
            "progress": self._progress,
            "ready": self._ready,
            "failed": self._failed,
            "reserve": self._desk.reserve,
            "settle": self._desk.settle,
        }
        try:
            self.channel = await Channel.open(ours, {**answers, **own})
        except BaseException:
            self.signal(signal.SIGKILL)
            raise
        self._listening = asyncio.create_task(self._listen(), name="worker")

    def deal(self, connection: socket.socket) -> bool:
        """Give it a connection to answer; whether it took it."""
        if self.served is None:
            return False
        try:
            socket.send_fds(self._dealt, [b"."], [connection.fileno()])
        except OSError:
            return False
        return True

    async def ask_figures(self) -> tuple[Figure, ...]:
        """What it has counted; what was last known, where it does not say."""
        # Not silent for being asked: others may look while it is, several at once ask, and who is silent is killed.
        answered = False
        with suppress(ConnectionError, TimeoutError, RegistaError):
            async with asyncio.timeout(FIGURES_S):
                self.figures = msgspec.convert(await self.channel.call("figures"), tuple[Figure, ...])
                answered = True
        self.silent = not answered
        return self.figures

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def close(self) -> None:
        """Give back what it held. Its process has ended, or does now."""
        self.served = None
        self.signal(signal.SIGKILL)
        self.channel.close()
        self._dealt.close()
        await asyncio.gather(self._listening, self.process.wait(), return_exceptions=True)
        await self._desk.give_back()

    async def _listen(self) -> None:
        await self.channel.ended
        status = await self.process.wait()
        self.served = None
        self.failure = self.failure or f"A worker ended with status {status} before it served; its output says why."
        self.begun.set()

    async def _recall(self, owner: str, claims: Sequence[Claim]) -> Sequence[int]:
        try:
            return await self.channel.call("recall", owner, claims)
        except ConnectionError:
            raise StoreError("The worker that asked has ended.") from None

    async def _begin(self) -> Orders:
        return self._orders

    async def _progress(self, done: int, total: int, document: str) -> None:
        self._show(done, total, document)

    async def _ready(self, served: Any) -> None:
        self.served = msgspec.convert(served, Served)
        self.begun.set()

    async def _failed(self, message: str) -> None:
        self.failure = message
        self.begun.set()
