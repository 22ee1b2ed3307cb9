"""Counters that requests reserve from before they are answered and settle after. `open_counters` picks the engine.

An engine knows names and numbers, neither limits in words nor money. What it has forgotten it asks of `Recall`.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec import Struct

from regista.store.redis import Shared


class Claim(Struct, frozen=True, array_like=True, gc=False):
    """`amount` more of what `counter` counts, where that stays within `limit`; `ends_s` is when its window does."""

    counter: str
    amount: int
    limit: int
    ends_s: int


class Reservation(Struct, frozen=True, array_like=True, gc=False):
    """What one request claims, all or nothing. Counters are `owner`'s; `id` is unlike that of any other request."""

    id: str
    owner: str
    claims: tuple[Claim, ...]


class Refusal(Struct, frozen=True, array_like=True, gc=False):
    """The claim that finds no room (its place among the claims) and what its counter stands at."""

    claim: int
    used: int


Recall = Callable[[str, Sequence[Claim]], Awaitable[Sequence[int]]]
"""What an owner's counters stand at as far as is written down: asked for those an engine does not have."""


class Counters(Protocol):
    """An engine. Both calls raise `StoreError` where it cannot be reached."""

    async def reserve(self, reservation: Reservation) -> Refusal | None:
        """Take all claims in one step, or none: then say which is refused."""
        ...

    async def settle(self, reservations: Sequence[Reservation]) -> None:
        """Put what was used, now the `amount` of each claim, in the place of what was reserved under these ids.

        Settled twice counts once. What was never reserved is counted whole. A window that is forgotten stays so.
        """
        ...

    def settle_at_once(self, reservation: Reservation) -> bool:
        """Settle one without waiting; False, and nothing is done, where the engine is not in this process."""
        ...

    async def close(self) -> None: ...


def open_counters(shared: Shared | None, recall: Recall) -> Counters:
    """Counters in this process, or in the Redis that several share."""
    if shared is None:
        from regista.store.counters.memory import MemoryCounters  # noqa: PLC0415 - one of two

        return MemoryCounters(recall)
    from regista.store.counters.redis import RedisCounters  # noqa: PLC0415

    return RedisCounters(shared, recall)
