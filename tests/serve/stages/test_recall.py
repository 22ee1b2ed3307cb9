"""The semantic cache as a stage: what it keeps of what comes from below."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from regista.core.nouns import Delta, Message, Request, Response, Variant
from regista.models.embeddings import embedders
from regista.observe.recorder import Recorder
from regista.serve.caches.semantic import SemanticCache
from regista.serve.exchange import Exchange
from regista.serve.stages.recall import recall

HASHED = embedders.build("hashed")


async def embed(texts: Sequence[str]) -> Any:
    return HASHED.embed(texts)


async def never(question: str, fresh: Response, kept: Response) -> bool:
    raise AssertionError("nothing is compared here")


@pytest.mark.parametrize(
    ("delta", "kept"),
    [
        (Delta("All of it.", finish="stop"), 1),
        (Delta("Half of", finish="length"), 0),
        (Delta("", finish="content_filter"), 0),
        (Delta("I cannot help with that.", finish="stop", refused=True), 0),
        (Delta("No end"), 0),
    ],
)
async def test_only_a_whole_answer_is_kept(delta: Delta, kept: int) -> None:
    async def below(exchange: Exchange) -> AsyncGenerator[Delta]:
        yield delta

    cache = SemanticCache(embed, "hashed", never, entries=10, ttl_s=60, share=0)
    request = Request("shop", (Message("user", "What is the capital of Australia?"),))
    exchange = Exchange(request, Variant("shop", "v", 0), "t", Recorder("shop", "v", "shop", "t"))
    assert [found async for found in recall(below, cache)(exchange)] == [delta]
    assert (len(cache), exchange.cached) == (kept, "miss")
