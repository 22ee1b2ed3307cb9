"""Trains the head of `regista.feedback.head` on the development turns. Needs scikit-learn.

Features of one turn only are left out. Thresholds and confidences are those of logits out of fold (eight folds of whole
contexts), of which the rules were no part, plus what a rule counts.
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
from regista.feedback.head import RULE, SCALE, Head, Scale
from regista.feedback.labels import LABELS
from regista.feedback.words import Signs, cleaned, signs

STRENGTH = 3.0
"""Inverse of the regularisation, chosen out of fold from 1, 3 and 10."""
UNSEEN = 32
"""Contexts above this were written when the rules had been, so that there a rule is no surer than it will be."""
PRECISIONS = (0.94, 0.92, 0.86, 0.8)
"""What a threshold should give among those, with one more finding that is wrong: few findings prove little. The first
is taken that some threshold gives; a label that misses it is told, but not shown by default."""
SMALL = 12
"""Weights below this many hundredths are left out: they are half of all and change little."""

Floats = NDArray[np.float64]


def train(turns: list[Turn]) -> Head:
    """The head, its weights rounded and the smallest left out."""
    found = [set(features(cleaned(t.text)[0], t.text, t.question, t.answer)) for t in turns]
    counts = Counter(name for one in found for name in one)
    place = {name: at for at, name in enumerate(sorted(name for name, n in counts.items() if n > 1))}
    cells = [(row, place[name]) for row, one in enumerate(found) for name in one if name in place]
    rows, columns = zip(*cells, strict=True)
    x: Any = csr_matrix((np.ones(len(cells)), (rows, columns)), (len(turns), len(place)))
    groups = np.array([turn.context for turn in turns])
    rules = [signs(turn.text) for turn in turns]
    labels: dict[str, Scale] = {}
    columns_of: list[NDArray[np.int64]] = []
    for label in (name for name in LABELS if name != "refusal"):
        y = np.array([label in turn.labels for turn in turns])
        model: Any = _model().fit(x, y)
        ruled = _out_of_fold(x, y, groups) + RULE * np.array([_counts(label, one) for one in rules])
        unseen = groups > UNSEEN
        threshold = _threshold(ruled[unseen], y[unseen])
        line: Any = LogisticRegression(C=1e3).fit(ruled[unseen, None], y[unseen])
        numbers: tuple[Any, ...] = (model.intercept_[0], threshold, line.coef_[0, 0], line.intercept_[0])
        labels[label] = Scale(*(round(float(number), 3) for number in numbers))
        columns_of.append(_kept(model))
    table = np.stack(columns_of, axis=1)
    kept = {
        name: [int(number) for at in np.flatnonzero(table[row]) for number in (at, table[row, at])]
        for name, row in place.items()
    }
    return Head(labels, {name: row for name, row in kept.items() if row})


def _kept(model: Any) -> NDArray[np.int64]:
    """The weights in whole hundredths, small ones as nothing."""
    whole = np.rint(model.coef_[0] * SCALE).astype(np.int64)
    return np.where(np.abs(whole) >= SMALL, whole, 0)


def _counts(label: str, found: Signs) -> int:
    """Whether a rule told a label (1) or was excused (-1)."""
    return any(one.label == label for one in found.told) - (label in found.excused)


def _model() -> Any:
    return LogisticRegression(C=STRENGTH, max_iter=500, solver="liblinear", random_state=0)


def _out_of_fold(x: Any, y: NDArray[np.bool_], groups: NDArray[np.int64]) -> Floats:
    logits = np.zeros(len(y))
    for fitted, left in GroupKFold(8).split(x, y, groups):
        model: Any = _model().fit(x[fitted], y[fitted])
        logits[left] = x[left] @ (_kept(model) / SCALE) + model.intercept_[0]
    return logits


def _threshold(scores: Floats, right: NDArray[np.bool_]) -> float:
    """The lowest score from which enough findings are right; above all of them where there is none."""
    order = np.argsort(-scores, kind="stable")
    share = np.cumsum(right[order]) / np.arange(2, len(order) + 2)
    for precision in PRECISIONS:
        if (good := np.flatnonzero(share >= precision)).size:
            return float(scores[order[good[-1]]])
    return float(scores.max()) + 1
