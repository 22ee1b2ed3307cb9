"""By words: BM25 over stems, titles and headings counting more than text. Needs no model."""

import asyncio
from dataclasses import dataclass

from regista.core.registry import port
from regista.serve.context.index import Snapshot
from regista.serve.context.retrievers import Retrieved, retrievers


@retrievers.add
@dataclass(frozen=True)
class LexicalRetriever:
    """Words alone."""

    snapshot: Snapshot = port()

    async def retrieve(self, query: str, k: int) -> Retrieved:
        ranking = await asyncio.to_thread(self.snapshot.match, query, k)
        return Retrieved(tuple(self.snapshot.hits(ranking)))
