"""Chat completions on the wire: requests checked and turned into nouns, deltas into chunks. No I/O.

https://platform.openai.com/docs/api-reference/chat
"""

from typing import Any

import msgspec
from msgspec import Struct

from regista.core.errors import RequestError
from regista.core.nouns import Citation, Content, Delta, Json, Message, Request, Response, Usage
from regista.surfaces.http.wire import encode


class _Message(Struct):
    role: str
    content: Content = None


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _Chat(Struct):
    """The fields Regista reads; all others pass through unread."""

    model: str
    messages: list[_Message]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: int | None = None


def request_of(body: Json) -> Request:
    """A chat request as a noun; raises `RequestError` naming the field that is wrong."""
    try:
        chat = msgspec.convert(body, _Chat)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        where = path.strip("`").removeprefix("$.") or None
        raise RequestError(
            f"The request is not a chat completion: {message}{f' at {where}' if where else ''}.", param=where
        ) from None
    if not chat.messages:
        raise RequestError("'messages' is empty: send at least one message.", param="messages")
    rest = {name: value for name, value in body.items() if name not in ("model", "messages", "stream")}
    messages: list[Any] = body["messages"]
    return Request(chat.model, tuple(_message(raw) for raw in messages), bool(chat.stream), rest=rest)


def _message(raw: Json) -> Message:
    if len(raw) == 2:
        return Message(raw["role"], raw.get("content"))
    return Message(raw["role"], raw.get("content"), {k: v for k, v in raw.items() if k not in ("role", "content")})


def completion(response: Response, *, trace_id: str, model: str, created: int, extension: Json | None) -> bytes:
    """A whole answer as a `chat.completion`."""
    message: Json = {"role": "assistant", "content": response.text, "refusal": None}
    if response.tool_calls:
        calls = response.tool_calls
        message["content"] = response.text or None
        message["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": response.finish or "stop"}
    body: Json = {
        "id": f"chatcmpl-{trace_id}",
        "object": "chat.completion",
        "created": created,
        "model": model,
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


class Chunks:
    """Writes deltas as server-sent `chat.completion.chunk` events."""

    def __init__(self, trace_id: str, model: str, created: int, include_usage: bool) -> None:
        self._head: Json = {
            "id": f"chatcmpl-{trace_id}",
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
        }
        self._include_usage = include_usage
        self._usage: Usage | None = None
        self._spoke = False

    def write(self, delta: Delta) -> bytes:
        """The events of a delta: the upstream's own where nothing changed them."""
        if delta.raw is not None:
            return delta.raw
        self._usage = delta.usage or self._usage
        said: Json = {}
        if not self._spoke:
            said["role"] = "assistant"
            self._spoke = True
        if delta.text:
            said["content"] = delta.text
        if delta.tool_calls:
            said["tool_calls"] = [
                {
                    "index": p.index,
                    "id": p.id,
                    "type": "function",
                    "function": {"name": p.name, "arguments": p.arguments},
                }
                if p.id
                else {"index": p.index, "function": {"arguments": p.arguments}}
                for p in delta.tool_calls
            ]
        if not said and delta.finish is None:
            return b""
        return self._event([{"index": 0, "delta": said, "logprobs": None, "finish_reason": delta.finish}])

    def extension(self, extension: Json) -> bytes:
        """Regista's own field, on a chunk whose delta is empty: clients that do not know it pass over it."""
        return self._event([{"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}], regista=extension)

    def end(self) -> bytes:
        """What closes a stream that is whole."""
        usage = (
            self._event([], usage=usage_wire(self._usage)) if self._include_usage and self._usage is not None else b""
        )
        return usage + b"data: [DONE]\n\n"

    def _event(self, choices: list[Json], **fields: Any) -> bytes:
        return b"data: " + encode({**self._head, "choices": choices, **fields}) + b"\n\n"


def usage_wire(usage: Usage) -> Json:
    """Usage as OpenAI writes it."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def citation_wire(citation: Citation) -> Json:
    """A citation as answers carry it."""
    return {
        "marker": citation.marker,
        "document": citation.document,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
    }
