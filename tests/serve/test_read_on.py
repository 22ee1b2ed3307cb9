"""An answer that goes on when its client has left."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from regista.core.errors import StreamCutError
from regista.core.nouns import Delta, Request, Variant
from regista.observe.recorder import Recorder
from regista.serve.exchange import Exchange, Handler
from regista.serve.stages.read_on import AHEAD, read_on

PATIENT_S = 30.0


class Source:
    """A handler that says words when it is let, and knows how it ended."""

    def __init__(self, words: int, *, breaks: bool = False) -> None:
        self.said = 0
        self.ended = ""
        self.go_on = asyncio.Event()
        self._words = words
        self._breaks = breaks

    async def __call__(self, exchange: Exchange) -> AsyncGenerator[Delta]:
        ended = "cancelled"
        try:
            for word in range(self._words):
                if word == 2:
                    await self.go_on.wait()
                yield Delta(f"{word} ")
                self.said += 1
            if self._breaks:
                ended = "error"
                raise StreamCutError("It broke off.")
            ended = "whole"
        finally:
            self.ended = ended


def exchange() -> Exchange:
    return Exchange(Request("m", ()), Variant("", "", 0), "", Recorder("", "", "m", ""))


async def taken(handler: Handler, count: int) -> list[str]:
    """Take so many words, and leave."""
    texts: list[str] = []
    async with aclosing(handler(exchange())) as deltas:
        while len(texts) < count and (delta := await anext(deltas, None)) is not None:
            texts.append(delta.text)
    return texts


async def test_who_stays_gets_all_of_it_in_order() -> None:
    source = Source(100)
    source.go_on.set()
    assert await taken(read_on(source, PATIENT_S), 1_000) == [f"{word} " for word in range(100)]
    assert source.ended == "whole"


async def test_who_leaves_is_waited_for_until_the_answer_is_whole() -> None:
    source = Source(100)
    leaving = asyncio.create_task(taken(read_on(source, PATIENT_S), 2))
    await asyncio.sleep(0.01)
    assert not leaving.done()
    source.go_on.set()
    await leaving
    assert (source.said, source.ended) == (100, "whole")


async def test_who_is_cancelled_while_waiting_for_a_word_leaves_as_well() -> None:
    source = Source(100)
    leaving = asyncio.create_task(taken(read_on(source, PATIENT_S), 5))
    await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.sleep(0.01)
    source.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert source.ended == "whole"


async def test_an_answer_that_takes_longer_is_given_up() -> None:
    source = Source(100)
    await taken(read_on(source, 0.02), 2)
    assert (source.said, source.ended) == (2, "cancelled")


async def test_the_end_of_the_server_does_not_wait() -> None:
    source = Source(100)
    leaving = asyncio.create_task(taken(read_on(source, PATIENT_S), 2))
    await asyncio.sleep(0.01)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert source.ended == "cancelled"


async def test_a_failure_is_told_to_who_stays_and_to_nobody_else() -> None:
    source = Source(5, breaks=True)
    source.go_on.set()
    with pytest.raises(StreamCutError):
        await taken(read_on(source, PATIENT_S), 10)
    gone = Source(5, breaks=True)
    gone.go_on.set()
    await taken(read_on(gone, PATIENT_S), 1)
    assert gone.ended == "error"


async def test_a_client_that_takes_nothing_makes_the_provider_wait() -> None:
    source = Source(10_000)
    source.go_on.set()
    async with aclosing(read_on(source, 0.01)(exchange())) as deltas:
        await anext(deltas)
        await asyncio.sleep(0.02)
        assert source.said <= AHEAD + 2
