"""A model that says nothing is given up in time, and nothing else is taken for its silence."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from msgspec.structs import replace
from tests.models.resilience._world import ANSWER, Client, Scripted, metered, run, timed_out

from regista.core.errors import ProviderTimeoutError
from regista.core.nouns import Delta, Request
from regista.models.resilience import faults
from regista.models.resilience.deadline import Deadline
from regista.models.resilience.silence import SWEEP_S, Silence


def test_a_model_that_never_begins_is_given_up_and_told_as_failed() -> None:
    client = run(Client().ask(metered(Scripted(["silent"]), first_s=2.0)))
    assert timed_out(client.error) and client.error is not None and "nothing for 2 s" in client.error.message
    (call,) = client.told
    assert (call.status, call.exact) == ("error", False)
    assert "nothing for 2 s" in call.reason


def test_a_model_that_stops_is_given_up() -> None:
    model = Scripted(["stall"])
    client = run(Client().ask(metered(model, between_s=3.0)))
    assert client.error is not None and "silent in its answer for 3 s" in client.error.message
    assert client.text == ANSWER[: model.said]


def test_a_slow_model_is_not_silent() -> None:
    client = run(Client().ask(metered(Scripted(pause_s=0.8))))
    assert (client.text, client.error) == (ANSWER, None)


def test_an_answer_that_comes_too_slowly_as_a_whole_is_given_up() -> None:
    client = run(Client().ask(Deadline(metered(Scripted(pause_s=0.8)), 5.0)))
    assert timed_out(client.error) and client.error is not None and client.error.code == faults.TOO_LATE


def test_a_shorter_time_that_was_given_before_holds() -> None:
    async def elapsed() -> float:
        begun = asyncio.get_running_loop().time()
        await Client().ask(Deadline(Deadline(metered(Scripted(["silent"]), first_s=0.0), 60.0), 5.0))
        return asyncio.get_running_loop().time() - begun

    assert 5.0 <= run(elapsed()) < 5.5


def test_a_client_that_takes_its_time_is_not_a_silent_model() -> None:
    async def slowly() -> str:
        text = ""
        async for delta in metered(Scripted()).generate(Client().request()):
            text += delta.text
            await asyncio.sleep(10)
        return text

    assert run(slowly()) == ANSWER


def test_a_cancellation_from_outside_stays_one() -> None:
    async def cancelled() -> None:
        client = Client()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await client.ask(metered(Scripted(["silent"]), first_s=5.0))
        assert [call.status for call in client.told] == ["cancelled"]

    run(cancelled())


def test_both_in_one_turn_of_the_loop_end_as_the_cancellation() -> None:
    async def cancelled() -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(Client().ask(metered(Scripted(["silent"]), first_s=1.0)))
        await asyncio.sleep(0)
        sweep = loop.time() + SWEEP_S
        overdue = sweep + 1.0
        while sweep < overdue:
            sweep += SWEEP_S
        loop.call_at(sweep, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancelled())


def test_a_deadline_of_the_caller_around_a_silent_model_ends_in_time() -> None:
    class Deaf:
        """Takes its time to end."""

        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(1)
            yield Delta("never")

    client = run(Client().ask(Silence(Deaf(), 1.0, 1.0)))
    assert timed_out(client.error)


def test_a_whole_answer_may_take_longer_than_a_first_token() -> None:
    async def whole(until_s: float) -> str:
        client = Client()
        request = replace(client.request(), stream=False)
        model = metered(Late(3.0), first_s=1.0)
        return "".join([delta.text async for delta in Deadline(model, until_s).generate(request)])

    class Late:
        """Answers after a while, with all at once."""

        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            await asyncio.sleep(self.seconds)
            yield Delta("All of it.", finish="stop")

    assert run(whole(10.0)) == "All of it."
    with pytest.raises(ProviderTimeoutError):
        run(whole(2.0))
