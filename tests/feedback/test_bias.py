"""A bias that was planted is found, one that was not is not, and the order of what comes in makes no difference."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.feedback.bias.length import length
from regista.feedback.bias.leniency import leniency
from regista.feedback.bias.loop import gini, loop
from regista.feedback.bias.meter import Bias
from regista.feedback.bias.position import position
from regista.feedback.bias.randomness import randomness
from regista.feedback.bias.selection import selection

Chance = np.random.Generator
TRIES = 300
ALARMS = 0.05 * TRIES + 4 * (0.05 * 0.95 * TRIES) ** 0.5
"""What a meter of level .95 alarms at most in so many samples without a bias, but for one in ten thousand runs."""


def leniency_of(chance: Chance, planted: float) -> Bias:
    raters = [rater for rater in range(8) for _ in range(12)]
    return leniency([chance.normal(planted * (rater == 0), 1.0) for rater in raters], raters)


def items_of(chance: Chance, planted: float) -> Bias:
    worth = [chance.normal(0, 3) for _ in range(30)]
    pairs = [(item, rater) for item in range(30) for rater in range(4)]
    scores = [chance.normal(worth[item] + planted * (rater == 0), 1.0) for item, rater in pairs]
    return leniency(scores, [rater for _, rater in pairs], [item for item, _ in pairs])


def selection_of(chance: Chance, planted: float) -> Bias:
    good = chance.random(600) < 0.7
    rated = chance.random(600) < np.where(good, 0.2, 0.2 + planted)
    scores = (chance.random(600) < np.where(good, 0.9, 0.3)).astype(float)
    given_by = [float(score) if said else None for score, said in zip(scores, rated, strict=True)]
    return selection(given_by, good.tolist())


def position_of(chance: Chance, planted: float) -> Bias:
    return position(np.where(chance.random(150) < 0.5 + planted, "a", "b").tolist())


def length_of(chance: Chance, planted: float) -> Bias:
    ours, theirs = np.exp(chance.normal(5, 0.6, (2, 150)))
    won = chance.random(150) < 1 / (1 + np.exp(-planted * np.log(ours / theirs)))
    return length(won.tolist(), ours, theirs)


def randomness_of(chance: Chance, planted: float) -> Bias:
    first = chance.integers(0, 2, 120)
    again = np.where(chance.random(120) < 0.2 + planted, 1 - first, first)
    return randomness(first.tolist(), again.tolist())


def loop_of(chance: Chance, planted: float) -> Bias:
    chances = np.full(40, 1 / 40)
    chances[:2] += planted
    shown = chance.multinomial(400, chances / chances.sum())
    return loop(shown.tolist(), rated=100, rated_because=90)


PLANTED: list[tuple[Callable[[Chance, float], Bias], float]] = [
    (leniency_of, 1.5),
    (items_of, 1.5),
    (selection_of, 0.4),
    (position_of, 0.17),
    (length_of, 1.2),
    (randomness_of, 0.2),
    (loop_of, 0.1),
]


@pytest.mark.parametrize(("meter", "planted"), PLANTED)
def test_a_planted_bias_is_found_in_nine_samples_of_ten(meter: Callable[[Chance, float], Bias], planted: float) -> None:
    chance = np.random.default_rng(1)
    found = sum(meter(chance, planted).found for _ in range(100))
    assert found >= 85, f"found in {found} of 100"


@pytest.mark.parametrize("meter", [meter for meter, _ in PLANTED])
def test_where_none_is_planted_alarms_are_no_more_than_their_level(meter: Callable[[Chance, float], Bias]) -> None:
    chance = np.random.default_rng(2)
    alarms = sum(meter(chance, 0.0).found for _ in range(TRIES))
    assert alarms <= ALARMS, f"{alarms} alarms in {TRIES}"


@pytest.mark.parametrize(("meter", "planted"), PLANTED)
def test_a_finding_says_so_and_its_estimate_lies_in_its_interval(
    meter: Callable[[Chance, float], Bias], planted: float
) -> None:
    chance = np.random.default_rng(3)
    for size in (0.0, planted):
        made = meter(chance, size)
        assert made.estimate.low <= made.estimate.estimate <= made.estimate.high
        assert made.sentence.endswith(".") and ("no sign" in made.sentence.lower()) == (not made.found)


SCORED = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from("abc"), st.booleans()), min_size=8, max_size=40, unique_by=id
).filter(lambda rows: len({rater for _, rater, _ in rows}) > 1 and sum(rated for _, _, rated in rows) > 1)


@given(SCORED, st.randoms(use_true_random=False))
def test_the_order_of_ratings_makes_no_difference(rows: list[tuple[int, str, bool]], chance: object) -> None:
    mixed = list(rows)
    getattr(chance, "shuffle")(mixed)  # noqa: B009 - Hypothesis gives its own Random
    for one, other in ((of_raters(rows), of_raters(mixed)), (of_outcomes(rows), of_outcomes(mixed))):
        assert one.estimate[:3] == pytest.approx(other.estimate[:3], abs=1e-6)
        assert dict(one.rows).keys() == dict(other.rows).keys()


def of_raters(rows: list[tuple[int, str, bool]]) -> Bias:
    return leniency([score for score, _, _ in rows], [rater for _, rater, _ in rows])


def of_outcomes(rows: list[tuple[int, str, bool]]) -> Bias:
    return selection([float(score) if rated else None for score, _, rated in rows], [rater for _, rater, _ in rows])


def test_the_kind_rater_stands_first_and_is_drawn_towards_the_others() -> None:
    scores, raters = [5, 5, 4, 5, 3, 2, 3, 2, 3, 3, 2, 3], "aaaabbbbcccc"
    (name, kind), *_ = leniency(scores, raters).rows
    assert name == "a" and 0 < kind.estimate < 4.75 - np.mean(scores)


def test_an_easy_day_is_no_kindness_where_items_are_known() -> None:
    worth = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    scores = [value + nudge for value, nudge in zip(worth * 2, [0.1, -0.1, 0.1, -0.1, 0.1, -0.1] * 2, strict=True)]
    raters, items = "abcabc" + "bcabca", list(range(6)) * 2
    assert not leniency(scores, raters, items).found


def test_the_mean_is_reweighted_to_what_it_was_made_to_be() -> None:
    scores: list[float | None] = [1.0] * 60 + [None] * 20 + [0.0] * 20 + [None] * 60
    made = selection(scores, ["fine"] * 80 + ["cut off"] * 80)
    rows = dict(made.rows)
    assert (rows["as rated"].estimate, rows["reweighted"].estimate) == pytest.approx((0.75, 0.5))
    assert "Of what is 'fine' 75 % are rated, of what is 'cut off' 25 %" in made.sentence


def test_an_outcome_nobody_rated_is_named() -> None:
    made = selection([1.0, 0.0, None, None], ["a", "a", "b", "b"])
    assert "Nobody rated b (50 % of all)" in made.sentence


def test_at_equal_length_the_shorter_writer_wins_more_than_it_does() -> None:
    chance = np.random.default_rng(4)
    ours, theirs = np.exp(chance.normal(4.5, 0.3, 400)), np.exp(chance.normal(5, 0.3, 400))
    won = chance.random(400) < 1 / (1 + np.exp(-1.5 * np.log(ours / theirs)))
    rates = dict(length(won.tolist(), ours, theirs).rows)
    assert rates["as they are"].estimate < 0.4
    assert rates["at equal length"].low <= 0.5 <= rates["at equal length"].high


def test_lengths_that_part_wins_from_losses_leave_the_slope_finite() -> None:
    made = length([True] * 10 + [False] * 10, [200] * 10 + [50] * 10, [100] * 20)
    assert np.isfinite(made.estimate[:3]).all() and made.found


def test_repeats_of_one_rater_count_together() -> None:
    first, again, raters = "yyyyyyyynn", "yyyyyyyyyy", "aaaaabbbbb"
    made = randomness(first, again, raters)
    assert {name: rate.estimate for name, rate in made.rows} == {"a": 1.0, "b": 0.6}


@given(st.lists(st.integers(0, 1_000), min_size=2, max_size=30).filter(any))
def test_concentration_is_a_share_that_scale_and_order_leave(counts: list[int]) -> None:
    row = np.array([counts], dtype=np.float64)
    made = float(gini(row)[0])
    assert -1e-9 <= made <= 1 - 1 / len(counts) + 1e-9
    assert gini(row * 3)[0] == pytest.approx(made) and gini(row[:, ::-1])[0] == pytest.approx(made)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: position(["tie"]), "Nobody chose"),
        (lambda: length([True, False], [1, 2], [2, 1]), "at least three pairs"),
        (lambda: length([True, False, True], [1, 0, 2], [2, 1, 1]), "above 0"),
        (lambda: leniency([1, 2], "ab"), "more scores than both"),
        (lambda: selection([1.0, None], "ab"), "at least two ratings"),
        (lambda: loop([0, 0], 0, 0), "one that was shown"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_what_is_needed(wrong: Callable[[], Bias], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        wrong()
