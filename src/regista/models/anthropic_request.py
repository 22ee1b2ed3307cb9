"""An OpenAI-shaped request in the words of Anthropic's Messages API. Pure functions, no bytes sent.

Thoughts go back in the `thinking_blocks` of an assistant message, as they came. Fields of `Request.rest` are translated
(`FIELDS`), refused where leaving them out would answer another question (`REFUSED`), dropped where they are mere hints
(`DROPPED`), and passed on otherwise.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec

from regista.core.errors import RequestError
from regista.core.nouns import Content, Json, Message, Request, Tool
from regista.models.prompt_cache import Heads, place

DROPPED = frozenset(
    (
        "frequency_penalty",
        "logit_bias",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "seed",
        "store",
        "stream_options",
        "top_logprobs",
        "verbosity",
        "prediction",
    )
)
"""OpenAI's fields that Anthropic would refuse and whose absence leaves the answer one to the same question."""
REFUSED: dict[str, tuple[object, ...]] = {
    "audio": (),
    "function_call": (),
    "functions": (),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "web_search_options": (),
}
"""OpenAI's fields that Anthropic cannot honour, with the values that ask for nothing."""
EFFORT = {"minimal": "low"}
"""OpenAI's reasoning efforts that are named otherwise."""
SYSTEM = ("system", "developer")
FOREIGN = "gemini-"
"""How the seals of `gemini_wire` begin."""
DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[^,]*)?;base64,(.*)", re.DOTALL)


COUNTED = ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control")
"""The fields that https://platform.claude.com/docs/en/api/messages/count_tokens takes."""
KEPT: Json = {"cache_control": {"type": "ephemeral"}}
"""The mark of what the prompt cache keeps: https://platform.claude.com/docs/en/build-with-claude/prompt-caching."""


def body(request: Request, max_tokens: int, heads: Heads | None = None) -> bytes:
    """The JSON body of a Messages call; `max_tokens` holds where the request says nothing.

    With `heads` what stays from request to request is marked for the prompt cache, unless the client marked any.
    Raises `RequestError` for what Anthropic has no words for.
    """
    made = fields(request, max_tokens)
    if heads is not None and not _is_marked(made):
        place(heads, made.get("tools", []), made.get("system", []), made["messages"], _keep, _is_document)
    return msgspec.json.encode(made)


def count_body(request: Request) -> bytes:
    """The JSON body of a request to count its tokens."""
    made = fields(request, 1)
    return msgspec.json.encode({name: made[name] for name in COUNTED if name in made})


def fields(request: Request, max_tokens: int) -> Json:
    """A Messages call as plain data."""
    given = {name: value for name, value in request.rest.items() if value is not None and name not in DROPPED}
    result: Json = {"model": request.model, "max_tokens": max_tokens}
    for name, value in given.items():
        _merge(result, _translate(name, value))
    result.pop("parallel_tool_calls", None)
    result |= _tooling(request.tools, result, given.get("parallel_tool_calls", True))
    system = [*blocks(result.pop("system", None)), *_system(request.messages)]
    result |= {"system": system} if system else {}
    result |= {"messages": turns(request.messages)}
    result |= {"stream": True} if request.stream else {}
    return result


# Messages


def turns(messages: Iterable[Message]) -> list[Json]:
    """Messages as turns of `user` and `assistant`; neighbours of one role become one turn.

    Tool results are said by the user. System messages are left out: they have their own field.
    """
    result: list[Json] = []
    for index, message in enumerate(messages):
        if message.role in SYSTEM:
            continue
        role = {"user": "user", "tool": "user", "assistant": "assistant"}.get(message.role)
        if role is None:
            raise RequestError(
                f"messages[{index}] has the role {message.role!r}. Known: system, developer, user, assistant, tool.",
                param=f"messages[{index}].role",
            )
        try:
            said = _said(message)
        except (AttributeError, KeyError, TypeError) as error:
            raise RequestError(
                f"messages[{index}] is not shaped as OpenAI's API describes a message of the role {message.role!r} "
                f"({type(error).__name__}: {error}).",
                param=f"messages[{index}]",
            ) from None
        if said and result and result[-1]["role"] == role:
            result[-1]["content"] += said
        elif said:
            result.append({"role": role, "content": said})
    return result


def blocks(content: Content) -> list[Json]:
    """Content as Anthropic's blocks. Blank text is left out, since Anthropic refuses it."""
    parts: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    made = [PARTS.get(part["type"], _same)(part) for part in parts]
    return [block for block in made if block["type"] != "text" or block["text"].strip()]


def _said(message: Message) -> list[Json]:
    said = blocks(message.content)
    if message.role == "tool":
        result = {"type": "tool_result", "tool_use_id": message.rest["tool_call_id"]}
        return [result | ({"content": said} if said else {})]
    thoughts = [
        {name: block[name] for name in ("type", "thinking", "signature", "data") if name in block}
        for block in message.rest.get("thinking_blocks") or ()
        if not is_foreign(block)
    ]
    uses = [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": _input(call.arguments)}
        for call in message.tool_calls
    ]
    return thoughts + said + uses


def is_foreign(block: Json) -> bool:
    """Whether another provider sealed this thought: Anthropic refuses what it did not sign itself."""
    return str(block.get("signature") or "").startswith(FOREIGN)


def _system(messages: Iterable[Message]) -> list[Json]:
    return [block for message in messages if message.role in SYSTEM for block in blocks(message.content)]


