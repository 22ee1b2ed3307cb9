import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.stats.adwin import Adwin


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


def test_where_nothing_changes_it_seldom_says_so() -> None:
    generator = np.random.default_rng(2)
    windows = [Adwin() for _ in range(60)]
    for window in windows:
        for value in generator.random(1_500) < 0.8:
            window.add(float(value))
    assert sum(window.changes > 0 for window in windows) <= 3


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
