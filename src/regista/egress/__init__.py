"""The one way out: every outgoing URL passes here, and only to origins the configuration names.

What is sent and why is not known here. Redirects are not followed: an origin that was not
named is never contacted, so a key cannot follow one there.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from msgspec import Struct


class Patience(Struct, frozen=True):
    """How long to wait, in seconds: for a connection, for the first byte of an answer, and between bytes."""

    connect: float = 10.0
    first: float = 120.0
    between: float = 60.0


class Reply(Protocol):
    """An HTTP answer whose head has arrived. `headers` have lower-case names.

    Leaving its `async with` block before the body's end closes the connection, which is how the
    other side learns that nobody listens any more.
    """

    status: int
    headers: dict[str, str]

    async def read(self) -> bytes:
        """The rest of the body. Raises `StreamCutError` if the connection ends before the body does."""
        ...

    def blocks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, all that is there at a time. Raises as `read` does."""
        ...

    def leave(self) -> None:
        """Want no more of it: what still comes is read past, and the connection is kept if the answer ends soon."""
        ...

    async def __aenter__(self) -> "Reply": ...

    async def __aexit__(self, *exception: object) -> None: ...


class Transport(Protocol):
    """Sends one HTTP request."""

    async def open(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        patience: Patience = Patience(),
        more: bytes = b"",
    ) -> Reply:
        """Send, and wait for the head of the answer, whatever its status.

        `more` are further header lines, each ended by CRLF: those that no two requests have in common.

        Raises `ProviderTimeoutError`, or `ProviderError` when no connection could be had.
        """
        ...
