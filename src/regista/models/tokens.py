"""Tokens guessed from text, for calls whose provider never counted them. It knows no model's own tokenizer.

Four bytes of UTF-8 for a token, and four tokens around each message: right within about a third for European
languages. A stream that breaks off has sent one piece a token at nearly every provider, so its pieces count too.
"""

import math
from collections.abc import Mapping

import msgspec

from regista.core.nouns import Request, Usage

BYTES = 4
AROUND = 4
PART = 1_000
"""Tokens of a part of a message that is no text: about those of a large picture."""
ANSWER = 1_024
"""Tokens an answer is thought to have at most where neither request nor configuration set a limit."""
LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
"""The fields of a request that limit its answer, the one that counts first."""
_encode = msgspec.json.Encoder().encode


def of_text(text: str) -> int:
    """Tokens of a text.

    >>> of_text("twelve bytes")
    3
    """
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES)


def of_request(request: Request) -> int:
    """Tokens of all that a request sends: its messages with their calls, and its tools."""
    total = 0
    for message in request.messages:
        total += AROUND + of_text(message.text)
        if isinstance(message.content, list):
            total += PART * sum(part.get("type") != "text" for part in message.content)
        total += of_text(_encode(message.rest).decode()) if message.rest else 0
    tools = [*request.rest.get("tools", ()), *request.tools]
    return total + (of_text(_encode(tools).decode()) if tools else 0)


def at_most(request: Request, parameters: Mapping[str, object]) -> Usage:
    """What a call for a request may use; `parameters` hold where it says nothing itself.

    Reasoning counts as output, and limits of the answer are limits of it too.
    """
    rest = {**parameters, **request.rest}
    limits = [limit for name in LIMITS if isinstance(limit := rest.get(name), int) and limit > 0]
    answers = n if isinstance(n := rest.get("n"), int) and n > 0 else 1
    return Usage(of_request(request), (limits[0] if limits else ANSWER) * answers)
