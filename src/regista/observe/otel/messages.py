"""Messages of whatever shape, in OpenAI's: that of `core.nouns.Message`.

Shapes: OpenAI's own; gen_ai's, whose content is `parts`; and what remains of flattened attributes, where a tool call
has its name and arguments beside its id. Knows no names of attributes.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import msgspec

from regista.core.nouns import Hit, Json, Message

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_KEPT = ("name", "tool_call_id", "finish_reason", "refusal", "reasoning_content")
"""Fields of a message that are passed on as they are."""


def parsed(value: Any) -> Any:
    """What a text that is JSON holds; anything else as it is."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return _decode(value)
        except (msgspec.DecodeError, RecursionError):
            return value
    return value


def messages_of(value: Any, role: str) -> Iterator[Message]:
    """The messages in a value: a list of them, one, or bare text that `role` said."""
    for one in cast("list[Any]", value) if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield from _messages(cast("Json", one), role)
        elif one is not None:
            yield Message(role, _text(one))


def instructions(value: Any) -> Iterator[Message]:
    """System instructions, which are parts without a message around them."""
    if isinstance(value, list) and all(isinstance(one, dict) and "type" in one for one in cast("list[Any]", value)):
        yield from _messages({"role": "system", "parts": value}, "system")
    else:
        yield from messages_of(value, "system")


def documents_of(value: Any) -> Iterator[Hit]:
    """Retrieved documents: their content is all that is known of their text, so offsets count from its start."""
    for one in cast("list[Any]", value) if isinstance(value, list) else ():
        if isinstance(one, dict):
            document = cast("Json", one)
            text = _text(document.get("content") or "")
            score = document.get("score")
            number = float(score) if isinstance(score, int | float) else 0.0
            yield Hit(_text(document.get("id", "")), 0, len(text), text, number, _text(document.get("name") or ""))


def shown(messages: Iterable[Message], role: str = "") -> str:
    """The text of the last message with any, of this role if one is given; of tool calls where there is no text."""
    calls = ""
    for message in reversed(tuple(messages)):
        if role and message.role != role:
            continue
        if text := message.text:
            return text
        calls = calls or ", ".join(f"{call.name}({call.arguments})" for call in message.tool_calls)
    return calls


def _messages(value: Json, role: str) -> Iterator[Message]:
    """One message; several where it answers several tool calls, as OpenAI's answer one each."""
    content = value.get("content")
    if len(value) == 2 and isinstance(content, str) and "role" in value:  # most are, and the rest takes its time
        yield Message(str(value["role"] or role), content)
        return
    inner = value.get("message")
    if isinstance(inner, dict):  # a choice: the message and how it ended
        value = {**value, **cast("Json", inner)}
    elif isinstance(inner, str):
        value = {"content": inner, **value}
    found = _Parts()
    for part in _listed(value.get("parts")) or _listed(value.get("contents")):
        _READERS.get(str(part.get("type", "text")), _other)(found, part)
    for call in _listed(value.get("tool_calls")):
        _tool_call(found, call)
    if value.get("function_call_name"):
        _tool_call(found, {"name": value["function_call_name"], "arguments": value.get("function_call_arguments_json")})
    rest: Json = {name: value[name] for name in _KEPT if value.get(name)}
    if found.thoughts:
        rest["reasoning_content"] = "".join(found.thoughts)
    if found.calls:
        rest["tool_calls"] = found.calls
    said = str(value.get("role") or role)
    content = found.content() if found.parts else _content(value.get("content", value.get("text")))
    if content is not None or rest or not found.results:
        yield Message(said, content, rest)
    yield from found.results


class _Parts:
    """What the parts of a message came to."""

    __slots__ = ("calls", "parts", "results", "thoughts")

    def __init__(self) -> None:
        self.parts: list[Json] = []
        self.calls: list[Json] = []
        self.thoughts: list[str] = []
        self.results: list[Message] = []

    def content(self) -> str | list[Json]:
        """Plain text where it is one text, else the parts."""
        first = self.parts[0]
        return str(first["text"]) if len(self.parts) == 1 and first.get("type") == "text" else self.parts


def _said(found: _Parts, part: Json) -> None:
    found.parts.append({"type": "text", "text": _text(part.get("content", part.get("text", "")))})


def _thought(found: _Parts, part: Json) -> None:
    found.thoughts.append(_text(part.get("content", part.get("text", ""))))


def _tool_call(found: _Parts, part: Json) -> None:
    function = part.get("function")
    call = cast("Json", function) if isinstance(function, dict) else part
    found.calls.append(
        {
            "id": _text(part.get("id") or ""),
            "type": "function",
            "function": {"name": _text(call.get("name") or ""), "arguments": _text(call.get("arguments") or "")},
        }
    )


def _tool_result(found: _Parts, part: Json) -> None:
    result = part.get("response", part.get("result", ""))
    found.results.append(Message("tool", _text(result), {"tool_call_id": _text(part.get("id") or "")}))


def _image(found: _Parts, part: Json) -> None:
    url: Any = part.get("image") or part.get("image_url")
    while isinstance(url, dict):  # image.url, or image.image.url
        inner = cast("Json", url)
        url = inner.get("url") or inner.get("image")
    found.parts.append({"type": "image_url", "image_url": {"url": _text(url or "")}})


def _other(found: _Parts, part: Json) -> None:
    found.parts.append(part)


_READERS: dict[str, Callable[[_Parts, Json], None]] = {
    "text": _said,
    "input_text": _said,
    "output_text": _said,
    "reasoning": _thought,
    "thinking": _thought,
    "tool_call": _tool_call,
    "function_call": _tool_call,
    "tool_use": _tool_call,
    "tool_call_response": _tool_result,
    "image": _image,
    "image_url": _image,
}


def _content(value: Any) -> str | list[Json] | None:
    """Text, or parts if all are mappings; anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, dict) for one in cast("list[Any]", value)):
        return cast("list[Json]", value)
    return _text(value)


def _listed(value: Any) -> list[Json]:
    """Those elements of a list that are mappings."""
    listed = parsed(value)
    if not isinstance(listed, list):
        return []
    return [cast("Json", one) for one in cast("list[Any]", listed) if isinstance(one, dict)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _encode(value).decode()
