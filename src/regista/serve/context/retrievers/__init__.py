"""Which passages answer a query: one file per retriever. A retriever does not know where the index comes from."""

from typing import Protocol

from msgspec import Struct

from regista.core.nouns import Hit
from regista.core.registry import Registry


class Retrieved(Struct, frozen=True):
    """Passages, best first. `reason` is empty, or says what could not be searched and why: the answer is then poorer.

    A retriever that can still find something says so here; one that can find nothing raises.
    """

    hits: tuple[Hit, ...]
    reason: str = ""


class Retriever(Protocol):
    """Searches one snapshot.

    Ports: `snapshot` (a `Snapshot`) and `embed` (an `Embed`, or None where there is no embedder).
    """

    async def retrieve(self, query: str, k: int) -> Retrieved:
        """The best `k` passages, `k` being 1 or more. `query` is text: nothing in it is an operator.

        Raises `RegistaError` where it cannot search.
        """
        ...


retrievers = Registry[Retriever](__name__, "retriever")
