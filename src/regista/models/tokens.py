"""Tokens guessed from text, for calls whose provider never counted them. It knows no model's own tokenizer.

Four bytes of UTF-8 for a token, and four tokens around each message: right within about a third for European
languages. A stream that breaks off has sent one piece a token at nearly every provider, so its pieces count too.
"""

import math

import msgspec

from regista.core.nouns import Request

BYTES = 4
AROUND = 4
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
        total += of_text(_encode(message.rest).decode()) if message.rest else 0
    tools = [*request.rest.get("tools", ()), *request.tools]
    return total + (of_text(_encode(tools).decode()) if tools else 0)
