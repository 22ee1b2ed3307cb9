"""What the rules of `worth.py` do not catch: one weight a dimension of the question's vector. Needs numpy.

Logistic regression, trained and measured by `benchmarks/cache/worth.py` on one embedding model's vectors: for those of
another it says nothing.
"""

import base64
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "worth_head.json"


class Head(Struct, frozen=True):
    """`embedder` is the model of the vectors, `weights` float16 in base64; from `bias` on a question stands alone."""

    embedder: str
    bias: float
    weights: str


def depends(embedder: str, vector: "NDArray[np.float32]") -> bool:
    """Whether the answer to the question of a vector likely depends on when, by whom or after what it is asked."""
    head, weights = _head()
    return embedder.partition("@")[0] == head.embedder and float(weights @ vector) + head.bias > 0


@cache
def _head() -> "tuple[Head, NDArray[np.float32]]":
    text = files(__package__ or "").joinpath(FILE).read_bytes()
    head = msgspec.json.decode(text, type=Head)
    return head, np.frombuffer(base64.b64decode(head.weights), "<f2").astype(np.float32)
