"""Bedrock's Converse answers as deltas, as pure functions over bytes.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html. How a stream is cut into
messages is not known here, nor are connections and keys.
"""

import msgspec
from msgspec import Raw, Struct

from regista.core.errors import StreamCutError
from regista.core.nouns import Delta, ToolCallPart, Usage
from regista.models.anthropic_wire import REDACTED
from regista.models.decoded import decoded
from regista.models.http_errors import error_in_stream
from regista.models.tool_blocks import ToolBlocks

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
"""Stop reason to OpenAI's finish reason; others are passed on."""
BROKEN = frozenset(("malformed_model_output", "malformed_tool_use"))
"""Stop reasons of answers that are none."""
STATUS = {
    "internalServerException": 500,
    "modelStreamErrorException": 424,
    "modelTimeoutException": 408,
    "serviceUnavailableException": 503,
    "throttlingException": 429,
    "validationException": 400,
}
"""The HTTP status an exception has when it comes before the stream instead of in it."""


class _Detail(Struct, rename="camel"):
    ttl: str = ""
    input_tokens: int = 0


class _Usage(Struct, rename="camel"):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_write_input_tokens: int = 0
    cache_details: list[_Detail] = []

    def noun(self) -> Usage:
        """Regista's count: Bedrock lists what was read from and written to its cache beside the other input."""
        read, written = self.cache_read_input_tokens, self.cache_write_input_tokens
        long = sum(detail.input_tokens for detail in self.cache_details if detail.ttl == "1h")
        return Usage(self.input_tokens + read + written, self.output_tokens, read, 0, written, long)


class _ReasoningText(Struct):
    text: str = ""
    signature: str = ""


class _Reasoning(Struct, rename="camel"):
    """A whole thought, or a piece of one."""

    reasoning_text: _ReasoningText | None = None
    redacted_content: str = ""
    text: str = ""
    signature: str = ""

    def delta(self) -> Delta:
        whole = self.reasoning_text or _ReasoningText(self.text, self.signature)
        redacted = f"{REDACTED}{self.redacted_content}" if self.redacted_content else ""
        return Delta(reasoning=whole.text, seal=redacted or whole.signature)


class _Use(Struct, rename="camel"):
    tool_use_id: str = ""
    name: str = ""
    input: Raw = Raw(b"{}")


class _Block(Struct, rename="camel"):
    text: str = ""
    tool_use: _Use | None = None
    reasoning_content: _Reasoning | None = None


class _Message(Struct):
    content: list[_Block] = []


class _Output(Struct):
    message: _Message


class _Answer(Struct, rename="camel"):
    output: _Output
    stop_reason: str
    usage: _Usage | None = None


class _Piece(Struct):
    input: str = ""


class _Change(Struct, rename="camel"):
    text: str = ""
    tool_use: _Piece | None = None
    reasoning_content: _Reasoning | None = None


class _Start(Struct, rename="camel"):
    tool_use: _Use | None = None


class _Event(Struct, rename="camel"):
    content_block_index: int = 0
    start: _Start | None = None
    delta: _Change | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None
    message: str = ""


class _Count(Struct, rename="camel"):
    input_tokens: int


_answer = msgspec.json.Decoder(_Answer).decode
_event = msgspec.json.Decoder(_Event).decode
_count = msgspec.json.Decoder(_Count).decode


def whole(data: bytes) -> list[Delta]:
    """One JSON answer as a delta, with one before it for each of its thoughts but the last."""
    answer = decoded(data, _answer, "The answer is not Bedrock's")
    content = answer.output.message.content
    text = "".join(block.text for block in content)
    uses = [block.tool_use for block in content if block.tool_use is not None]
    calls = tuple(ToolCallPart(i, use.tool_use_id, use.name, bytes(use.input).decode()) for i, use in enumerate(uses))
    thoughts = [block.reasoning_content.delta() for block in content if block.reasoning_content is not None]
    *first, last = thoughts or [Delta()]
    usage = answer.usage.noun() if answer.usage is not None else None
    return [*first, Delta(text, calls, _finish(answer.stop_reason), usage, reasoning=last.reasoning, seal=last.seal)]


def counted(data: bytes) -> int:
    """The tokens in an answer of `CountTokens`."""
    return decoded(data, _count, "The answer is no count of tokens").input_tokens


class Stream:
    """Turns the messages of an event stream into deltas. `end` gives the last one, once nothing more comes."""

    __slots__ = ("_calls", "_finish", "_usage", "done")

    def __init__(self) -> None:
        self.done = False
        """Whether the usage has come, which is the last there is."""
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._calls = ToolBlocks()

    def take(self, kind: str, payload: bytes) -> Delta | None:
        """What a message of a kind (`contentBlockDelta` …) adds. Raises `ProviderError` for an exception."""
        event = decoded(payload or b"{}", _event, "A message of the stream is not Bedrock's")
        if kind.endswith("xception"):
            raise error_in_stream("bedrock", kind, STATUS.get(kind, 500), event.message)
        if kind == "contentBlockStop":
            return self._calls.close(event.content_block_index)
        if event.start is not None and (use := event.start.tool_use) is not None:
            return self._calls.open(event.content_block_index, use.tool_use_id, use.name)
        if event.delta is not None:
            return self._add(event.content_block_index, event.delta)
        if event.stop_reason is not None:
            self._finish = _finish(event.stop_reason)
        if event.usage is not None:
            self._usage, self.done = event.usage.noun(), True
        return None

    def end(self) -> Delta:
        """How the answer ended. Raises `StreamCutError` where nothing said so."""
        if self._finish is None:
            raise StreamCutError("Bedrock's stream ended without a stop reason: the answer is not whole.")
        return Delta(finish=self._finish, usage=self._usage)

    def _add(self, index: int, change: _Change) -> Delta | None:
        if change.text:
            return Delta(change.text)
        if change.reasoning_content is not None:
            return change.reasoning_content.delta()
        return None if change.tool_use is None else self._calls.add(index, change.tool_use.input)


def _finish(reason: str) -> str:
    if reason in BROKEN:
        raise StreamCutError(f"Bedrock gave the answer up: its stop reason is {reason!r}.")
    return FINISH.get(reason, reason)
