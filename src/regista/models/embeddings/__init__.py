"""Text to vectors: one file per embedder, run in a worker process so that the event loop never waits."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from regista.core.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    """Shape (texts, dimensions), float32, each row of unit length."""

Embed = Callable[[Sequence[str]], "Awaitable[Vectors]"]
"""What folders above receive: the worker's `embed`."""


class Embedder(Protocol):
    """Embeds texts, in the worker process. `name` says which weights made a vector (stored beside it)."""

    name: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> "Vectors": ...


embedders = Registry[Embedder](__name__, "embedder")
