import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.stats.sketch import ERROR, Sketch

VALUES = st.lists(st.integers(1, 10**13) | st.floats(1, 1e13), min_size=1, max_size=300)


def exactly(values: list[float], share: float) -> float:
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@given(VALUES, st.floats(0, 1))
def test_a_quantile_is_within_the_error_of_the_value_of_its_rank(values: list[float], share: float) -> None:
    right = exactly(values, share)
    assert Sketch.of(values).quantile(share) == pytest.approx(right, rel=ERROR + 1e-9)


@given(VALUES, VALUES)
def test_merged_is_as_if_counted_by_one(first: list[float], second: list[float]) -> None:
    merged = Sketch.of(first)
    merged.merge(Sketch.of(second))
    assert merged.counts == Sketch.of(first + second).counts


@given(VALUES)
def test_written_and_read_it_is_the_same(values: list[float]) -> None:
    sketch = Sketch.of(values)
    again = Sketch.read(sketch.written())
    assert (again.counts, again.count) == (sketch.counts, len(values))


def test_what_is_less_than_one_counts_as_one_and_nothing_has_no_quantile() -> None:
    assert Sketch.of([0, 0.5, -3, 1]).quantiles((0, 0.5, 1)) == (1.0, 1.0, 1.0)
    assert math.isnan(Sketch().quantile(0.5))
