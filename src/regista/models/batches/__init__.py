"""Providers' own batch APIs: many requests handed over at once, answered within a day, at a lower price.

One file for each wire. What is in a request or an answer is the provider's: here it is bytes.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from regista.core.errors import ProviderError


class Asked(NamedTuple):
    """One request: a name of it that is unlike the others', and the path and JSON body the provider would be sent."""

    name: str
    path: str
    body: bytes


class Outcome(NamedTuple):
    """What became of one request: an HTTP status with a body, or status 0 and why it was not run."""

    name: str
    status: int
    body: bytes
    reason: str = ""


class State(NamedTuple):
    """How far a batch is. `problem` is why the provider refused it as a whole."""

    ended: bool
    problem: str = ""


class UnknowableError(ProviderError):
    """The provider cannot tell whether it has a batch."""

    code = "upstream_unknown"


class BatchApi(Protocol):
    """A provider's batches. Calls raise `ProviderError` as requests to it do."""

    most: int
    """Requests a batch may hold, and how many bytes they may have together."""
    most_bytes: int

    async def submit(self, mark: str, requests: Sequence[Asked]) -> str:
        """Hand requests over, under a mark by which they may be found again. The provider's name for them."""
        ...

    async def find(self, mark: str) -> str | None:
        """The batch handed over under a mark, or None where surely none was. Raises `UnknowableError`."""
        ...

    async def look(self, batch: str) -> State:
        """How far a batch is."""
        ...

    def outcomes(self, batch: str) -> AsyncGenerator[Outcome]:
        """What became of the requests of a batch that has ended, in any order; some may be missing."""
        ...

    async def cancel(self, batch: str) -> None:
        """Have no further request begun. A batch that has ended stays as it is."""
        ...


@runtime_checkable
class RunsBatches(Protocol):
    """What a provider has beside `generate` if it also runs batches."""

    def batches(self) -> BatchApi:
        """Its batch API."""
        ...
