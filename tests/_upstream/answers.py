"""What a well-behaved provider answers, as bytes: OpenAI's and Anthropic's JSON and event streams.

Pure functions of the request's path and body. They know no sockets and no faults. What a request asks for it gets:

====================================  ========================================================================
request                               answer
====================================  ========================================================================
`tools`, no result of one yet         a call of the first
an image                              `ANSWER` with what the image is, and how large
`response_format`, `output_config`    JSON that fits the schema
the word REFUSE in the question       a refusal
the word MIXED in it, and `tools`     a stream of two calls whose arguments come by turns (OpenAI's)
`reasoning_effort`                    `THOUGHT` before the answer (Anthropic's always thinks)
`logprobs`, `top_logprobs`            an entry for each piece of the text
`n`                                   so many choices, each with its number at the end
a limit of one token                  the whole text, said to be cut short by the limit
====================================  ========================================================================
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]

ANSWER = "Paris is the capital of France ☕ — naturally."
"""The text of every answer, unless `Upstream.answer` says otherwise."""
ARGUMENTS = '{"city": "Zürich", "days": 2}'
"""The arguments of every tool call."""
INPUT, CACHED, OUTPUT = 12, 4, 7
"""Tokens every answer reports; the cached ones are part of the input."""
THOUGHT = "Hm."
"""What a model thinks aloud."""
CHARGED_NANO = 140_000
"""What a host that says so charges for every answer, in nano-dollars."""
THINKING = 3
"""Tokens of that, part of the output."""
SIGNATURE = "c2ln"
"""What Anthropic wants back with the thought."""
REFUSAL = "I would rather not."


class Answer(NamedTuple):
    """A whole answer: one JSON body, or the events of a stream, in order. `media` is the type of a stream."""

    streamed: bool
    parts: list[bytes]
    media: str = "text/event-stream"


def answer(path: str, body: Json, text: str) -> Answer:
    """The answer to a request on a path that ends as one of `WRITERS`."""
    return next(write for suffix, write in WRITERS.items() if path.endswith(suffix))(body, text)


def wanted_tool(body: Json) -> str:
    """The tool the model decides to call: the first one offered, unless its result is already there."""
    tools: list[Json] = body.get("tools", [])
    if not tools or any(m["role"] == "tool" or "tool_result" in json.dumps(m) for m in body["messages"]):
        return ""
    return str(tools[0].get("name") or tools[0]["function"]["name"])


def halves(text: str) -> list[str]:
    """A text in a few pieces that do not respect words."""
    size = max(1, len(text) // 4)
    return [text[start : start + size] for start in range(0, len(text), size)]


def said(body: Json, text: str) -> str:
    """The text of the answer to a request: JSON where it wants some, with what is seen where it shows an image."""
    schema = _schema(body)
    if schema is not None:
        return json.dumps(fitting(schema), ensure_ascii=False)
    found = re.findall(r"data:(image/\w+);base64,([\w+/=]*)", json.dumps(body["messages"]))
    found += re.findall(r'"media_type": "(image/\w+)", "data": "([\w+/=]*)"', json.dumps(body["messages"]))
    return text + "".join(f" [{kind}, {len(data)} characters]" for kind, data in found)


def fitting(schema: Json) -> Any:
    """A value that a JSON schema takes: of each kind always the same."""
    if "$ref" in schema:
        raise NotImplementedError("References are not followed here.")
    if "enum" in schema:
        return schema["enum"][0]
    plain: Json = {"string": "Paris", "integer": 7, "number": 0.5, "boolean": True, "null": None}
    match schema.get("type"):
        case "object":
            properties: dict[str, Json] = schema.get("properties", {})
            return {name: fitting(inner) for name, inner in properties.items()}
        case "array":
            return [fitting(schema.get("items", {}))]
        case kind:
            return plain.get(str(kind), "Paris")


def _schema(body: Json) -> Json | None:
    output: Json = body.get("output_config") or {}
    wanted: Json = body.get("response_format") or output.get("format") or {}
    if wanted.get("type") != "json_schema":
        return {"type": "object"} if wanted.get("type") == "json_object" else None
    return wanted.get("json_schema", wanted).get("schema", {})


def refuses(body: Json) -> bool:
    """Whether the model refuses this request."""
    return "REFUSE" in json.dumps(body["messages"][-1])


def ended(body: Json, tool: str) -> str:
    """Why an answer ends, in OpenAI's words."""
    if 1 in (body.get("max_tokens"), body.get("max_completion_tokens")):
        return "length"
    return "tool_calls" if tool else "stop"


