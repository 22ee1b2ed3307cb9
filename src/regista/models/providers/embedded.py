"""The provider with no model behind it: `embedded/reader` quotes, from what was retrieved, what answers.

It needs no download, no key and no network. It writes no sentence of its own but the fixed ones
below, so it can invent nothing; what stands in a passage is quoted or left, never obeyed. It reads
one question at a time and knows nothing of the turns before it.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from regista.core.digest import digest
from regista.core.nouns import Citation, Delta, Hit, Json, Message, Request, Tool, ToolCallPart, Usage
from regista.core.registry import option, port
from regista.models.embeddings import Embed
from regista.models.providers import providers
from regista.models.reading import Reading, Rule, Sentence, choose, read

NOT_TOLD = "The sources do not tell."
NEAREST = " The nearest document is “{title}”."
TOOL_FAILED = "The tool {name} could not answer: {reason}"
TOOL_SILENT = "The tool {name} found nothing."

_ERROR = re.compile(r"error:\s*", re.IGNORECASE)
_TRAILING = " \t\n.,;:!?\"'”’"
_NUMBERS: dict[str, Callable[[str], int | float]] = {"integer": int, "number": float}


@providers.add
@dataclass
class Embedded:
    """Answers with quotations. Its usage counts words, not tokens (read and written), and costs nothing.

    Where a tool's `asks` match the question it calls that tool first, and then quotes the tool's
    statements. With `embed` (optional) sentences are also compared by meaning, else by words alone.
    """

    max_sentences: int = option(5, "The most sentences one answer quotes.")
    shortlist: int = option(16, "The most sentences compared by meaning; the words choose which.")
    coverage: float = option(Rule.coverage, "Share of the question one sentence must hold, without embeddings.")
    combined: float = option(Rule.combined, "What that share + 2 × similarity must reach, with embeddings.")
    embed: Embed | None = port()

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        results = _tool_results(request.messages)
        if results:
            pieces = _quoted_results(results)
            words_read = sum(len(result.split()) for _, result in results)
        else:
            call = _tool_call(request)
            if call:
                yield Delta(tool_calls=(call,))
                yield Delta(finish="tool_calls", usage=Usage(_words(request.question), _words(call.arguments)))
                return
            pieces = await self._quoted_hits(request.question, request.hits)
            words_read = _words(request.question) + sum(_words(hit.text) for hit in request.hits)
        for piece in pieces:
            yield piece
        yield Delta(finish="stop", usage=Usage(words_read, sum(_words(piece.text) for piece in pieces)))

    async def _quoted_hits(self, question: str, hits: Sequence[Hit]) -> list[Delta]:
        reading = await asyncio.to_thread(read, question, hits)
        similarities = await self._similarities(question, reading)
        chosen, support = await asyncio.to_thread(choose, reading, similarities, limit=self.max_sentences)
        if not chosen or not Rule(self.coverage, self.combined).answers(support):
            nearest = NEAREST.format(title=hits[0].title or hits[0].document) if hits else ""
            return [Delta(text=NOT_TOLD + nearest)]
        return _quoted_sentences(chosen)

    async def _similarities(self, question: str, reading: Reading) -> list[float] | None:
        if self.embed is None or not reading.candidates:
            return None
        texts = [sentence.text for sentence in reading.candidates[: self.shortlist]]
        vectors = await self.embed([question, *texts])
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]


def _quoted_sentences(chosen: Sequence[Sentence]) -> list[Delta]:
    """One delta a sentence; a new paragraph where the document changes."""
    deltas: list[Delta] = []
    document = ""
    for sentence in chosen:
        gap = "" if not deltas else " " if sentence.document == document else "\n\n"
        document = sentence.document
        citation = Citation(document, sentence.start, sentence.end, sentence.text, sentence.hit + 1)
        deltas.append(Delta(text=f"{gap}{sentence.text} [{citation.marker}]", citations=(citation,)))
    return deltas


def _tool_call(request: Request) -> ToolCallPart | None:
    """The call of the first tool that the question, standing last, asks for."""
    if not request.messages or request.messages[-1].role != "user" or request.rest.get("tool_choice") == "none":
        return None
    for tool in request.tools:
        for pattern in tool.asks:
            found = re.search(pattern, request.question, re.IGNORECASE)
            if found:
                given = {name: text.strip(_TRAILING) for name, text in found.groupdict().items() if text}
                arguments = {name: _typed(tool, name, text) for name, text in given.items()}
                written = json.dumps(arguments, ensure_ascii=False)
                return ToolCallPart(0, f"call_{digest([tool.name, written])}", tool.name, written)
    return None


def _typed(tool: Tool, argument: str, text: str) -> str | int | float:
    properties: dict[str, Json] = tool.parameters.get("properties", {})
    read_number = _NUMBERS.get(str(properties.get(argument, {}).get("type")), str)
    try:
        return read_number(text)
    except ValueError:
        return text


def _tool_results(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Tool names and contents of the results that end the conversation, in order."""
    names: dict[str, str] = {}
    results: list[tuple[str, str]] = []
    for message in messages:
        names |= {call.id: call.name for call in message.tool_calls}
        if message.role != "tool":
            results = []
        else:
            results.append((names.get(str(message.rest.get("tool_call_id")), "unknown"), message.text))
    return results


def _quoted_results(results: Sequence[tuple[str, str]]) -> list[Delta]:
    """One delta a statement; a marker names its result, counted from 1."""
    deltas: list[Delta] = []
    for marker, (name, content) in enumerate(results, 1):
        gap = "\n\n" if deltas else ""
        failed = _ERROR.match(content)
        statements = [] if failed else _statements(content)
        if failed:
            deltas.append(Delta(text=gap + TOOL_FAILED.format(name=name, reason=content[failed.end() :].strip())))
        elif not statements:
            deltas.append(Delta(text=gap + TOOL_SILENT.format(name=name)))
        for start, end in statements:
            quote = content[start:end]
            citation = Citation(f"tool:{name}", start, end, quote, marker)
            deltas.append(Delta(text=f"{gap}{quote} [{marker}]", citations=(citation,)))
            gap = "\n"
    return deltas


def _statements(content: str) -> list[tuple[int, int]]:
    """The offsets of the lines of the first paragraph, without the space around them."""
    paragraph = re.split(r"\n[ \t]*\n", content, maxsplit=1)[0]
    return [line.span() for line in re.finditer(r"\S(?:[^\n]*\S)?", paragraph)]


def _words(text: str) -> int:
    return len(text.split())
