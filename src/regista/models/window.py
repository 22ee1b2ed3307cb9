"""Prompts that surely do not fit into a model's window, refused before they are sent. It knows no model's tokenizer."""

import asyncio

from regista.core.errors import RequestError
from regista.core.nouns import Request
from regista.models import tokens

LONGEST = 16
"""Bytes of the longest tokens that ordinary text has: on average there are four."""


def may_exceed(request: Request, window: int) -> bool:
    """Whether it takes a closer look to say that a request fits: one with fewer characters surely does here."""
    size = 0
    for message in request.messages:
        content = message.content
        size += len(content) if isinstance(content, str) else len(message.text)
    return size > window


async def check(request: Request, window: int, model: str) -> None:
    """Raise `RequestError` where a request has more tokens than the window even if every one is as long as can be."""
    least, about = await asyncio.to_thread(_counted, request)
    if least > window:
        counts = f"about {max(least, about):,} tokens, and the window of {model} has {window:,}"
        raise RequestError(
            f"The prompt has {counts}. Send less, or ask a model with a larger one.",
            code="context_length_exceeded",
            param="messages",
        )


def _counted(request: Request) -> tuple[int, int]:
    """At least so many tokens, and about so many. No token holds more than a word."""
    least = 0
    for message in request.messages:
        text = message.text
        least += max(len(text.split()), len(text.encode("utf-8", "replace")) // LONGEST)
    return least, tokens.of_request(request)