# OpenAI


def openai_chat(body: Json, text: str) -> Answer:
    tool, text = wanted_tool(body), said(body, text)
    if body.get("stream"):
        chunks = [chunk for index in range(body.get("n") or 1) for chunk in _openai_chunks(body, text, tool, index)]
        return Answer(True, [_data(chunk) for chunk in [*chunks, *_openai_end(body)]] + [b"data: [DONE]\n\n"])
    choices = [_openai_choice(body, text, tool, index) for index in range(body.get("n") or 1)]
    return _whole(_openai_head(body, "chat.completion") | {"choices": choices, "usage": _openai_usage(body)})


def _openai_choice(body: Json, text: str, tool: str, index: int) -> Json:
    text += f" #{index}" if index else ""
    message: Json = {"role": "assistant", "content": None if tool else text, "refusal": None}
    if refuses(body):
        message |= {"content": None, "refusal": REFUSAL}
    if thinks(body):
        message["reasoning_content"] = THOUGHT
    if tool:
        message["tool_calls"] = [
            {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": ARGUMENTS}}
        ]
    logprobs = _logprobs(body, halves(text)) if not tool else None
    finish = ended(body, tool)
    return {"index": index, "message": message, "finish_reason": finish, "logprobs": logprobs}


def _openai_chunks(body: Json, text: str, tool: str, index: int) -> Iterator[Json]:
    head = _openai_head(body, "chat.completion.chunk")
    finish = ended(body, tool)
    text += f" #{index}" if index else ""
    deltas: list[Json] = [{"role": "assistant", "content": None if tool else ""}]
    if thinks(body):
        deltas += [{"reasoning_content": part} for part in halves(THOUGHT)]
    if tool:
        both = range(2 if "MIXED" in json.dumps(body["messages"][-1]) else 1)
        for call in both:
            function = {"name": tool, "arguments": ""}
            deltas.append(
                {"tool_calls": [{"index": call, "id": f"call_{call + 1}", "type": "function", "function": function}]}
            )
        deltas += [
            {"tool_calls": [{"index": call, "function": {"arguments": part}}]}
            for part in halves(ARGUMENTS)
            for call in both
        ]
    elif refuses(body):
        deltas += [{"refusal": part} for part in halves(REFUSAL)]
    else:
        deltas += [{"content": part} for part in halves(text)]
    for delta in deltas:
        logprobs = _logprobs(body, [delta["content"]]) if delta.get("content") else None
        yield head | {"choices": [{"index": index, "delta": delta, "finish_reason": None, "logprobs": logprobs}]}
    yield head | {"choices": [{"index": index, "delta": {}, "finish_reason": finish}]}


def _openai_end(body: Json) -> Iterator[Json]:
    if "include_usage" in body.get("stream_options", ()) or "usage" in body:
        yield _openai_head(body, "chat.completion.chunk") | {"choices": [], "usage": _openai_usage(body)}


def thinks(body: Json) -> bool:
    """Whether a model at OpenAI's API shows what it thinks."""
    return body.get("reasoning_effort") not in (None, "none")


def _logprobs(body: Json, tokens: list[str]) -> Json | None:
    """Log-probabilities of tokens, with as many others as were asked for."""
    if not body.get("logprobs"):
        return None
    others = range(body.get("top_logprobs") or 0)
    return {
        "content": [
            _logprob(token, -0.25) | {"top_logprobs": [_logprob(f"{token}{n}", -0.5 - n) for n in others]}
            for token in tokens
        ],
        "refusal": None,
    }


def _logprob(token: str, logprob: float) -> Json:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def _openai_head(body: Json, kind: str) -> Json:
    return {
        "id": "chatcmpl-1",
        "object": kind,
        "created": 1_760_000_000,
        "model": body["model"],
        "system_fingerprint": "fp_1",
        "x_unknown": {"kept": True},
    }


def _openai_usage(body: Json) -> Json:
    """What was used; with what it cost where OpenRouter is asked for that, in `usage`."""
    return ({"cost": CHARGED_NANO / 1e9} if "usage" in body else {}) | {
        "prompt_tokens": INPUT,
        "completion_tokens": OUTPUT,
        "total_tokens": INPUT + OUTPUT,
        "prompt_tokens_details": {"cached_tokens": CACHED},
        "completion_tokens_details": {"reasoning_tokens": THINKING if thinks(body) else 0},
    }


def openai_embeddings(body: Json, text: str) -> Answer:
    """A vector of two numbers for each text: its length, and one; more of the latter where more are wanted."""
    given: Any = body["input"]
    texts: list[Any] = [given] if isinstance(given, str) or isinstance(given[0], int) else given
    ones = [1.0] * (int(body.get("dimensions", 2)) - 1)
    rows = [{"object": "embedding", "index": i, "embedding": [float(len(t)), *ones]} for i, t in enumerate(texts)]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return _whole({"object": "list", "data": rows, "model": body["model"], "usage": usage})


def openai_models(body: Json, text: str) -> Answer:
    models = [{"id": f"model-{n}", "object": "model", "created": 1, "owned_by": "upstream"} for n in (1, 2)]
    return _whole({"object": "list", "data": models})


# Anthropic

STOP = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}


