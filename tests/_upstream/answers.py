"""What a well-behaved provider answers, as bytes: OpenAI's and Anthropic's JSON and event streams.

Pure functions of the request's path and body. They know no sockets and no faults.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]

ANSWER = "Paris is the capital of France ☕ — naturally."
"""The text of every answer, unless `Upstream.answer` says otherwise."""
ARGUMENTS = '{"city": "Zürich", "days": 2}'
"""The arguments of every tool call."""
INPUT, CACHED, OUTPUT = 12, 4, 7
"""Tokens every answer reports; the cached ones are part of the input."""


class Answer(NamedTuple):
    """A whole answer: one JSON body, or the events of a stream, in order."""

    streamed: bool
    parts: list[bytes]


def answer(path: str, body: Json, text: str) -> Answer:
    """The answer to a request on a path that ends as one of `WRITERS`."""
    return next(write for suffix, write in WRITERS.items() if path.endswith(suffix))(body, text)


def wanted_tool(body: Json) -> str:
    """The tool the model decides to call: the first one offered, unless its result is already there."""
    tools: list[Json] = body.get("tools", [])
    last: Json = body["messages"][-1]
    if not tools or last["role"] == "tool" or "tool_result" in json.dumps(last):
        return ""
    return str(tools[0].get("name") or tools[0]["function"]["name"])


def halves(text: str) -> list[str]:
    """A text in a few pieces that do not respect words."""
    size = max(1, len(text) // 4)
    return [text[start : start + size] for start in range(0, len(text), size)]


# OpenAI


def openai_chat(body: Json, text: str) -> Answer:
    tool = wanted_tool(body)
    if body.get("stream"):
        return Answer(True, [_data(chunk) for chunk in _openai_chunks(body, text, tool)] + [b"data: [DONE]\n\n"])
    message: Json = {"role": "assistant", "content": None if tool else text, "refusal": None}
    if tool:
        message["tool_calls"] = [
            {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": ARGUMENTS}}
        ]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tool else "stop", "logprobs": None}
    return _whole(_openai_head(body, "chat.completion") | {"choices": [choice], "usage": _openai_usage()})


def _openai_chunks(body: Json, text: str, tool: str) -> Iterator[Json]:
    head = _openai_head(body, "chat.completion.chunk")
    finish = "tool_calls" if tool else "stop"
    deltas: list[Json] = [{"role": "assistant", "content": None if tool else ""}]
    if tool:
        deltas.append(
            {
                "tool_calls": [
                    {"index": 0, "id": "call_1", "type": "function", "function": {"name": tool, "arguments": ""}}
                ]
            }
        )
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in halves(ARGUMENTS)]
    else:
        deltas += [{"content": part} for part in halves(text)]
    for delta in deltas:
        yield head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield head | {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    if "include_usage" in body.get("stream_options", ()):
        yield head | {"choices": [], "usage": _openai_usage()}


def _openai_head(body: Json, kind: str) -> Json:
    return {
        "id": "chatcmpl-1",
        "object": kind,
        "created": 1_760_000_000,
        "model": body["model"],
        "system_fingerprint": "fp_1",
        "x_unknown": {"kept": True},
    }


def _openai_usage() -> Json:
    return {
        "prompt_tokens": INPUT,
        "completion_tokens": OUTPUT,
        "total_tokens": INPUT + OUTPUT,
        "prompt_tokens_details": {"cached_tokens": CACHED},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def openai_embeddings(body: Json, text: str) -> Answer:
    """A vector of two numbers for each text: its length, and one."""
    texts: list[str] = [body["input"]] if isinstance(body["input"], str) else body["input"]
    rows = [{"object": "embedding", "index": i, "embedding": [float(len(t)), 1.0]} for i, t in enumerate(texts)]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return _whole({"object": "list", "data": rows, "model": body["model"], "usage": usage})


def openai_models(body: Json, text: str) -> Answer:
    models = [{"id": f"model-{n}", "object": "model", "created": 1, "owned_by": "upstream"} for n in (1, 2)]
    return _whole({"object": "list", "data": models})


# Anthropic


def anthropic_messages(body: Json, text: str) -> Answer:
    tool = wanted_tool(body)
    if body.get("stream"):
        return Answer(True, [_event(event) for event in _anthropic_events(body, text, tool)])
    thought: Json = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    said: Json = {"type": "text", "text": text}
    if tool:
        said = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": json.loads(ARGUMENTS)}
    end: Json = {"stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None}
    return _whole(_anthropic_head(body) | end | {"content": [thought, said], "usage": _anthropic_usage()})


def _anthropic_events(body: Json, text: str, tool: str) -> Iterator[Json]:
    """A thinking block, then text or a tool call, with a ping in between."""
    start: Json = _anthropic_head(body) | {"content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": start | {"usage": _anthropic_usage() | {"output_tokens": 1}}}
    thought: Json = {"type": "thinking_delta", "thinking": "Hm."}
    yield from _block(0, {"type": "thinking", "thinking": "", "signature": ""}, [thought])
    yield {"type": "ping"}
    if tool:
        opening: Json = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": {}}
        pieces: list[Json] = [{"type": "input_json_delta", "partial_json": part} for part in ["", *halves(ARGUMENTS)]]
    else:
        opening = {"type": "text", "text": ""}
        pieces = [{"type": "text_delta", "text": part} for part in halves(text)]
    yield from _block(1, opening, pieces)
    end = {"stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": OUTPUT}}
    yield {"type": "message_stop"}


def _block(index: int, opening: Json, pieces: list[Json]) -> Iterator[Json]:
    yield {"type": "content_block_start", "index": index, "content_block": opening}
    for piece in pieces:
        yield {"type": "content_block_delta", "index": index, "delta": piece}
    yield {"type": "content_block_stop", "index": index}


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
}
