"""The threshold from labels: within its bound as often as it says, none where labels do not carry one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.serve.caches.calibration import Labelled, choose, needed
from regista.serve.caches.measure import broken, false_hits
from regista.stats import clopper_pearson
from regista.store.caches import Calibration, Label


def pairs(count: int, wrong: int = 0, likeness: float = 0.95) -> list[Labelled]:
    return [Labelled(likeness, n >= wrong, n) for n in range(count)]


def test_too_few_labels_say_how_many_are_missing() -> None:
    assert choose(pairs(100), 0.01) == choose(pairs(100), 0.01)
    choice = choose(pairs(100), 0.01)
    assert choice.threshold is None and choice.missing == 199
    assert choose(pairs(299), 0.01).threshold == 0.7
    assert choose([], 0.01).missing == 299


def test_pairs_of_one_question_count_once() -> None:
    repeated = [Labelled(0.95, True, n % 50) for n in range(1_000)]
    assert choose(repeated, 0.01).missing == 249


def test_the_threshold_stops_above_where_the_wrong_ones_are() -> None:
    labels = pairs(600, likeness=0.95) + [Labelled(0.80, False, f"wrong {n}") for n in range(50)]
    choice = choose(labels, 0.01)
    assert choice.threshold == 0.81 and choice.wrong == 0
    assert choice.tested[-1].threshold == 0.8 and choice.tested[-1].upper > 0.01


def test_wrong_ones_at_the_top_leave_no_threshold() -> None:
    labels = pairs(1_000, likeness=0.8) + [Labelled(0.98, n % 4 > 0, f"top {n}") for n in range(500)]
    assert choose(labels, 0.01).threshold is None


@given(st.integers(0, 20), st.sampled_from([0.005, 0.01, 0.05, 0.2]))
def test_the_hits_needed_are_the_fewest_that_do(wrong: int, bound: float) -> None:
    n = needed(bound, wrong)
    assert clopper_pearson(wrong, n, 0.9).high <= bound
    assert n == wrong + 1 or clopper_pearson(wrong, n - 1, 0.9).high > bound


def test_a_threshold_whose_true_share_is_beyond_the_bound_is_chosen_seldom() -> None:
    """The share of false hits rises as the likeness falls; at .90 and below it is beyond 5 %."""
    drawn = random.Random(7)
    beyond = 0
    studies = 200
    for _ in range(studies):
        labels = list[Labelled]()
        for n in range(600):
            likeness = drawn.uniform(0.7, 1.0)
            labels.append(Labelled(likeness, drawn.random() >= (1 - likeness) / 2, n))
        threshold = choose(labels, 0.05).threshold
        # The share at and above t is the mean of (1 - s) / 2 from t to 1, which is (1 - t) / 4.
        beyond += threshold is not None and (1 - threshold) / 4 > 0.05
    assert beyond / studies <= 0.05 + 3 * (0.05 * 0.95 / studies) ** 0.5


HELD = Calibration("m", 0.9, 0.01, 0.05, 300, 0, "sample", made_ns=100)


def labels(wrong: int, right: int, likeness: float = 0.95, at_ns: int = 200) -> list[Label]:
    drawn = [Label(b"", "m", at_ns, likeness, n >= wrong, "a", "b") for n in range(wrong + right)]
    random.Random(1).shuffle(drawn)
    return drawn


def test_few_false_hits_end_nothing_and_many_do() -> None:
    measured = false_hits(HELD, labels(1, 99))
    assert (measured.hits, measured.wrong) == (100, 1) and broken(HELD, measured) == ""
    assert measured.low <= 0.01 <= measured.high
    measured = false_hits(HELD, labels(20, 80))
    assert measured.low > 0.01 and "20 of 100" in broken(HELD, measured)


@pytest.mark.parametrize("others", [labels(50, 0, likeness=0.85), labels(50, 0, at_ns=50)])
def test_only_what_would_be_served_since_the_calibration_counts(others: list[Label]) -> None:
    measured = false_hits(HELD, others)
    assert (measured.hits, measured.share) == (0, 0.0) and broken(HELD, measured) == ""
