"""An OpenAI-shaped request in the words of Gemini's `generateContent`. Pure functions, no bytes sent.

Field names are those of https://ai.google.dev/api/generate-content. Signatures of thoughts go back with the calls they
came with: see `SEAL`. Fields of `Request.rest` that are neither translated nor refused nor dropped (`WORDS`) are passed
on.
"""

import mimetypes
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from regista.core.errors import RequestError
from regista.core.nouns import Content, Json, Message, Request
from regista.models import translation
from regista.models.translation import (
    HINTS,
    REFUSED,
    Words,
    arguments_of,
    choice_of,
    data_of,
    file_of,
    function_of,
    parts_of,
)

NAME = "Gemini"
DROPPED = HINTS | {"cache_control", "metadata", "parallel_tool_calls", "service_tier", "user"}
SEAL = "gemini-call:"
"""How the seal of a call begins: Gemini 3 takes no call back without its signature. Those of texts it can do without.
https://ai.google.dev/gemini-api/docs/thought-signatures
"""
UNSIGNED = "skip_thought_signature_validator"
"""What Gemini 3 takes in place of a signature that nobody kept: without any it refuses a call of a tool."""
OWN_ID = "call_gemini_"
"""How the id of a call begins that Gemini gave none."""
BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576}
"""OpenAI's reasoning efforts as tokens, for models before Gemini 3: https://ai.google.dev/gemini-api/docs/openai."""
LEVELS = {"none": "minimal"}
"""OpenAI's reasoning efforts that later models call otherwise."""
WITH_BUDGET = re.compile(r"(?:models/)?gemini-[12]\b")


def body(request: Request) -> bytes:
    """The JSON body of a call. Raises `RequestError` for what Gemini has no words for."""
    return msgspec.json.encode(fields(request))


def count_body(request: Request, name: str) -> bytes:
    """The JSON body of a request to count its tokens; `name` is the model's, with `models/`."""
    made = {"model": name, **fields(request)}
    made.pop("generationConfig", None)
    return msgspec.json.encode({"generateContentRequest": made})


def embed_body(name: str, texts: Iterable[str | Sequence[int]], rest: Json) -> bytes:
    """The JSON body of a request for the vectors of texts. Raises `RequestError` for texts given as tokens."""
    texts = list(texts)
    if not all(isinstance(text, str) for text in texts):
        raise RequestError("Gemini makes vectors of texts, not of the numbers of their tokens. Send the texts.")
    size = {"outputDimensionality": rest["dimensions"]} if rest.get("dimensions") else {}
    asked = [{"model": name, "content": {"parts": [{"text": text}]}, **size} for text in texts]
    return msgspec.json.encode({"requests": asked})


def fields(request: Request) -> Json:
    """A call as plain data."""
    # What an effort is called depends on the model.
    words = {**WORDS.fields, "reasoning_effort": partial(_effort, request.model)}
    result = replace(WORDS, fields=words).of(request.rest)
    declared = [_declaration(function_of(tool)) for tool in request.tools]
    if declared:
        result["tools"] = [*result.get("tools", ()), {"functionDeclarations": declared}]
    system = translation.system(request.messages, parts)
    result |= {"systemInstruction": {"parts": system}} if system else {}
    return result | {"contents": turns(request.messages)}


# Messages


def turns(messages: Iterable[Message]) -> list[Json]:
    """Messages as turns of `user` and `model`: see `translation.turns`."""
    return translation.turns(messages, partial(_said, {}), model="model", content="parts")


def parts(content: Content) -> list[Json]:
    """Content as Gemini's parts; empty text is left out."""
    made = [PARTS[part["type"]](part) for part in parts_of(content)]
    return [part for part in made if part.get("text") != ""]


def _said(names: dict[str, str], message: Message) -> list[Json]:
    """What a message says; `names` are those of the tools that were called before it, by the ids of the calls."""
    if message.role == "tool":
        call_id = message.rest["tool_call_id"]
        response = {"name": names.get(call_id, call_id), "response": _result(message.text)}
        return [{"functionResponse": _id(call_id) | response}]
    said = parts(message.content)
    names.update((call.id, call.name) for call in message.tool_calls)
    calls: list[Json] = [
        {"functionCall": _id(call.id) | {"name": call.name, "args": arguments_of(call.arguments, NAME)}}
        for call in message.tool_calls
    ]
    seals = [str(block.get("signature")) for block in message.rest.get("thinking_blocks") or ()]
    signed = [seal.removeprefix(SEAL) for seal in seals if seal.startswith(SEAL)]
    # Of calls that were made together the first has the signature.
    for call, signature in zip(calls, signed or [UNSIGNED], strict=False):
        call["thoughtSignature"] = signature
    return said + calls