def anthropic_messages(body: Json, text: str) -> Answer:
    tool, text = wanted_tool(body), said(body, text)
    if body.get("stream"):
        return Answer(True, [_event(event) for event in _anthropic_events(body, text, tool)])
    thought: Json = {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE}
    block: Json = {"type": "text", "text": text}
    if tool:
        block = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": json.loads(ARGUMENTS)}
    end: Json = {"stop_reason": STOP[ended(body, tool)], "stop_sequence": None}
    return _whole(_anthropic_head(body) | end | {"content": [thought, block], "usage": _anthropic_usage()})


def _anthropic_events(body: Json, text: str, tool: str) -> Iterator[Json]:
    """A thinking block, then text or a tool call, with a ping in between."""
    start: Json = _anthropic_head(body) | {"content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": start | {"usage": _anthropic_usage() | {"output_tokens": 1}}}
    thought: Json = {"type": "thinking_delta", "thinking": THOUGHT}
    signed: Json = {"type": "signature_delta", "signature": SIGNATURE}
    yield from _block(0, {"type": "thinking", "thinking": "", "signature": ""}, [thought, signed])
    yield {"type": "ping"}
    if tool:
        opening: Json = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": {}}
        pieces: list[Json] = [{"type": "input_json_delta", "partial_json": part} for part in ["", *halves(ARGUMENTS)]]
    else:
        opening = {"type": "text", "text": ""}
        pieces = [{"type": "text_delta", "text": part} for part in halves(text)]
    yield from _block(1, opening, pieces)
    end = {"stop_reason": STOP[ended(body, tool)], "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": OUTPUT}}
    yield {"type": "message_stop"}


def _block(index: int, opening: Json, pieces: list[Json]) -> Iterator[Json]:
    yield {"type": "content_block_start", "index": index, "content_block": opening}
    for piece in pieces:
        yield {"type": "content_block_delta", "index": index, "delta": piece}
    yield {"type": "content_block_stop", "index": index}


def anthropic_count(body: Json, text: str) -> Answer:
    return _whole({"input_tokens": INPUT})


def _anthropic_head(body: Json) -> Json:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"]}


def _anthropic_usage() -> Json:
    return {
        "input_tokens": INPUT - CACHED - 1,
        "cache_creation_input_tokens": 1,
        "cache_read_input_tokens": CACHED,
        "output_tokens": OUTPUT,
    }


def _whole(value: Json) -> Answer:
    return Answer(False, [json.dumps(value, ensure_ascii=False).encode()])


def _data(value: Json) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _event(value: Json) -> bytes:
    return f"event: {value['type']}\n".encode() + _data(value)


WRITERS: dict[str, Callable[[Json, str], Answer]] = {
    "/chat/completions": openai_chat,
    "/embeddings": openai_embeddings,
    "/models": openai_models,
    "/messages": anthropic_messages,
    "/messages/count_tokens": anthropic_count,
}
