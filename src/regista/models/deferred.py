"""Requests that are answered later: what a provider would send is written down, what came is given to it afterwards.

So a provider's own batch API is used with the words and the ears of the provider, whatever they are. Knows no batch.
"""

from collections.abc import AsyncIterator, Sequence
from contextvars import ContextVar
from urllib.parse import urlsplit

from msgspec import Struct

from regista.core.errors import RegistaError
from regista.egress import Patience, Reply


class Replay(Struct, frozen=True):
    """An answer that is there already. `told` says that its trace is, too: the call is not to be counted again."""

    status: int
    body: bytes
    told: bool = False


REPLAY: ContextVar[Replay | None] = ContextVar("replay", default=None)
"""The answer to the call that is to be made, in tasks that make calls whose answers are there already."""


class Deferred(RegistaError):
    """A request was written down instead of being sent."""

    def __init__(self, path: str, body: bytes) -> None:
        super().__init__(f"A request to {path} was written down, and not sent.")
        self.path = path
        self.body = body


class Recording:
    """A transport that sends nothing. See `regista.egress.Transport`."""

    def allow(self, url: str) -> None:
        """Nothing is contacted."""

    async def open(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        patience: Patience = Patience(),
        more: bytes = b"",
    ) -> Reply:
        """Raises `Deferred`."""
        raise Deferred(urlsplit(url).path, body)


class Replaying:
    """A transport on which every request is answered by `REPLAY`. See `regista.egress.Transport`."""

    def allow(self, url: str) -> None:
        """Nothing is contacted."""

    async def open(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        patience: Patience = Patience(),
        more: bytes = b"",
    ) -> Reply:
        """The answer that is there."""
        replay = REPLAY.get()
        assert replay is not None, "who asks has an answer"  # noqa: S101
        return _Whole(replay.status, replay.body)


class _Whole:
    """A reply that has arrived. See `regista.egress.Reply`."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.headers = {"content-type": "application/json"}
        self._body = body

    async def read(self) -> bytes:
        return self._body

    async def blocks(self) -> AsyncIterator[bytes]:
        yield self._body

    def leave(self) -> None:
        return

    async def __aenter__(self) -> "_Whole":
        return self

    async def __aexit__(self, *exception: object) -> None:
        return
