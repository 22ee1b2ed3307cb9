"""Requests of Anthropic's Messages API checked and turned into nouns. No I/O.

https://platform.claude.com/docs/en/api/messages. What only Anthropic's own machines can do is refused. What Anthropic
alone takes (`thinking`, `top_k`, marks of `cache_control`) passes through to whoever answers.
"""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from regista.core.digest import digest
from regista.core.errors import RequestError
from regista.core.nouns import Content, Json, Message, Request
from regista.surfaces.http.reading import MAX_TOOLS, Positive, Share, check_calls, read, refuse, sealed
from regista.surfaces.http.wire import encode

KNOWN = {"role": "user, assistant, system"}
_OWN = "Anthropic's own machines would have to do it: leave it out."
REFUSED: dict[str, tuple[tuple[object, ...], str]] = {
    "container": ((), _OWN),
    "context_management": ((), _OWN),
    "mcp_servers": (([],), _OWN),
}
"""Fields that cannot be honoured, with the values that ask for nothing and what to do instead."""
CLIENT_TOOLS = ("bash_", "computer_", "memory_", "text_editor_")
"""How the types begin of Anthropic's tools that the client runs: their calls come back as any tool's."""
FAILED = "error: "
"""Begins the result of a tool that failed: chat completions have no other word for it."""


class _Message(Struct):
    role: Literal["user", "assistant", "system"]
    content: str | list[Json]


class _Tool(Struct):
    name: str
    type: str | None = None
    description: str | None = None
    input_schema: Json | None = None
    strict: bool | None = None
    cache_control: Json | None = None


class _Choice(Struct):
    type: Literal["auto", "any", "tool", "none"]
    name: str = ""
    disable_parallel_tool_use: bool = False


class _Metadata(Struct):
    user_id: str | None = None


class _Format(Struct):
    type: Literal["json_schema"]
    schema: Json


class _Output(Struct):
    effort: str | None = None
    format: _Format | None = None


class _Counted(Struct):
    """What a request to count tokens has; others fields are a message's alone."""

    model: str
    messages: list[_Message]
    system: str | list[Json] | None = None
    tools: Annotated[list[Json], Meta(max_length=MAX_TOOLS)] | None = None
    tool_choice: _Choice | None = None
    thinking: Json | None = None
    output_config: _Output | None = None


class _Messages(_Counted, kw_only=True):
    max_tokens: Positive
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: Share | None = None
    top_p: Share | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    metadata: _Metadata | None = None


LONGEST_USER = 64
"""Characters that OpenAI takes for a user's name; a longer one goes by its digest."""
APART = ("tool_result", "tool_use", "thinking", "redacted_thinking")
"""Blocks that are no content of a chat message, but messages or fields of their own."""
PASSED = ("temperature", "thinking", "top_k", "top_p")


def request_of(body: Json) -> Request:
    """A Messages request as a noun; raises `RequestError` naming what is wrong or cannot be honoured."""
    asked = read(body, _Messages, "one of the Messages API", KNOWN)
    return _request(
        body,
        asked,
        {
            "max_completion_tokens": asked.max_tokens,
            "stop": asked.stop_sequences or None,
            "user": _user(asked.metadata),
        },
        bool(asked.stream),
    )


def counted_of(body: Json) -> Request:
    """A request to count tokens as a noun; raises as `request_of` does."""
    return _request(body, read(body, _Counted, "one to count tokens", KNOWN), {}, stream=False)


def _request(body: Json, asked: _Counted, more: Json, stream: bool) -> Request:
    refuse(body, REFUSED)
    if not asked.messages:
        raise RequestError("'messages' is empty: send at least one message.", param="messages")
    messages = [Message("system", _content(asked.system, "system"))] if asked.system else []
    for index, message in enumerate(asked.messages):
        messages += _turn(message, f"messages[{index}]")
    check_calls(messages)
    tools = [_tool(tool, f"tools[{index}]") for index, tool in enumerate(asked.tools or ())]
    more |= {"tools": tools or None} | _choice(asked.tool_choice) | _output(asked.output_config)
    left = {*_Messages.__struct_fields__, *REFUSED}.difference(PASSED)
    rest = {name: value for name, value in body.items() if name not in left}
    rest = {name: value for name, value in (rest | more).items() if value is not None}
    return Request(asked.model, tuple(messages), stream, rest=rest)


# Messages


def _turn(message: _Message, where: str) -> list[Message]:
    """A turn as messages: results of tools come first, each as its own."""
    if isinstance(message.content, str):
        return [Message(message.role, message.content)]
    others = [block for block in message.content if block.get("type") not in APART]
    results = [block for block in message.content if block.get("type") == "tool_result"]
    thoughts = [block for block in message.content if block.get("type") in ("thinking", "redacted_thinking")]
    uses = [block for block in message.content if block.get("type") == "tool_use"]
    if (results and message.role != "user") or ((uses or thoughts) and message.role != "assistant"):
        raise RequestError(f"{where} has blocks that a message of the role {message.role!r} cannot have.", param=where)
    said = _content(others, where)
    messages = [_result(block, where) for block in results]
    rest: Json = {}
    if thoughts and (blocks := [sealed_block for block in thoughts for sealed_block in _thought(block, where)]):
        rest["thinking_blocks"] = blocks
    if uses:
        rest["tool_calls"] = [_use(block, where) for block in uses]
    if said or rest or not results:
        messages.append(Message(message.role, said or (None if rest else ""), rest))
    return messages


