"""A stream that broke is gone on with to the same answer, or ends as an error; never as a short success."""

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.resilience._world import ANSWER, Client, Scripted, Step, metered, run

from regista.core.errors import ProviderError, StreamCutError
from regista.core.nouns import Delta, Json, Request, ToolCallPart, Usage
from regista.models.resilience.continuation import Continuation, Successor
from regista.models.resilience.prefill import Prefill
from regista.models.resilience.seam import cut_back

BREAKS = st.sampled_from(["cut", "stall", "broken"])
PREFILL = Prefill(message={"prefix": True}, rest={"continue_final_message": True})


def continuing(first: Scripted, *others: Scripted, prefill: Prefill | None = None) -> Continuation:
    successors = [Successor(metered(other, name), prefill) for name, other in zip("bcd", others, strict=False)]
    return Continuation(metered(first, "a"), successors)


@given(BREAKS, st.integers(1, len(ANSWER)), st.integers(1, 25), st.integers(-1, 4))
def test_the_next_model_goes_on_in_words(step: Step, said: int, size: int, back: int) -> None:
    first, second = Scripted([step], said=said, size=size), Scripted(back=back, size=size)
    client = run(Client().ask(continuing(first, second)))
    assert (client.text, client.finishes, client.error) == (ANSWER, ["stop"], None)
    assert client.causes == ["answer", "continuation"]


@given(BREAKS, st.integers(1, len(ANSWER)), st.integers(1, 25))
def test_a_model_that_takes_a_beginning_goes_on_letter_by_letter(step: Step, said: int, size: int) -> None:
    first, second = Scripted([step], said=said, size=size), Scripted(size=size)
    client = run(Client().ask(continuing(first, second, prefill=PREFILL)))
    assert (client.text, client.finishes, client.error) == (ANSWER, ["stop"], None)
    asked = second.calls[0]
    if ANSWER[:said].strip():
        assert asked.messages[-1].rest == {"prefix": True}
        assert asked.rest["continue_final_message"] is True


@given(st.lists(st.integers(1, 60), min_size=1, max_size=4), st.integers(1, 9))
def test_an_answer_may_break_more_than_once(cuts: list[int], size: int) -> None:
    models = [Scripted(["cut"], said=cut, size=size) for cut in cuts]
    client = run(Client().ask(continuing(*models, Scripted(size=size))))
    if client.error is None:
        assert (client.text, client.finishes) == (ANSWER, ["stop"])
    else:
        assert isinstance(client.error, StreamCutError) and not client.finishes
    # Of four successors the last one is well; one that repeats and adds nothing takes a turn all the same.
    assert len(client.told) == sum(len(model.calls) for model in models) + (client.error is None)


def test_one_that_nobody_can_go_on_with_ends_as_an_error() -> None:
    first, second = Scripted(["cut"]), Scripted(["500"])
    client = run(Client().ask(continuing(first, second)))
    assert isinstance(client.error, StreamCutError)
    assert "not whole" in client.error.message and "It says 500." in client.error.message
    assert not client.finishes


def test_usage_is_the_sum_of_what_both_calls_used() -> None:
    first, second = Scripted(["cut"]), Scripted()
    client = run(Client().ask(continuing(first, second)))
    assert [call.exact for call in client.told] == [False, True]
    assert client.usage == client.told[0].usage + client.told[1].usage


def test_what_was_said_counts_against_the_longest_answer() -> None:
    first, second = Scripted(["cut"]), Scripted()
    client = run(Client().ask(continuing(first, second), rest={"max_tokens": 100}))
    assert second.calls[0].rest["max_tokens"] == 100 - client.told[0].usage.output_tokens
    assert first.calls[0].rest["max_tokens"] == 100


def test_the_last_word_is_asked_for_again_and_the_conversation_stays() -> None:
    first, second = Scripted(["cut"]), Scripted()
    run(Client().ask(continuing(first, second)))
    question, begun, wanted = second.calls[0].messages
    assert question.text == "What of the Regen?"
    assert (begun.role, begun.text) == ("assistant", cut_back(ANSWER[: first.said]))
    assert wanted.role == "user"


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ({"response_format": {"type": "json_object"}}, "structured output"),
        ({"guided_json": {}}, "structured output"),
        ({"n": 2}, "several answers"),
        ({"logprobs": True}, "log-probabilities"),
    ],
)
def test_what_cannot_be_joined_is_not_gone_on_with(rest: Json, reason: str) -> None:
    second = Scripted()
    client = run(Client().ask(continuing(Scripted(["cut"]), second), rest=rest))
    assert isinstance(client.error, StreamCutError) and reason in client.error.message
    assert not second.calls


def test_text_may_be_asked_for_by_name() -> None:
    client = run(
        Client().ask(continuing(Scripted(["cut"]), Scripted()), rest={"response_format": {"type": "text"}, "n": 1})
    )
    assert client.error is None


class Half:
    """Breaks off in the middle of something."""

    def __init__(self, *deltas: Delta) -> None:
        self._deltas = deltas

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        for delta in self._deltas:
            yield delta
        raise StreamCutError("It closed the connection.")


def test_half_a_tool_call_is_an_error() -> None:
    second = Scripted()
    part = Delta(tool_calls=(ToolCallPart(0, "call_1", "weather", '{"ci'),))
    client = run(Client().ask(Continuation(Half(part), [Successor(second, None)])))
    assert isinstance(client.error, StreamCutError) and "half of a tool call" in client.error.message
    assert not second.calls


def test_an_answer_that_had_its_finish_is_whole() -> None:
    second = Scripted()
    client = run(Client().ask(Continuation(Half(Delta("All."), Delta(finish="stop")), [Successor(second, None)])))
    assert (client.text, client.finishes, client.error) == ("All.", ["stop"], None)
    assert not second.calls


def test_thoughts_are_not_told_twice() -> None:
    class Thinks(Scripted):
        """Thinks aloud first."""

        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            yield Delta(reasoning="Hm. ")
            async for delta in super().generate(request):
                yield delta

    thoughts: list[str] = []

    async def ask() -> str:
        text = ""
        async for delta in Continuation(Half(Delta(reasoning="Hm.")), [Successor(Thinks(), None)]).generate(
            Client().request()
        ):
            thoughts.append(delta.reasoning)
            text += delta.text
        return text

    assert run(ask()) == ANSWER
    assert "".join(thoughts) == "Hm."


def test_what_failed_before_anything_was_said_is_not_its_business() -> None:
    second = Scripted()
    client = run(Client().ask(continuing(Scripted(["unsaid"]), second)))
    assert isinstance(client.error, ProviderError) and not second.calls


def test_a_later_answer_without_a_count_leaves_none() -> None:
    class Silent(Scripted):
        """Counts nothing."""

        async def generate(self, request: Request) -> AsyncGenerator[Delta]:
            async for delta in super().generate(request):
                if delta.usage is None:
                    yield delta

    client = run(Client().ask(Continuation(Half(Delta("The river ", usage=Usage(3, 1))), [Successor(Silent(), None)])))
    assert client.text == ANSWER[:10] + ANSWER[10:]
    assert client.usage == Usage(3, 1)
