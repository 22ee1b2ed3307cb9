"""Who goes on from the beginning of an answer, and who is asked in words."""

import pytest

from regista.core.nouns import Message, Request
from regista.models.resilience.prefill import INSTRUCTION, Prefill, going_on, prefill_of


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("anthropic/claude-3-5-haiku-20241022", True),
        ("anthropic/claude-sonnet-4-20250514", True),
        ("anthropic/claude-opus-4-1", True),
        ("anthropic/claude-opus-4-5-20251101", True),
        ("anthropic/claude-haiku-4-5", True),
        ("anthropic/claude-opus-4-6", False),
        ("anthropic/claude-sonnet-4-6", False),
        ("anthropic/claude-opus-5", False),
        ("anthropic/claude-opus-4-10", False),
        ("mistral/mistral-large-latest", True),
        ("vllm/anything", True),
        ("openai/gpt-5", False),
        ("scripted/x", False),
    ],
)
def test_the_table(model: str, takes: bool) -> None:
    assert (prefill_of(model) is not None) is takes


def test_a_beginning_ends_without_space_and_an_instruction_comes_after_it() -> None:
    request = Request("m", (Message("user", "?"),), rest={"temperature": 0})
    begun = going_on(request, "The river ", Prefill(rest={"continue_final_message": True}))
    assert begun.messages[-1] == Message("assistant", "The river")
    assert begun.rest == {"temperature": 0, "continue_final_message": True}
    asked = going_on(request, "The river", None)
    assert [message.role for message in asked.messages] == ["user", "assistant", "user"]
    assert asked.messages[-1].content == INSTRUCTION


def test_where_nothing_was_said_the_question_is_asked_again() -> None:
    request = Request("m", (Message("user", "?"),))
    assert going_on(request, "", None) == going_on(request, " ", Prefill()) == request
