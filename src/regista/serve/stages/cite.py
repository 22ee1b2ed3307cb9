"""Citations as a stage: only those found word for word in their source leave."""

from collections.abc import AsyncGenerator, Sequence
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
            good = tuple(c for c in citations if verify(c, _source(c.document, exchange, library)))
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


def _source(document: str, exchange: Exchange, library: Library | None) -> str:
    """The text a citation points into: a document's, or what a tool returned in this request."""
    if document.startswith("tool:"):
        return exchange.tool_texts.get(document, "")
    return (library.text(document) if library is not None else None) or ""