class _Result(Struct):
    tool_use_id: str
    content: str | list[Json] = ""
    is_error: bool | None = None
    cache_control: Json | None = None


class _Use(Struct):
    id: str
    name: str
    input: Json


class _Thought(Struct):
    thinking: str = ""
    signature: str = ""
    data: str = ""


def _result(block: Json, where: str) -> Message:
    result = _block(block, _Result, where)
    content = _content(result.content, where) or ""
    if result.is_error and not (isinstance(content, str) and content.startswith(FAILED.rstrip())):
        content = FAILED + content if isinstance(content, str) else [{"type": "text", "text": FAILED}, *content]
    if result.cache_control is not None:
        parts: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        content = [*parts[:-1], parts[-1] | {"cache_control": result.cache_control}]
    return Message("tool", content, {"tool_call_id": result.tool_use_id})


def _use(block: Json, where: str) -> Json:
    use = _block(block, _Use, where)
    function = {"name": use.name, "arguments": encode(use.input).decode()}
    return {"id": use.id, "type": "function", "function": function}


def _thought(block: Json, where: str) -> list[Json]:
    thought = _block(block, _Thought, where)
    return [block] if thought.data else sealed(thought.thinking, thought.signature)


def _block(block: Json, shape: type[Any], where: str) -> Any:
    try:
        return msgspec.convert(block, shape)
    except msgspec.ValidationError as error:
        raise RequestError(f"{where} has a block {block['type']!r} that is none: {error}.", param=where) from None


# Content


def _content(content: str | Iterable[Json] | None, where: str) -> Content:
    """Content in the words of chat completions; a single text without a mark as plain text."""
    if content is None or isinstance(content, str):
        return content
    parts: list[Json] = []
    for block in content:
        kind = str(block.get("type"))
        if kind not in BLOCKS:
            known = f"{', '.join(BLOCKS)}, thinking, tool_use, tool_result"
            message = f"{where} has a block of the type {kind!r}. Known: {known}."
            raise RequestError(message, code="unsupported_block", param=where)
        try:
            made = BLOCKS[kind](block)
        except (AttributeError, KeyError, TypeError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise RequestError(
                f"{where} has a block {kind!r} that is not shaped as Anthropic's API describes it ({problem}).",
                param=where,
            ) from None
        parts.append(made | ({"cache_control": block["cache_control"]} if block.get("cache_control") else {}))
    if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
        return parts[0]["text"]
    return parts or None


def _text(block: Json) -> Json:
    if not isinstance(block["text"], str):
        raise TypeError("'text' is no text")
    return {"type": "text", "text": block["text"]}


def _url(source: Json) -> str:
    if source["type"] == "url":
        return str(source["url"])
    if source["type"] == "base64":
        return f"data:{source['media_type']};base64,{source['data']}"
    raise TypeError(f"a source of the type {source['type']!r} is unknown; known: base64, url")


def _image(block: Json) -> Json:
    return {"type": "image_url", "image_url": {"url": _url(block["source"])}}


def _document(block: Json) -> Json:
    source: Json = block["source"]
    if source["type"] == "text":
        return {"type": "text", "text": str(source["data"])}
    if source["type"] != "base64":
        raise TypeError(f"a source of the type {source['type']!r} is unknown; known: base64, text")
    title = {"filename": block["title"]} if block.get("title") else {}
    return {"type": "file", "file": {"file_data": _url(source), **title}}


BLOCKS: dict[str, Callable[[Json], Json]] = {"text": _text, "image": _image, "document": _document}
"""Anthropic's blocks of content, in the words of chat completions."""


# Tools and other fields


def _tool(raw: Json, where: str) -> Json:
    try:
        tool = msgspec.convert(raw, _Tool)
    except msgspec.ValidationError as error:
        raise RequestError(f"{where} is no tool: {error}.", param=where) from None
    if tool.type not in (None, "custom"):
        if tool.type.startswith(CLIENT_TOOLS):
            return raw
        message = f"{where} is a tool of the type {tool.type!r}, which Anthropic's own machines run. Send functions."
        raise RequestError(message, code="unsupported_tool", param=where)
    function = {"name": tool.name, "description": tool.description, "parameters": tool.input_schema}
    function |= {"strict": tool.strict}
    made: Json = {"type": "function", "function": {k: v for k, v in function.items() if v is not None}}
    return made | ({"cache_control": tool.cache_control} if tool.cache_control is not None else {})


def _choice(choice: _Choice | None) -> Json:
    if choice is None:
        return {}
    if choice.type == "tool" and not choice.name:
        raise RequestError("A tool_choice of the type tool needs the tool's 'name'.", param="tool_choice.name")
    named = {"auto": "auto", "any": "required", "none": "none"}
    wanted: Any = named.get(choice.type) or {"type": "function", "function": {"name": choice.name}}
    return {"tool_choice": wanted} | ({"parallel_tool_calls": False} if choice.disable_parallel_tool_use else {})


def _user(metadata: _Metadata | None) -> str | None:
    user = metadata.user_id if metadata is not None else None
    return user if user is None or len(user) <= LONGEST_USER else digest(user)


def _output(output: _Output | None) -> Json:
    if output is None:
        return {}
    made: Json = {"reasoning_effort": output.effort}
    if output.format is not None:
        schema = {"name": "answer", "schema": output.format.schema, "strict": True}
        made["response_format"] = {"type": "json_schema", "json_schema": schema}
    return made
