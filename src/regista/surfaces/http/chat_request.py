"""Chat requests checked and turned into nouns. No I/O.

https://platform.openai.com/docs/api-reference/chat
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from regista.core.errors import RequestError
from regista.core.nouns import Json, Message, Request
from regista.surfaces.http.reading import (
    MAX_TOOLS,
    Choices,
    Penalty,
    Positive,
    Share,
    Temperature,
    TopLogprobs,
    check_calls,
    read,
)

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]
WHAT = "a chat completion"
KNOWN = {"role": "system, developer, user, assistant, tool, function"}


class _Part(Struct):
    type: str
    text: str | None = None


class _Function(Struct):
    name: str
    arguments: str


class _Call(Struct):
    id: str
    function: _Function | None = None


class _Message(Struct):
    role: Role
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _Offered(Struct):
    name: str
    description: str | None = None
    parameters: Json | None = None


class _Tool(Struct):
    type: str
    function: _Offered | None = None


class _Schema(Struct):
    name: str | None = None
    schema: Json | None = None
    strict: bool | None = None


class _Format(Struct):
    type: str
    json_schema: _Schema | None = None


class _Chat(Struct):
    """What every request has."""

    model: str
    messages: list[_Message]
    stream: bool | None = None


class _Fields(Struct):
    """What it may have beside that and Regista reads or has bounds for; all other fields pass through unread."""

    stream_options: _StreamOptions | None = None
    n: Choices | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    max_tokens: Positive | None = None
    max_completion_tokens: Positive | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logprobs: bool | None = None
    top_logprobs: TopLogprobs | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    tools: Annotated[list[_Tool], Meta(max_length=MAX_TOOLS)] | None = None
    tool_choice: str | Json | None = None
    parallel_tool_calls: bool | None = None
    response_format: _Format | None = None
    reasoning_effort: str | None = None
    metadata: Json | None = None
    user: str | None = None


def request_of(body: Json) -> Request:
    """A chat request as a noun; raises `RequestError` naming the field that is wrong. Nulls are as if left out."""
    chat = read(body, _Chat, WHAT, KNOWN)
    if not chat.messages:
        raise RequestError("'messages' is empty: send at least one message.", param="messages")
    rest = dict(body)
    del rest["model"], rest["messages"]
    rest.pop("stream", None)
    if None in rest.values():
        rest = {name: value for name, value in rest.items() if value is not None}
    if rest:
        _check(read(rest, _Fields, WHAT))
    raw: list[Any] = body["messages"]
    messages = tuple([_message(message) for message in raw])
    for message in messages:
        if message.rest or message.role == "tool":
            check_calls(messages)
            break
    return Request(chat.model, messages, bool(chat.stream), rest=rest)


def _check(fields: _Fields) -> None:
    wanted = fields.response_format
    if wanted is not None and wanted.type == "json_schema" and wanted.json_schema is None:
        where = "response_format.json_schema"
        raise RequestError(f"A response_format of the type json_schema needs {where}.", param=where)


def _message(raw: Json) -> Message:
    if len(raw) == 2 and "content" in raw:
        return Message(raw["role"], raw["content"])
    return Message(raw["role"], raw.get("content"), {k: v for k, v in raw.items() if k not in ("role", "content")})
