"""OpenAI's chat wire: requests out, answers in, as pure functions over bytes.

Field names are those of https://platform.openai.com/docs/api-reference/chat. Fields not named here
pass through untouched: outwards in `rest`, inwards in a delta's `raw`.
"""

from typing import Any, cast

import msgspec
from msgspec import Struct

from regista.core.errors import ProviderError
from regista.core.nouns import Delta, Json, Message, Request, Tool, ToolCallPart, Usage
from regista.models.sse import Splitter


class _Details(Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None

    def noun(self) -> Usage:
        read, written = self.prompt_tokens_details or _Details(), self.completion_tokens_details or _Details()
        return Usage(
            self.prompt_tokens or 0, self.completion_tokens or 0, read.cached_tokens or 0, written.reasoning_tokens or 0
        )


class _Function(Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Said(Struct):
    content: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(Struct):
    index: int = 0
    message: _Said | None = None
    delta: _Said | None = None
    finish_reason: str | None = None


class _Answer(Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_answer = msgspec.json.Decoder(_Answer)
_encode = msgspec.json.Encoder().encode


def body(request: Request) -> bytes:
    """The JSON body of a chat request. A stream always asks for its usage: without it there is no exact cost."""
    fields: Json = {"model": request.model, "messages": [wire(message) for message in request.messages], **request.rest}
    if request.tools:
        fields["tools"] = [*fields.get("tools", ()), *(_tool(tool) for tool in request.tools)]
    if request.stream:
        fields["stream"] = True
        fields["stream_options"] = {**(fields.get("stream_options") or {}), "include_usage": True}
    return _encode(fields)


def wire(message: Message) -> Json:
    """A message as OpenAI writes it."""
    return {"role": message.role, "content": message.content, **message.rest}


def wants_usage(request: Request) -> bool:
    """Whether the client asked for the usage chunk at the end of its stream."""
    options = cast("Json", request.rest.get("stream_options") or {})
    return bool(options.get("include_usage"))


def whole(data: bytes) -> Delta:
    """One JSON answer as one delta."""
    try:
        answer = _answer.decode(data)
    except msgspec.MsgspecError as error:
        raise ProviderError(f"The answer is not a chat completion ({error}): {_peek(data)}") from None
    if answer.error or not answer.choices:
        raise ProviderError(f"The answer is not a chat completion: {_peek(data)}")
    return _delta(answer, data)


class Stream:
    """Turns blocks of a streamed answer into deltas, one for each block. `done` once the answer is whole."""

    __slots__ = ("_keep_usage", "_splitter", "done")

    def __init__(self, keep_usage: bool) -> None:
        self.done = False
        self._keep_usage = keep_usage
        self._splitter = Splitter()

    def feed(self, block: bytes) -> Delta | None:
        """What this block adds; its `raw` leaves out `[DONE]` and a usage chunk the client did not ask for."""
        deltas: list[Delta] = []
        for event in self._splitter.feed(block):
            if event.data == b"[DONE]":
                self.done = True
                continue
            try:
                answer = _answer.decode(event.data)
            except msgspec.MsgspecError as error:
                raise ProviderError(
                    f"An event of the stream is not JSON of a chat ({error}): {_peek(event.data)}"
                ) from None
            if answer.error:
                raise ProviderError(f"The provider ended its stream with an error: {_peek(event.data)}")
            hidden = not answer.choices and answer.usage is not None and not self._keep_usage
            deltas.append(_delta(answer, b"" if hidden else event.raw))
        return _join(deltas) if deltas else None


def _delta(answer: _Answer, raw: bytes) -> Delta:
    text, finish, parts = "", None, tuple[ToolCallPart, ...]()
    for choice in answer.choices or ():
        if choice.index:
            continue  # further choices (n > 1) reach the client in `raw` only
        finish = choice.finish_reason or finish
        said = choice.delta or choice.message
        if said is not None:
            text = said.content or ""
            if said.tool_calls:
                parts = tuple(_part(call, position) for position, call in enumerate(said.tool_calls))
    return Delta(text, parts, finish, answer.usage.noun() if answer.usage else None, (), raw)


def _part(call: _Call, position: int) -> ToolCallPart:
    function = call.function or _Function()
    index = position if call.index is None else call.index
    return ToolCallPart(index, call.id or "", function.name or "", function.arguments or "")


def _join(deltas: list[Delta]) -> Delta:
    if len(deltas) == 1:
        return deltas[0]
    finish = usage = None
    for delta in deltas:
        finish = delta.finish or finish
        usage = delta.usage or usage
    parts = tuple(part for delta in deltas for part in delta.tool_calls)
    return Delta("".join([d.text for d in deltas]), parts, finish, usage, (), b"".join([d.raw or b"" for d in deltas]))


def _tool(tool: Tool) -> Json:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _peek(data: bytes) -> str:
    return repr(data[:200].decode("utf-8", "replace")) if data else "it is empty"
