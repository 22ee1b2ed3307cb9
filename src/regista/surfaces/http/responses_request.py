"""Requests of OpenAI's Responses API checked and turned into nouns. No I/O.

https://platform.openai.com/docs/api-reference/responses. Nothing is kept between requests: what refers to an earlier
one is refused, and so is what only OpenAI's own machines can do.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from regista.core.errors import RequestError
from regista.core.nouns import Content, Json, Message, Request
from regista.surfaces.http.reading import (
    MAX_TOOLS,
    Positive,
    Share,
    Temperature,
    TopLogprobs,
    check_calls,
    read,
    refuse,
    sealed,
)

KNOWN = {"role": "user, assistant, system, developer", "type": "function"}
_WHOLE = "Nothing is kept between requests: send the whole conversation as 'input'."
REFUSED: dict[str, tuple[tuple[object, ...], str]] = {
    "background": ((False,), "Answers are made while you wait: leave it out, or send a batch."),
    "conversation": ((), _WHOLE),
    "max_tool_calls": ((), "Tools are functions that you run yourself: leave it out."),
    "previous_response_id": ((), _WHOLE),
    "prompt": ((), "Prompts kept at OpenAI are not known here: send 'instructions' and 'input'."),
}
"""Fields that cannot be honoured, with the values that ask for nothing and what to do instead."""
TRANSLATED = ("input", "instructions", "max_output_tokens", "model", "reasoning", "text", "tool_choice", "tools")
DROPPED = ("include", "store", "stream", "stream_options", "truncation")
"""Fields read elsewhere, or whose absence leaves the answer one to the same question."""
LOGPROBS = "message.output_text.logprobs"


class _Format(Struct):
    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: Json | None = None
    strict: bool | None = None
    description: str | None = None


class _Text(Struct):
    format: _Format | None = None
    verbosity: str | None = None


class _Reasoning(Struct):
    effort: str | None = None


class _Tool(Struct):
    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None


class _Named(Struct):
    name: str
    type: Literal["function"] = "function"


class _Choice(Struct):
    type: Literal["function", "allowed_tools"]
    name: str = ""
    mode: str = "auto"
    tools: list[_Named] = []


class _Responses(Struct):
    """The fields Regista reads or has bounds for; others that chat completions have too pass through unread."""

    model: str
    input: str | list[Json]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Positive | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    top_logprobs: TopLogprobs | None = None
    include: list[str] | None = None
    text: _Text | None = None
    reasoning: _Reasoning | None = None
    tools: Annotated[list[_Tool], Meta(max_length=MAX_TOOLS)] | None = None
    tool_choice: Literal["auto", "none", "required"] | _Choice | None = None
    parallel_tool_calls: bool | None = None
    metadata: Json | None = None
    user: str | None = None


def request_of(body: Json) -> Request:
    """A Responses request as a noun; raises `RequestError` naming what is wrong or cannot be honoured."""
    refuse(body, REFUSED)
    asked = read(body, _Responses, "one of the Responses API", KNOWN)
    messages = [Message("system", asked.instructions)] if asked.instructions else []
    if isinstance(asked.input, str):
        messages.append(Message("user", asked.input))
    else:
        messages += _conversation(asked.input)
    if not asked.input:
        raise RequestError("'input' is empty: send a text or at least one item.", param="input")
    check_calls(messages)
    left = (*TRANSLATED, *DROPPED, *REFUSED)
    rest = {name: value for name, value in body.items() if value is not None and name not in left}
    return Request(asked.model, tuple(messages), bool(asked.stream), rest=rest | _fields(asked))


def _fields(asked: _Responses) -> Json:
    """What chat completions have other words for."""
    wanted = asked.text or _Text()
    logprobs = asked.top_logprobs is not None or LOGPROBS in (asked.include or ())
    fields: Json = {
        "max_completion_tokens": asked.max_output_tokens,
        "reasoning_effort": asked.reasoning.effort if asked.reasoning is not None else None,
        "verbosity": wanted.verbosity,
        "response_format": _format(wanted.format) if wanted.format is not None else None,
        "logprobs": logprobs or None,
        "tools": [_tool(tool) for tool in asked.tools] if asked.tools else None,
        "tool_choice": _choice(asked.tool_choice) if isinstance(asked.tool_choice, _Choice) else asked.tool_choice,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _format(wanted: _Format) -> Json | None:
    if wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return {"type": "json_object"}
    if wanted.schema is None:
        raise RequestError("text.format of the type json_schema has no 'schema'.", param="text.format.schema")
    schema: Json = {"name": wanted.name or "answer", "schema": wanted.schema}
    schema |= {"strict": wanted.strict} if wanted.strict is not None else {}
    schema |= {"description": wanted.description} if wanted.description else {}
    return {"type": "json_schema", "json_schema": schema}


def _tool(tool: _Tool) -> Json:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    function |= {"strict": tool.strict}
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}


def _choice(choice: _Choice) -> Json:
    if choice.type == "function":
        if not choice.name:
            raise RequestError("A tool_choice of the type function needs its 'name'.", param="tool_choice.name")
        return {"type": "function", "function": {"name": choice.name}}
    tools = [{"type": "function", "function": {"name": tool.name}} for tool in choice.tools]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": tools}}


# Items


class _Said(Struct):
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Json]


class _Called(Struct):
    call_id: str
    name: str
    arguments: str


class _Returned(Struct):
    call_id: str
    output: str | list[Json]


class _Summary(Struct):
    text: str


class _Reasoned(Struct):
    summary: list[_Summary] = []
    encrypted_content: str | None = None


def _conversation(items: list[Json]) -> list[Message]:
    """Items as messages: what an assistant thought, said and called in one go is one message."""
    messages: list[Message] = []
    for index, item in enumerate(items):
        kind = str(item.get("type") or ("message" if "role" in item else None))
        if kind not in ITEMS:
            raise RequestError(
                f"input[{index}] is of the type {kind!r}. Known: {', '.join(ITEMS)}.",
                code="unsupported_item",
                param=f"input[{index}]",
            )
        shape, turn = ITEMS[kind]
        try:
            message = turn(msgspec.convert(item, shape))
        except msgspec.ValidationError as error:
            raise RequestError(f"input[{index}] is no {kind}: {error}.", param=f"input[{index}]") from None
        except RequestError as error:
            raise RequestError(f"input[{index}]: {error.message}", code=error.code, param=f"input[{index}]") from None
        last = messages[-1] if messages else None
        if last is not None and message.role == last.role == "assistant" and _continues(last, message):
            messages[-1] = _joined(last, message)
        else:
            messages.append(message)
    # Thoughts that nothing follows belong to no turn.
    return [m for m in messages if m.role != "assistant" or m.content is not None or "tool_calls" in m.rest]


def _continues(last: Message, message: Message) -> bool:
    """Whether two assistant items in a row are one turn: thoughts, what is said, calls that await their results."""
    if "tool_calls" in last.rest or "tool_calls" in message.rest:
        return True
    return last.content is None


def _joined(last: Message, message: Message) -> Message:
    said = [content for content in (last.content, message.content) if content is not None]
    content = said[0] if len(said) == 1 else [part for content in said for part in _parts(content)] or None
    rest = dict(last.rest)
    for name, value in message.rest.items():
        rest[name] = [*rest.get(name, ()), *value]
    return Message("assistant", content, rest)


def _parts(content: str | list[Json]) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _message(item: _Said) -> Message:
    return Message(item.role, _content(item.content))


def _call(item: _Called) -> Message:
    function = {"name": item.name, "arguments": item.arguments}
    return Message("assistant", None, {"tool_calls": [{"id": item.call_id, "type": "function", "function": function}]})


def _result(item: _Returned) -> Message:
    return Message("tool", _content(item.output), {"tool_call_id": item.call_id})


def _reasoning(item: _Reasoned) -> Message:
    """What was thought goes back where a provider sealed it; unsealed it is of no use to one."""
    text = "".join(summary.text for summary in item.summary)
    blocks = sealed(text, item.encrypted_content or "")
    return Message("assistant", None, {"thinking_blocks": blocks} if blocks else {})


ITEMS: dict[str, tuple[type[Struct], Callable[[Any], Message]]] = {
    "message": (_Said, _message),
    "function_call": (_Called, _call),
    "function_call_output": (_Returned, _result),
    "reasoning": (_Reasoned, _reasoning),
}
"""Items by their type: their shape, and the message they make."""


def _content(content: str | list[Json]) -> Content:
    """Content in the words of chat completions; a single text as plain text, which every provider takes."""
    if isinstance(content, str):
        return content
    parts = [_part(part) for part in content]
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _part(part: Json) -> Json:
    kind = str(part.get("type"))
    if kind not in PARTS:
        raise RequestError(f"content of the type {kind!r} is unknown. Known: {', '.join(PARTS)}.")
    try:
        return PARTS[kind](part)
    except KeyError as error:
        raise RequestError(f"content of the type {kind!r} has no {error.args[0]!r}.") from None


def _text(part: Json) -> Json:
    if not isinstance(part["text"], str):
        raise RequestError(f"content of the type {part['type']!r} has a 'text' that is no text.")
    return {"type": "text", "text": part["text"]}


def _image(part: Json) -> Json:
    if not isinstance(part.get("image_url"), str):
        raise RequestError("an image comes as 'image_url', an https:// or a data: URL; files of images are not kept.")
    detail = {"detail": part["detail"]} if part.get("detail") else {}
    return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}}


def _file(part: Json) -> Json:
    kept = {name: part[name] for name in ("file_data", "file_id", "filename") if part.get(name) is not None}
    if "file_data" not in kept and "file_id" not in kept:
        raise RequestError("a file comes as 'file_data', a data: URL, or as a 'file_id' that its provider knows.")
    return {"type": "file", "file": kept}


PARTS: dict[str, Callable[[Json], Json]] = {
    "input_text": _text,
    "output_text": _text,
    "input_image": _image,
    "input_file": _file,
    "input_audio": lambda part: {"type": "input_audio", "input_audio": part["input_audio"]},
    "refusal": lambda part: {"type": "refusal", "refusal": part["refusal"]},
}
"""Content parts by their type."""
