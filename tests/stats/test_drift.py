# pyright: reportMissingTypeStubs=false

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from regista.stats.drift import categorical, numeric, rates, separation, sketched
from regista.stats.sketch import Sketch

ORACLE: Any = stats
DISTANCES: Any = distance
COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 500), min_size=1)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60),
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60),
)
def test_the_distance_of_numbers_is_that_of_scipy(before: list[float], now: list[float]) -> None:
    found, right = numeric(before, now), ORACLE.ks_2samp(before, now, method="asymp")
    assert found.distance == pytest.approx(right.statistic)
    assert found.psi >= 0 and 0 <= found.jensen_shannon <= 1 + 1e-12 and 0 <= found.p <= 1


def test_its_p_value_is_near_that_of_scipy_for_many_values() -> None:
    generator = np.random.default_rng(1)
    before, now = generator.normal(size=2_000), generator.normal(0.06, size=2_000)
    assert numeric(before, now).p == pytest.approx(ORACLE.ks_2samp(before, now, method="asymp").pvalue, rel=0.1)


@given(COUNTS, COUNTS)
def test_the_divergence_of_categories_is_that_of_scipy(before: dict[str, int], now: dict[str, int]) -> None:
    names = sorted({*before, *now})
    rows = [[counts.get(name, 0) for name in names] for counts in (before, now)]
    assert categorical(before, now).jensen_shannon == pytest.approx(
        DISTANCES.jensenshannon(*rows, base=2) ** 2, abs=1e-9
    )


def test_the_chi_square_test_is_that_of_scipy_where_nothing_is_rare() -> None:
    before, now = {"a": 90, "b": 60, "c": 50}, {"a": 70, "b": 80, "c": 65}
    right = ORACLE.chi2_contingency([list(before.values()), list(now.values())], correction=False)
    assert categorical(before, now).p == pytest.approx(right.pvalue)


def test_what_leaves_a_value_that_nearly_all_had_is_told_in_either_direction() -> None:
    for before, now in (([4] * 100, [6] * 100), ([4] * 100, [2] * 100), ([1] * 95 + [2] * 5, [2] * 100)):
        assert numeric(before, now).psi > 1 and sketched(Sketch.of(before), Sketch.of(now)).psi > 1
        assert numeric(before, before).psi == 0 and sketched(Sketch.of(before), Sketch.of(before)).psi == 0


def test_rare_categories_are_taken_together_and_one_alone_is_no_test() -> None:
    before = {"a": 200, **{f"rare {n}": 1 for n in range(30)}}
    now = {"a": 200, **{f"other {n}": 1 for n in range(30)}}
    assert categorical(before, now).p > 0.5
    assert categorical({"a": 5}, {"a": 9}) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(("before", "now"), [([], [1.0]), ([1.0], []), ([1.0, float("nan")], [1.0])])
def test_no_values_and_what_is_no_number_are_refused(before: list[float], now: list[float]) -> None:
    with pytest.raises(ValueError, match=r"reference|current"):
        numeric(before, now)
    with pytest.raises(ValueError, match="empty"):
        categorical({}, {"a": 1})


def test_without_a_shift_alarms_are_as_seldom_as_the_level_says_and_the_index_is_near_nothing() -> None:
    generator = np.random.default_rng(2)
    found = [numeric(generator.gamma(2, size=300), generator.gamma(2, size=200)) for _ in range(400)]
    assert np.mean([shift.p < 0.05 for shift in found]) <= 0.07
    assert np.mean([shift.psi for shift in found]) < 0.02
    assert np.mean([shift.psi > 0.2 for shift in found]) == 0


def test_a_planted_shift_is_found() -> None:
    generator = np.random.default_rng(3)
    found = [numeric(generator.normal(size=300), generator.normal(0.8, size=300)) for _ in range(50)]
    assert all(shift.p < 0.001 and shift.psi > 0.2 for shift in found)


@given(st.integers(0, 10_000), st.floats(0.3, 3.0))
def test_sketches_say_of_times_what_the_times_say(seed: int, factor: float) -> None:
    generator = np.random.default_rng(seed)
    before = np.ceil(generator.lognormal(18, 0.7, 400))
    now = np.ceil(generator.lognormal(18, 0.7, 300) * factor)
    whole, kept = numeric(before, now), sketched(Sketch.of(before.tolist()), Sketch.of(now.tolist()))
    assert kept.distance == pytest.approx(whole.distance, abs=0.05)
    assert kept.psi == pytest.approx(whole.psi, abs=0.06 + 0.15 * whole.psi)
    assert (kept.p < 0.001) == (whole.p < 0.001) or 1e-6 < whole.p < 0.05


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 3_000), st.integers(1, 3_000))
def test_the_exact_test_of_rates_is_that_of_scipy(a: int, b: int, n: int, m: int) -> None:
    before, now = (a, a + n + 1), (b, b + m)
    right = ORACLE.fisher_exact([[a, n + 1], [b, m]])
    assert rates(before, now).p == pytest.approx(float(right.pvalue), rel=1e-6, abs=1e-12)


def test_rates_of_millions_are_compared_and_what_is_no_rate_is_refused() -> None:
    assert rates((10_000, 1_000_000), (60_000, 1_000_000)).h == pytest.approx(0.2946, abs=1e-4)
    assert rates((1, 4), (1, 4)) == (0.0, 1.0)
    for wrong in ((2, 1), (-1, 4), (0, 0)):
        with pytest.raises(ValueError, match="no rate"):
            rates(wrong, (1, 4))


def test_sketches_of_one_value_are_the_same_and_empty_ones_are_refused() -> None:
    assert sketched(Sketch.of([0] * 50), Sketch.of([0] * 70)) == (0.0, 0.0, 0.0, 1.0)
    assert sketched(Sketch.of([0] * 50), Sketch.of([9] * 70)).distance == 1
    with pytest.raises(ValueError, match="empty"):
        sketched(Sketch(), Sketch.of([1]))


def test_the_vectors_of_now_that_are_new_are_told_as_such_most_surely() -> None:
    generator = np.random.default_rng(7)
    before, now = generator.normal(size=(100, 4)), generator.normal(size=(100, 4))
    now[:10] += 6
    found = separation(before, now)
    assert set(np.argsort(-found.now)[:8].tolist()) <= set(range(10))


def test_vectors_of_one_kind_cannot_be_told_apart_and_those_of_two_can() -> None:
    generator = np.random.default_rng(4)
    same = [separation(generator.normal(size=(120, 16)), generator.normal(size=(120, 16)), n) for n in range(40)]
    assert np.mean([found.p < 0.05 for found in same]) <= 0.15
    moved = separation(generator.normal(size=(120, 16)), generator.normal(size=(120, 16)) + 0.7)
    assert moved.auc > 0.9 and moved.p < 1e-6
    with pytest.raises(ValueError, match="give 5 at least"):
        separation(np.ones((4, 2)), np.ones((9, 2)))
