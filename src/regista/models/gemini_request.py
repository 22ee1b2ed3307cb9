"""An OpenAI-shaped request in the words of Gemini's `generateContent`. Pure functions, no bytes sent.

Field names are those of https://ai.google.dev/api/generate-content. Signatures of thoughts go back with the calls they
came with: see `SEAL`. Fields of `Request.rest` are translated (`FIELDS`), refused where leaving them out would answer
another question (`REFUSED`), dropped where they are mere hints (`DROPPED`), and passed on otherwise.
"""

import mimetypes
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import msgspec

from regista.core.errors import RequestError
from regista.core.nouns import Content, Json, Message, Request, Tool

DROPPED = frozenset(
    (
        "cache_control",
        "logit_bias",
        "metadata",
        "parallel_tool_calls",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "stream_options",
        "user",
        "verbosity",
    )
)
"""OpenAI's fields that Gemini would refuse and whose absence leaves the answer one to the same question."""
REFUSED: dict[str, tuple[object, ...]] = {
    "audio": (),
    "function_call": (),
    "functions": (),
    "modalities": (["text"],),
    "n": (1,),
    "web_search_options": (),
}
"""OpenAI's fields that are not honoured here, with the values that ask for nothing."""
SYSTEM = ("system", "developer")
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
DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[^,]*)?;base64,(.*)", re.DOTALL)


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
    result: Json = {}
    for name, value in request.rest.items():
        if value is not None and name not in DROPPED:
            _merge(result, _translate(name, value, request.model))
    declared = [_declaration(_function(tool)) for tool in request.tools]
    if declared:
        result["tools"] = [*result.get("tools", ()), {"functionDeclarations": declared}]
    system = [part for message in request.messages if message.role in SYSTEM for part in parts(message.content)]
    result |= {"systemInstruction": {"parts": system}} if system else {}
    return result | {"contents": turns(request.messages)}


# Messages


def turns(messages: Iterable[Message]) -> list[Json]:
    """Messages as turns of `user` and `model`; neighbours of one role become one turn. System messages are left out."""
    result: list[Json] = []
    names: dict[str, str] = {}
    for index, message in enumerate(messages):
        if message.role in SYSTEM:
            continue
        role = {"user": "user", "tool": "user", "assistant": "model"}.get(message.role)
        where = f"messages[{index}]"
        if role is None:
            known = "Known: system, developer, user, assistant, tool."
            raise RequestError(f"{where} has the role {message.role!r}. {known}", param=f"{where}.role")
        try:
            said = _said(message, names)
        except (AttributeError, KeyError, TypeError) as error:
            raise RequestError(
                f"{where} is not shaped as OpenAI's API describes a message of the role {message.role!r} "
                f"({type(error).__name__}: {error}).",
                param=where,
            ) from None
        names |= {call.id: call.name for call in message.tool_calls}
        if said and result and result[-1]["role"] == role:
            result[-1]["parts"] += said
        elif said:
            result.append({"role": role, "parts": said})
    return result


def parts(content: Content) -> list[Json]:
    """Content as Gemini's parts; empty text is left out."""
    given: list[Json] = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    made = [PARTS[part["type"]](part) for part in given]
    return [part for part in made if part.get("text") != ""]


def _said(message: Message, names: dict[str, str]) -> list[Json]:
    if message.role == "tool":
        call_id = message.rest["tool_call_id"]
        response = {"name": names.get(call_id, call_id), "response": _result(message.text)}
        return [{"functionResponse": _id(call_id) | response}]
    said = parts(message.content)
    calls: list[Json] = [
        {"functionCall": _id(call.id) | {"name": call.name, "args": _arguments(call.arguments)}}
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


def _arguments(arguments: str) -> Json:
    try:
        return msgspec.json.decode(arguments or "{}", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise RequestError(
            f"The arguments of a tool call are not a JSON object ({error}): {arguments[:80]!r}. "
            "Gemini takes no others: repair or leave out the call.",
            param="messages",
        ) from None


def _image(part: Json) -> Json:
    url = str(part["image_url"]["url"])
    if not url.startswith("https://"):
        return _inline(url, "An image")
    kind, _ = mimetypes.guess_type(url.partition("?")[0])
    return {"fileData": {"fileUri": url} | ({"mimeType": kind} if kind else {})}


def _file(part: Json) -> Json:
    file = cast("dict[str, str]", part["file"])
    if "file_data" not in file:
        raise RequestError("A file for Gemini must come with its data: it does not know OpenAI's file ids.")
    return _inline(file["file_data"], "A file")


def _inline(url: str, what: str) -> Json:
    found = DATA_URL.fullmatch(url)
    if found is None:
        raise RequestError(
            f"{what} for Gemini is an https:// or a data:…;base64, URL, not {url[:40]!r}.", param="messages"
        )
    return {"inlineData": {"mimeType": found[1], "data": found[2]}}


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


def _function(tool: Tool) -> Json:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


def _declaration(function: Json) -> Json:
    kept = {"description": function["description"]} if function.get("description") else {}
    schema = {"parametersJsonSchema": function["parameters"]} if function.get("parameters") else {}
    return {"name": function["name"], **kept, **schema}


def _choice(choice: str | Json) -> Json:
    modes = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
    if isinstance(choice, str):
        if choice not in modes:
            known = "Known: auto, none, required, or a function."
            raise RequestError(f"tool_choice {choice!r} is unknown. {known}", param="tool_choice")
        return {"toolConfig": {"functionCallingConfig": {"mode": modes[choice]}}}
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


def _effort(effort: str, model: str) -> Json:
    if WITH_BUDGET.match(model):
        if effort not in BUDGETS:
            known = ", ".join(BUDGETS)
            raise RequestError(f"reasoning_effort {effort!r} is unknown. Known: {known}.", param="reasoning_effort")
        depth: Json = {"thinkingBudget": BUDGETS[effort]}
    else:
        depth = {"thinkingLevel": LEVELS.get(effort, effort)}
    return _config(thinkingConfig=depth | ({} if effort == "none" else {"includeThoughts": True}))


FIELDS: dict[str, Callable[[Any], Json]] = {
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
}
"""OpenAI's fields in Gemini's words."""


def _translate(name: str, value: Any, model: str) -> Json:
    if name in REFUSED:
        if value in REFUSED[name]:
            return {}
        raise RequestError(f"Gemini is not asked for {name}={value!r} here: leave it out.", param=name)
    try:
        if name == "reasoning_effort":
            return _effort(value, model)
        return FIELDS[name](value) if name in FIELDS else {name: value}
    except (AttributeError, KeyError, TypeError) as error:
        raise RequestError(
            f"{name} is not shaped as OpenAI's API describes it ({type(error).__name__}: {error}).", param=name
        ) from None


def _merge(result: Json, more: Json) -> None:
    """Add fields; halves of `generationConfig` become one."""
    for name, value in more.items():
        before = result.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            value = cast("Json", before) | cast("Json", value)
        result[name] = value
