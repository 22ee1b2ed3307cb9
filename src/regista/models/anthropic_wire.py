"""Anthropic's Messages wire: OpenAI-shaped requests out, messages and events in, as pure functions.

Field names are those of https://platform.claude.com/docs/en/api/messages. What Regista does not read
passes through in both shapes: a request may carry `thinking`, `top_k` or a `cache_control` mark.
Nothing is known here of connections and keys.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from regista.core.errors import ProviderError
from regista.core.nouns import Delta, Json, ToolCallPart, Usage
from regista.models.decoded import decoded, shown
from regista.models.http_errors import error_in_stream
from regista.models.sse import Splitter
from regista.models.tool_blocks import ToolBlocks

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


REDACTED = "redacted:"
"""How the seal of a thought begins whose text Anthropic keeps to itself."""


class _Details(Struct):
    thinking_tokens: int | None = None


class _Creation(Struct):
    ephemeral_1h_input_tokens: int | None = None


class _Usage(Struct):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _Creation | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: _Details | None = None

    def updated(self, later: "_Usage") -> "_Usage":
        """These counts with those a later event repeats: counts in events are totals, not differences."""
        new = {name: value for name in self.__struct_fields__ if (value := getattr(later, name)) is not None}
        return msgspec.structs.replace(self, **new)

    def noun(self) -> Usage:
        """Regista's count. `input_tokens` holds what Anthropic lists apart: uncached, cache reads and cache writes."""
        read, written = self.cache_read_input_tokens or 0, self.cache_creation_input_tokens or 0
        given = (self.input_tokens or 0) + read + written
        thought, kept = self.output_tokens_details or _Details(), self.cache_creation or _Creation()
        long = min(kept.ephemeral_1h_input_tokens or 0, written)
        return Usage(given, self.output_tokens or 0, read, thought.thinking_tokens or 0, written, long)


class _Block(Struct):
    type: str = ""
    text: str = ""
    id: str = ""
    name: str = ""
    input: Raw = Raw(b"{}")
    thinking: str = ""
    signature: str = ""
    data: str = ""

    @property
    def seal(self) -> str:
        """What must go back with a thought; its text may be empty, as the configuration of thinking has it."""
        return f"{REDACTED}{self.data}" if self.type == "redacted_thinking" else self.signature


class _Error(Struct):
    type: str = "api_error"
    message: str = ""


THOUGHTS = ("thinking", "redacted_thinking")


class _Counted(Struct):
    input_tokens: int


class _Message(Struct):
    type: str = ""
    content: list[_Block] = []
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Change(Struct):
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    stop_reason: str | None = None


class _Event(Struct):
    type: str = ""
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Change | None = None
    usage: _Usage | None = None
    error: _Error | None = None


_message = msgspec.json.Decoder(_Message).decode
_event = msgspec.json.Decoder(_Event).decode
_counted = msgspec.json.Decoder(_Counted).decode
NO_MESSAGE = "The answer is not an Anthropic message"


def whole(data: bytes) -> list[Delta]:
    """One JSON answer as a delta, with one before it for each of its thoughts but the last."""
    message = decoded(data, _message, NO_MESSAGE)
    if message.type != "message":
        raise ProviderError(f"{NO_MESSAGE}: {shown(data)}. Is base_url right?")
    text = "".join(block.text for block in message.content if block.type == "text")
    uses = [block for block in message.content if block.type == "tool_use"]
    calls = tuple(ToolCallPart(i, use.id, use.name, bytes(use.input).decode()) for i, use in enumerate(uses))
    usage = message.usage.noun() if message.usage else None
    thoughts = [block for block in message.content if block.type in THOUGHTS] or [_Block()]
    *first, last = [Delta(reasoning=block.thinking, seal=block.seal) for block in thoughts]
    return [*first, Delta(text, calls, _finish(message.stop_reason), usage, reasoning=last.reasoning, seal=last.seal)]


def sealed(text: str, seal: str) -> list[Json]:
    """A thought as it goes back to its provider, in an assistant message's `thinking_blocks`: none without a seal."""
    if not seal:
        return []
    if seal.startswith(REDACTED):
        return [{"type": "redacted_thinking", "data": seal.removeprefix(REDACTED)}]
    return [{"type": "thinking", "thinking": text, "signature": seal}]


