"""What surfaces share in reading a request: its fields checked, its calls and their results matched. No I/O.

A surface's own shape is a `Struct`; fields that are not in it pass through unread.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from regista.core.errors import RequestError
from regista.core.nouns import Json, Message
from regista.models.anthropic_wire import sealed as sealed

MAX_TOOLS = 1024
Positive = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Choices = Annotated[int, Meta(ge=1, le=128)]
TopLogprobs = Annotated[int, Meta(ge=0, le=20)]
T = TypeVar("T")


def read(body: Json, shape: type[T], what: str, known: Mapping[str, str] | None = None) -> T:
    """`body` as a `shape`; raises `RequestError` naming the field that is wrong.

    `known` says, by a field's name, which values it takes.
    """
    try:
        return msgspec.convert(body, shape)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        where = path.strip("`").removeprefix("$").removeprefix(".")
        hint = (known or {}).get(where.rpartition(".")[2].partition("[")[0])
        at, hint = f" at {where}" if where else "", f" Known: {hint}." if hint else ""
        raise RequestError(f"The request is not {what}: {message}{at}.{hint}", param=where or None) from None


def refuse(body: Json, refused: Mapping[str, tuple[tuple[object, ...], str]]) -> None:
    """Raise `RequestError` for a field that cannot be honoured, unless it has a value that asks for nothing.

    `refused` has, by field, those values and what to do instead. `None` asks for nothing everywhere.
    """
    for name in refused.keys() & body.keys():
        nothing, instead = refused[name]
        if body[name] is not None and body[name] not in nothing:
            raise RequestError(f"{name!r} cannot be honoured here. {instead}", code="unsupported_field", param=name)


def check_calls(messages: Sequence[Message]) -> None:
    """Raise `RequestError` where a tool's result answers no call, or a call has no result right after it."""
    waiting: list[str] = []
    caller = 0
    for index, message in enumerate(messages):
        if message.role == "tool":
            call_id = message.rest.get("tool_call_id")
            if call_id not in waiting:
                raise RequestError(
                    f"messages[{index}] is the result of a tool call {call_id!r}, which no message before it makes. "
                    "Send the assistant message with that call right before its results.",
                    code="result_without_call",
                    param=f"messages[{index}].tool_call_id",
                )
            waiting.remove(call_id)
            continue
        if waiting:
            break
        waiting, caller = [call.id for call in message.tool_calls], index
    if waiting:
        raise RequestError(
            f"messages[{caller}] makes tool calls that have no results right after it: {', '.join(waiting[:5])}. "
            "Send a message of the role 'tool' for each, or leave out the calls.",
            code="call_without_result",
            param=f"messages[{caller}]",
        )
