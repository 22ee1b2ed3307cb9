"""Anthropic's Messages wire: OpenAI-shaped requests out, messages and events in, as pure functions.

Field names are those of https://platform.claude.com/docs/en/api/messages. What Regista does not read
passes through in both shapes: a request may carry `thinking`, `top_k` or a `cache_control` mark.
Nothing is known here of connections and keys.
"""

import msgspec
from msgspec import Raw, Struct

from regista.core.errors import ProviderError
from regista.core.nouns import Delta, ToolCallPart, Usage
from regista.models.http_errors import ADVICE, KEY_LIKE, OTHER
from regista.models.sse import Splitter

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",
    "refusal": "content_filter",
}
"""Stop reason to OpenAI's finish reason. A paused turn is not whole, so it is not a `stop`."""
STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The HTTP status an error has when it comes before the stream instead of in it."""


class _Details(Struct):
    thinking_tokens: int | None = None


class _Usage(Struct):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: _Details | None = None

    def updated(self, later: "_Usage") -> "_Usage":
        """These counts with those a later event repeats: counts in events are totals, not differences."""
        new = {name: value for name in self.__struct_fields__ if (value := getattr(later, name)) is not None}
        return msgspec.structs.replace(self, **new)

    def noun(self) -> Usage:
        """Regista's count. `input_tokens` holds what Anthropic lists apart: uncached, cache reads and cache writes."""
        read = self.cache_read_input_tokens or 0
        given = (self.input_tokens or 0) + read + (self.cache_creation_input_tokens or 0)
        thought = self.output_tokens_details or _Details()
        return Usage(given, self.output_tokens or 0, read, thought.thinking_tokens or 0)


class _Block(Struct):
    type: str = ""
    text: str = ""
    id: str = ""
    name: str = ""
    input: Raw = Raw(b"{}")


class _Error(Struct):
    type: str = "api_error"
    message: str = ""


class _Message(Struct):
    type: str = ""
    content: list[_Block] = []
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Change(Struct):
    text: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Event(Struct):
    type: str = ""
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Change | None = None
    usage: _Usage | None = None
    error: _Error | None = None


_message = msgspec.json.Decoder(_Message)
_event = msgspec.json.Decoder(_Event)


def whole(data: bytes) -> Delta:
    """One JSON answer as one delta."""
    try:
        message = _message.decode(data)
    except msgspec.MsgspecError as error:
        raise ProviderError(f"The answer is not an Anthropic message ({error}): {_peek(data)}") from None
    if message.type != "message":
        raise ProviderError(f"The answer is not an Anthropic message: {_peek(data)}")
    text = "".join(block.text for block in message.content if block.type == "text")
    uses = [block for block in message.content if block.type == "tool_use"]
    calls = tuple(ToolCallPart(i, use.id, use.name, bytes(use.input).decode()) for i, use in enumerate(uses))
    usage = message.usage.noun() if message.usage else None
    return Delta(text, calls, _finish(message.stop_reason), usage)


class Stream:
    """Turns blocks of a streamed answer into deltas, at most one for each block. `done` after `message_stop`.

    The finish reason and the usage come with the last delta, once the answer is known to be whole.
    """

    __slots__ = ("_bare", "_calls", "_splitter", "_stop_reason", "_usage", "done")

    def __init__(self) -> None:
        self.done = False
        self._splitter = Splitter()
        self._usage = _Usage()
        self._stop_reason: str | None = None
        self._calls: dict[int, int] = {}
        """Content block to position among the tool calls."""
        self._bare: set[int] = set()
        """Tool calls without arguments so far."""

    def feed(self, block: bytes) -> Delta | None:
        """What this block adds, or None. Raises `ProviderError` for an `error` event and what is no event."""
        deltas: list[Delta] = []
        for part in self._splitter.feed(block):
            try:
                event = _event.decode(part.data)
            except msgspec.MsgspecError as error:
                raise ProviderError(
                    f"An event of the stream is not Anthropic's ({error}): {_peek(part.data)}"
                ) from None
            delta = self._take(event)
            if delta is not None:
                deltas.append(delta)
        return _join(deltas) if deltas else None

    def _take(self, event: _Event) -> Delta | None:
        match event.type:
            case "message_start":
                self._count(event.message.usage if event.message else None)
            case "content_block_start":
                return self._open(event.index, event.content_block or _Block())
            case "content_block_delta":
                return self._add(event.index, event.delta or _Change())
            case "content_block_stop" if event.index in self._bare:
                return Delta(tool_calls=(ToolCallPart(self._calls[event.index], arguments="{}"),))
            case "message_delta":
                self._count(event.usage)
                self._stop_reason = event.delta.stop_reason if event.delta else None
            case "message_stop":
                self.done = True
                return Delta(finish=_finish(self._stop_reason), usage=self._usage.noun())
            case "error":
                raise _error(event.error or _Error())
            case _:
                pass  # pings, and kinds of events that may be added
        return None

    def _count(self, usage: _Usage | None) -> None:
        if usage is not None:
            self._usage = self._usage.updated(usage)

    def _open(self, index: int, block: _Block) -> Delta | None:
        if block.type == "tool_use":
            self._calls[index] = len(self._calls)
            self._bare.add(index)
            return Delta(tool_calls=(ToolCallPart(self._calls[index], block.id, block.name),))
        return Delta(block.text) if block.type == "text" and block.text else None

    def _add(self, index: int, change: _Change) -> Delta | None:
        if change.text:
            return Delta(change.text)
        if change.partial_json and index in self._calls:
            self._bare.discard(index)
            return Delta(tool_calls=(ToolCallPart(self._calls[index], arguments=change.partial_json),))
        return None


def _join(deltas: list[Delta]) -> Delta:
    last = deltas[-1]  # the finish and the usage come in the last delta of a stream only
    parts = tuple(part for delta in deltas for part in delta.tool_calls)
    return Delta("".join(delta.text for delta in deltas), parts, last.finish, last.usage)


def _finish(reason: str | None) -> str | None:
    return FINISH.get(reason, reason) if reason else None


def _error(error: _Error) -> ProviderError:
    upstream = STATUS.get(error.type, 500)
    code, status, advice = ADVICE.get(upstream, OTHER)
    said = KEY_LIKE.sub("***", error.message)
    return ProviderError(
        f"anthropic ended its stream with {error.type}: {said}. {advice.format(key_env='the variable of its key')}",
        upstream_status=upstream,
        code=code,
        status=status,
    )


def _peek(data: bytes) -> str:
    return (repr(data[:200].decode("utf-8", "replace")) if data else "it is empty") + ". Is base_url right?"
