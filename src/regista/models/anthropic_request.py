"""An OpenAI-shaped request in the words of Anthropic's Messages API. Pure functions, no bytes sent.

Thoughts go back in the `thinking_blocks` of an assistant message, as they came. Fields of `Request.rest` that are
neither translated nor refused nor dropped (`WORDS`) are passed on.
"""

from collections.abc import Callable, Iterable

import msgspec

from regista.core.errors import RequestError
from regista.core.nouns import Content, Json, Message, Request, Tool
from regista.models import translation
from regista.models.prompt_cache import Heads, place
from regista.models.translation import HINTS, Words, arguments_of, choice_of, data_of, file_of, function_of, parts_of

NAME = "Anthropic"
DROPPED = HINTS | {"frequency_penalty", "presence_penalty", "seed", "top_logprobs"}
REFUSED = {**translation.REFUSED, "logprobs": (False,)}
EFFORT = {"minimal": "low"}
"""OpenAI's reasoning efforts that are named otherwise."""
FOREIGN = "gemini-"
"""How the seals of `gemini_wire` begin."""
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
    result: Json = {"model": request.model, "max_tokens": max_tokens} | WORDS.of(request.rest)
    parallel = result.pop("parallel_tool_calls", True)
    result |= _tooling(request.tools, result, parallel)
    system = [*result.pop("system", ()), *translation.system(request.messages, blocks)]
    result |= {"system": system} if system else {}
    result |= {"messages": turns(request.messages)}
    result |= {"stream": True} if request.stream else {}
    return result


# Messages


def turns(messages: Iterable[Message]) -> list[Json]:
    """Messages as turns of `user` and `assistant`: see `translation.turns`."""
    return translation.turns(messages, _said)


def blocks(content: Content) -> list[Json]:
    """Content as Anthropic's blocks. Blank text is left out, since Anthropic refuses it."""
    made = [PARTS.get(part["type"], _same)(part) for part in parts_of(content)]
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
        {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments_of(call.arguments, NAME)}
        for call in message.tool_calls
    ]
    return thoughts + said + uses


def is_foreign(block: Json) -> bool:
    """Whether another provider sealed this thought: Anthropic refuses what it did not sign itself."""
    return str(block.get("signature") or "").startswith(FOREIGN)


def _same(part: Json) -> Json:
    return part


def _refusal(part: Json) -> Json:
    return {"type": "text", "text": part["refusal"]}


def _image(part: Json) -> Json:
    url = str(part["image_url"]["url"])
    source = {"type": "url", "url": url} if url.startswith("https://") else _data(url, "An image")
    return {"type": "image", "source": source} | _mark(part)


def _file(part: Json) -> Json:
    file = file_of(part, NAME)
    title = {"title": file["filename"]} if file.get("filename") else {}
    return {"type": "document", "source": _data(file["file_data"], "A file")} | title | _mark(part)


def _data(url: str, what: str) -> Json:
    media, data = data_of(url, what, "for Anthropic is an https:// or a data:…;base64, URL")
    return {"type": "base64", "media_type": media, "data": data}


def _mark(part: Json) -> Json:
    return {"cache_control": part["cache_control"]} if "cache_control" in part else {}


PARTS: dict[str, Callable[[Json], Json]] = {"image_url": _image, "file": _file, "refusal": _refusal}
"""OpenAI's content parts that Anthropic has other words for; text is the same in both."""


# Tools


def _tooling(tools: Iterable[Tool], result: Json, parallel: bool) -> Json:
    """The tools of the application beside the client's, and the choice, which Anthropic takes only with tools."""
    choice: Json = result.pop("tool_choice", {})
    offered: list[Json] = [*result.get("tools", ()), *(_tool({"function": function_of(tool)}) for tool in tools)]
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
    if isinstance(choice, str):
        return {"tool_choice": {"type": choice_of(choice, {"auto": "auto", "none": "none", "required": "any"})}}
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


WORDS = Words(
    NAME,
    DROPPED,
    REFUSED,
    {
        "max_completion_tokens": lambda tokens: {"max_tokens": tokens},
        "metadata": _metadata,
        "reasoning_effort": _effort,
        "response_format": _format,
        "service_tier": _tier,
        "stop": _stop,
        "system": lambda system: {"system": blocks(system)},
        "tool_choice": _choice,
        "tools": _tools,
        "user": lambda user: {"metadata": {"user_id": user}},
    },
)


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
