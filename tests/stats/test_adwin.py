import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.stats.adwin import Adwin, Part, chance


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_before_a_change_the_mean_is_that_of_all(values: list[float]) -> None:
    window = Adwin(confidence=1e-300)
    for value in values:
        window.add(value)
    assert len(window) == len(values) and window.mean == pytest.approx(sum(values) / len(values))


def test_a_mean_that_falls_is_noticed_and_what_was_before_forgotten() -> None:
    generator = np.random.default_rng(1)
    window = Adwin()
    assert not any(window.add(float(value)) for value in generator.random(2_000) < 0.9)
    seen = [place for place, value in enumerate(generator.random(1_000) < 0.6) if window.add(float(value))]
    assert seen and seen[0] < 200
    assert window.mean == pytest.approx(0.6, abs=0.06)
    assert window.before is not None and window.before.mean == pytest.approx(0.9, abs=0.02)


def test_where_nothing_changes_it_seldom_says_so() -> None:
    generator = np.random.default_rng(2)
    windows = [Adwin() for _ in range(60)]
    for window in windows:
        for value in generator.random(1_500) < 0.8:
            window.add(float(value))
    assert sum(window.changes > 0 for window in windows) <= 3


@given(st.lists(st.integers(0, 1), min_size=16, max_size=200), st.floats(1e-6, 0.9))
def test_nothing_is_lost_between_what_was_before_and_what_is_now(values: list[int], confidence: float) -> None:
    window = Adwin(confidence)
    for place, value in enumerate(values, 1):
        if window.add(float(value)):
            before, now = window.before, window.now
            assert before is not None and before.size + now.size == place
            assert before.total + now.total == pytest.approx(sum(values[:place]))
            return


def test_two_parts_are_as_surely_apart_as_the_bound_says() -> None:
    low, high = Part(50, 5.0, 4.5), Part(50, 45.0, 4.5)
    p = chance(low, high)
    assert p == chance(high, low) and 0 < p < 1e-4
    assert chance(low, low) == 1 and chance(low, Part(4, 4.0, 0.0)) == 1
    assert p < chance(low, Part(20, 18.0, 1.8)) < 0.05


def test_memory_grows_with_the_logarithm() -> None:
    window = Adwin()
    for _ in range(20_000):
        window.add(0.5)
    assert len(window) == 20_000 and sum(len(row) for row in window._rows) < 100  # pyright: ignore[reportPrivateUsage]


def test_what_is_no_share_is_refused() -> None:
    assert math.isnan(Adwin().mean)
    for wrong in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="from 0 to 1"):
            Adwin().add(wrong)
