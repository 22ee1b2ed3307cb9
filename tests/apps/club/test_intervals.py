import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from club.football.intervals import ratio, student

matches = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)).map(lambda p: (min(p), max(p))), max_size=30)


@given(matches)
def test_a_share_lies_in_its_interval_and_the_interval_in_nought_to_one(counts: list[tuple[int, int]]) -> None:
    found = ratio([n for n, _ in counts], [d for _, d in counts], share=True)
    if found.low is not None:
        assert found.high is not None and found.value is not None
        assert 0 <= found.low <= found.value + 1e-12 and found.value - 1e-12 <= found.high <= 1


def test_equal_denominators_give_the_interval_of_a_mean() -> None:
    values = [3.0, 5.0, 4.0, 8.0, 5.0]
    found = ratio(values, [1.0] * 5)
    half = 2.776 * np.std(values, ddof=1) / np.sqrt(5)
    assert found.value == pytest.approx(5.0)
    assert (found.low, found.high) == (pytest.approx(5 - half), pytest.approx(5 + half))


def test_one_match_has_a_figure_and_no_interval() -> None:
    assert ratio([3], [10]).value == 0.3
    assert ratio([3], [10]).low is None
    assert ratio([0], [0]).value is None


def test_none_of_many_is_not_certainly_none() -> None:
    found = ratio([0, 0, 0], [20, 30, 10], share=True)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.05)
    assert ratio([20, 30], [20, 30], share=True).low == pytest.approx(1 - 3 / 50)


@pytest.mark.parametrize(("degrees", "point"), [(1, 12.706), (30, 2.042), (40, 2.021), (120, 1.980)])
def test_points_of_students_t_agree_with_printed_tables(degrees: int, point: float) -> None:
    assert student(degrees) == pytest.approx(point, abs=0.003)


def test_the_interval_covers_what_it_claims_for_eight_uneven_matches() -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(2000):
        denominators = rng.integers(20, 80, 8)
        chances = rng.beta(8, 32, 8)
        found = ratio(rng.binomial(denominators, chances).tolist(), denominators.tolist(), share=True)
        hits += found.low is not None and found.high is not None and found.low <= 0.2 <= found.high
    assert 0.92 <= hits / 2000 <= 0.97
