"""What Gemini answers, as bytes: https://ai.google.dev/api/generate-content, and /embeddings and /tokens beside it.

Thinks where `includeThoughts` is asked for, calls the first tool until its result is there, and gives log-probabilities
with `responseLogprobs`. A request that says BLOCK is blocked.
"""

import json
from collections.abc import Callable
from typing import Any

from tests._upstream.answers import ARGUMENTS, CACHED, INPUT, OUTPUT, THINKING, THOUGHT, Answer, Json, halves

SIGNATURE = "ZW1pbmk="
"""What Gemini wants back with the first of the calls it makes together."""
CALL_ID = "fc-1"


def generate(body: Json, text: str) -> Answer:
    parts = [part for event in _events(body, text) for part in event["candidates"][0]["content"]["parts"]]
    last = _events(body, text)[-1]
    candidate = last["candidates"][0] | {"content": {"role": "model", "parts": parts}}
    return _whole(last | {"candidates": [candidate]})


def stream(body: Json, text: str) -> Answer:
    return Answer(True, [b"data: " + _json(event) + b"\r\n\r\n" for event in _events(body, text)])


def count(body: Json, text: str) -> Answer:
    return _whole({"totalTokens": INPUT, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": INPUT}]})


def embed(body: Json, text: str) -> Answer:
    """A vector of two numbers for each text: its length, and one."""
    texts = [str(asked["content"]["parts"][0]["text"]) for asked in body["requests"]]
    vectors = [{"values": [float(len(text)), 1.0]} for text in texts]
    return _whole({"embeddings": vectors, "usageMetadata": {"promptTokenCount": len(texts)}})


def _events(body: Json, text: str) -> list[Json]:
    """The answer in pieces; what it used is told with each, and grows."""
    if "BLOCK" in json.dumps(body["contents"][-1]):
        blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": INPUT}}
        return [blocked | {"candidates": [{"content": {"parts": []}, "index": 0}]}]
    config: Json = body.get("generationConfig", {})
    # The API takes names of both kinds, and the official client sends both.
    thinking: Json = config.get("thinkingConfig", {})
    thinks = bool(thinking.get("includeThoughts") or thinking.get("include_thoughts"))
    tool = _wanted_tool(body)
    said: list[Json] = [{"text": THOUGHT, "thought": True}] if thinks else []
    if tool:
        call = {"id": CALL_ID, "name": tool, "args": json.loads(ARGUMENTS)}
        said += [{"functionCall": call, "thoughtSignature": SIGNATURE}]
    else:
        said += [{"text": piece} for piece in halves(text)]
    finish = "MAX_TOKENS" if config.get("maxOutputTokens") == 1 else "STOP"
    events = [_event([part], thinks) for part in said]
    events[-1]["candidates"][0] |= {"finishReason": finish, "index": 0} | _logprobs(config, text)
    events[-1]["usageMetadata"] = _usage(OUTPUT - (THINKING if thinks else 0), thinks)
    return events


def _event(parts: list[Json], thinks: bool) -> Json:
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    return {"candidates": [candidate], "usageMetadata": _usage(1, thinks), "modelVersion": "gemini", "responseId": "r1"}


def _usage(written: int, thinks: bool) -> Json:
    counts: Json = {
        "promptTokenCount": INPUT,
        "cachedContentTokenCount": CACHED,
        "candidatesTokenCount": written,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": INPUT - 5}, {"modality": "AUDIO", "tokenCount": 5}],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": CACHED - 2}, {"modality": "AUDIO", "tokenCount": 2}],
    }
    return counts | ({"thoughtsTokenCount": THINKING} if thinks else {})


def _logprobs(config: Json, text: str) -> Json:
    if not config.get("responseLogprobs"):
        return {}
    tokens = [{"token": piece, "tokenId": 7, "logProbability": -0.25} for piece in halves(text)]
    others = [{"candidates": [token] * int(config.get("logprobs") or 0)} for token in tokens]
    return {"logprobsResult": {"chosenCandidates": tokens, "topCandidates": others}}


def _wanted_tool(body: Json) -> str:
    tools: list[Json] = [tool for group in body.get("tools", []) for tool in group.get("functionDeclarations", ())]
    return "" if not tools or "functionResponse" in json.dumps(body["contents"]) else str(tools[0]["name"])


def _whole(value: Json) -> Answer:
    return Answer(False, [_json(value)])


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


WRITERS: dict[str, Callable[[Json, str], Answer]] = {
    ":generateContent": generate,
    ":streamGenerateContent": stream,
    ":countTokens": count,
    ":batchEmbedContents": embed,
}
