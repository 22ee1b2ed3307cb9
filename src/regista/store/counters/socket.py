"""Counters that several processes of one server share: one process holds them, the others ask it over a socket.

`SocketCounters` asks; `Desk` answers for one of those who ask, and gives back what it held when it ends.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any

import msgspec
from msgspec.structs import replace

from regista.core.errors import StoreError
from regista.store.counters import Claim, Counters, Recall, Refusal, Reservation

Ask = Callable[..., Awaitable[Any]]
"""Sends a call to the process that holds the counters: its subject, and plain values."""


class SocketCounters:
    """See `Counters`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def reserve(self, reservation: Reservation) -> Refusal | None:
        """See `Counters.reserve`."""
        return msgspec.convert(await self._answer("reserve", reservation), Refusal | None)

    async def settle(self, reservations: Sequence[Reservation]) -> None:
        """See `Counters.settle`."""
        await self._answer("settle", reservations)

    def settle_at_once(self, reservation: Reservation) -> bool:
        """See `Counters.settle_at_once`."""
        return False

    async def close(self) -> None:
        """The socket is its opener's."""

    async def _answer(self, subject: str, asked: Reservation | Sequence[Reservation]) -> Any:
        try:
            return await self._ask(subject, asked)
        except ConnectionError:
            raise StoreError("The process that keeps the counters has ended: this one ends too. Ask again.") from None


_served: ContextVar[Recall] = ContextVar("served")


async def recall_of_who_asks(owner: str, claims: Sequence[Claim]) -> Sequence[int]:
    """The `Recall` of counters behind desks: who reserves knows what is written down of it."""
    return await _served.get()(owner, claims)


class Desk:
    """Where one process's calls arrive; `recall` asks that process."""

    def __init__(self, counters: Counters, recall: Recall) -> None:
        self._counters = counters
        self._recall = recall
        self._open: dict[str, Reservation] = {}

    async def reserve(self, wire: Any) -> Refusal | None:
        """What `SocketCounters.reserve` asked."""
        reservation = msgspec.convert(wire, Reservation)
        _served.set(self._recall)
        # Before it is granted: who leaves meanwhile settles it meanwhile.
        self._open[reservation.id] = reservation
        granted = False
        try:
            refusal = await self._counters.reserve(reservation)
            granted = refusal is None
            return refusal
        finally:
            if not granted:
                self._open.pop(reservation.id, None)

    async def settle(self, wire: Any) -> None:
        """What `SocketCounters.settle` asked."""
        reservations = msgspec.convert(wire, tuple[Reservation, ...])
        for reservation in reservations:
            self._open.pop(reservation.id, None)
        await self._counters.settle(reservations)

    async def give_back(self) -> None:
        """Settle what was reserved and is not settled with nothing: whoever reserved it has died, and tells no more."""
        held, self._open = self._open, {}
        await self._counters.settle(
            [
                replace(reservation, claims=tuple(replace(claim, amount=0) for claim in reservation.claims))
                for reservation in held.values()
            ]
        )
