"""An OpenAI-shaped request in the words of Bedrock's `Converse`. Pure functions, no bytes sent.

Field names are those of https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html. Fields of
`Request.rest` that are neither translated nor refused nor dropped (`WORDS`) are handed to the model itself.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from regista.core.errors import RequestError
from regista.core.nouns import Content, Json, Message, Request
from regista.models import anthropic_request, translation
from regista.models.anthropic_request import is_foreign
from regista.models.prompt_cache import Heads, place
from regista.models.translation import Words, arguments_of, choice_of, data_of, file_of, function_of, parts_of

NAME = "Bedrock"
DROPPED = anthropic_request.DROPPED | {"cache_control", "parallel_tool_calls", "service_tier", "user"}
REFUSED = anthropic_request.REFUSED
CONVERSE = frozenset(
    (
        "additionalModelRequestFields",
        "additionalModelResponseFieldPaths",
        "guardrailConfig",
        "performanceConfig",
        "promptVariables",
        "requestMetadata",
        "serviceTier",
    )
)
"""Fields of Converse itself, which go as they came."""
NO_TOOL: Json = {"none": {}}
"""A choice that Bedrock has not: see `_tooling`."""
CHOICES: Json = {"auto": {"auto": {}}, "none": NO_TOOL, "required": {"any": {}}}
"""OpenAI's words for a `tool_choice`, and Bedrock's."""
COUNTED = ("messages", "system", "toolConfig", "additionalModelRequestFields")
KEPT: Json = {"cachePoint": {"type": "default"}}
"""The mark of what the prompt cache keeps: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html."""
FORMATS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
"""Media types of documents, and what Bedrock calls them."""
NAMED = re.compile(r"[^A-Za-z0-9\s\-()\[\]]+")
"""What the name of a document may not hold."""


def body(request: Request, heads: Heads | None = None) -> bytes:
    """The JSON body of a call. With `heads` what stays from request to request is marked for the prompt cache.

    Raises `RequestError` for what Bedrock has no words for.
    """
    made = fields(request)
    if heads is not None and not _is_marked(made):
        tools = made.get("toolConfig", {}).get("tools", [])
        place(heads, tools, made.get("system", []), made["messages"], _keep, _is_document)
    return msgspec.json.encode(made)


def count_body(request: Request) -> bytes:
    """The JSON body of a request to count its tokens."""
    made = fields(request)
    return msgspec.json.encode({"input": {"converse": {name: made[name] for name in COUNTED if name in made}}})


def fields(request: Request) -> Json:
    """A call as plain data."""
    result = WORDS.of(request.rest)
    choice = result.pop("tool_choice", None)
    tools = [*result.pop("tools", ()), *(_tool(function_of(tool)) for tool in request.tools)]
    messages = turns(request.messages)
    result |= _tooling(tools, choice, messages)
    system = translation.system(request.messages, blocks)
    result |= {"system": system} if system else {}
    return result | {"messages": messages}


# Messages


def turns(messages: Iterable[Message]) -> list[Json]:
    """Messages as turns of `user` and `assistant`: see `translation.turns`."""
    return translation.turns(messages, _said)


def blocks(content: Content) -> list[Json]:
    """Content as Bedrock's blocks. Blank text is left out, since Bedrock refuses it; a mark of a part follows it."""
    made: list[Json] = []
    for part in parts_of(content):
        block = PARTS[part["type"]](part)
        if str(block.get("text", "there")).strip():
            made += [block, KEPT] if part.get("cache_control") else [block]
    return made


def _said(message: Message) -> list[Json]:
    said = blocks(message.content)
    if message.role == "tool":
        content = [block for block in said if block is not KEPT] or [{"text": "(nothing)"}]
        result: Json = {"toolResult": {"toolUseId": message.rest["tool_call_id"], "content": content}}
        # A result holds no mark: it stands behind it.
        return [result, KEPT] if KEPT in said else [result]
    thoughts = [_thought(block) for block in message.rest.get("thinking_blocks") or () if not is_foreign(block)]
    uses = [
        {"toolUse": {"toolUseId": call.id, "name": call.name, "input": arguments_of(call.arguments, NAME)}}
        for call in message.tool_calls
    ]
    return thoughts + said + uses


def _thought(block: Json) -> Json:
    if block["type"] == "redacted_thinking":
        return {"reasoningContent": {"redactedContent": block["data"]}}
    return {"reasoningContent": {"reasoningText": {"text": block["thinking"], "signature": block["signature"]}}}


