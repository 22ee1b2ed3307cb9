"""Answers of OpenAI's chat API as deltas, as pure functions over bytes.

Field names are those of https://developers.openai.com/api/reference/resources/chat, and those that hosts of the table
`hosts.toml` have beside them. Fields not named here pass through untouched, in a delta's `raw`.
"""

from collections.abc import Callable
from typing import Any, cast

import msgspec
from msgspec import Struct

from regista.core.errors import ProviderError, StreamCutError
from regista.core.nouns import Delta, Json, Request, ToolCallPart, Usage
from regista.models.decoded import decoded, shown
from regista.models.http_errors import error_in_stream, without_keys
from regista.models.sse import Event, Splitter, read

FINISH = {
    "function_call": "tool_calls",
    "eos": "stop",
    "end_turn": "stop",
    "model_length": "length",
    "max_tokens": "length",
}
"""What hosts call an end that OpenAI calls otherwise. Names that nobody knows are passed on."""
OPENAI = frozenset(("stop", "length", "tool_calls", "content_filter"))
BROKEN = frozenset(("error", "abort", "insufficient_system_resource"))
"""Finish reasons of answers that their host gave up: OpenRouter and Mistral, SGLang and vLLM, DeepSeek."""
NO_ANSWER = "The answer is not a chat completion"
NO_CHUNK = "An event of the stream is no JSON of a chat"


class _Details(Struct, gc=False):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(Struct, gc=False):
    """Usage as OpenAI has it, and where other hosts put what OpenAI has elsewhere."""

    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    total_tokens: int | None = 0
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: Any = None
    cost_in_usd_ticks: int | None = None

    def noun(self, charges: str) -> Usage:
        given, written = self.prompt_tokens_details or _NONE, self.completion_tokens_details or _NONE
        input_tokens, output_tokens = self.prompt_tokens or 0, self.completion_tokens or 0
        cached = given.cached_tokens or self.prompt_cache_hit_tokens or self.cached_tokens or 0
        reasoning = written.reasoning_tokens or self.reasoning_tokens or 0
        # xAI counts reasoning beside the answer, which only its total shows; all others count it within.
        if reasoning and self.total_tokens == input_tokens + output_tokens + reasoning:
            output_tokens += reasoning
        if charges or given.cache_write_tokens or given.audio_tokens:
            charged = CHARGES[charges](self) if charges else None
            rest = (given.cache_write_tokens or 0, 0, given.audio_tokens or 0, charged)
            return Usage(input_tokens, output_tokens, cached, reasoning, *rest)
        return Usage(input_tokens, output_tokens, cached, reasoning)


_NONE = _Details()


def _nano(dollars: Any) -> int | None:
    return round(dollars * 1_000_000_000) if isinstance(dollars, int | float) and dollars >= 0 else None


def _total(cost: Any) -> int | None:
    return _nano(cast("Json", cost).get("total_cost")) if isinstance(cost, dict) else None


CHARGES: dict[str, Callable[[_Usage], int | None]] = {
    "cost": lambda usage: _nano(usage.cost),
    "total_cost": lambda usage: _total(usage.cost),
    "ticks": lambda usage: None if usage.cost_in_usd_ticks is None else round(usage.cost_in_usd_ticks / 10),
}
"""What a host charged for a call, in nano-dollars, by `Host.charges`."""


