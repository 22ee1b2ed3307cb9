"""What Amazon Bedrock answers, as bytes: Converse as JSON, ConverseStream as an event stream of its own.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html;
the encoding: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html.
"""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Iterator

from tests._upstream.answers import ARGUMENTS, CACHED, INPUT, OUTPUT, SIGNATURE, THOUGHT, Answer, Json, halves

MEDIA = "application/vnd.amazon.eventstream"
REDACTED = base64.b64encode(b"not to be read").decode()
WRITTEN, LONG = 3, 1
"""Tokens written to the prompt cache, and those of them that are kept for an hour."""


def converse(body: Json, text: str) -> Answer:
    tool = _wanted_tool(body)
    said: Json = {"text": text}
    if tool:
        said = {"toolUse": {"toolUseId": "tooluse_1", "name": tool, "input": json.loads(ARGUMENTS)}}
    thoughts = [
        {"reasoningContent": {"reasoningText": {"text": THOUGHT, "signature": SIGNATURE}}},
        {"reasoningContent": {"redactedContent": REDACTED}},
    ]
    answer = {
        "output": {"message": {"role": "assistant", "content": [*thoughts, said]}},
        "stopReason": _stop(body, tool),
        "usage": _usage(),
        "metrics": {"latencyMs": 1},
    }
    return Answer(False, [json.dumps(answer, ensure_ascii=False).encode()])


def converse_stream(body: Json, text: str) -> Answer:
    return Answer(True, [message(kind, payload) for kind, payload in _events(body, text)], MEDIA)


def count(body: Json, text: str) -> Answer:
    return Answer(False, [json.dumps({"inputTokens": INPUT}).encode()])


def message(kind: str, payload: Json, headers: Json | None = None) -> bytes:
    """One message of an event stream."""
    given = headers or {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    coded = b"".join(_header(name, str(value)) for name, value in given.items())
    data = json.dumps(payload, ensure_ascii=False).encode()
    prelude = struct.pack(">II", 16 + len(coded) + len(data), len(coded))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + coded + data
    return head + struct.pack(">I", zlib.crc32(head))


def _header(name: str, value: str) -> bytes:
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()


def _events(body: Json, text: str) -> Iterator[tuple[str, Json]]:
    tool = _wanted_tool(body)
    yield "messageStart", {"role": "assistant", "p": "abcd"}
    for piece in ({"text": THOUGHT}, {"signature": SIGNATURE}):
        yield "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": piece}}
    yield "contentBlockStop", {"contentBlockIndex": 0}
    if tool:
        start = {"toolUse": {"toolUseId": "tooluse_1", "name": tool}}
        yield "contentBlockStart", {"contentBlockIndex": 1, "start": start}
        pieces: list[Json] = [{"toolUse": {"input": piece}} for piece in halves(ARGUMENTS)]
    else:
        pieces = [{"text": piece} for piece in halves(text)]
    for piece in pieces:
        yield "contentBlockDelta", {"contentBlockIndex": 1, "delta": piece, "p": "ab"}
    yield "contentBlockStop", {"contentBlockIndex": 1}
    yield "messageStop", {"stopReason": _stop(body, tool)}
    yield "metadata", {"usage": _usage(), "metrics": {"latencyMs": 1}}


def _stop(body: Json, tool: str) -> str:
    if body.get("inferenceConfig", {}).get("maxTokens") == 1:
        return "max_tokens"
    return "tool_use" if tool else "end_turn"


def _usage() -> Json:
    """What was read from and written to the cache is not part of `inputTokens`."""
    return {
        "inputTokens": INPUT - CACHED - WRITTEN,
        "outputTokens": OUTPUT,
        "totalTokens": INPUT + OUTPUT,
        "cacheReadInputTokens": CACHED,
        "cacheWriteInputTokens": WRITTEN,
        "cacheDetails": [{"ttl": "1h", "inputTokens": LONG}, {"ttl": "5m", "inputTokens": WRITTEN - LONG}],
    }


def _wanted_tool(body: Json) -> str:
    tools: list[Json] = [tool["toolSpec"] for tool in body.get("toolConfig", {}).get("tools", ()) if "toolSpec" in tool]
    return "" if not tools or "toolResult" in json.dumps(body["messages"]) else str(tools[0]["name"])


WRITERS: dict[str, Callable[[Json, str], Answer]] = {
    "/converse": converse,
    "/converse-stream": converse_stream,
    "/count-tokens": count,
}
