"""Streams of deltas added up to responses, or rewritten on their way."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable

from msgspec.structs import replace

from regista.core.nouns import Citation, Delta, Response, ToolCall, ToolCallPart, Usage


class Collector:
    """Adds deltas up to a response."""

    __slots__ = ("_calls", "_citations", "_finish", "_texts", "_usage")

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._calls: dict[int, tuple[str, str, str]] = {}
        self._citations: list[Citation] = []
        self._finish: str | None = None
        self._usage: Usage | None = None

    def add(self, delta: Delta) -> None:
        if delta.text:
            self._texts.append(delta.text)
        for part in delta.tool_calls:
            call_id, name, arguments = self._calls.get(part.index, ("", "", ""))
            self._calls[part.index] = (call_id or part.id, name or part.name, arguments + part.arguments)
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
        return Response(self.text, calls, self._finish, self._usage, tuple(self._citations))


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
        elif text or delta.tool_calls or delta.finish or delta.usage or delta.citations:
            yield replace(delta, text=text, raw=None)
    if not flushed and (text := finish("")):
        yield Delta(text)