def counted(data: bytes) -> int:
    """The tokens in an answer of `/v1/messages/count_tokens`."""
    return decoded(data, _counted, "The answer is no count of tokens").input_tokens


class Stream:
    """Turns blocks of a streamed answer into deltas. `done` after `message_stop`.

    The finish reason comes with the last delta, once the answer is known to be whole. The usage comes twice: what was
    read at the beginning, so that it is known of an answer nobody waits for, and all of it at the end.
    """

    __slots__ = ("_calls", "_splitter", "_stop_reason", "_usage", "done")

    def __init__(self) -> None:
        self.done = False
        self._splitter = Splitter()
        self._usage = _Usage()
        self._stop_reason: str | None = None
        self._calls = ToolBlocks()

    def feed(self, block: bytes) -> Iterator[Delta]:
        """What this block adds, a delta for each thought it ends.

        Raises `ProviderError` for an `error` event and for what is no event, once what stands before it is told.
        """
        deltas: list[Delta] = []
        failure: ProviderError | None = None
        try:
            for part in self._splitter.feed(block):
                delta = self._take(part.data)
                if delta is not None:
                    deltas.append(delta)
        except ProviderError as error:
            failure = error
        yield from _join(deltas)
        if failure is not None:
            raise failure

    def _take(self, data: bytes) -> Delta | None:
        event = decoded(data, _event, "An event of the stream is not Anthropic's")
        match event.type:
            case "message_start" if event.message is not None and event.message.usage is not None:
                self._usage = event.message.usage
                return Delta(usage=self._usage.noun())
            case "content_block_start":
                return self._open(event.index, event.content_block or _Block())
            case "content_block_delta":
                return self._add(event.index, event.delta or _Change())
            case "content_block_stop":
                return self._calls.close(event.index)
            case "message_delta":
                self._usage = self._usage.updated(event.usage) if event.usage is not None else self._usage
                self._stop_reason = (event.delta or _Change()).stop_reason or self._stop_reason
            case "message_stop":
                self.done = True
                return Delta(finish=_finish(self._stop_reason), usage=self._usage.noun())
            case "error":
                error = event.error or _Error()
                raise error_in_stream("anthropic", error.type, STATUS.get(error.type, 500), error.message)
            case _:
                pass  # pings, and kinds of events that may be added
        return None

    def _open(self, index: int, block: _Block) -> Delta | None:
        if block.type == "tool_use":
            return self._calls.open(index, block.id, block.name)
        if block.type in THOUGHTS and (block.thinking or block.seal):
            return Delta(reasoning=block.thinking, seal=block.seal)
        return Delta(block.text) if block.type == "text" and block.text else None

    def _add(self, index: int, change: _Change) -> Delta | None:
        if change.text:
            return Delta(change.text)
        if change.thinking or change.signature:
            return Delta(reasoning=change.thinking or "", seal=change.signature or "")
        return self._calls.add(index, change.partial_json or "")


def _join(deltas: list[Delta]) -> list[Delta]:
    """One delta of several, or more: a seal closes the reasoning up to it, and what was thought after is apart."""
    joined: list[Delta] = []
    since: list[Delta] = []
    for delta in deltas:
        if delta.reasoning and any(before.text or before.tool_calls for before in since):
            joined.append(_sum(since))
            since = []
        since.append(delta)
        if delta.seal:
            joined.append(_sum(since))
            since = []
    return [*joined, _sum(since)] if since else joined


def _sum(deltas: list[Delta]) -> Delta:
    if len(deltas) == 1:
        return deltas[0]
    last = deltas[-1]
    usage = next((delta.usage for delta in reversed(deltas) if delta.usage is not None), None)
    parts = tuple(part for delta in deltas for part in delta.tool_calls)
    text, thought = "".join(delta.text for delta in deltas), "".join(delta.reasoning for delta in deltas)
    return Delta(text, parts, last.finish, usage, reasoning=thought, seal=last.seal)


def _finish(reason: str | None) -> str | None:
    return FINISH.get(reason, reason) if reason else None
