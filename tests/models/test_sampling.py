"""What a model does not take is refused by name, before it is asked; what nobody said of it passes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models._asking import asked, saying

from regista.core.errors import RequestError
from regista.models.capabilities import Capabilities, CapabilityTable
from regista.models.sampling import Sampling

REFUSED: list[tuple[str, Capabilities, dict[str, Any], str]] = [
    ("openai/o", Capabilities(sampling=False), {"temperature": 0.2}, "temperature"),
    ("openai/o", Capabilities(sampling=False), {"top_p": 0.5}, "top_p"),
    ("openai/m", Capabilities(logprobs=False), {"logprobs": True}, "logprobs"),
    ("openai/m", Capabilities(logprobs=False), {"top_logprobs": 3}, "top_logprobs"),
    ("openai/m", Capabilities(answer=100), {"max_tokens": 101}, "max_tokens"),
    ("openai/m", Capabilities(answer=100), {"max_completion_tokens": 10**9}, "max_completion_tokens"),
    ("anthropic/c", Capabilities(), {"temperature": 1.5}, "temperature"),
    ("mistral/m", Capabilities(), {"temperature": 1.8}, "temperature"),
]
TAKEN: list[tuple[str, Capabilities, dict[str, Any]]] = [
    ("openai/o", Capabilities(sampling=False), {"temperature": 1, "top_p": 1.0, "logprobs": True}),
    ("openai/m", Capabilities(logprobs=False), {"logprobs": False, "top_logprobs": 0}),
    ("openai/m", Capabilities(answer=100), {"max_tokens": 100}),
    ("openai/m", Capabilities(), {"temperature": 1.9, "max_tokens": 10**9, "logprobs": True}),
    ("anthropic/c", Capabilities(), {"temperature": 1}),
    ("openai/m", Capabilities(sampling=False, logprobs=False, answer=1), {"future": {"a": 1}}),
]


@pytest.mark.parametrize(("model", "known", "given", "param"), REFUSED)
def test_what_a_model_does_not_take_is_refused_by_name(
    model: str, known: Capabilities, given: dict[str, Any], param: str
) -> None:
    provider = saying("x")
    client = asked(Sampling(provider, model, known), **given)
    assert isinstance(client.error, RequestError) and client.error.param == param
    assert (client.error.status, client.error.code) == (400, "unsupported_value")
    assert model in client.error.message and param in client.error.message
    assert not provider.asked and client.calls == []


@pytest.mark.parametrize(("model", "known", "given"), TAKEN)
def test_what_it_takes_and_what_nobody_knows_passes_unread(
    model: str, known: Capabilities, given: dict[str, Any]
) -> None:
    provider = saying("x")
    assert asked(Sampling(provider, model, known), **given).error is None
    assert provider.asked[0].rest == given


def test_a_models_own_parameters_are_checked_and_the_requests_hold() -> None:
    own = Sampling(saying("x"), "anthropic/c", Capabilities(), {"temperature": 1.5})
    assert asked(own).error is not None
    assert asked(own, temperature=0.5).error is None


def test_the_error_says_what_may_be_asked_for() -> None:
    client = asked(Sampling(saying("x"), "anthropic/c", Capabilities()), temperature=1.5)
    assert client.error is not None and "is 1.5: it may be 0 to 1" in client.error.message


def test_models_of_the_catalogue_have_their_bounds() -> None:
    table = CapabilityTable.load()
    o3 = Sampling(saying("x"), "openai/o3", table.of("openai", "o3"))
    assert asked(o3, temperature=0).error is not None and asked(o3, max_tokens=100_001).error is not None
    assert asked(o3, max_tokens=100_000, temperature=1).error is None


numbers = st.floats(-5, 5) | st.integers(-5, 10**6) | st.booleans() | st.text(max_size=2) | st.none()


@given(
    rest=st.dictionaries(
        st.sampled_from(["temperature", "top_p", "max_tokens", "max_completion_tokens", "logprobs", "x"]), numbers
    ),
    sampling=st.none() | st.booleans(),
    answer=st.none() | st.integers(1, 1000),
)
def test_whatever_is_asked_it_passes_as_it_came_or_is_refused(
    rest: dict[str, Any], sampling: bool | None, answer: int | None
) -> None:
    provider = saying("x")
    client = asked(Sampling(provider, "anthropic/c", Capabilities(sampling=sampling, answer=answer)), **rest)
    if client.error is None:
        assert provider.asked[0].rest == rest
    else:
        assert isinstance(client.error, RequestError) and client.error.param in rest