def _input(arguments: str) -> Json:
    """A call's arguments as the object Anthropic wants; a call without arguments may have no text at all."""
    try:
        return msgspec.json.decode(arguments or "{}", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise RequestError(
            f"The arguments of a tool call are not a JSON object ({error}): {arguments[:80]!r}. "
            "Anthropic takes no others: repair or leave out the call.",
            param="messages",
        ) from None


def _same(part: Json) -> Json:
    return part


def _refusal(part: Json) -> Json:
    return {"type": "text", "text": part["refusal"]}


def _image(part: Json) -> Json:
    url = str(part["image_url"]["url"])
    source = {"type": "url", "url": url} if url.startswith("https://") else _data(url, "An image")
    return {"type": "image", "source": source} | _mark(part)


def _file(part: Json) -> Json:
    file = cast("dict[str, str]", part["file"])
    if "file_data" not in file:
        raise RequestError("A file for Anthropic must come with its data: it does not know OpenAI's file ids.")
    title = {"title": file["filename"]} if file.get("filename") else {}
    return {"type": "document", "source": _data(file["file_data"], "A file")} | title | _mark(part)


def _data(url: str, what: str) -> Json:
    found = DATA_URL.fullmatch(url)
    if found is None:
        raise RequestError(
            f"{what} for Anthropic is an https:// or a data:…;base64, URL, not {url[:40]!r}.", param="messages"
        )
    return {"type": "base64", "media_type": found[1], "data": found[2]}


def _mark(part: Json) -> Json:
    return {"cache_control": part["cache_control"]} if "cache_control" in part else {}


PARTS: dict[str, Callable[[Json], Json]] = {"image_url": _image, "file": _file, "refusal": _refusal}
"""OpenAI's content parts that Anthropic has other words for; text is the same in both."""


# Tools


def _tooling(tools: Iterable[Tool], result: Json, parallel: bool) -> Json:
    """The tools of the application beside the client's, and the choice, which Anthropic takes only with tools."""
    choice: Json = result.pop("tool_choice", {})
    offered: list[Json] = [
        *result.get("tools", ()),
        *({"name": t.name, "description": t.description, "input_schema": _schema(t.parameters)} for t in tools),
    ]
    if not offered:
        return {}
    if not parallel and choice.get("type") != "none":
        choice = {"type": "auto", **choice, "disable_parallel_tool_use": True}
    return {"tools": offered} | ({"tool_choice": choice} if choice else {})


def _tools(tools: list[Json]) -> Json:
    return {"tools": [_tool(tool) for tool in tools]}


def _tool(tool: Json) -> Json:
    """OpenAI's function as a tool; Anthropic's own kinds (search, code execution) stay as they are."""
    function = tool.get("function")
    if function is None:
        return tool
    kept = {name: function[name] for name in ("description", "strict") if function.get(name) is not None}
    return {"name": function["name"], **kept, "input_schema": _schema(function.get("parameters"))} | _mark(tool)


def _schema(parameters: Json | None) -> Json:
    return {"type": "object", "properties": {}, **(parameters or {})}


def _choice(choice: str | Json) -> Json:
    named = {"auto": "auto", "none": "none", "required": "any"}
    if isinstance(choice, str):
        if choice not in named:
            raise RequestError(
                f"tool_choice {choice!r} is unknown. Known: auto, none, required, or a function.", param="tool_choice"
            )
        return {"tool_choice": {"type": named[choice]}}
    if choice.get("type") == "function":
        return {"tool_choice": {"type": "tool", "name": choice["function"]["name"]}}
    return {"tool_choice": choice}


# Other fields


def _format(wanted: Json) -> Json:
    if wanted["type"] == "text":
        return {}
    if wanted["type"] == "json_schema":
        schema = wanted["json_schema"]["schema"]
        return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    raise RequestError(
        f"Anthropic has no response_format {wanted['type']!r}: send a json_schema.", param="response_format"
    )


def _effort(effort: str) -> Json:
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    return {"output_config": {"effort": EFFORT.get(effort, effort)}}


def _stop(stop: str | list[str]) -> Json:
    return {"stop_sequences": [stop] if isinstance(stop, str) else stop}


def _metadata(metadata: Json) -> Json:
    return {"metadata": {"user_id": metadata["user_id"]}} if "user_id" in metadata else {}


def _tier(tier: str) -> Json:
    return {"service_tier": tier} if tier in ("auto", "standard_only") else {}


FIELDS: dict[str, Callable[[Any], Json]] = {
    "max_completion_tokens": lambda tokens: {"max_tokens": tokens},
    "metadata": _metadata,
    "reasoning_effort": _effort,
    "response_format": _format,
    "service_tier": _tier,
    "stop": _stop,
    "tool_choice": _choice,
    "tools": _tools,
    "user": lambda user: {"metadata": {"user_id": user}},
}
"""OpenAI's fields in Anthropic's words."""


def _translate(name: str, value: Any) -> Json:
    if name in REFUSED:
        if value in REFUSED[name]:
            return {}
        raise RequestError(f"Anthropic has nothing like {name}={value!r}: leave it out.", param=name)
    try:
        return FIELDS[name](value) if name in FIELDS else {name: value}
    except (AttributeError, KeyError, TypeError) as error:
        raise RequestError(
            f"{name} is not shaped as OpenAI's API describes it ({type(error).__name__}: {error}).", param=name
        ) from None


def _is_marked(made: Json) -> bool:
    blocks = [
        *made.get("tools", ()),
        *made.get("system", ()),
        *(b for turn in made["messages"] for b in turn["content"]),
    ]
    return "cache_control" in made or any("cache_control" in block for block in blocks)


def _keep(blocks: list[Json], index: int) -> None:
    blocks[index] = blocks[index] | KEPT


def _is_document(block: Json) -> bool:
    return block["type"] in ("document", "image", "search_result")


def _merge(result: Json, more: Json) -> None:
    """Add fields; two halves of `output_config` or `metadata` become one."""
    for name, value in more.items():
        before = result.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            value = cast("Json", before) | cast("Json", value)
        result[name] = value
