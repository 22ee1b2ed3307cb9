"""An answer whose client has left, read to its end: so the provider counts it and not an estimate, and it is cached."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from regista.core.nouns import Delta
from regista.serve.exchange import Exchange, Handler

AHEAD = 16
"""Deltas that may wait for a slow client before its provider waits too."""


def read_on(below: Handler, seconds: float) -> Handler:
    """Answer in a task of its own. Where who asked has left, it is waited for `seconds` longer, then given up."""

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        answer = _Answer()
        task = asyncio.create_task(answer.read(below, exchange), name="answer")
        try:
            while (delta := await answer.deltas.get()) is not None:
                yield delta
            await task
        finally:
            try:
                if not task.done():
                    answer.abandon()
                    await asyncio.wait([task], timeout=seconds)
            finally:
                # Also where the waiting itself is cancelled: else nobody would be left who ends the answer.
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    return handler


class _Answer:
    """What is on its way from the task that reads to the one that sends; None is its end."""

    __slots__ = ("_abandoned", "deltas")

    def __init__(self) -> None:
        self.deltas: asyncio.Queue[Delta | None] = asyncio.Queue(AHEAD)
        self._abandoned = False

    def abandon(self) -> None:
        """Nobody takes deltas any more."""
        self._abandoned = True
        while not self.deltas.empty():
            self.deltas.get_nowait()

    async def read(self, below: Handler, exchange: Exchange) -> None:
        try:
            async with aclosing(below(exchange)) as deltas:
                async for delta in deltas:
                    if not self._abandoned:
                        await self.deltas.put(delta)
        finally:
            if not self._abandoned:
                await self.deltas.put(None)
