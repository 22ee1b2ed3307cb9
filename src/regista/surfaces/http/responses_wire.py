"""The Responses API on the wire: answers written as a response, or as the events of one. No I/O.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from regista.core.errors import ProviderError, RegistaError
from regista.core.nouns import Delta, Json, Response, ToolCallPart, Usage
from regista.surfaces.http.answering import Asked
from regista.surfaces.http.responses_items import (
    Called,
    Event,
    Said,
    Thought,
    call_item,
    message_item,
    part,
    reasoning_item,
)
from regista.surfaces.http.wire import encode, error_body

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Finish reasons of answers that broke off, as the Responses API calls them."""
ERRORS = {429: "rate_limit_exceeded", 400: "invalid_prompt", 403: "invalid_prompt"}
"""HTTP status to the code of a failed response; anything else is a `server_error`."""
Item = Said | Thought | Called
ECHOED = ("instructions", "max_output_tokens", "temperature", "top_p", "top_logprobs", "user", "service_tier")


def whole(asked: Asked, raw: bytes | None) -> bytes:
    """An answer as a `response`."""
    response = asked.serving.response
    return encode(_ended(asked, response, _output(asked.id, response)))


class Events:
    """Writes deltas as the events of a response, one item after the other."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._number = 0
        self._open: Item | None = None
        self._output: list[Json] = []
        self._calls = 0
        """Calls begun: those before the one that is open are whole."""

    def write(self, delta: Delta) -> bytes:
        """The events of a delta."""
        events: list[Event] = self._started() if not self._number else []
        if delta.reasoning or delta.seal:
            events += self._think(delta.reasoning, delta.seal)
        if delta.text:
            events += self._say(delta)
        for call in delta.tool_calls:
            events += self._call(call)
        return self._written(events)

    def end(self) -> bytes:
        """What closes a stream that is whole: `response.completed`, or `response.incomplete` where it broke off."""
        response = self._asked.serving.response
        events: list[Event] = self._started() if not self._number else []
        if self._open is None and not self._output:
            events += self._begin(Said(self._asked.id, 0, False))
        events += self._close("incomplete" if response.finish in INCOMPLETE else "completed")
        ended = _ended(self._asked, response, self._output)
        return self._written([*events, (f"response.{ended['status']}", {"response": ended})])

    def fail(self, error: RegistaError) -> bytes:
        """`response.failed`, and after it an `error`: the official client raises for the second only."""
        told = error_body(error)["error"]
        code = ERRORS.get(error.status, "server_error")
        failed = _response(self._asked, "failed", self._output) | {"error": {"code": code, "message": error.message}}
        flat = {name: told[name] for name in ("code", "message", "param")}
        events: list[Event] = self._started() if not self._number else []
        return self._written([*events, ("response.failed", {"response": failed}), ("error", {**flat, "error": told})])

    def _started(self) -> list[Event]:
        response = _response(self._asked, "in_progress", [])
        return [("response.created", {"response": response}), ("response.in_progress", {"response": response})]

    def _think(self, text: str, seal: str) -> list[Event]:
        events: list[Event] = []
        if not isinstance(self._open, Thought) or self._open.seal:
            events += self._begin(Thought(self._asked.id, self._next))
        assert isinstance(self._open, Thought)  # noqa: S101
        events += self._open.add(text) if text else []
        self._open.seal = seal
        return events

    def _say(self, delta: Delta) -> list[Event]:
        events: list[Event] = []
        if not isinstance(self._open, Said) or self._open.kind != ("message", delta.refused):
            events += self._begin(Said(self._asked.id, self._next, delta.refused))
        assert isinstance(self._open, Said)  # noqa: S101
        return events + self._open.add(delta.text, delta.logprobs)

    def _call(self, call: ToolCallPart) -> list[Event]:
        events: list[Event] = []
        if not isinstance(self._open, Called) or self._open.kind != ("function_call", call.index):
            if call.index < self._calls:
                raise ProviderError("The provider went on with a tool call it had ended.", code="mixed_tool_calls")
            events += self._begin(Called(self._asked.id, self._next, call.index, call.id, call.name))
            self._calls = call.index + 1
        assert isinstance(self._open, Called)  # noqa: S101
        return events + self._open.add(call.arguments)

    @property
    def _next(self) -> int:
        return len(self._output) + (self._open is not None)

    def _begin(self, item: Item) -> list[Event]:
        events = self._close("completed")
        self._open = item
        return events + item.begin()

    def _close(self, status: str) -> list[Event]:
        if self._open is None:
            return []
        events, item = self._open.end(status)
        self._output.append(item)
        self._open = None
        return events

    def _written(self, events: list[Event]) -> bytes:
        parts: list[bytes] = []
        for name, fields in events:
            data = encode({"type": name, "sequence_number": self._number, **fields})
            parts.append(b"event: %b\ndata: %b\n\n" % (name.encode(), data))
            self._number += 1
        return b"".join(parts)


def _output(answer_id: str, response: Response) -> list[Json]:
    """The items of a whole answer: what was thought, said and called."""
    status = "incomplete" if response.finish in INCOMPLETE else "completed"
    items = [
        reasoning_item(f"rs_{answer_id}_{i}", thought.text, thought.seal) for i, thought in enumerate(response.thoughts)
    ]
    if response.text or not response.tool_calls:
        said = part(response.text, response.logprobs, response.refused)
        items.append(message_item(f"msg_{answer_id}_{len(items)}", [said], status))
    for call in response.tool_calls:
        items.append(call_item(f"fc_{answer_id}_{len(items)}", call.id, call.name, call.arguments, status))
    return items


def _ended(asked: Asked, response: Response, output: list[Json]) -> Json:
    reason = INCOMPLETE.get(response.finish or "")
    ended = _response(asked, "incomplete" if reason else "completed", output)
    extension = asked.extension()
    return (
        ended
        | {"usage": usage_wire(response.usage or Usage())}
        | ({"incomplete_details": {"reason": reason}} if reason else {})
        | ({"regista": extension} if extension is not None else {})
    )


def _response(asked: Asked, status: str, output: list[Json]) -> Json:
    """The response as it is now, with what it was asked with. Nothing is kept of it, and so `store` is false."""
    body = asked.body
    reasoning: Json = body.get("reasoning") or {}
    return {
        "id": f"resp_{asked.id}",
        "object": "response",
        "created_at": asked.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": asked.request.model,
        "output": output,
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": None,
        "reasoning": {"effort": reasoning.get("effort"), "summary": None},
        "store": False,
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "truncation": "disabled",
        "usage": None,
        "metadata": body.get("metadata") or {},
        **{name: body.get(name) for name in ECHOED},
    }


def usage_wire(usage: Usage) -> Json:
    """Usage as the Responses API writes it."""
    read = {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens}
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": read,
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
