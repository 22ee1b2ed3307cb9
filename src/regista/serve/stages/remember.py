"""The exact cache as a stage: answered before, being answered right now, or new."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from regista.core.nouns import Delta, Response
from regista.serve.caches.exact import IN_VAIN, ExactCache
from regista.serve.caches.keys import request_key
from regista.serve.caches.worth import Worth, worth
from regista.serve.collector import Collector
from regista.serve.exchange import Exchange, Handler

SEMANTIC = "semantic"
"""What `exchange.cached` says of an answer that was made for other words."""
FRESH = "the client asked for a fresh answer"
_KEPT = Worth()


def remember(below: Handler, cache: ExactCache) -> Handler:
    """Answer from the cache, or wait for the same question already being answered, or ask and keep.

    What depends on the time is kept briefly; chance and acts are asked for each time.
    """

    async def handler(exchange: Exchange) -> AsyncGenerator[Delta]:
        key = request_key(exchange.request, exchange.variant, exchange.tenant, cache.epoch)
        with exchange.recorder.span("cache", "exact") as span:
            found = None if exchange.fresh else cache.kept(key)
            worthy = worth(exchange.request) if found is None else _KEPT
            alone = False
            if found is not None:
                exchange.cached = "hit"
            elif exchange.fresh or worthy.exactly == "not":
                exchange.cached = "bypass"
            else:
                found, how = await cache.claim(key)
                alone = how == IN_VAIN
                exchange.cached = "miss" if alone else how
            why = FRESH if exchange.fresh else str(worthy)
            span.decide(exchange.cached, why if exchange.cached == "bypass" else key.hex())
        if found is not None:
            for delta in replay(found):
                yield delta
        elif exchange.cached == "bypass":
            async with aclosing(below(exchange)) as deltas:
                async for delta in deltas:
                    yield delta
        else:
            async with aclosing(_kept(below, exchange, cache, key, worthy, alone)) as deltas:
                async for delta in deltas:
                    yield delta

    return handler


async def _kept(
    below: Handler, exchange: Exchange, cache: ExactCache, key: bytes, worthy: Worth, alone: bool
) -> AsyncGenerator[Delta]:
    """The answer from below, kept when it is whole."""
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
        # Calls are for the client to run; tools read what may change without notice: shared now, not kept. Nor is what
        # another cache gave: its answers end when it says so.
        shared = response if whole and response.finish == "stop" else None
        passing = bool(exchange.tool_texts) or exchange.cached == SEMANTIC
        cache.settle(key, shared, "not" if passing else worthy.exactly, alone=alone)


def replay(response: Response) -> Iterator[Delta]:
    """A kept response as a stream: its thoughts one by one, and all else at once."""
    for thought in response.thoughts:
        yield Delta(reasoning=thought.text, seal=thought.seal)
    yield Delta(
        response.text,
        (),
        response.finish,
        response.usage,
        response.citations,
        logprobs=response.logprobs,
        refused=response.refused,
    )
