"""An OpenAI-shaped request in the words of Bedrock's `Converse`. Pure functions, no bytes sent.

Field names are those of https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html. Fields of
`Request.rest` are translated (`FIELDS`), refused where leaving them out would answer another question (`REFUSED`),
dropped where they are mere hints (`DROPPED`), and handed to the model itself otherwise.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec

from regista.core.errors import RequestError
from regista.core.nouns import Content, Json, Message, Request, Tool
from regista.models.anthropic_request import DATA_URL, SYSTEM, is_foreign
from regista.models.prompt_cache import Heads, place

DROPPED = frozenset(
    (
        "cache_control",
        "frequency_penalty",
        "logit_bias",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "seed",
        "service_tier",
        "store",
        "stream_options",
        "top_logprobs",
        "user",
        "verbosity",
    )
)
"""OpenAI's fields that Bedrock would refuse and whose absence leaves the answer one to the same question."""
REFUSED: dict[str, tuple[object, ...]] = {
    "audio": (),
    "function_call": (),
    "functions": (),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "web_search_options": (),
}
"""OpenAI's fields that Bedrock cannot honour, with the values that ask for nothing."""
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
    result: Json = {}
    for name, value in request.rest.items():
        if value is not None and name not in DROPPED:
            _merge(result, _translate(name, value))
    choice = result.pop("tool_choice", None)
    tools = [*result.pop("tools", ()), *(_tool(_function(tool)) for tool in request.tools)]
    messages = turns(request.messages)
    result |= _tooling(tools, choice, messages)
    system = [block for message in request.messages if message.role in SYSTEM for block in blocks(message.content)]
    result |= {"system": system} if system else {}
    return result | {"messages": messages}


# Messages


def turns(messages: Iterable[Message]) -> list[Json]:
    """Messages as turns of `user` and `assistant`; neighbours of one role become one turn. System ones are left out."""
    result: list[Json] = []
    for index, message in enumerate(messages):
        if message.role in SYSTEM:
            continue
        role = {"user": "user", "tool": "user", "assistant": "assistant"}.get(message.role)
        where = f"messages[{index}]"
        if role is None:
            known = "Known: system, developer, user, assistant, tool."
            raise RequestError(f"{where} has the role {message.role!r}. {known}", param=f"{where}.role")
        try:
            said = _said(message)
        except (AttributeError, KeyError, TypeError) as error:
            raise RequestError(
                f"{where} is not shaped as OpenAI's API describes a message of the role {message.role!r} "
                f"({type(error).__name__}: {error}).",
                param=where,
            ) from None
        if said and result and result[-1]["role"] == role:
            result[-1]["content"] += said
        elif said:
            result.append({"role": role, "content": said})
    return result


def blocks(content: Content) -> list[Json]:
    """Content as Bedrock's blocks. Blank text is left out, since Bedrock refuses it; a mark of a part follows it."""
    parts: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    made: list[Json] = []
    for part in parts:
        block = PARTS[part["type"]](part)
        if str(block.get("text", "there")).strip():
            made += [block, KEPT] if part.get("cache_control") else [block]
    return made


def _said(message: Message) -> list[Json]:
    said = blocks(message.content)
    if message.role == "tool":
        return [{"toolResult": {"toolUseId": message.rest["tool_call_id"], "content": said or [{"text": "(nothing)"}]}}]
    thoughts = [_thought(block) for block in message.rest.get("thinking_blocks") or () if not is_foreign(block)]
    uses = [
        {"toolUse": {"toolUseId": call.id, "name": call.name, "input": _input(call.arguments)}}
        for call in message.tool_calls
    ]
    return thoughts + said + uses


def _thought(block: Json) -> Json:
    if block["type"] == "redacted_thinking":
        return {"reasoningContent": {"redactedContent": block["data"]}}
    return {"reasoningContent": {"reasoningText": {"text": block["thinking"], "signature": block["signature"]}}}


