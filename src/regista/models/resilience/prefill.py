"""Which models go on from the beginning of an answer that they are given, and how they are told to. A table.

What is not in it is asked in words to go on. It knows nobody's reason to continue.
"""

import re

from msgspec import Struct
from msgspec.structs import replace

from regista.core.nouns import Json, Message, Request

INSTRUCTION = (
    "Your last message was cut off in transit. Go on exactly where it stops, beginning with the next word. "
    "Repeat nothing of it, and say nothing about the interruption."
)
THINKS = ("thinking", "reasoning_effort", "reasoning")
"""Fields of a request that make a model think first: then no answer can have begun."""


class Prefill(Struct, frozen=True):
    """Fields that say that the last message is the beginning of the answer: in the message, and beside the messages."""

    message: Json = {}
    rest: Json = {}


PREFILLS: tuple[tuple[str, Prefill], ...] = (
    # Models from 4.6 on refuse it: https://platform.claude.com/docs/en/about-claude/models/migration-guide
    (r"anthropic/claude-(?:2|3|instant|(?:opus|sonnet|haiku)-4(?:-[015])?(?:-\d{8}|-latest)?$)", Prefill()),
    # https://docs.mistral.ai/api/#tag/chat
    (r"mistral/", Prefill(message={"prefix": True})),
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    (r"vllm/", Prefill(rest={"add_generation_prompt": False, "continue_final_message": True})),
    # https://docs.sglang.ai/basic_usage/openai_api_completions.html
    (r"sglang/", Prefill(rest={"continue_final_message": True})),
    (r"(?:ollama|llamacpp)/", Prefill()),
)
"""Patterns of `provider/model`, from its beginning; the first that fits holds."""


def prefill_of(model: str) -> Prefill | None:
    """How `provider/model` takes the beginning of its answer; None where it does not.

    >>> prefill_of("anthropic/claude-sonnet-4-5") is not None, prefill_of("anthropic/claude-sonnet-4-6")
    (True, None)
    """
    return next((prefill for pattern, prefill in PREFILLS if re.match(pattern, model)), None)


def thinks(request: Request) -> bool:
    """Whether a model is asked to think before it answers."""
    return any(field in request.rest for field in THINKS)


def going_on(request: Request, said: str, prefill: Prefill | None) -> Request:
    """The request again, to be answered from the end of `said` on."""
    if not said.strip():
        return request
    if prefill is not None:
        begun = Message("assistant", said.rstrip(), prefill.message)
        return replace(request, messages=(*request.messages, begun), rest={**request.rest, **prefill.rest})
    begun, wanted = Message("assistant", said), Message("user", INSTRUCTION)
    return replace(request, messages=(*request.messages, begun, wanted))
