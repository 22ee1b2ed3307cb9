"""The semantic cache as a stage: answered before in other words, near enough to one that was, or new."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from regista.core.nouns import Delta
from regista.observe.recorder import OpenSpan
from regista.serve.caches.keys import place_key
from regista.serve.caches.worth import worth
from regista.serve.collector import Collector
from regista.serve.exchange import Exchange, Handler
from regista.serve.stages.remember import FRESH, SEMANTIC, replay

if TYPE_CHECKING:
    from regista.serve.caches.semantic import Look, SemanticCache

_DRAWS = 1 << 32


def recall(below: Handler, cache: "SemanticCache") -> Handler:
    """Serve what the cache is sure of; ask otherwise, keep what may serve others, and let it learn from its sample."""

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        epoch = cache.epoch
        with exchange.recorder.span("cache", SEMANTIC) as span:
            look = await _look(exchange, cache, span)
        if look is not None and look.kept is not None and look.decision == "hit":
            exchange.cached = SEMANTIC
            for delta in replay(look.kept.response):
                yield delta
            return
        exchange.cached = exchange.cached or ("bypass" if look is None else "miss")
        collector = Collector()
        async with aclosing(below(exchange)) as deltas:
            async for delta in deltas:
                collector.add(delta)
                yield delta
        response = collector.response()
        if look is None or response.finish != "stop" or response.refused or cache.epoch != epoch:
            return
        if look.decision == "sample":
            cache.learn(look, response, exchange.recorder.trace_id)
        if not exchange.tool_texts:
            cache.keep(look, response, exchange.recorder.trace_id)

    return handler


async def _look(exchange: Exchange, cache: "SemanticCache", span: OpenSpan) -> "Look | None":
    """What the cache has to the question; None where no answer of another would do."""
    if exchange.fresh:
        span.decide("bypass", FRESH)
        return None
    worthy = worth(exchange.request)
    if worthy.cause or exchange.vault:
        span.decide("bypass", str(worthy) or "personal: masked")
        return None
    place = place_key(exchange.request, exchange.variant, exchange.tenant, cache.epoch, cache.embedder)
    draw = int(exchange.recorder.trace_id[8:16], 16) / _DRAWS
    look = await cache.look(place, exchange.request.question.strip(), draw)
    span.decide(look.decision, look.reason)
    if look.kept is not None:
        span.set(likeness=round(look.likeness, 4), threshold=cache.threshold, kept_for=look.kept.row.trace)
    return look
