"""What the processes of one server do once between them: counting, embedding, taking in documents, telling figures.

A platform that is alone does all of it itself. It does not know how the others are reached.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from regista.app.embedder import open_embedder
from regista.observe.figures import Figure
from regista.store.counters import Counters, Recall, open_counters
from regista.store.redis import Shared

if TYPE_CHECKING:
    from regista.models.embeddings import Vectors


class Embedder(Protocol):
    """An embedder in another process: see `regista.models.worker.EmbeddingWorker`, which is one."""

    embedder: str
    reason: str

    @property
    def name(self) -> str: ...

    async def start(self) -> None: ...

    async def embed(self, texts: Sequence[str], bulk: bool = False) -> "Vectors": ...

    async def close(self) -> None: ...


class Team(Protocol):
    """The processes of one server, as one of them sees them."""

    @property
    def leads(self) -> bool:
        """Whether it is this one that takes in documents; the others serve what it took in."""
        ...

    def counters(self, shared: Shared | None, recall: Recall) -> Counters:
        """The counters of all: those of Redis where there is one."""
        ...

    async def embedder(self, name: str, models: str) -> Embedder | None:
        """See `open_embedder`."""
        ...

    async def figures(self, own: Sequence[Figure]) -> Sequence[Figure]:
        """The figures of all, `own` being those of this one."""
        ...


class Alone:
    """A team of one. See `Team`."""

    leads = True

    def counters(self, shared: Shared | None, recall: Recall) -> Counters:
        return open_counters(shared, recall)

    async def embedder(self, name: str, models: str) -> Embedder | None:
        return await open_embedder(name, models)

    async def figures(self, own: Sequence[Figure]) -> Sequence[Figure]:
        return own
