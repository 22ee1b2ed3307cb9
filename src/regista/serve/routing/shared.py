"""Warm beginnings in a Redis or Valkey that several gateways share, so that a conversation stays whichever it meets.

One that is gone is told once and costs nothing but what the others know. It knows no prices and no messages.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from regista.core.errors import StoreError
from regista.store.redis import Shared

PREFIX = b"regista:warm:"
KEPT_S = 3600
"""How long a beginning is kept: the longest that a provider keeps one."""
PATIENCE_S = 0.05
WAITING = 256
"""Writes that may wait; further ones are not made."""
_log = logging.getLogger(__name__)


class SharedPrefixes:
    """What `Prefixes` shares. Neither method raises."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._down = False
        self._writing: set[asyncio.Task[None]] = set()

    async def ages(self, keys: Sequence[bytes]) -> list[float | None]:
        """Seconds since each beginning was last read anywhere; None where it was not, or nobody knows."""
        try:
            with self._shared.reached(hurried=True):
                async with asyncio.timeout(PATIENCE_S):
                    values = await self._shared.client.mget([PREFIX + key for key in keys])
        except StoreError as error:
            self._failed(error)
            return [None] * len(keys)
        self._down = False
        now = time.time()
        return [_age(value, now) for value in values]

    def note(self, keys: Sequence[bytes]) -> None:
        """These beginnings were read now. It is written soon."""
        if len(self._writing) < WAITING:
            task = asyncio.create_task(self._write(list(keys)), name="warm prefixes")
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write(self, keys: list[bytes]) -> None:
        now = f"{time.time():.3f}".encode()
        try:
            with self._shared.reached(hurried=True):
                async with asyncio.timeout(PATIENCE_S):
                    pipeline = self._shared.client.pipeline(transaction=False)
                    for key in keys:
                        pipeline.set(PREFIX + key, now, ex=KEPT_S)
                    await pipeline.execute()
        except StoreError as error:
            self._failed(error)

    def _failed(self, error: StoreError) -> None:
        if not self._down:
            _log.warning("The router does not share what is warm for now. %s", error.message)
        self._down = True


def _age(value: object, now: float) -> float | None:
    """How old a value is; clocks of two machines may differ by a little."""
    try:
        return max(now - float(value), 0.0) if isinstance(value, bytes) else None
    except ValueError:
        return None
