"""Gemini's answers as deltas, as pure functions over bytes: https://ai.google.dev/api/generate-content.

Nothing is known here of connections and keys.
"""

import base64
import secrets
import struct
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from regista.core.errors import ProviderError, StreamCutError
from regista.core.nouns import Delta, Json, ToolCallPart, Usage
from regista.models.decoded import decoded, shown
from regista.models.gemini_request import OWN_ID, SEAL
from regista.models.http_errors import error_in_stream
from regista.models.sse import Splitter

FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
}
"""Finish reason to OpenAI's; others are passed on in lower case. A stop after a call of a tool is `tool_calls`."""
BROKEN = frozenset(
    (
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    )
)
"""Finish reasons of answers that are none: what the model wrote was no call, or no answer."""


class _Call(Struct):
    name: str = ""
    id: str = ""
    args: Raw = Raw(b"{}")


class _Part(Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    thought_signature: str = ""
    function_call: _Call | None = None


class _Content(Struct):
    parts: list[_Part] = []


class _Chosen(Struct, rename="camel"):
    token: str = ""
    log_probability: float = 0.0


class _Top(Struct):
    candidates: list[_Chosen] = []


class _Logprobs(Struct, rename="camel"):
    chosen_candidates: list[_Chosen] = []
    top_candidates: list[_Top] = []


class _Candidate(Struct, rename="camel"):
    index: int = 0
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str = ""
    logprobs_result: _Logprobs | None = None


class _Modality(Struct, rename="camel"):
    modality: str = ""
    token_count: int = 0


class _Usage(Struct, rename="camel"):
    prompt_token_count: int = 0
    cached_content_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0
    tool_use_prompt_token_count: int = 0
    prompt_tokens_details: list[_Modality] = []
    cache_tokens_details: list[_Modality] = []

    def noun(self) -> Usage:
        """Regista's count: what tools of Gemini's own brought in is input, what was thought is output."""
        spoken = _audio(self.prompt_tokens_details) - _audio(self.cache_tokens_details)
        return Usage(
            self.prompt_token_count + self.tool_use_prompt_token_count,
            self.candidates_token_count + self.thoughts_token_count,
            self.cached_content_token_count,
            self.thoughts_token_count,
            audio_tokens=max(spoken, 0),
        )


class _Feedback(Struct, rename="camel"):
    block_reason: str = ""


class _Error(Struct):
    code: int = 500
    message: str = ""


class _Answer(Struct, rename="camel"):
    candidates: list[_Candidate] = []
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Usage | None = None
    error: _Error | None = None


class _Vector(Struct):
    values: list[float]


class _Vectors(Struct, rename="camel"):
    embeddings: list[_Vector]
    usage_metadata: _Usage | None = None


class _Count(Struct, rename="camel"):
    total_tokens: int


_answer = msgspec.json.Decoder(_Answer).decode
_count = msgspec.json.Decoder(_Count).decode
_vectors = msgspec.json.Decoder(_Vectors).decode
NO_ANSWER = "This is no answer of Gemini's"


def whole(data: bytes) -> list[Delta]:
    """One JSON answer as deltas: one for each sealed thought, and the last with how it ended."""
    stream = Stream()
    return [*stream.take(_decode(data)), stream.end()]


class Stream:
    """Turns blocks of a streamed answer into deltas. `end` gives the last one, once nothing more comes."""

    __slots__ = ("_calls", "_finish", "_splitter", "_usage")

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._calls = 0
        self._finish: str | None = None
        self._usage: Usage | None = None

    def feed(self, block: bytes) -> Iterator[Delta]:
        """What this block adds, event by event.

        Raises `ProviderError` for an error in the stream and for what is no event of Gemini's.
        """
        for part in self._splitter.feed(block):
            yield from self.take(_decode(part.data))

    def take(self, answer: _Answer) -> list[Delta]:
        """What one event, or a whole answer, adds."""
        if answer.error is not None:
            raise error_in_stream("gemini", f"an error {answer.error.code}", answer.error.code, answer.error.message)
        if answer.usage_metadata is not None:
            self._usage = answer.usage_metadata.noun()
        if answer.prompt_feedback is not None and answer.prompt_feedback.block_reason:
            self._finish = "content_filter"
        candidate = next((candidate for candidate in answer.candidates if not candidate.index), _Candidate())
        deltas = [self._part(part) for part in (candidate.content or _Content()).parts]
        if candidate.finish_reason:
            self._finish = _finish(candidate, called=bool(self._calls))
        last = deltas.pop() if deltas else Delta()
        last = msgspec.structs.replace(last, usage=self._usage, logprobs=_entries(candidate.logprobs_result))
        return [*deltas, last] if last != Delta() else deltas

    def end(self) -> Delta:
        """How the answer ended. Raises `StreamCutError` where nothing said so."""
        if self._finish is None:
            raise StreamCutError("Gemini's answer ended without a finish reason: it is not whole.")
        return Delta(finish=self._finish, usage=self._usage)

    def _part(self, part: _Part) -> Delta:
        call = part.function_call
        if call is None:
            return Delta(reasoning=part.text or "") if part.thought else Delta(part.text or "")
        call_id, arguments = call.id or OWN_ID + secrets.token_hex(8), bytes(call.args).decode()
        made = ToolCallPart(self._calls, call_id, call.name, arguments)
        self._calls += 1
        return Delta(tool_calls=(made,), seal=f"{SEAL}{part.thought_signature}" if part.thought_signature else "")


def counted(data: bytes) -> int:
    """The tokens in an answer of `countTokens`."""
    return decoded(data, _count, "Gemini's answer is not a count of tokens").total_tokens


def vectors(data: bytes, model: str, encoding: Literal["float", "base64"]) -> bytes:
    """An answer of `batchEmbedContents` in OpenAI's shape. Its usage is left out where Gemini does not tell it."""
    answer = decoded(data, _vectors, "Gemini's answer is not one with vectors")
    rows = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector.values, encoding)}
        for index, vector in enumerate(answer.embeddings)
    ]
    used: Json = {}
    if answer.usage_metadata is not None:
        tokens = answer.usage_metadata.prompt_token_count
        used = {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
    return msgspec.json.encode({"object": "list", "data": rows, "model": model, **used})


def _encoded(values: list[float], encoding: Literal["float", "base64"]) -> list[float] | str:
    return values if encoding == "float" else base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def _audio(counts: list[_Modality]) -> int:
    return sum(count.token_count for count in counts if count.modality == "AUDIO")


def _finish(candidate: _Candidate, *, called: bool) -> str:
    reason = candidate.finish_reason or ""
    if reason in BROKEN:
        said = f": {candidate.finish_message}" if candidate.finish_message else ""
        raise StreamCutError(f"Gemini gave the answer up, for {reason}{said}.")
    finish = FINISH.get(reason, reason.lower())
    return "tool_calls" if called and finish == "stop" else finish


def _entries(result: _Logprobs | None) -> tuple[Json, ...]:
    """Log-probabilities as OpenAI's entries: https://ai.google.dev/api/generate-content#LogprobsResult."""
    if result is None:
        return ()
    tops = [[_entry(other) for other in top.candidates] for top in result.top_candidates]
    return tuple(
        _entry(chosen) | {"top_logprobs": tops[position] if position < len(tops) else []}
        for position, chosen in enumerate(result.chosen_candidates)
    )


def _entry(chosen: _Chosen) -> Json:
    return {"token": chosen.token, "logprob": chosen.log_probability, "bytes": list(chosen.token.encode())}


def _decode(data: bytes) -> _Answer:
    answer = decoded(data, _answer, NO_ANSWER)
    if not (answer.candidates or answer.prompt_feedback or answer.usage_metadata or answer.error):
        raise ProviderError(f"{NO_ANSWER}: {shown(data)}. Is base_url right?")
    return answer