def _id(call_id: str) -> Json:
    return {} if call_id.startswith(OWN_ID) else {"id": call_id}


def _result(text: str) -> Json:
    """What a tool returned, as the object Gemini wants."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {"output": text}


def _image(part: Json) -> Json:
    url = str(part["image_url"]["url"])
    if not url.startswith("https://"):
        return _inline(url, "An image")
    kind, _ = mimetypes.guess_type(url.partition("?")[0])
    return {"fileData": {"fileUri": url} | ({"mimeType": kind} if kind else {})}


def _file(part: Json) -> Json:
    return _inline(file_of(part, NAME)["file_data"], "A file")


def _inline(url: str, what: str) -> Json:
    media, data = data_of(url, what, "for Gemini is an https:// or a data:…;base64, URL")
    return {"inlineData": {"mimeType": media, "data": data}}


def _audio(part: Json) -> Json:
    audio = part["input_audio"]
    return {"inlineData": {"mimeType": f"audio/{audio['format']}", "data": audio["data"]}}


PARTS: dict[str, Callable[[Json], Json]] = {
    "text": lambda part: {"text": part["text"]},
    "refusal": lambda part: {"text": part["refusal"]},
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
}
"""OpenAI's content parts in Gemini's words."""


# Tools


def _tools(tools: list[Json]) -> Json:
    """Functions as one list of declarations; Gemini's own kinds (`googleSearch`, `codeExecution`) as they are."""
    declared = [_declaration(tool["function"]) for tool in tools if "function" in tool]
    others = [tool for tool in tools if "function" not in tool]
    return {"tools": [*([{"functionDeclarations": declared}] if declared else ()), *others]}


def _declaration(function: Json) -> Json:
    kept = {"description": function["description"]} if function.get("description") else {}
    schema = {"parametersJsonSchema": function["parameters"]} if function.get("parameters") else {}
    return {"name": function["name"], **kept, **schema}


def _choice(choice: str | Json) -> Json:
    if isinstance(choice, str):
        mode = choice_of(choice, {"auto": "AUTO", "none": "NONE", "required": "ANY"})
        return {"toolConfig": {"functionCallingConfig": {"mode": mode}}}
    named = {"mode": "ANY", "allowedFunctionNames": [choice["function"]["name"]]}
    return {"toolConfig": {"functionCallingConfig": named}}


# Other fields


def _config(**settings: Any) -> Json:
    return {"generationConfig": settings}


def _format(wanted: Json) -> Json:
    if wanted["type"] == "text":
        return {}
    if wanted["type"] == "json_object":
        return _config(responseMimeType="application/json")
    return _config(responseMimeType="application/json", responseJsonSchema=wanted["json_schema"]["schema"])


def _thinking(thinking: Json) -> Json:
    """Anthropic's field of that name."""
    if thinking["type"] == "disabled":
        return _config(thinkingConfig={"thinkingBudget": 0})
    budget = {"thinkingBudget": thinking["budget_tokens"]} if "budget_tokens" in thinking else {}
    return _config(thinkingConfig={"includeThoughts": True} | budget)


def _effort(model: str, effort: str) -> Json:
    if WITH_BUDGET.match(model):
        if effort not in BUDGETS:
            known = ", ".join(BUDGETS)
            raise RequestError(f"reasoning_effort {effort!r} is unknown. Known: {known}.", param="reasoning_effort")
        depth: Json = {"thinkingBudget": BUDGETS[effort]}
    else:
        depth = {"thinkingLevel": LEVELS.get(effort, effort)}
    return _config(thinkingConfig=depth | ({} if effort == "none" else {"includeThoughts": True}))


WORDS = Words(
    NAME,
    DROPPED,
    REFUSED,
    {
        "frequency_penalty": lambda value: _config(frequencyPenalty=value),
        "logprobs": lambda wanted: _config(responseLogprobs=True) if wanted else {},
        "max_completion_tokens": lambda tokens: _config(maxOutputTokens=tokens),
        "max_tokens": lambda tokens: _config(maxOutputTokens=tokens),
        "presence_penalty": lambda value: _config(presencePenalty=value),
        "response_format": _format,
        "seed": lambda seed: _config(seed=seed),
        "stop": lambda stop: _config(stopSequences=[stop] if isinstance(stop, str) else stop),
        "temperature": lambda value: _config(temperature=value),
        "thinking": _thinking,
        "tool_choice": _choice,
        "tools": _tools,
        "top_k": lambda value: _config(topK=value),
        "top_logprobs": lambda count: _config(logprobs=count) if count else {},
        "top_p": lambda value: _config(topP=value),
    },
)
"""But for `reasoning_effort`: see `fields`."""
