"""Exact nearest neighbours over a matrix in memory. Needs numpy; import it where there are vectors.

Exact search needs no building, forgets at once and misses nothing; to some 200,000 rows it is also quick.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from regista.core.errors import MissingExtraError

try:
    import numpy as np
except ImportError as error:
    raise MissingExtraError("Vector search", "numpy", "rag") from error

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Matrix:
    """Vectors of unit length, a row each, in the order given."""

    def __init__(self, vectors: Sequence[bytes]) -> None:
        """`vectors` are little-endian float16, all of one length."""
        stored = np.frombuffer(b"".join(vectors), "<f2").reshape(len(vectors), -1)
        self._rows: NDArray[np.float32] = stored.astype(np.float32)

    @property
    def dimensions(self) -> int:
        return self._rows.shape[1]

    def nearest(self, vector: "NDArray[np.float32]", k: int) -> list[tuple[int, float]]:
        """The best `k` rows as (row, cosine), best first; equals in the order of their rows."""
        # Row by row on one core: a product of the whole matrix has every core spin for the others.
        scores = np.vecdot(self._rows, vector)
        k = min(k, len(scores))
        best = np.argpartition(-scores, k - 1)[:k]
        best = best[np.lexsort((best, -scores[best]))]
        return [(int(row), float(scores[row])) for row in best]
