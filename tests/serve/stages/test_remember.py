"""The exact cache as a stage: one asks, those who come meanwhile wait for it."""

import asyncio
from collections.abc import AsyncGenerator

from regista.core.errors import ProviderError
from regista.core.nouns import Delta, Message, Request, Variant
from regista.observe.recorder import Recorder
from regista.serve.caches.exact import ExactCache
from regista.serve.collector import collect
from regista.serve.exchange import Exchange
from regista.serve.stages.remember import remember


class Model:
    """Answers each call when it is told how."""

    def __init__(self) -> None:
        self.calls: list[asyncio.Future[bool]] = []

    async def __call__(self, exchange: Exchange) -> AsyncGenerator[Delta]:
        call: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.calls.append(call)
        if not await call:
            raise ProviderError("It fails.")
        yield Delta("yes", finish="stop")


async def turns() -> None:
    """Let everybody go on until all wait."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_who_waited_in_vain_and_fails_too_does_not_send_those_away_who_wait_for_another() -> None:
    model, made = Model(), list[Exchange]()
    handler = remember(model, ExactCache())

    async def ask() -> str:
        request = Request("m", (Message("user", "What is the capital of France?"),), rest={"temperature": 0})
        made.append(Exchange(request, Variant("", "", 0), "", Recorder("", "", "m", "")))
        try:
            return (await collect(handler(made[-1]))).text
        except ProviderError:
            return "failed"

    first, in_vain = asyncio.create_task(ask()), asyncio.create_task(ask())
    await turns()
    model.calls[0].set_result(False)
    await turns()
    second = asyncio.create_task(ask())
    await turns()
    waits = asyncio.create_task(ask())
    await turns()
    assert len(model.calls) == 3
    model.calls[1].set_result(False)
    await turns()
    assert len(model.calls) == 3
    model.calls[2].set_result(True)
    assert await asyncio.gather(first, in_vain, second, waits) == ["failed", "failed", "yes", "yes"]
    assert [exchange.cached for exchange in made] == ["miss", "miss", "miss", "coalesced"]
