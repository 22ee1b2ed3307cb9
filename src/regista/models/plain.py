"""Answers made without a model: what the providers `scripted` and `echo` share.

Tokens are words here, so that usage and budgets work offline and can be counted by hand.
"""

from collections.abc import Iterator

from regista.core.nouns import Delta, Request, ToolCall, ToolCallPart, Usage


def answer(request: Request, text: str, chunk: int) -> Iterator[Delta]:
    """A text as deltas of `chunk` characters; one delta where `chunk` is 0 or the request does not stream."""
    step = chunk if chunk and request.stream else max(len(text), 1)
    *pieces, last = [text[start : start + step] for start in range(0, len(text), step)] or [""]
    for piece in pieces:
        yield Delta(piece)
    yield Delta(last, finish="stop", usage=usage(request, text))


def call(request: Request, wanted: ToolCall) -> Iterator[Delta]:
    """One tool call; in a stream its head comes before its arguments."""
    head = ToolCallPart(0, wanted.id, wanted.name)
    if request.stream:
        yield Delta(tool_calls=(head,))
        head = ToolCallPart(0)
    part = ToolCallPart(0, head.id, head.name, wanted.arguments)
    yield Delta(tool_calls=(part,), finish="tool_calls", usage=usage(request, wanted.arguments))


def usage(request: Request, text: str) -> Usage:
    """Words of all messages in, words of the answer out."""
    return Usage(sum(len(message.text.split()) for message in request.messages), len(text.split()))
