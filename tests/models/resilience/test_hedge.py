"""A second call where the first stays silent: one answer, and nothing left running."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.resilience._world import ANSWER, STEPS, Client, Scripted, Step, metered, run

from regista.core.nouns import Delta, Request
from regista.models.resilience.budget import Budget
from regista.models.resilience.hedge import Hedge


def hedge(first: Scripted, second: Scripted, share: float = 1.0) -> Hedge:
    return Hedge(metered(first, "a", first_s=5.0), metered(second, "b", first_s=5.0), 0.5, Budget(share))


def test_a_model_that_speaks_in_time_is_alone() -> None:
    first, second = Scripted(pause_s=0.1), Scripted()
    client = run(Client().ask(hedge(first, second)))
    assert client.text == ANSWER
    assert not second.calls


def test_the_first_to_speak_answers_and_the_other_is_closed() -> None:
    first, second = Scripted(["silent"]), Scripted()
    client = run(Client().ask(hedge(first, second)))
    assert (client.text, client.error) == (ANSWER, None)
    assert sorted((call.model, call.cause, call.status) for call in client.told) == [
        ("a", "answer", "cancelled"),
        ("b", "hedge", "ok"),
    ]
    assert not first.open and not second.open


def test_the_other_is_closed_while_the_answer_goes_on() -> None:
    async def work() -> tuple[int, int]:
        first, second = Scripted(["silent"]), Scripted(pause_s=0.1)
        asking = asyncio.ensure_future(Client().ask(hedge(first, second)))
        await asyncio.sleep(1.0)
        still = first.open, second.open
        await asking
        return still

    assert run(work()) == (0, 1)


def test_of_two_that_speak_at_once_one_goes_on() -> None:
    class Waits(Scripted):
        """Speaks when it is let."""

        let: asyncio.Event

        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            self.open += 1
            try:
                await self.let.wait()
                yield Delta("one ")
                await asyncio.sleep(1)
                yield Delta("answer", finish="stop")
            finally:
                self.open -= 1

    async def work() -> str:
        first, second = Waits(), Waits()
        first.let = second.let = asyncio.Event()
        client = Client()
        asking = asyncio.ensure_future(client.ask(hedge(first, second)))
        await asyncio.sleep(1.0)
        first.let.set()
        await asyncio.sleep(0.5)
        assert first.open + second.open == 1
        await asking
        return client.text

    assert run(work()) == "one answer"


def test_the_first_may_still_be_first() -> None:
    first, second = Scripted(pause_s=0.8), Scripted(pause_s=2.0)
    client = run(Client().ask(hedge(first, second)))
    assert client.text == ANSWER
    assert {call.model: call.status for call in client.told} == {"a": "ok", "b": "cancelled"}


def test_an_event_that_says_nothing_wins_nothing() -> None:
    class Greets(Scripted):
        """Opens its stream at once, and then says nothing."""

    first = Greets(["stall"], said=0)
    client = run(Client().ask(hedge(first, Scripted())))
    assert (client.text, client.error) == (ANSWER, None)


def test_an_event_that_says_nothing_is_passed_on_at_once_and_the_stream_begins_once() -> None:
    class Opens(Scripted):
        """Opens its stream with an event of its own, and then says nothing."""

        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            self.open += 1
            try:
                yield Delta(raw=b'data: {"id": "first"}\n\n')
                await asyncio.sleep(100)
            finally:
                self.open -= 1

    class Speaks(Scripted):
        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            yield Delta("whole", raw=b"data: whole\n\n")
            yield Delta(" answer", finish="stop", raw=b"data: answer\n\n")

    async def work() -> list[tuple[float, Delta]]:
        loop, first = asyncio.get_running_loop(), Opens()
        start = loop.time()
        told = [(loop.time() - start, delta) async for delta in hedge(first, Speaks()).generate(Request("m", ()))]
        assert not first.open
        return told

    (opened, opening), (spoke, begun), (_, ended) = run(work())
    assert opened < 0.5 <= spoke
    assert (opening.text, begun.text, ended.text) == ("", "whole", " answer")
    assert opening.raw is not None and begun.raw is None and ended.raw is None


def test_second_calls_stay_a_share_of_requests() -> None:
    async def work() -> int:
        second = Scripted()
        slow = Hedge(metered(Scripted(pause_s=0.6)), metered(second), 0.5, Budget(0.1))
        for _ in range(200):
            await Client().ask(slow)
        return len(second.calls)

    assert 20 <= run(work()) < 60


@given(st.sampled_from(STEPS), st.sampled_from(STEPS), st.integers(-1, 12))
def test_one_call_is_told_once_and_closed_however_it_ends(one: Step, other: Step, leaves_after: int) -> None:
    first, second = Scripted([one]), Scripted([other])
    client = run(Client().ask(hedge(first, second), leaves_after))
    assert len(client.told) == len(first.calls) + len(second.calls)
    assert not first.open and not second.open
    if leaves_after < 0 and client.error is None:
        assert (client.text, client.finishes) == (ANSWER, ["stop"])


@pytest.mark.parametrize("step", ["500", "429"])
def test_a_call_that_fails_at_once_is_not_hedged(step: Step) -> None:
    second = Scripted()
    client = run(Client().ask(hedge(Scripted([step]), second)))
    assert client.error is not None and f"says {step}" in client.error.message
    assert not second.calls


@pytest.mark.parametrize("leaves_at", [0.4, 0.5, 0.9, 1.0, 1.1])
def test_a_client_that_leaves_while_the_second_speaks_is_gone(leaves_at: float) -> None:
    async def work() -> tuple[bool, int]:
        first, second = Scripted(["silent"]), Scripted(pause_s=0.5)
        asking = asyncio.ensure_future(Client().ask(hedge(first, second)))
        asyncio.get_running_loop().call_later(leaves_at, asking.cancel)
        await asyncio.wait({asking})
        return asking.cancelled(), first.open + second.open

    assert run(work()) == (True, 0)


def test_to_be_overtaken_leaves_no_cancellation_behind() -> None:
    async def work() -> int:
        first, second = Scripted(["silent"]), Scripted()
        async with asyncio.timeout(60):
            client = Client()
            await client.ask(hedge(first, second))
        task = asyncio.current_task()
        assert task is not None and client.text == ANSWER
        return task.cancelling()

    assert run(work()) == 0