def _image(part: Json) -> Json:
    media, data = _data(str(part["image_url"]["url"]), "An image")
    return {"image": {"format": media.removeprefix("image/"), "source": {"bytes": data}}}


def _file(part: Json) -> Json:
    file = file_of(part, NAME)
    media, data = _data(file["file_data"], "A file")
    if media not in FORMATS:
        raise RequestError(f"Bedrock takes no file of the type {media!r}. Known: {', '.join(FORMATS)}.")
    name = " ".join(NAMED.sub(" ", file.get("filename", "")).split()) or "document"
    return {"document": {"format": FORMATS[media], "name": name, "source": {"bytes": data}}}


def _audio(part: Json) -> Json:
    audio = part["input_audio"]
    return {"audio": {"format": audio["format"], "source": {"bytes": audio["data"]}}}


def _data(url: str, what: str) -> tuple[str, str]:
    return data_of(url, what, "for Bedrock comes with its data, in a data:…;base64, URL")


PARTS: dict[str, Callable[[Json], Json]] = {
    "text": lambda part: {"text": part["text"]},
    "refusal": lambda part: {"text": part["refusal"]},
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
}
"""OpenAI's content parts in Bedrock's words."""


# Tools


def _tooling(tools: list[Json], choice: Json | None, messages: list[Json]) -> Json:
    if choice == NO_TOOL:
        if any("toolUse" in block for turn in messages for block in turn["content"]):
            raise RequestError(
                "Bedrock has no tool_choice 'none' once tools were called: leave it out.", param="tool_choice"
            )
        return {}
    chosen = {"toolChoice": choice} if choice else {}
    return {"toolConfig": {"tools": tools} | chosen} if tools else {}


def _choice(choice: str | Json) -> Json:
    if isinstance(choice, str):
        return {"tool_choice": choice_of(choice, CHOICES)}
    return {"tool_choice": {"tool": {"name": choice["function"]["name"]}}}


def _tool(function: Json) -> Json:
    schema: Json = {"type": "object", "properties": {}, **(function.get("parameters") or {})}
    kept = {name: function[name] for name in ("description", "strict") if function.get(name)}
    return {"toolSpec": {"name": function["name"], **kept, "inputSchema": {"json": schema}}}


def _tools(tools: list[Json]) -> Json:
    made: list[Json] = []
    for tool in tools:
        made += [_tool(tool["function"]), KEPT] if tool.get("cache_control") else [_tool(tool["function"])]
    return {"tools": made}


# Other fields


def _inference(**settings: Any) -> Json:
    return {"inferenceConfig": settings}


def _model(**given: Any) -> Json:
    """What Converse has no field for, and the model has."""
    return {"additionalModelRequestFields": given}


def _format(wanted: Json) -> Json:
    if wanted["type"] == "text":
        return {}
    if wanted["type"] != "json_schema":
        raise RequestError(
            f"Bedrock has no response_format {wanted['type']!r}: send a json_schema.", param="response_format"
        )
    schema = {"schema": msgspec.json.encode(wanted["json_schema"]["schema"]).decode()}
    named = {"name": wanted["json_schema"]["name"]} if wanted["json_schema"].get("name") else {}
    return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema | named}}}}


def _effort(effort: str) -> Json:
    return _model(thinking={"type": "disabled"}) if effort == "none" else {"outputConfig": {"effort": effort}}


def _other(name: str, value: Any) -> Json:
    return {name: value} if name in CONVERSE else _model(**{name: value})


WORDS = Words(
    NAME,
    DROPPED,
    REFUSED,
    {
        "max_completion_tokens": lambda tokens: _inference(maxTokens=tokens),
        "max_tokens": lambda tokens: _inference(maxTokens=tokens),
        "metadata": lambda metadata: {"requestMetadata": metadata},
        "reasoning_effort": _effort,
        "response_format": _format,
        "stop": lambda stop: _inference(stopSequences=[stop] if isinstance(stop, str) else stop),
        "temperature": lambda value: _inference(temperature=value),
        "tool_choice": _choice,
        "tools": _tools,
        "top_p": lambda value: _inference(topP=value),
    },
    _other,
)


def _is_marked(made: Json) -> bool:
    tools: list[Json] = made.get("toolConfig", {}).get("tools", [])
    given = [*tools, *made.get("system", ()), *(block for turn in made["messages"] for block in turn["content"])]
    return any("cachePoint" in block for block in given)


def _keep(given: list[Json], index: int) -> None:
    given.insert(index + 1, KEPT)


def _is_document(block: Json) -> bool:
    return "document" in block or "image" in block
