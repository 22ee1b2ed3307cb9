"""The exact cache as a stage: answered before, being answered right now, or new."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from regista.core.digest import digest_bytes
from regista.core.nouns import Delta
from regista.serve.caches.exact import ExactCache
from regista.serve.collector import Collector
from regista.serve.exchange import Exchange, Handler

NOT_ASKED = frozenset({"stream", "stream_options", "user", "metadata", "store"})
"""Fields of a request that do not change what is asked."""
_encode = msgspec.json.Encoder(order="deterministic").encode


def remember(below: Handler, cache: ExactCache) -> Handler:
    """Answer from the cache, or wait for the same question already being answered, or ask and keep."""

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        if exchange.fresh:
            with exchange.recorder.span("cache", "exact") as span:
                exchange.cached = "bypass"
                span.decide("bypass", "the client asked for a fresh answer")
            async with aclosing(below(exchange)) as deltas:
                async for delta in deltas:
                    yield delta
            return
        key = cache_key(exchange)
        with exchange.recorder.span("cache", "exact") as span:
            found, exchange.cached = await cache.claim(key)
            span.decide(exchange.cached, key)
        if found is not None:
            yield Delta(found.text, (), found.finish, found.usage, found.citations)
            return
        collector = Collector()
        whole = False
        try:
            async with aclosing(below(exchange)) as deltas:
                async for delta in deltas:
                    collector.add(delta)
                    yield delta
            whole = True
        finally:
            response = collector.response()
            # Calls are for the client to run; tools read what may change without notice: shared now, not kept.
            shared = response if whole and response.finish == "stop" else None
            cache.settle(key, shared, keep=not exchange.tool_texts)

    return handler


def cache_key(exchange: Exchange) -> str:
    """What makes two requests the same: Variant, index epoch, tenant, and all they ask, spacing at the ends aside."""
    request, variant = exchange.request, exchange.variant
    messages = [
        (m.role, m.content.strip() if isinstance(m.content, str) else m.content, m.rest) for m in request.messages
    ]
    rest = {name: value for name, value in request.rest.items() if name not in NOT_ASKED}
    return digest_bytes(_encode((variant.digest, variant.epoch, exchange.tenant, request.model, messages, rest)))
