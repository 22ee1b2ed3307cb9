"""The team as a worker sees it: what is done once is asked of the supervisor. See `regista.app.team.Team`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from regista.app.team import Embedder
from regista.observe.figures import Figure
from regista.store.counters import Claim, Counters, Recall, open_counters
from regista.store.counters.socket import SocketCounters
from regista.store.redis import Shared
from regista.surfaces.workers.channel import Channel
from regista.surfaces.workers.embedding import LentEmbedder


class WorkerTeam:
    """See `Team`. `channel` leads to the supervisor."""

    def __init__(self, channel: Channel, leads: bool) -> None:
        self.leads = leads
        self._channel = channel
        self._recall: Recall | None = None

    def counters(self, shared: Shared | None, recall: Recall) -> Counters:
        """Redis where there is one; else the supervisor's, which asks back what it has forgotten."""
        if shared is not None:
            return open_counters(shared, recall)
        self._recall = recall
        return SocketCounters(self._channel.call)

    async def embedder(self, name: str, models: str) -> Embedder | None:
        """The one the supervisor holds for all."""
        known = await self._channel.call("open_embedder", name, models)
        return LentEmbedder(self._channel.call, (name, models), tuple(known)) if known is not None else None

    async def figures(self, own: Sequence[Figure]) -> Sequence[Figure]:
        """Those of all workers, those that have ended too."""
        return msgspec.convert(await self._channel.call("figures"), tuple[Figure, ...])

    async def recall(self, owner: str, claims: Any) -> Sequence[int]:
        """Answers the supervisor: what counters stand at as far as is written down."""
        assert self._recall is not None, "the supervisor asks for what a worker counted"  # noqa: S101
        return await self._recall(owner, msgspec.convert(claims, tuple[Claim, ...]))