def _input(arguments: str) -> Json:
    try:
        return msgspec.json.decode(arguments or "{}", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise RequestError(
            f"The arguments of a tool call are not a JSON object ({error}): {arguments[:80]!r}. "
            "Bedrock takes no others: repair or leave out the call.",
            param="messages",
        ) from None


def _image(part: Json) -> Json:
    media, data = _data(str(part["image_url"]["url"]), "An image")
    return {"image": {"format": media.removeprefix("image/"), "source": {"bytes": data}}}


def _file(part: Json) -> Json:
    file = cast("dict[str, str]", part["file"])
    if "file_data" not in file:
        raise RequestError("A file for Bedrock must come with its data: it does not know OpenAI's file ids.")
    media, data = _data(file["file_data"], "A file")
    if media not in FORMATS:
        raise RequestError(f"Bedrock takes no file of the type {media!r}. Known: {', '.join(FORMATS)}.")
    name = " ".join(NAMED.sub(" ", file.get("filename", "")).split()) or "document"
    return {"document": {"format": FORMATS[media], "name": name, "source": {"bytes": data}}}


def _audio(part: Json) -> Json:
    audio = part["input_audio"]
    return {"audio": {"format": audio["format"], "source": {"bytes": audio["data"]}}}


def _data(url: str, what: str) -> tuple[str, str]:
    found = DATA_URL.fullmatch(url)
    if found is None:
        raise RequestError(
            f"{what} for Bedrock comes with its data, in a data:…;base64, URL, not {url[:40]!r}.", param="messages"
        )
    return found[1], found[2]


PARTS: dict[str, Callable[[Json], Json]] = {
    "text": lambda part: {"text": part["text"]},
    "refusal": lambda part: {"text": part["refusal"]},
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
}
"""OpenAI's content parts in Bedrock's words."""


# Tools


def _tooling(tools: list[Json], choice: str | Json | None, messages: list[Json]) -> Json:
    if choice == "none":
        if any("toolUse" in block for turn in messages for block in turn["content"]):
            raise RequestError(
                "Bedrock has no tool_choice 'none' once tools were called: leave it out.", param="tool_choice"
            )
        return {}
    named: Json = {"auto": {"auto": {}}, "required": {"any": {}}}
    if isinstance(choice, str):
        if choice not in named:
            known = "Known: auto, none, required, or a function."
            raise RequestError(f"tool_choice {choice!r} is unknown. {known}", param="tool_choice")
        chosen: Json = {"toolChoice": named[choice]}
    else:
        chosen = {"toolChoice": {"tool": {"name": choice["function"]["name"]}}} if choice else {}
    return {"toolConfig": {"tools": tools} | chosen} if tools else {}


def _function(tool: Tool) -> Json:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


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


FIELDS: dict[str, Callable[[Any], Json]] = {
    "max_completion_tokens": lambda tokens: _inference(maxTokens=tokens),
    "max_tokens": lambda tokens: _inference(maxTokens=tokens),
    "metadata": lambda metadata: {"requestMetadata": metadata},
    "reasoning_effort": _effort,
    "response_format": _format,
    "stop": lambda stop: _inference(stopSequences=[stop] if isinstance(stop, str) else stop),
    "temperature": lambda value: _inference(temperature=value),
    "tool_choice": lambda choice: {"tool_choice": choice},
    "tools": _tools,
    "top_p": lambda value: _inference(topP=value),
}
"""OpenAI's fields in Bedrock's words."""


def _translate(name: str, value: Any) -> Json:
    if name in REFUSED:
        if value in REFUSED[name]:
            return {}
        raise RequestError(f"Bedrock has nothing like {name}={value!r}: leave it out.", param=name)
    try:
        if name in CONVERSE:
            return {name: value}
        return FIELDS[name](value) if name in FIELDS else _model(**{name: value})
    except (AttributeError, KeyError, TypeError) as error:
        raise RequestError(
            f"{name} is not shaped as OpenAI's API describes it ({type(error).__name__}: {error}).", param=name
        ) from None


def _merge(result: Json, more: Json) -> None:
    """Add fields; parts of one structure become one."""
    for name, value in more.items():
        before = result.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            value = cast("Json", before) | cast("Json", value)
        result[name] = value


def _is_marked(made: Json) -> bool:
    tools: list[Json] = made.get("toolConfig", {}).get("tools", [])
    given = [*tools, *made.get("system", ()), *(block for turn in made["messages"] for block in turn["content"])]
    return any("cachePoint" in block for block in given)


def _keep(given: list[Json], index: int) -> None:
    given.insert(index + 1, KEPT)


def _is_document(block: Json) -> bool:
    return "document" in block or "image" in block
