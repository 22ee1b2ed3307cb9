"""Hashed words and letter groups as vectors: no model, no download. It knows no meaning.

Two texts are near when they share words or parts of words; a paraphrase in other words is as far as
anything else. It stands in where no weights can be had, and it finds misspelt names that a model of
meaning misses. Feature hashing after Weinberger et al. 2009, https://arxiv.org/abs/0902.2206.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from regista.core.errors import MissingExtraError
from regista.models.embeddings import embedders

try:
    import numpy as np
except ImportError as error:
    raise MissingExtraError("The embedder 'hashed'", "numpy", "rag") from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from regista.models.embeddings import Vectors

DIMENSIONS = 384
LETTERS = (3, 4, 5)
WORD = re.compile(r"\w+")


@embedders.add
@dataclass
class Hashed:
    """Adds up one signed coordinate for each word and letter group, damped by the logarithm of its count."""

    name: str = field(init=False, default="hashed-384-v1")
    dimensions: int = field(init=False, default=DIMENSIONS)

    def embed(self, texts: Sequence[str]) -> "Vectors":
        """Vectors of shape (texts, 384), each of unit length, the same on every machine."""
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = _vector(text)
        return vectors


def _vector(text: str) -> "NDArray[np.float64]":
    words = WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    counts = Counter(feature for word in words or [""] for feature in _features(word))
    hashes = np.fromiter(counts.keys(), np.uint64, len(counts))
    weights = 1 + np.log(np.fromiter(counts.values(), np.float64, len(counts)))
    signs = np.where(hashes >> np.uint64(63), 1.0, -1.0)
    places = (hashes % np.uint64(DIMENSIONS)).astype(np.int64)
    vector = np.bincount(places, signs * weights, DIMENSIONS)
    length = np.linalg.norm(vector)
    # Features can cancel out to nothing; a vector must still have a direction.
    return vector / length if length else np.eye(1, DIMENSIONS)[0]


@lru_cache(maxsize=50_000)
def _features(word: str) -> tuple[int, ...]:
    """Hashes, 64 bits each, of a word and of its letter groups, with marks where the word begins and ends."""
    marked = f"<{word}>"
    groups = [marked[at : at + size] for size in LETTERS for at in range(len(marked) - size + 1)]
    return tuple(_hash(feature) for feature in (f"={word}", *groups))


def _hash(feature: str) -> int:
    return int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
