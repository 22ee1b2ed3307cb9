"""The curve of a head that chooses between two models: its ends, what lots would give, and when there is too little."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from regista.core.errors import ConfigurationError
from regista.evaluate.report.curve import as_svg, as_text
from regista.evaluate.routing.learn import Lessons, curve, from_preferences

Floats = NDArray[np.float64]


def lessons(strong: Floats, weak: Floats, clusters: "NDArray[np.int64] | None" = None) -> Lessons:
    n = len(strong)
    costs = np.full(n, 100.0), np.full(n, 10.0)
    groups = np.arange(n) if clusters is None else clusters
    return Lessons(tuple(map(str, range(n))), strong, weak, groups, *costs, "suite", "exact", 0, (0.0, 1.0))


def test_the_ends_of_the_curve_are_the_two_models_and_what_they_cost() -> None:
    random = np.random.default_rng(0)
    given = lessons((random.random(200) < 0.9).astype(float), (random.random(200) < 0.5).astype(float))
    points = curve(given, random.random(200))
    assert points[0].quality == given.weak.mean() and points[-1].quality == given.strong.mean()
    assert (points[0].cost_nano, points[-1].cost_nano) == (10, 100)
    assert points[0].gain == points[-1].gain == 0
    assert points[5].cost_nano == pytest.approx(55)


def test_a_head_that_knows_gains_and_one_that_guesses_does_not() -> None:
    random = np.random.default_rng(1)
    weak = (random.random(400) < 0.5).astype(float)
    given = lessons(np.ones(400), weak)
    knows = curve(given, 0.5 * weak + 0.4 * random.random(400), (0.5,))[0]
    guesses = curve(given, random.random(400), (0.5,))[0]
    assert knows.gain_low > 0.1 and guesses.gain_low < 0 < guesses.gain_high


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_the_share_of_strong_calls_is_the_one_that_is_wanted(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    given = lessons(np.ones(100), (random.random(100) < 0.5).astype(float))
    assert abs(curve(given, random.random(100), (share,))[0].share - share) <= 0.011


def test_intervals_of_clustered_cases_are_wider() -> None:
    random = np.random.default_rng(2)
    weak = np.repeat((random.random(60) < 0.5).astype(float), 5)
    scores = np.repeat(random.random(60), 5)
    alone = curve(lessons(np.ones(300), weak), scores, (0.5,))[0]
    clustered = curve(lessons(np.ones(300), weak, np.repeat(np.arange(60), 5)), scores, (0.5,))[0]
    assert clustered.high - clustered.low > 1.5 * (alone.high - alone.low)


@pytest.mark.parametrize(
    ("cases", "good", "said"),
    [(49, 25, "49 cases are too few"), (60, 55, "of each kind"), (60, 5, "of each kind"), (60, 30, "")],
)
def test_what_is_too_little_to_learn_from_is_said(cases: int, good: int, said: str) -> None:
    weak = np.array([1.0] * good + [0.0] * (cases - good))
    found = lessons(np.ones(cases), weak).too_few
    assert said in found and bool(said) == bool(found)


def test_a_question_that_was_judged_twice_is_one_cluster(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text('{"question": "a", "preferred": "strong"}\n\n{"question": "a", "preferred": "tie"}\n')
    found = from_preferences(file)
    assert len(set(found.clusters.tolist())) == 1 and found.suffices.tolist() == [False, True]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        from_preferences(tmp_path / "none.jsonl")


@pytest.mark.parametrize("width", [20, 60, 100])
def test_the_plot_fits_its_width_and_shows_every_share(width: int) -> None:
    random = np.random.default_rng(3)
    points = curve(lessons(np.ones(100), (random.random(100) < 0.5).astype(float)), random.random(100))
    rows = as_text(points, 0.5, width)
    assert all(len(row) <= max(width, 42) for row in rows)
    assert sum(row.count("●") for row in rows) + sum(row.count("◆") for row in rows) >= min(len(points), width // 4)
    svg = as_svg(points, 0.5)
    assert svg.count("<circle") == len(points) and "Quality by share of strong calls" in svg
