"""Trains the head of `regista.feedback.head` on turns of several authors. Needs scikit-learn.

The first author also wrote the rules, so thresholds and confidences are those of logits out of fold (eight folds of
whole contexts) on what the others wrote. Features of one turn only are left out.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from benchmarks.feedback.data import Turn
from regista.feedback.features import features
from regista.feedback.head import SCALE, Head, Scale, ruled
from regista.feedback.labels import LABELS
from regista.feedback.words import cleaned, signs

STRENGTH = 1.0
"""Inverse of the regularisation, and WEIGHT how much a turn of the others counts: chosen out of fold."""
WEIGHT = 2.0
PRECISIONS = (0.92, 0.86, 0.8, 0.65)
"""What a threshold should give out of fold, with one more finding that is wrong: few findings prove little. The first
is taken that some threshold gives which finds `LEAST` of what there is; without one a label is never told."""
LEAST = 0.1
SMALL = 12
"""Weights below this many hundredths are left out: they are half of all and change little."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def train(own: list[Turn], others: list[Turn]) -> Head:
    """The head, its weights rounded and the smallest left out."""
    turns = [*own, *others]
    theirs = np.arange(len(turns)) >= len(own)
    x, place = _table([_features(turn) for turn in turns])
    groups = np.array([turn.context for turn in turns])
    labels: dict[str, Scale] = {}
    columns_of: list[NDArray[np.int64]] = []
    for label in (name for name in LABELS if name != "refusal"):
        y = np.array([label in turn.labels for turn in turns])
        model = _fitted(x, y, theirs)
        scores = _out_of_fold(x, y, theirs, groups)
        line: Any = LogisticRegression(C=1e3).fit(scores[:, None], y[theirs])
        numbers: tuple[Any, ...] = (
            model.intercept_[0],
            _threshold(scores, y[theirs]),
            line.coef_[0, 0],
            line.intercept_[0],
        )
        labels[label] = Scale(*(round(float(number), 3) for number in numbers))
        columns_of.append(_kept(model))
    table = np.stack(columns_of, axis=1)
    kept = {
        name: [int(number) for at in np.flatnonzero(table[row]) for number in (at, table[row, at])]
        for name, row in place.items()
    }
    return Head(labels, {name: row for name, row in kept.items() if row})


def _features(turn: Turn) -> set[str]:
    found = features(cleaned(turn.text)[0], turn.text, turn.question, turn.answer)
    return {*found, *ruled(signs(turn.text))}


def _table(found: list[set[str]]) -> tuple[Any, dict[str, int]]:
    """A row a turn and a column a feature, with where each feature's column is."""
    counts = Counter(name for one in found for name in one)
    place = {name: at for at, name in enumerate(sorted(name for name, n in counts.items() if n > 1))}
    cells = [(row, place[name]) for row, one in enumerate(found) for name in one if name in place]
    rows, columns = zip(*cells, strict=True)
    return csr_matrix((np.ones(len(cells)), (rows, columns)), (len(found), len(place))), place


def _kept(model: Any) -> NDArray[np.int64]:
    """The weights in whole hundredths, small ones as nothing."""
    whole = np.rint(model.coef_[0] * SCALE).astype(np.int64)
    return np.where(np.abs(whole) >= SMALL, whole, 0)


def _fitted(x: Any, y: Bools, theirs: Bools) -> Any:
    model: Any = LogisticRegression(C=STRENGTH, max_iter=500, solver="liblinear", random_state=0)
    return model.fit(x, y, sample_weight=np.where(theirs, WEIGHT, 1.0))


def _out_of_fold(x: Any, y: Bools, theirs: Bools, groups: NDArray[np.int64]) -> Floats:
    """Logits of the others' turns, each by a model that saw no turn of its context."""
    places = np.flatnonzero(theirs)
    logits = np.zeros(len(places))
    for fitted, left in GroupKFold(8).split(places, groups=groups[places]):
        seen = np.concatenate([np.flatnonzero(~theirs), places[fitted]])
        model = _fitted(x[seen], y[seen], theirs[seen])
        logits[left] = x[places[left]] @ (_kept(model) / SCALE) + model.intercept_[0]
    return logits


def _threshold(scores: Floats, right: Bools) -> float:
    """The lowest score from which enough findings are right; above all of them where there is none."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    share, enough = hits / np.arange(2, len(order) + 2), hits >= LEAST * hits[-1]
    for precision in PRECISIONS:
        if (good := np.flatnonzero(enough & (share >= precision))).size:
            return float(scores[order[good[-1]]])
    return float(scores.max()) + 100.0
