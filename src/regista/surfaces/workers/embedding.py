"""One embedder for several workers: `Lender` holds it, `LentEmbedder` stands for it in a worker.

A model in each worker would take its memory as often as there are workers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from regista.app.embedder import open_embedder
from regista.core.errors import ProviderError

if TYPE_CHECKING:
    from regista.models.embeddings import Vectors
    from regista.models.worker import EmbeddingWorker

WORKERS_EACH = 4
"""Workers that share one embedding process: it makes some 500 vectors of questions a second on a core."""

Ask = Callable[..., Awaitable[Any]]


class Lender:
    """Embedding processes by the name they were asked for, kept until the end."""

    def __init__(self, workers: int) -> None:
        self._each = -(-workers // WORKERS_EACH)
        self._open: dict[tuple[str, str], list[_Busy]] = {}
        self._opening = asyncio.Lock()

    async def open(self, name: str, models: str) -> tuple[str, str, str, int] | None:
        """What a worker needs to know: the embedder, why this one, its weights' name, its dimensions."""
        async with self._opening:
            if (name, models) not in self._open:
                made = [await open_embedder(name, models) for _ in range(self._each)]
                found = [_Busy(one) for one in made if one is not None]
                await asyncio.gather(*(busy.embedder.start() for busy in found))
                self._open[name, models] = found
        if not (found := self._open[name, models]):
            return None
        first = found[0].embedder
        return first.embedder, first.reason, first.name, first.dimensions

    async def embed(self, name: str, models: str, texts: Sequence[str], bulk: bool) -> bytes:
        """Vectors as little-endian float32, row by row."""
        least = min(self._open[name, models], key=lambda busy: busy.texts)
        least.texts += len(texts)
        try:
            return (await least.embedder.embed(texts, bulk)).astype("<f4").tobytes()
        finally:
            least.texts -= len(texts)

    async def close(self) -> None:
        """End the processes."""
        await asyncio.gather(*(busy.embedder.close() for found in self._open.values() for busy in found))


class _Busy:
    """An embedding process and how many texts are asked of it."""

    def __init__(self, embedder: "EmbeddingWorker") -> None:
        self.embedder = embedder
        self.texts = 0


class LentEmbedder:
    """An embedder that another process holds. See `regista.app.team.Embedder`."""

    def __init__(self, ask: Ask, wanted: tuple[str, str], known: tuple[str, str, str, int]) -> None:
        self.embedder, self.reason, self.name, self.dimensions = known
        self._ask = ask
        self._wanted = wanted

    async def start(self) -> None:
        """It runs."""

    async def embed(self, texts: Sequence[str], bulk: bool = False) -> "Vectors":
        """See `EmbeddingWorker.embed`."""
        import numpy as np  # noqa: PLC0415 - an extra, which who lends it has

        # A lone surrogate, which JSON can carry, is no text: it becomes a question mark.
        sent = [text.encode("utf-8", "replace").decode() for text in texts]
        try:
            vectors = await self._ask("embed", *self._wanted, sent, bulk)
        except ConnectionError:
            raise ProviderError("The process that holds the embedder has ended: this one ends too.") from None
        return np.frombuffer(vectors, "<f4").reshape(len(texts), self.dimensions)

    async def close(self) -> None:
        """It is not ours to end."""
