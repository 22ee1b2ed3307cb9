"""A request in OpenAI's own words, as the host it goes to takes them. Pure functions, no bytes sent.

Field names are those of https://developers.openai.com/api/reference/resources/chat; what is odd at a host stands in its
row of `hosts.toml`. Fields not named here pass through untouched, in `Request.rest`.
"""

from typing import Any, cast

import msgspec

from regista.core.nouns import Json, Message, Request, Tool
from regista.models.hosts import PLAIN, Host

MARK = "cache_control"
_encode = msgspec.json.Encoder().encode


def body(request: Request, host: Host = PLAIN) -> bytes:
    """The JSON body of a chat request. A stream always asks for its usage: without it there is no exact cost."""
    rest = fitted(request.rest, host) if host.rename or host.drop else request.rest
    fields: Json = {
        "model": request.model,
        "messages": [wire(message, host.reasoning) for message in request.messages],
        **rest,
    }
    if MARK in host.drop:
        _unmark(fields)
    if request.tools:
        fields["tools"] = [*fields.get("tools", ()), *(_tool(tool) for tool in request.tools)]
    if request.stream:
        fields["stream"] = True
        asked = dict.fromkeys(host.stream_options, True)
        if asked:
            fields["stream_options"] = {**(fields.get("stream_options") or {}), **asked}
        else:
            fields.pop("stream_options", None)
    return _encode(fields)


def fitted(rest: Json, host: Host) -> Json:
    """Fields by the names they have at a host, without those it refuses for nothing.

    >>> fitted({"max_tokens": 5, "n": 1}, Host(title="", rename={"max_tokens": "max_completion_tokens"}))
    {'max_completion_tokens': 5, 'n': 1}
    """
    return {
        host.rename.get(name, name): value
        for name, value in rest.items()
        if name not in host.drop and host.rename.get(name) not in rest
    }


def _unmark(fields: Json) -> None:
    """Leave out the marks of Anthropic's prompt cache, which a host refuses that does not know them."""
    for message in cast("list[Json]", fields["messages"]):
        content: Any = message["content"]
        if isinstance(content, list):
            message["content"] = _without_marks(cast("list[Json]", content))
    if fields.get("tools"):
        fields["tools"] = _without_marks(fields["tools"])


def _without_marks(marked: list[Json]) -> list[Json]:
    return [{k: v for k, v in each.items() if k != MARK} if MARK in each else each for each in marked]


def wire(message: Message, reasoning: str = "reasoning_content") -> Json:
    """A message as OpenAI writes it, without what another provider sealed; `reasoning` is where what was thought goes.

    >>> wire(Message("assistant", "Hi", {"reasoning_content": "Hm."}), reasoning="")
    {'role': 'assistant', 'content': 'Hi'}
    """
    written = {"role": message.role, "content": message.content, **message.rest}
    written.pop("thinking_blocks", None)
    thought = written.pop("reasoning_content", None)
    if thought and reasoning:
        written[reasoning] = thought
    return written


def _tool(tool: Tool) -> Json:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}