class _Function(Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class _Call(Struct, gc=False):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Part(Struct, gc=False):
    """A part of content that comes as a list, as Mistral's does; a thought holds parts of its own."""

    text: str | None = None
    thinking: "list[_Part] | None" = None


class _Said(Struct, gc=False):
    """All that is read of a message, or of a piece of one."""

    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class _Choice(Struct, gc=False):
    index: int = 0
    message: _Said | None = None
    delta: _Said | None = None
    finish_reason: str | None = None
    logprobs: Any = None
    """OpenAI's are an object with a list of tokens; Together's are a bare number, which tells of no token."""


class _Answer(Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_answer = msgspec.json.Decoder(_Answer).decode


def choices_of(request: Request) -> int:
    """How many answers the client asked for at once."""
    wanted: object = request.rest.get("n")
    return max(wanted, 1) if isinstance(wanted, int) else 1


def wants_usage(request: Request) -> bool:
    """Whether the client asked for the usage chunk at the end of its stream."""
    options = cast("Json", request.rest.get("stream_options") or {})
    return bool(options.get("include_usage"))


def whole(data: bytes, charges: str = "") -> Delta:
    """One JSON answer as one delta. Raises `ProviderError` where it is none, and where its host gave it up."""
    answer = decoded(data, _answer, NO_ANSWER)
    if answer.error or not answer.choices:
        raise ProviderError(f"{NO_ANSWER}: {shown(data)}. Is base_url right?")
    choice = answer.choices[0]
    said, reason = choice.message, choice.finish_reason
    if (
        reason == "stop"
        and said is not None
        and isinstance(said.content, str)
        and not (said.tool_calls or said.reasoning_content or said.reasoning or said.refusal)
        and choice.logprobs is None
    ):
        usage = answer.usage.noun(charges) if answer.usage is not None else None
        return Delta(said.content, (), reason, usage, (), data)
    pieces = _Pieces([])
    pieces.counted = answer.usage
    pieces.say(said, choice.logprobs)
    _check_not_given_up(reason)
    pieces.finish = pieces.end(reason) if reason is not None else None
    return pieces.delta(data if pieces.finish == reason else _renamed(data, pieces.finish), charges)


class Stream:
    """Turns blocks of a streamed answer into deltas, one for each block. `done` once nothing more is to be read.

    What stands in a block before an event that breaks the stream is told first; `end` raises what broke it. A piece of
    plain text takes the shortest way: there are as many of them as tokens.
    """

    __slots__ = ("_begun", "_charges", "_failure", "_keep_usage", "_splitter", "_told", "_under_way", "done")

    def __init__(self, keep_usage: bool, charges: str = "", choices: int = 1) -> None:
        self.done = False
        self._keep_usage = keep_usage
        self._charges = charges
        self._begun = 0
        """Calls of tools that have begun."""
        self._splitter = Splitter()
        self._under_way = set(range(choices))
        """Choices that have no finish reason yet."""
        self._told = False
        """Whether `[DONE]` has come."""
        self._failure: ProviderError | None = None

    @property
    def whole(self) -> bool:
        """Whether all of the answer has come: after its finish reason it has, whatever becomes of its usage."""
        return self._told or not self._under_way

    def feed(self, block: bytes) -> Delta | None:
        """What this block adds; its `raw` leaves out `[DONE]` and a usage chunk the client did not ask for."""
        texts: list[str] = []
        kept: list[bytes] = []
        pieces: _Pieces | None = None
        try:
            for part in self._splitter.parts(block):
                answer = self._read(part)
                if answer is None:
                    continue
                choices = answer.choices
                if (
                    choices
                    and answer.usage is None
                    and not (choice := choices[0]).index
                    and choice.finish_reason is None
                    and choice.logprobs is None
                    and (said := choice.delta) is not None
                    and isinstance(said.content, str)
                    and not (said.tool_calls or said.reasoning_content or said.reasoning or said.refusal)
                ):
                    texts.append(said.content)
                    kept.append(part)
                    continue
                pieces = pieces or _Pieces(texts, self._begun)
                part = pieces.add(answer, part)
                if choices or self._keep_usage or answer.usage is None:
                    kept.append(part)
        except ProviderError as error:
            self.done, self._failure = True, error
        raw = b"\n\n".join(kept) + b"\n\n" if kept else b""
        if pieces is None:
            return Delta("".join(texts), (), None, None, (), raw) if kept else None
        self._begun = pieces.begun
        self._under_way.difference_update(pieces.ended)
        return pieces.delta(raw, self._charges) if kept or pieces.counted is not None else None

    def end(self, model: str) -> None:
        """Raises what broke the stream, or `StreamCutError`, where the answer is not whole."""
        if not self.whole:
            cut = f"The stream of {model!r} ended without a finish reason: the answer is not whole."
            raise self._failure or StreamCutError(cut)

    def _read(self, part: bytes) -> _Answer | None:
        """The chunk in an event; None for `[DONE]` and for events without data."""
        try:
            answer = _answer(part[6:] if part.startswith(b"data: ") else b"")
        except msgspec.MsgspecError:
            # An event of several lines, or none with JSON.
            event = read(part)
            if event is None or event.data == b"[DONE]":
                if event is not None:
                    self.done = self._told = True
                return None
            answer = decoded(event.data, _answer, NO_CHUNK)
        if answer.error:
            raise _failure(answer.error)
        return answer


class _Pieces:
    """What a block, or a whole answer, holds beside plain text. `ended` are the choices that have come to their end."""

    __slots__ = ("begun", "calls", "counted", "ended", "finish", "logprobs", "refused", "texts", "thoughts")

    def __init__(self, texts: list[str], begun: int = 0) -> None:
        self.texts = texts
        self.begun = begun
        self.thoughts: list[str] = []
        self.calls: list[ToolCallPart] = []
        self.logprobs: list[Json] = []
        self.ended: list[int] = []
        self.finish: str | None = None
        self.counted: _Usage | None = None
        self.refused = False

    def add(self, answer: _Answer, part: bytes) -> bytes:
        """Take in a chunk; its event, in which a finish reason has OpenAI's name. Of choices only the first is read."""
        if answer.usage is not None:
            self.counted = answer.usage
        for choice in answer.choices or ():
            _check_not_given_up(choice.finish_reason)
            if choice.index and choice.finish_reason:
                self.ended.append(choice.index)
        if answer.choices and not (choice := answer.choices[0]).index:
            self.say(choice.delta, choice.logprobs)
            reason = choice.finish_reason
            if reason is not None:
                self.finish = self.end(reason)
                if self.finish is not None:
                    self.ended.append(choice.index)
                if self.finish != reason:
                    event = cast("Event", read(part))
                    part = b"data: " + _renamed(event.data, self.finish)
        return part

    def say(self, said: _Said | None, logprobs: Any) -> None:
        """Take in a message, or a piece of one."""
        if said is None:
            return
        content, thought = said.content or "", said.reasoning_content or said.reasoning
        if not isinstance(content, str):
            self.thoughts.append(_thought(content))
            content = _spoken(content)
        if said.refusal and not content:
            content, self.refused = said.refusal, True
        self.texts.append(content)
        if thought:
            self.thoughts.append(thought)
        if said.tool_calls:
            self.calls += [self._call(call) for call in said.tool_calls]
        if isinstance(logprobs, dict):
            self.logprobs += _tokens(cast("Json", logprobs).get("content"))

    def end(self, reason: str) -> str | None:
        """A finish reason in OpenAI's words."""
        if reason in OPENAI:
            return reason
        # xAI has an empty one after tool calls.
        return FINISH.get(reason, reason) if reason else "tool_calls" if self.begun else None

    def _call(self, call: _Call) -> ToolCallPart:
        """A piece of a call. Where a host numbers none, a name begins another."""
        function, index = call.function or _Function(), call.index
        if index is None:
            index = self.begun if function.name else max(self.begun - 1, 0)
        self.begun = max(self.begun, index + 1)
        return ToolCallPart(index, call.id or "", function.name or "", function.arguments or "")

    def delta(self, raw: bytes, charges: str) -> Delta:
        """All of it as one delta."""
        usage = self.counted.noun(charges) if self.counted is not None else None
        text = "".join(self.texts)
        if self.thoughts or self.logprobs or self.refused:
            thought, logprobs = "".join(self.thoughts), tuple(self.logprobs)
            return Delta(text, tuple(self.calls), self.finish, usage, (), raw, thought, logprobs, refused=self.refused)
        return Delta(text, tuple(self.calls), self.finish, usage, (), raw)


def _renamed(data: bytes, finish: str | None) -> bytes:
    """An answer's JSON with another finish reason."""
    answer: Json = msgspec.json.decode(data)
    answer["choices"][0]["finish_reason"] = finish
    return msgspec.json.encode(answer)


def _tokens(content: Any) -> list[Json]:
    """What is said of each token; nothing where a host writes it otherwise, for the answer is whole without it."""
    said = cast("list[Any]", content) if isinstance(content, list) else []
    return [token for token in said if isinstance(token, dict)]


def _spoken(parts: list[_Part]) -> str:
    return "".join(part.text or "" for part in parts)


def _thought(parts: list[_Part]) -> str:
    return "".join(_spoken(part.thinking) for part in parts if part.thinking)


def _failure(error: Any) -> ProviderError:
    """The error that came within a stream. Hosts whose errors have a number mean an HTTP status (OpenRouter, vLLM)."""
    said = cast("Json", error) if isinstance(error, dict) else {"message": error}
    code, message = said.get("code"), str(said.get("message") or "it did not say why")
    if isinstance(code, int):
        return error_in_stream("The provider", f"an error {code}", code, message)
    return ProviderError(f"The provider ended its stream with an error: {without_keys(message)[:400]}")


def _check_not_given_up(reason: str | None) -> None:
    if reason in BROKEN:
        raise StreamCutError(f"The host gave the answer up: its finish reason is {reason!r}.")
