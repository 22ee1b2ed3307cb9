"""Questions sorted into classes by examples: a linear head over vectors, with a likeness below which it says none.

It knows no texts and no models. What it says of itself is measured on each example with a head that never saw it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

from regista.core.errors import ConfigurationError, MissingExtraError

try:
    import numpy as np
    from numpy.typing import NDArray

    from regista.stats.logistic import Logistic, fit, grouped, held_out, softmax
except ImportError as error:
    raise MissingExtraError("The routing policy 'semantic'", "numpy", "rag") from error

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NEAREST = 3
"""Examples of a class that a question is held against: the likeness of one alone may be chance."""
LEAST = 4
"""Examples a class needs."""
ONE_BY_ONE = 300
"""Examples up to which the head leaves each out alone; of more, a twentieth at a time."""


class Trial(Struct, frozen=True):
    """What was found when each example was left out. `confusion[i][j]` counts class i taken for class j.

    `likeness` is that of each example to the class it was taken for, `right` whether that was its own.
    """

    confusion: tuple[tuple[int, ...], ...]
    likeness: tuple[float, ...]
    right: tuple[bool, ...]


class Found(NamedTuple):
    """The class a question is taken for, and the next. `likeness` is its mean cosine to the nearest examples."""

    name: str
    probability: float
    likeness: float
    second: str
    shares: dict[str, float]


class Intents(Struct, frozen=True):
    """A trained head. Arrays are little-endian bytes: float32 (dimensions + 1, classes), float16 (examples, …)."""

    classes: tuple[str, ...]
    coefficients: bytes
    examples: bytes
    of: tuple[int, ...]
    trial: Trial

    def reader(self) -> "Reader":
        """Ready to be asked."""
        return Reader(self)

    def threshold(self, lost: float) -> float:
        """The likeness that a share `lost` of the left out examples stays below."""
        return float(np.quantile(self.trial.likeness, lost))


class Reader:
    """A head with its arrays laid out."""

    def __init__(self, intents: Intents) -> None:
        self._classes = intents.classes
        count = len(intents.classes)
        self._head = Logistic(np.frombuffer(intents.coefficients, "<f4").reshape(-1, count).astype(np.float64))
        examples = np.frombuffer(intents.examples, "<f2").reshape(len(intents.of), -1).astype(np.float32)
        of = np.array(intents.of)
        self._examples: list[NDArray[np.float32]] = [examples[of == at] for at in range(count)]

    def find(self, vector: "NDArray[np.float32]") -> Found:
        """The class of a question by its vector, shape (1, dimensions)."""
        shares = self._head.probabilities(vector)[0]
        order = np.argsort(-shares, kind="stable")
        first, second = int(order[0]), int(order[1])
        likeness = _nearest((self._examples[first] @ vector.T)[:, 0])
        named = {name: float(share) for name, share in zip(self._classes, shares, strict=True)}
        return Found(self._classes[first], float(shares[first]), likeness, self._classes[second], named)


def train(vectors: "NDArray[np.float32]", classes: Sequence[str], of: Sequence[int], strength: float = 3.0) -> Intents:
    """A head for examples of unit length, `of[i]` being the number of example i's class. Blocks: a second for 300.

    Raises:
        ConfigurationError: there are fewer than two classes, or a class has fewer than `LEAST` examples.
    """
    of_class: Ints = np.asarray(of, np.int64)
    if len(classes) < 2:
        raise ConfigurationError("To tell questions apart there must be two classes at least.")
    for at, name in enumerate(classes):
        if (count := int((of_class == at).sum())) < LEAST:
            raise ConfigurationError(f"The class {name!r} has {count} examples: give {LEAST} at least, better 20.")
    head = fit(vectors, of_class, len(classes), strength)
    return Intents(
        tuple(classes),
        head.coefficients.astype("<f4").tobytes(),
        vectors.astype("<f2").tobytes(),
        tuple(of),
        _trial(vectors, of_class, len(classes), strength),
    )


def _trial(vectors: "NDArray[np.float32]", of: Ints, count: int, strength: float) -> Trial:
    cases = np.arange(len(of))
    folds = cases if len(of) <= ONE_BY_ONE else grouped(cases, 20)
    taken = softmax(held_out(vectors, of, count, folds, strength)).argmax(axis=1)
    alike = vectors @ vectors.T
    # An example is no example of itself.
    likeness = [_nearest(alike[at, (of == taken[at]) & (cases != at)]) for at in cases]
    confusion = np.zeros((count, count), np.int64)
    np.add.at(confusion, (of, taken), 1)
    return Trial(
        tuple(tuple(int(n) for n in row) for row in confusion), tuple(likeness), tuple(bool(r) for r in taken == of)
    )


def _nearest(alike: "NDArray[np.floating]") -> float:
    return float(np.sort(alike)[-NEAREST:].mean())


def encode(intents: Intents) -> bytes:
    """A head as bytes."""
    return msgspec.msgpack.encode(intents)


def decode(body: bytes) -> Intents | None:
    """A head from bytes; None where another version wrote them."""
    try:
        return msgspec.msgpack.decode(body, type=Intents)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
