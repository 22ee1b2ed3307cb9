"""Chat completions on the wire: deltas written as OpenAI's JSON and chunks. No I/O.

https://platform.openai.com/docs/api-reference/chat
"""

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from regista.core.errors import RegistaError
from regista.core.nouns import Delta, Json, ToolCall, ToolCallPart, Usage
from regista.models.anthropic_wire import sealed
from regista.models.openai_wire import wants_usage
from regista.models.sse import Splitter
from regista.surfaces.http.answering import Asked
from regista.surfaces.http.wire import encode, error_body


def whole(asked: Asked, raw: bytes | None) -> bytes:
    """An answer as a `chat.completion`: the upstream's own where nothing changed it."""
    extension = asked.extension()
    if raw is not None:
        return raw if extension is None else with_extension(raw, extension)
    response = asked.serving.response
    said = {"content": None, "refusal": response.text} if response.refused else {"content": response.text}
    message: Json = {"role": "assistant", "refusal": None, **said}
    if response.tool_calls:
        message["content"] = response.text or None
        message["tool_calls"] = [call_wire(call) for call in response.tool_calls]
    if response.reasoning:
        message["reasoning_content"] = response.reasoning
    if blocks := [block for thought in response.thoughts for block in sealed(thought.text, thought.seal)]:
        message["thinking_blocks"] = blocks
    choice = {
        "index": 0,
        "message": message,
        "logprobs": logprobs_wire(response.logprobs),
        "finish_reason": response.finish or "stop",
    }
    body: Json = {
        "id": f"chatcmpl-{asked.id}",
        "object": "chat.completion",
        "created": asked.created,
        "model": asked.request.model,
        "choices": [choice],
        "usage": usage_wire(response.usage or Usage()),
    }
    if extension is not None:
        body["regista"] = extension
    return encode(body)


def with_extension(raw: bytes, extension: Json) -> bytes:
    """An upstream's JSON object with Regista's field added at its end, all else byte for byte.

    >>> with_extension(b'{"a": 1}', {"cached": False})
    b'{"a": 1,"regista":{"cached":false}}'
    """
    return raw.rstrip()[:-1] + b',"regista":' + encode(extension) + b"}"


class _Head(Struct, omit_defaults=True):
    """What all chunks of one answer have in common."""

    id: str | UnsetType = UNSET
    created: int | UnsetType = UNSET
    model: str | UnsetType = UNSET


_head = msgspec.json.Decoder(_Head)


class Chunks:
    """Writes deltas as server-sent `chat.completion.chunk` events. Nothing but `[DONE]` says that they are whole."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._head: Json = {
            "id": f"chatcmpl-{asked.id}",
            "object": "chat.completion.chunk",
            "created": asked.created,
            "model": asked.request.model,
        }
        self._usage: Usage | None = None
        self._thought = ""
        self._sealed = 0
        self._raw = b""
        self._spoke = False

    def write(self, delta: Delta) -> bytes:
        """The events of a delta, the upstream's own where nothing changed them; Regista's own field before the end."""
        events = delta.raw
        if events is None:
            events = self._chunk(delta)
        elif events:
            self._raw = events
        if delta.finish is not None and (extension := self._asked.extension()) is not None:
            # On a chunk whose delta is empty: clients that do not know the field pass over it.
            empty: Json = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}
            return self._event([empty], regista=extension) + events
        return events

    def end(self) -> bytes:
        """The usage, where it was asked for and the upstream's own bytes did not hold it, and `[DONE]`."""
        wanted = self._usage is not None and wants_usage(self._asked.request)
        usage = self._event([], usage=usage_wire(self._usage)) if wanted and self._usage else b""
        return usage + b"data: [DONE]\n\n"

    def fail(self, error: RegistaError) -> bytes:
        """The error, and no `[DONE]`."""
        return b"data: " + encode(error_body(error)) + b"\n\n"

    def _chunk(self, delta: Delta) -> bytes:
        self._usage = delta.usage or self._usage
        said: Json = {}
        if not self._spoke:
            self._spoke = True
            if self._raw:
                self._follow()
            else:
                said["role"] = "assistant"
        if delta.reasoning:
            said["reasoning_content"] = delta.reasoning
            self._thought += delta.reasoning
        if delta.seal:
            # Clients join pieces of a list by their index.
            said["thinking_blocks"] = [{"index": self._sealed, **block} for block in sealed(self._thought, delta.seal)]
            self._thought, self._sealed = "", self._sealed + 1
        if delta.text:
            said["refusal" if delta.refused else "content"] = delta.text
        if delta.tool_calls:
            said["tool_calls"] = [_call_part(part) for part in delta.tool_calls]
        if not said and delta.finish is None:
            return b""
        logprobs = logprobs_wire(delta.logprobs)
        return self._event([{"index": 0, "delta": said, "logprobs": logprobs, "finish_reason": delta.finish}])

    def _follow(self) -> None:
        """Go on as the stream began, whose first events were another's: one answer has one id, and one role."""
        for event in Splitter().feed(self._raw):
            try:
                self._head |= msgspec.to_builtins(_head.decode(event.data))
            except msgspec.MsgspecError:
                continue  # no chunk of a chat: `[DONE]`, or what only its client understands

    def _event(self, choices: list[Json], **fields: Any) -> bytes:
        return b"data: " + encode({**self._head, "choices": choices, **fields}) + b"\n\n"


def call_wire(call: ToolCall) -> Json:
    """A tool call as OpenAI writes it."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _call_part(part: ToolCallPart) -> Json:
    if not part.id:
        return {"index": part.index, "function": {"arguments": part.arguments}}
    return {"index": part.index, **call_wire(ToolCall(part.id, part.name, part.arguments))}


def logprobs_wire(entries: tuple[Json, ...]) -> Json | None:
    """Log-probabilities as OpenAI writes them; None where there are none."""
    return {"content": list(entries), "refusal": None} if entries else None


def usage_wire(usage: Usage) -> Json:
    """Usage as OpenAI writes it."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
