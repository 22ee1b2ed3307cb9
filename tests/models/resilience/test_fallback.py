"""Another model answers where one fails before it said anything."""

import pytest
from tests.models.resilience._world import ANSWER, Client, Scripted, Step, metered, run

from regista.core.errors import ConfigurationError, OverloadedError, ProviderError, RegistaError, RequestError
from regista.models.resilience import faults
from regista.models.resilience.deadline import Deadline
from regista.models.resilience.fallback import Fallback
from regista.models.resilience.limited import Gate, Limited


def chain(*models: Scripted) -> Fallback:
    return Fallback([(name, metered(model, name)) for name, model in zip("abc", models, strict=False)])


@pytest.mark.parametrize("step", ["refused", "500", "503", "429", "401", "html", "silent", "unsaid"])
def test_the_next_model_answers_where_one_fails(step: Step) -> None:
    client = run(Client().ask(chain(Scripted([step]), Scripted())))
    assert (client.text, client.error) == (ANSWER, None)
    assert [(call.model, call.cause, call.status) for call in client.told] == [
        ("a", "answer", "error"),
        ("b", "fallback", "ok"),
    ]


@pytest.mark.parametrize("step", ["400", "cut", "stall", "broken"])
def test_a_wrong_request_and_a_stream_that_broke_are_told_as_they_are(step: Step) -> None:
    second = Scripted()
    client = run(Client().ask(chain(Scripted([step]), second)))
    assert client.error is not None and "No model" not in client.error.message
    assert not second.calls


def test_an_error_of_all_models_says_why_each_failed_and_when_to_come_back() -> None:
    client = run(Client().ask(chain(Scripted(["429"]), Scripted(["503"]), Scripted(["401"]))))
    error = client.error
    assert isinstance(error, ProviderError)
    assert (error.status, error.code, error.retry_after) == (429, "rate_limited", "1")
    assert all(
        f"{name}: It says {status}." in error.message for name, status in zip("abc", (429, 503, 401), strict=True)
    )


def test_no_model_is_asked_when_the_time_is_over() -> None:
    second = Scripted()
    client = run(Client().ask(Deadline(chain(Scripted(["silent"]), second), 0.5)))
    assert client.error is not None and client.error.code == faults.TOO_LATE
    assert not second.calls


def test_no_model_is_asked_after_a_wait_that_took_all_the_time() -> None:
    async def work() -> Scripted:
        gate, second = Gate("a", 1, 10, 60.0), Scripted()
        await gate.enter("")
        chain = Fallback([("a", Limited(metered(Scripted()), gate)), ("b", metered(second))])
        client = await Client().ask(Deadline(chain, 2.0))
        gate.leave()
        assert isinstance(client.error, OverloadedError)
        return second

    assert not run(work()).calls


@pytest.mark.parametrize(
    ("error", "helps"),
    [
        (ConfigurationError("openai needs a key."), True),
        (OverloadedError("full", status=429), True),
        (RequestError("too long", code="context_length_exceeded"), True),
        (ProviderError("413", upstream_status=413, code="too_large"), True),
        (ProviderError("This model's maximum context length is 8192 tokens.", upstream_status=400), True),
        (ProviderError("prompt is too long: 210000 tokens > 200000 maximum", upstream_status=400), True),
        (ProviderError("'temperature' must be at most 2", upstream_status=400), False),
        (RequestError("no messages"), False),
        (RegistaError("a limit of the caller's key", status=429), False),
    ],
)
def test_another_model_is_asked_where_it_may_answer(error: RegistaError, helps: bool) -> None:
    assert faults.elsewhere(error) is helps
