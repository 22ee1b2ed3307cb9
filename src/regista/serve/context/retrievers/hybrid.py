"""By words and by meaning, fused by rank; by words alone, and saying so, where there are no vectors."""

import asyncio
import logging
from dataclasses import dataclass

from regista.core.errors import ConfigurationError
from regista.core.registry import option, port
from regista.models.embeddings import Embed
from regista.serve.context.index import Ranking, Snapshot
from regista.serve.context.retrievers import Retrieved, retrievers

_log = logging.getLogger(__name__)


@retrievers.add
@dataclass(frozen=True)
class HybridRetriever:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): a chunk scores the sum of 1 / (c + rank)."""

    depth: int = option(100, "Chunks taken from each of the two rankings; at least as many as are asked for.")
    c: int = option(60, "The constant of the fusion: the higher, the less the first ranks stand out.")
    snapshot: Snapshot = port()
    embed: Embed | None = port()

    def __post_init__(self) -> None:
        if self.depth < 1 or self.c < 0:
            raise ConfigurationError(
                f"The retriever 'hybrid' has depth {self.depth} and c {self.c}: "
                "set depth to 1 or more and c to 0 or more."
            )

    async def retrieve(self, query: str, k: int) -> Retrieved:
        depth = max(k, self.depth)
        words, (meaning, reason) = await asyncio.gather(
            asyncio.to_thread(self.snapshot.match, query, depth), self._by_meaning(query, depth)
        )
        return Retrieved(tuple(self.snapshot.hits(self._fused(words, meaning)[:k])), reason)

    async def _by_meaning(self, query: str, depth: int) -> tuple[Ranking, str]:
        """The ranking by vectors, or the reason why there is none."""
        if self.snapshot.unembedded or self.embed is None:
            return [], f"searched by words alone: {self.snapshot.unembedded or 'there is no embedder'}"
        try:
            (vector,) = await self.embed([query])
        except Exception as error:  # noqa: BLE001 - whatever breaks an embedder must not take the words away
            _log.warning("Searched by words alone, as the query could not be embedded: %s", error)
            return [], f"searched by words alone: {error}"
        return await asyncio.to_thread(self.snapshot.nearest, vector, depth), ""

    def _fused(self, *rankings: Ranking) -> Ranking:
        scores: dict[int, float] = {}
        for ranking in rankings:
            for rank, (row, _) in enumerate(ranking, 1):
                scores[row] = scores.get(row, 0.0) + 1 / (self.c + rank)
        return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
