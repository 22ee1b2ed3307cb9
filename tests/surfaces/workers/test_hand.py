"""A worker in its supervisor's hand: what is thought of one that is being asked."""

import asyncio
import socket

from regista.observe.figures import Figure
from regista.store.counters.memory import MemoryCounters
from regista.store.counters.socket import recall_of_who_asks
from regista.surfaces.workers.channel import Channel
from regista.surfaces.workers.hand import Hand
from regista.surfaces.workers.words import Orders


async def test_who_is_being_asked_again_is_not_silent_for_that() -> None:
    asked, free = asyncio.Event(), asyncio.Event()
    free.set()

    async def figures() -> tuple[Figure, ...]:
        asked.set()
        await free.wait()
        return ()

    ours, theirs = socket.socketpair()
    worker = await Channel.open(theirs, {"figures": figures})
    hand = Hand(
        Orders("", {}, reload=False, leads=False), MemoryCounters(recall_of_who_asks), lambda at, of, what: None
    )
    hand.channel = await Channel.open(ours, {})
    await hand.ask_figures()
    asked.clear()
    free.clear()
    again = asyncio.create_task(hand.ask_figures())
    await asked.wait()
    assert not hand.silent
    await again
    assert hand.silent
    free.set()
    await hand.ask_figures()
    assert not hand.silent
    for channel in (worker, hand.channel):
        channel.close()
