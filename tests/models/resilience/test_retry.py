"""The same again, after what may pass, and not for ever."""

import asyncio
from datetime import UTC, datetime

import pytest
from tests.models.resilience._world import ANSWER, Client, Scripted, Step, down, metered, run

from regista.core.errors import ProviderError
from regista.models.resilience import faults
from regista.models.resilience.budget import RESERVE, Budget
from regista.models.resilience.deadline import Deadline
from regista.models.resilience.retry import WAITED_FOR_S, Retry


@pytest.mark.parametrize("step", ["refused", "500", "503", "429", "silent", "unsaid"])
def test_what_may_pass_is_tried_again(step: Step) -> None:
    model = Scripted([step, step])
    client = run(Client().ask(Retry(metered(model), 2)))
    assert (client.text, client.error) == (ANSWER, None)
    assert client.causes == ["answer", "retry", "retry"]
    assert [call.status for call in client.told] == ["error", "error", "ok"]


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_it_is_tried_again_so_often_and_no_more(retries: int) -> None:
    model = Scripted(down(10))
    client = run(Client().ask(Retry(metered(model), retries)))
    assert client.error is not None and client.error.message == "It says 500."
    assert len(model.calls) == 1 + retries


@pytest.mark.parametrize("step", ["400", "401", "html", "broken", "cut", "stall"])
def test_what_will_not_pass_or_was_half_said_is_not_tried_again(step: Step) -> None:
    model = Scripted([step])
    client = run(Client().ask(Retry(metered(model), 5)))
    assert client.error is not None
    assert len(model.calls) == len(client.told) == 1


def test_a_provider_is_not_asked_before_the_time_it_names() -> None:
    async def waited(step: Step) -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await Client().ask(Retry(metered(Scripted([step])), 1))
        return loop.time() - begun

    assert 2.0 <= run(waited("429")) < 3.0
    assert run(waited("500")) < 1.0


def test_a_provider_that_names_a_later_time_is_not_waited_for() -> None:
    late = ProviderError("busy", upstream_status=429, retry_after=str(WAITED_FOR_S + 1))
    model = Scripted(["500"])
    retry = Retry(metered(model), 2)
    assert retry.wait(1, late) is None
    assert retry.wait(1, ProviderError("busy", upstream_status=429, retry_after=str(WAITED_FOR_S))) is not None


def test_no_wait_goes_beyond_the_time_an_answer_has() -> None:
    model = Scripted(["429"])
    client = run(Client().ask(Deadline(Retry(metered(model), 2), 1.5)))
    assert client.error is not None and client.error.status == 429
    assert len(model.calls) == 1
    assert client.notes and "too late" in client.notes[0]


def test_retries_stay_a_share_of_requests() -> None:
    async def work() -> int:
        model = Scripted(down(10_000))
        retry = Retry(metered(model), 3, first_s=0.0, budget=Budget(0.2))
        for _ in range(1000):
            await Client().ask(retry)
        return len(model.calls)

    # What the second of real time that this takes gives back is little beside it.
    assert 1000 + 0.2 * 1000 <= run(work()) <= 1000 + 0.2 * 1000 + 10 * RESERVE


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("Sat, 21 Nov 2026 10:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 09:59:30 GMT", 0.0),
        ("Saturday, 21-Nov-26 10:00:30 GMT", 30.0),
        ("soon", None),
        ("-3", None),
        ("1e9", None),
        ("9" * 40, None),
        ("", None),
    ],
)
def test_when_to_come_back_is_told_in_seconds_or_as_a_date(told: str, seconds: float | None) -> None:
    now = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)
    assert faults.retry_after(ProviderError("busy", retry_after=told), now) == seconds
