"""Citations as a stage: only those found word for word in their source leave."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from msgspec.structs import replace

from regista.core.nouns import Citation, Delta
from regista.serve.context.citations import cite as find_citations
from regista.serve.context.citations import verify
from regista.serve.context.library import Library
from regista.serve.exchange import Exchange, Handler


def cite(below: Handler, library: Library | None) -> Handler:
    """Verify what the model cites; where it only marked `[n]`, find the sentence of passage n that it used."""

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        text = ""
        kept = dropped = 0

        def verified(citations: Sequence[Citation]) -> tuple[Citation, ...]:
            nonlocal kept, dropped
            good = tuple(
                c for c in citations if any(verify(c, text) for text in _sources(c.document, exchange, library))
            )
            kept, dropped = kept + len(good), dropped + len(citations) - len(good)
            return good

        async with aclosing(below(exchange)) as deltas:
            async for delta in deltas:
                text += delta.text
                citations: Sequence[Citation] = delta.citations
                if delta.finish is not None and not citations and not kept:
                    citations = find_citations(text, exchange.request.hits)
                yield replace(delta, citations=verified(citations)) if citations else delta
        with exchange.recorder.span("cite") as span:
            span.decide(f"{kept} verified", f"{dropped} not found word for word in the source" if dropped else "")

    return handler


def _sources(document: str, exchange: Exchange, library: Library | None) -> Iterator[str]:
    """The texts a citation may point into: a document's, or what a tool of that name returned in this request."""
    yield from (text for name, text in exchange.tool_texts if name == document)
    if library is not None and (text := library.text(document)) is not None:
        yield text
