"""Kept answers side by side, and those nearest to a question. Exact; needs numpy.

It compares vectors and knows nothing of what they are of.
"""

from typing import TYPE_CHECKING, Generic, TypeVar

from regista.core.errors import MissingExtraError

try:
    import numpy as np
except ImportError as error:
    raise MissingExtraError("The semantic cache", "numpy", "rag") from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]
    """Shape (dimensions,), of unit length."""

T = TypeVar("T")
_FIRST = 16


class Shelf(Generic[T]):
    """Things by key, each with a vector. Room doubles as it fills."""

    def __init__(self, dimensions: int) -> None:
        self._rows: NDArray[np.float32] = np.empty((_FIRST, dimensions), np.float32)
        self._keys: list[bytes] = []
        self._things: list[T] = []
        self._places: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def put(self, key: bytes, vector: "Vector", thing: T) -> None:
        """Add a thing, in place of the one of its key."""
        place = self._places.get(key)
        if place is not None:
            self._rows[place], self._things[place] = vector, thing
            return
        if len(self._keys) == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._rows[len(self._keys)] = vector
        self._places[key] = len(self._keys)
        self._keys.append(key)
        self._things.append(thing)

    def drop(self, key: bytes) -> None:
        """Take a thing out, if it is there."""
        place = self._places.pop(key, None)
        if place is None:
            return
        last_key, last = self._keys.pop(), self._things.pop()
        if place < len(self._keys):
            self._rows[place] = self._rows[len(self._keys)]
            self._keys[place], self._things[place] = last_key, last
            self._places[last_key] = place

    def nearest(self, vector: "Vector", k: int) -> list[tuple[float, T]]:
        """The `k` things nearest, each with its cosine, nearest first."""
        count = len(self._keys)
        if not count:
            return []
        cosines = np.vecdot(self._rows[:count], vector)
        best = np.argpartition(-cosines, min(k, count) - 1)[:k]
        best = best[np.argsort(-cosines[best], kind="stable")]
        return [(float(cosines[place]), self._things[place]) for place in best]
