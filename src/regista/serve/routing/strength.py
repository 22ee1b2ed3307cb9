"""Whether a weak model suffices, told by a linear head over the question's vector: a trained file and its thresholds.

After RouteLLM (Ong et al. 2024, arXiv 2406.18665): the head gives a probability, and the threshold on it follows from
the share of strong calls that is wanted. It knows no texts, no prices and no runs.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from regista.core.errors import ConfigurationError, MissingExtraError
from regista.serve.routing import HEAD

try:
    import numpy as np
    from numpy.typing import NDArray

    from regista.stats.logistic import Logistic, fit, grouped, held_out, softmax
except ImportError as error:
    raise MissingExtraError("The routing policy 'learned'", "numpy", "rag") from error

FOLDS = 10
STRENGTHS = (0.1, 1.0, 10.0)
"""How far the head may follow its cases: the one is taken that makes those held out likeliest."""

Floats = NDArray[np.float64]


class Point(Struct, frozen=True):
    """What a share of strong calls gives: quality with its interval, and what a request costs (None: not known).

    `gain` is the quality above that of as many strong calls drawn by lot, with its interval.
    """

    share: float
    quality: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float
    cost_nano: float | None = None


class Strength(Struct, frozen=True):
    """A trained head. `held_out` are the probabilities of its cases by heads that never saw them, ascending."""

    embedder: str
    strong: str
    weak: str
    source: str
    scorer: str
    cases: int
    suffices: int
    coefficients: str
    held_out: tuple[float, ...]
    curve: tuple[Point, ...] = ()

    def threshold(self, share: float) -> float:
        """The probability below which the strong model is called, so that a share of the held out cases is.

        >>> Strength("", "", "", "", "", 4, 2, "", (0.1, 0.3, 0.5, 0.9)).threshold(0.5)
        0.4
        """
        return threshold(self.held_out, share)

    def head(self) -> Logistic:
        """Ready to be asked: class 1 is that the weak model suffices."""
        return Logistic(np.frombuffer(b64decode(self.coefficients), "<f4").reshape(-1, 2).astype(np.float64))


def threshold(scores: Sequence[float], share: float) -> float:
    """Half way between the scores where the share is cut; below all of them, or above, at its ends. Scores ascend."""
    at = round(share * len(scores))
    if at <= 0:
        return 0.0
    if at >= len(scores):
        return 1.0 + 1e-9
    return round((scores[at - 1] + scores[at]) / 2, 9)


def train(
    vectors: "NDArray[np.float32]", suffices: "NDArray[np.bool_]", clusters: "NDArray[np.int64]"
) -> tuple[str, Floats]:
    """The head's coefficients as text, and each case's probability by a head that saw none of its cluster. Blocks.

    Raises:
        ConfigurationError: there is but one kind of case, or too few clusters to hold any out.
    """
    kinds = suffices.astype(np.int64)
    if len(np.unique(kinds)) < 2:
        which = "sufficed in every case: there is nothing to learn, call it always" if kinds.all() else "never sufficed"
        raise ConfigurationError(f"The weak model {which}.")
    count = min(FOLDS, len(np.unique(clusters)))
    if count < 2:
        raise ConfigurationError("All cases are of one cluster: none can be held out to calibrate on.")
    folds = grouped(clusters, count)
    tried = {firm: softmax(held_out(vectors, kinds, 2, folds, firm))[:, 1] for firm in STRENGTHS}
    firm = min(tried, key=lambda firm: _surprise(tried[firm], suffices))
    head = fit(vectors, kinds, 2, firm)
    return b64encode(head.coefficients.astype("<f4").tobytes()).decode(), tried[firm]


def _surprise(scores: Floats, suffices: "NDArray[np.bool_]") -> float:
    """The mean of minus the logarithm of what the cases were given."""
    given = np.where(suffices, scores, 1 - scores)
    return -float(np.log(np.maximum(given, 1e-12)).mean())


def read(body: bytes) -> Strength:
    """A head from its file. Raises `ConfigurationError` where it is none."""
    try:
        found = msgspec.json.decode(body, type=Strength)
        found.head()
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError) as error:
        raise ConfigurationError(f"{HEAD} is no trained head ({error}). Type: regista route train --help") from None
    return found
