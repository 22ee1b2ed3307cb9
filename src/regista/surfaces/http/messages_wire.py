"""Anthropic's Messages API on the wire: answers written as a message, or as the events of one. No I/O.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from typing import Any

import msgspec

from regista.core.errors import ProviderError, RegistaError
from regista.core.nouns import Delta, Json, Response, ToolCall, ToolCallPart, Usage
from regista.models.anthropic_wire import REDACTED
from regista.surfaces.http.answering import Asked
from regista.surfaces.http.reading import sealed
from regista.surfaces.http.wire import anthropic_error_body, encode

STOP = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
"""Finish reason to Anthropic's stop reason. Which stop sequence ended an answer is not known."""


def whole(asked: Asked, raw: bytes | None) -> bytes:
    """An answer as a `message`. Raises `ProviderError` where a call's arguments are no object."""
    response = asked.serving.response
    content: list[Json] = []
    for thought in response.thoughts:
        content += sealed(thought.text, thought.seal) or [
            {"type": "thinking", "thinking": thought.text, "signature": ""}
        ]
    if response.text or not response.tool_calls:
        content.append({"type": "text", "text": response.text})
    content += [_use(call) for call in response.tool_calls]
    extension = asked.extension()
    message = _message(asked, content) | _stop(response) | {"usage": usage_wire(response.usage or Usage())}
    return encode(message | ({"regista": extension} if extension is not None else {}))


class Events:
    """Writes deltas as the events of a message, one block after the other."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._started = False
        self._index = -1
        self._open: tuple[Any, ...] = ()
        """The kind of the block that is open; of a tool's use also its place among the calls."""
        self._calls = 0

    def write(self, delta: Delta) -> bytes:
        """The events of a delta."""
        events = self._start(delta.usage)
        if delta.reasoning or delta.seal:
            events += self._think(delta.reasoning, delta.seal)
        if delta.text:
            events += self._block(("text",), {"type": "text", "text": ""})
            events += self._add({"type": "text_delta", "text": delta.text})
        for call in delta.tool_calls:
            events += self._call(call)
        return events

    def end(self) -> bytes:
        """Why it ended and what it used, and `message_stop`."""
        response = self._asked.serving.response
        events = self._start(response.usage)
        if self._index < 0:
            events += self._block(("text",), {"type": "text", "text": ""})
        extension = self._asked.extension()
        changed = {"type": "message_delta", "delta": _stop(response), "usage": usage_wire(response.usage or Usage())}
        changed |= {"regista": extension} if extension is not None else {}
        return events + self._close() + _event(changed) + _event({"type": "message_stop"})

    def fail(self, error: RegistaError) -> bytes:
        """The error, and no `message_stop`."""
        return _event(anthropic_error_body(error))

    def _start(self, usage: Usage | None) -> bytes:
        if self._started:
            return b""
        self._started = True
        # What was read is known at the end only with most providers; until then it is said to be nothing.
        counted = {"usage": usage_wire(usage or Usage())}
        start = _message(self._asked, []) | {"stop_reason": None, "stop_sequence": None} | counted
        return _event({"type": "message_start", "message": start})

    def _think(self, text: str, seal: str) -> bytes:
        if seal.startswith(REDACTED):
            return self._close() + self._block(("redacted",), sealed("", seal)[0]) + self._close()
        events = self._block(("thinking",), {"type": "thinking", "thinking": "", "signature": ""})
        events += self._add({"type": "thinking_delta", "thinking": text}) if text else b""
        return events + (self._add({"type": "signature_delta", "signature": seal}) + self._close() if seal else b"")

    def _call(self, call: ToolCallPart) -> bytes:
        events = b""
        if self._open != ("tool_use", call.index):
            if call.index < self._calls:
                raise ProviderError("The provider went on with a tool call it had ended.", code="mixed_tool_calls")
            self._calls = call.index + 1
            use: Json = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
            events = self._block(("tool_use", call.index), use)
        # A call without arguments may have no text at all; Anthropic's clients take that for an empty object.
        return events + (
            self._add({"type": "input_json_delta", "partial_json": call.arguments}) if call.arguments else b""
        )

    def _block(self, kind: tuple[Any, ...], opening: Json) -> bytes:
        """Open a block, unless one of its kind is."""
        if self._open == kind:
            return b""
        events = self._close()
        self._open = kind
        self._index += 1
        return events + _event({"type": "content_block_start", "index": self._index, "content_block": opening})

    def _add(self, delta: Json) -> bytes:
        return _event({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _close(self) -> bytes:
        if not self._open:
            return b""
        self._open = ()
        return _event({"type": "content_block_stop", "index": self._index})


def _event(event: Json) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(event))


def _message(asked: Asked, content: list[Json]) -> Json:
    head = {"id": f"msg_{asked.id}", "type": "message", "role": "assistant", "model": asked.request.model}
    return head | {"content": content}


def _stop(response: Response) -> Json:
    finish = response.finish or "stop"
    return {"stop_reason": "refusal" if response.refused else STOP.get(finish, finish), "stop_sequence": None}


def _use(call: ToolCall) -> Json:
    try:
        given = msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ProviderError(
            f"The model called {call.name!r} with arguments that are no JSON object ({error}): {call.arguments[:80]!r}."
        ) from None
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": given}


def usage_wire(usage: Usage) -> Json:
    """Usage as Anthropic writes it: what was read from and written to its cache is not part of the input."""
    kept, written = usage.cached_tokens, usage.cache_write_tokens
    return {
        "input_tokens": max(usage.input_tokens - kept - written, 0),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": kept,
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
    }
