"""By meaning: cosine between the embedded query and every chunk, exactly."""

import asyncio
from dataclasses import dataclass

from regista.core.errors import ConfigurationError
from regista.core.registry import port
from regista.models.embeddings import Embed
from regista.serve.context.index import Snapshot
from regista.serve.context.retrievers import Retrieved, retrievers


@retrievers.add
@dataclass(frozen=True)
class VectorRetriever:
    """Vectors alone."""

    snapshot: Snapshot = port()
    embed: Embed | None = port()

    async def retrieve(self, query: str, k: int) -> Retrieved:
        if self.snapshot.unembedded or self.embed is None:
            raise ConfigurationError(
                f"The retriever 'vector' cannot search: {self.snapshot.unembedded or 'there is no embedder'}. "
                "The retrievers 'hybrid' and 'lexical' can."
            )
        (vector,) = await self.embed([query])
        ranking = await asyncio.to_thread(self.snapshot.nearest, vector, k)
        return Retrieved(tuple(self.snapshot.hits(ranking)))
