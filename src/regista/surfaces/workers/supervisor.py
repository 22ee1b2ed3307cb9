"""Starts the workers of a server, deals them connections, and keeps their number until it is told to end.

It loads no application: what can break there breaks a worker.
"""

import asyncio
import itertools
import logging
import os
import signal
import socket
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from regista.core.errors import RegistaError
from regista.observe.figures import Figure, lasting, merged
from regista.store.counters.memory import MemoryCounters
from regista.store.counters.socket import recall_of_who_asks
from regista.surfaces.workers.embedding import Lender
from regista.surfaces.workers.hand import Hand, Progress
from regista.surfaces.workers.words import Orders, Served

PAUSES_S = (0.0, 0.2, 1.0, 5.0)
"""How long to wait before a worker is started again, after so many in a row that died young."""
YOUNG_S = 10.0
FIGURES_S = 5.0
"""How often workers are asked for their figures: what a dead one had counted is then known, and that one is stuck."""
MISSED = 3
"""A worker that does not answer so often in a row is killed: another takes its place."""
END_S = 20
"""How long workers have to end beyond what answers under way may take. Then they are killed."""
ACCEPTED = 64
"""Connections taken at once before something else gets its turn."""
PAUSE_S = 0.05
"""How long to wait where nobody takes connections just now: those who knock wait at the door."""
_log = logging.getLogger(__name__)


