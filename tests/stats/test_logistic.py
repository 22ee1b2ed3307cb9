"""The linear head: against scikit-learn's, and against itself."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs]

from regista.stats.logistic import fit, grouped, held_out, softmax


def data(
    seed: int, cases: int = 80, dimensions: int = 12, classes: int = 4
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    kinds = random.integers(0, classes, cases)
    centres = random.normal(size=(classes, dimensions))
    vectors = centres[kinds] + random.normal(size=(cases, dimensions))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), kinds


@pytest.mark.parametrize("strength", [0.3, 3.0, 30.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_probabilities_are_those_of_scikit_learn(strength: float, seed: int) -> None:
    vectors, kinds = data(seed)
    reference = LogisticRegression(C=strength, max_iter=10_000, tol=1e-10).fit(vectors, kinds)
    found = fit(vectors, kinds, 4, strength).probabilities(vectors)
    assert np.abs(found - reference.predict_proba(vectors)).max() < 3e-3


def test_weights_count_cases_as_often() -> None:
    vectors, kinds = data(2, cases=40)
    times = np.random.default_rng(3).integers(1, 4, 40)
    repeated = fit(np.repeat(vectors, times, axis=0), np.repeat(kinds, times), 4)
    weighted = fit(vectors, kinds, 4, weights=times.astype(float))
    assert np.abs(repeated.probabilities(vectors) - weighted.probabilities(vectors)).max() < 1e-4


def test_what_is_held_out_is_judged_by_a_head_that_never_saw_it() -> None:
    vectors, kinds = data(4, cases=40)
    folds = np.arange(40) % 7
    found = softmax(held_out(vectors, kinds, 4, folds))
    for fold in range(7):
        kept = folds != fold
        alone = fit(vectors[kept], kinds[kept], 4).probabilities(vectors[~kept])
        assert np.abs(found[~kept] - alone).max() < 0.01


def test_the_same_data_give_the_same_head() -> None:
    vectors, kinds = data(5)
    assert np.array_equal(fit(vectors, kinds, 4).coefficients, fit(vectors, kinds, 4).coefficients)


def test_folds_keep_groups_whole_and_are_about_even() -> None:
    groups = np.repeat(np.arange(30), 4)
    folds = grouped(groups, 5)
    assert all(len(set(folds[groups == group])) == 1 for group in range(30))
    assert set(np.bincount(folds)) == {24}


@pytest.mark.parametrize(("kinds", "message"), [([0, 1], "2 vectors|3 vectors"), ([0, 1, 4], "0 to 3")])
def test_classes_that_do_not_fit_are_refused(kinds: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(np.eye(3), np.array(kinds), 4)


def test_no_vectors_and_no_strength_are_refused() -> None:
    with pytest.raises(ValueError, match="no vectors"):
        fit(np.empty((0, 3)), np.array([], np.int64), 2)
    with pytest.raises(ValueError, match="strength"):
        fit(np.eye(3), np.array([0, 1, 0]), 2, 0.0)
