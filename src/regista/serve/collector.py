"""Streams of deltas added up to responses, or rewritten on their way."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable

from msgspec.structs import replace

from regista.core.nouns import Citation, Delta, Json, Response, Thought, ToolCall, ToolCallPart, Usage


class Collector:
    """Adds deltas up to a response."""

    __slots__ = ("_calls", "_citations", "_finish", "_more", "_texts", "_usage")

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._calls: dict[int, tuple[str, str, str]] = {}
        self._citations: list[Citation] = []
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._more: _More | None = None

    def add(self, delta: Delta) -> None:
        if delta.text:
            self._texts.append(delta.text)
        for part in delta.tool_calls:
            call_id, name, arguments = self._calls.get(part.index, ("", "", ""))
            self._calls[part.index] = (call_id or part.id, name or part.name, arguments + part.arguments)
        if delta.reasoning or delta.seal or delta.logprobs or delta.refused:
            self._more = self._more or _More()
            self._more.add(delta)
        self._citations += delta.citations
        self._finish = delta.finish or self._finish
        self._usage = delta.usage or self._usage

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def parts(self) -> tuple[ToolCallPart, ...]:
        """The tool calls so far, each as one part of a stream."""
        return tuple(ToolCallPart(index, *self._calls[index]) for index in sorted(self._calls))

    def response(self) -> Response:
        """What has come so far. `finish` is None while the answer is not whole."""
        calls = tuple(ToolCall(*self._calls[index]) for index in sorted(self._calls))
        so_far = Response(self.text, calls, self._finish, self._usage, tuple(self._citations))
        if self._more is None:
            return so_far
        more = self._more
        return replace(so_far, logprobs=tuple(more.logprobs), thoughts=more.thoughts(), refused=more.refused)


class _More:
    """What only some answers have: reasoning, log-probabilities, a refusal."""

    __slots__ = ("_reasoning", "_sealed", "logprobs", "refused")

    def __init__(self) -> None:
        self.logprobs: list[Json] = []
        self.refused = False
        self._sealed: list[Thought] = []
        self._reasoning: list[str] = []

    def add(self, delta: Delta) -> None:
        self.logprobs += delta.logprobs
        self.refused = self.refused or delta.refused
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
        if delta.seal:
            self._sealed.append(Thought("".join(self._reasoning), delta.seal))
            self._reasoning.clear()

    def thoughts(self) -> tuple[Thought, ...]:
        """What was thought aloud so far; what has no seal yet is the last."""
        unsealed = [Thought("".join(self._reasoning))] if self._reasoning else []
        return (*self._sealed, *unsealed)


async def collect(deltas: AsyncIterator[Delta]) -> Response:
    """A whole stream as a response."""
    collector = Collector()
    async for delta in deltas:
        collector.add(delta)
    return collector.response()


async def rewrite(
    deltas: AsyncIterator[Delta], push: Callable[[str], str], finish: Callable[[str], str]
) -> AsyncGenerator[Delta]:
    """Pass the text of a stream through `push`, which may hold some of it back, and its last piece through `finish`.

    The upstream's bytes (`raw`) stay only where the text that leaves is the text they spell.
    """
    flushed = False
    async for delta in deltas:
        if delta.finish is not None and not flushed:
            text, flushed = finish(delta.text), True
        else:
            text = push(delta.text) if delta.text else ""
        if text == delta.text:
            yield delta
        elif text or delta.tool_calls or delta.finish or delta.usage or delta.citations or delta.reasoning:
            # Log-probabilities spell the text as it was.
            yield replace(delta, text=text, raw=None, logprobs=())
    if not flushed and (text := finish("")):
        yield Delta(text)
