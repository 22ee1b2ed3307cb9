"""Vectors of questions for every policy that wants them: embedded once, and the latest ones kept at hand."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regista.models.embeddings import Vectors

KEPT = 1_000
MANY = 64
"""Texts embedded at once where there are many."""


class Embedding(Protocol):
    """What makes vectors: the embedder's worker. `name` says which weights do, once it has started."""

    @property
    def name(self) -> str: ...

    async def start(self) -> None: ...

    async def embed(self, texts: Sequence[str], bulk: bool = False) -> "Vectors": ...


class Questions:
    """Vectors of single questions. The router's policies share one."""

    def __init__(self, embedding: Embedding, kept: int = KEPT) -> None:
        self.embedding = embedding
        self._most = kept
        self._kept: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    async def vector(self, text: str) -> "NDArray[np.float32]":
        """The vector of a text, shape (1, dimensions), of unit length."""
        found = self._kept.get(text)
        if found is None:
            found = self._kept[text] = await self.embedding.embed([text])
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found

    async def prepare(self, texts: Iterable[str], progress: Callable[[int], None] = lambda _: None) -> None:
        """Embed texts ahead, each once; as many are kept as there is room for. `progress` is told how many were."""
        wanted = [text for text in dict.fromkeys(texts) if text not in self._kept][-self._most :]
        for start in range(0, len(wanted), MANY):
            some = wanted[start : start + MANY]
            vectors = await self.embedding.embed(some, bulk=True)
            for at, text in enumerate(some):
                self._kept[text] = vectors[at : at + 1]
            progress(len(some))
