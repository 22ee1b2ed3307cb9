"""A webhook by itself: when it ends. What it sends and to whom is in `tests/app/test_upkeep.py`."""

import asyncio

import pytest

from regista.core.secret import Secret
from regista.egress.client import Client
from regista.observe.webhook import Event, Hook, Webhook


async def nothing() -> list[Event]:
    return []


async def yes(id: str) -> bool:
    return True


async def noted(id: str, taken: bool) -> None:
    return


@pytest.mark.parametrize("turns", range(5))
async def test_it_ends_however_short_a_time_before_it_was_woken(turns: int) -> None:
    sends = Webhook(Client(), nothing, yes, noted)
    sends.aim(Hook("http://127.0.0.1:9/", Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
    await asyncio.sleep(0.01)
    sends.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await sends.close()
