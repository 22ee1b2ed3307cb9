"""OpenAI's chat wire: requests out, answers in, as pure functions over bytes.

Field names are those of https://platform.openai.com/docs/api-reference/chat. Fields not named here
pass through untouched: outwards in `rest`, inwards in a delta's `raw`.
"""

from typing import Any, cast

import msgspec
from msgspec import Struct

from regista.core.errors import ProviderError
from regista.core.nouns import Delta, Json, Message, Request, Tool, ToolCallPart, Usage
from regista.models.sse import Splitter, read


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
    choice = answer.choices[0]
    said = choice.message or _Said()
    calls = tuple(_part(call, position) for position, call in enumerate(said.tool_calls or ()))
    usage = answer.usage.noun() if answer.usage is not None else None
    return Delta(said.content or "", calls, choice.finish_reason, usage, (), data)


class Stream:
    """Turns blocks of a streamed answer into deltas, one for each block. `done` once the answer is whole."""

    __slots__ = ("_keep_usage", "_splitter", "done")

    def __init__(self, keep_usage: bool) -> None:
        self.done = False
        self._keep_usage = keep_usage
        self._splitter = Splitter()

    def feed(self, block: bytes) -> Delta | None:
        """What this block adds; its `raw` leaves out `[DONE]` and a usage chunk the client did not ask for."""
        texts: list[str] = []
        calls: list[ToolCallPart] = []
        finish: str | None = None
        usage: Usage | None = None
        kept: list[bytes] = []
        for part in self._splitter.parts(block):
            answer = self._read(part)
            if answer is None:
                continue
            choices = answer.choices
            if answer.usage is not None:
                usage = answer.usage.noun()
                if not choices and not self._keep_usage:
                    continue
            kept.append(part)
            # Further choices (n > 1) reach the client in `raw` only.
            if choices and not choices[0].index:
                choice = choices[0]
                finish = choice.finish_reason or finish
                if (said := choice.delta) is not None:
                    if said.content:
                        texts.append(said.content)
                    if said.tool_calls:
                        calls += [_part(call, position) for position, call in enumerate(said.tool_calls)]
        if not kept and usage is None:
            return None
        raw = b"\n\n".join(kept) + b"\n\n" if kept else b""
        return Delta("".join(texts), tuple(calls), finish, usage, (), raw)

    def _read(self, part: bytes) -> _Answer | None:
        """The chunk in an event; None for `[DONE]` and for events without data."""
        if part.startswith(b"data: ") and b"\n" not in part:
            data = part[6:]
        else:
            event = read(part)
            data = event.data if event is not None else b""
        if not data or data == b"[DONE]":
            self.done = self.done or bool(data)
            return None
        try:
            answer = _answer.decode(data)
        except msgspec.MsgspecError as error:
            raise ProviderError(f"An event of the stream is no JSON of a chat ({error}): {_peek(data)}") from None
        if answer.error:
            raise ProviderError(f"The provider ended its stream with an error: {_peek(data)}")
        return answer


def _part(call: _Call, position: int) -> ToolCallPart:
    function = call.function or _Function()
    index = position if call.index is None else call.index
    return ToolCallPart(index, call.id or "", function.name or "", function.arguments or "")


def _tool(tool: Tool) -> Json:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _peek(data: bytes) -> str:
    return repr(data[:200].decode("utf-8", "replace")) if data else "it is empty"