class Supervisor:
    """`count` workers behind one listening socket. `settings` are those of the process."""

    def __init__(
        self,
        listener: socket.socket,
        folder: Path,
        settings: dict[str, Any],
        count: int,
        reload: bool,
        progress: Progress,
    ) -> None:
        self._listener = listener
        self._orders = Orders(str(folder), settings, reload, leads=False)
        self._progress = progress
        self._count = count
        self._hands: dict[int, Hand] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._turns = itertools.count()
        self._refused: socket.socket | None = None
        self._restarts = 0
        self._gone: tuple[Figure, ...] = ()
        self._counters = MemoryCounters(recall_of_who_asks)
        self._lender = Lender(count)
        self._ending = asyncio.Event()
        self._clock = asyncio.get_running_loop().time

    async def start(self) -> Served:
        """Start the workers, the one that leads first: what is wrong is then told once.

        Raises:
            RegistaError: the application cannot be served.
        """
        try:
            first = await self._begin(0)
            await asyncio.gather(*(self._begin(number) for number in range(1, self._count)))
        except BaseException:
            await self.close()
            raise
        self._keepers = [asyncio.create_task(self._keep(number)) for number in self._hands]
        return first

    async def run(self) -> None:
        """Deal out connections until SIGTERM or SIGINT; then end all politely. A second one does not wait."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGHUP, self._end if os.isatty(0) else self.reload)
        asking = asyncio.create_task(self._ask_figures())
        loop.add_reader(self._listener.fileno(), self._accept)
        await self._ending.wait()
        asking.cancel()
        # Who has knocked by now is let in: refusing begins with the closed door.
        while self._accept():
            pass
        loop.remove_reader(self._listener.fileno())
        self._listener.close()
        await self.close()

    def reload(self) -> None:
        """Have all workers read the folder anew."""
        for hand in self._hands.values():
            hand.channel.tell("reload")

    async def close(self) -> None:
        """End all workers: what is under way is finished, for as long as that may take."""
        self._ending.set()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for hand in self._hands.values():
            hand.signal(signal.SIGTERM)
        ends = [asyncio.create_task(hand.process.wait()) for hand in self._hands.values()]
        if ends:
            await asyncio.wait(ends, timeout=int(self._orders.settings["drain_s"]) + END_S)
        await asyncio.gather(*(self._bury(number) for number in list(self._hands)))
        await asyncio.gather(*ends)
        await self._lender.close()

    def _end(self) -> None:
        if self._ending.is_set():
            for hand in self._hands.values():
                hand.channel.tell("hurry")
        self._ending.set()

    # Workers come and go.

    async def _begin(self, number: int) -> Served:
        """Start the worker of a number and wait until it serves. Raises `RegistaError` saying why it does not."""
        hand = Hand(replace(self._orders, leads=number == 0), self._counters, self._progress)
        await hand.start(
            {"figures": self._figures, "open_embedder": self._lender.open, "embed": self._lender.embed},
        )
        self._hands[number] = hand
        await hand.begun.wait()
        if hand.served is None:
            await self._bury(number)
            raise RegistaError(hand.failure)
        return hand.served

    async def _keep(self, number: int) -> None:
        """Have a worker of this number: one that dies is followed by another, sooner if it had lived for long."""
        young = 0
        while True:
            since = self._clock()
            if number in self._hands:
                hand = self._hands[number]
                status = await hand.process.wait()
                _log.warning("The worker with process id %d ended (%d); another is started.", hand.process.pid, status)
                await self._bury(number)
                self._restarts += 1
            young = young + 1 if self._clock() - since < YOUNG_S else 0
            await asyncio.sleep(PAUSES_S[min(young, len(PAUSES_S) - 1)])
            try:
                await self._begin(number)
            except (RegistaError, OSError) as error:
                _log.warning("A worker could not be started: %s", error)

    async def _bury(self, number: int) -> None:
        """Keep what a worker that has ended counted; give back what it held."""
        hand = self._hands.pop(number)
        self._gone = merged([self._gone, lasting(hand.figures)])
        await hand.close()

    # Connections are dealt in turn.

    def _accept(self) -> bool:
        """Take connections and deal them out; whether there may be more."""
        try:
            for _ in range(ACCEPTED):
                connection = self._refused or self._listener.accept()[0]
                self._refused = None
                if not self._deal(connection):
                    self._refused = connection
                    return self._rest()
        except BlockingIOError:
            return False
        except OSError as error:
            _log.warning("Connections cannot be taken just now: %s", error)
            return self._rest()
        return True

    def _deal(self, connection: socket.socket) -> bool:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        numbers = sorted(self._hands)
        turn = next(self._turns) % max(1, len(numbers))
        hands = [self._hands[number] for number in (*numbers[turn:], *numbers[:turn])]
        # One that is silent comes last: it may be stuck.
        for hand in sorted(hands, key=lambda hand: hand.silent):
            if hand.deal(connection):
                connection.close()
                return True
        return False

    def _rest(self) -> bool:
        """Do not listen for a moment."""
        loop = asyncio.get_running_loop()
        if not self._ending.is_set():
            loop.remove_reader(self._listener.fileno())
            loop.call_later(PAUSE_S, self._listen_again)
        return False

    def _listen_again(self) -> None:
        if not self._ending.is_set():
            asyncio.get_running_loop().add_reader(self._listener.fileno(), self._accept)

    # What the workers have in common.

    async def _figures(self) -> tuple[Figure, ...]:
        """Those of all workers, the dead ones too, so that no total ever falls."""
        known = await asyncio.gather(*(hand.ask_figures() for hand in self._hands.values()))
        running = sum(hand.served is not None for hand in self._hands.values())
        own = (
            Figure("regista_workers", "gauge", "Workers that serve.", (("regista_workers", (), running),)),
            Figure(
                "regista_worker_restarts",
                "counter",
                "Workers that ended unasked.",
                (("regista_worker_restarts_total", (), self._restarts),),
            ),
        )
        return merged([self._gone, *known, own])

    async def _ask_figures(self) -> None:
        while True:
            await asyncio.sleep(FIGURES_S)
            hands = [hand for hand in self._hands.values() if hand.served is not None]
            await asyncio.gather(*(hand.ask_figures() for hand in hands))
            for hand in hands:
                hand.missed = hand.missed + 1 if hand.silent else 0
                if hand.missed >= MISSED:
                    _log.warning("The worker with process id %d answers nothing; it is killed.", hand.process.pid)
                    hand.signal(signal.SIGKILL)
