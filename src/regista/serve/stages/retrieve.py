"""Context construction as a stage: what the documents say to the question, screened."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec.structs import replace

from regista.core.nouns import Delta
from regista.serve.context.library import Library
from regista.serve.exchange import Exchange, Handler
from regista.serve.stages.guard import Guards, decide, screen_hits


def retrieve(below: Handler, library: Library, k: int, guards: Guards) -> Handler:
    """Give the request the `k` best passages. A passage is data: its guardrails may mask it or leave it out."""

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        with exchange.recorder.span("retrieve") as span:
            found = await library.retrieve(exchange.request.question, k)
            span.decide(f"{len(found.hits)} hits", found.reason or f"epoch {library.epoch}")
            # The trace shows how a passage begins; whole, it can be had from the store by its place.
            span.set(
                hits=[{"document": h.document, "start": h.start, "end": h.end, "score": h.score} for h in found.hits]
            )
        hits = list(found.hits)
        if guards:
            with exchange.recorder.span("guard context") as span:
                hits, verdicts = screen_hits(hits, guards)
                decide(span, verdicts)
        exchange.request = replace(exchange.request, hits=tuple(hits))
        async with aclosing(below(exchange)) as deltas:
            async for delta in deltas:
                yield delta

    return handler
