"""TrueSkill for two players, against the package of that name."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.stats.trueskill import Rating, trueskill

with warnings.catch_warnings():
    # An old package: Python warns of its backslashes wherever it is compiled anew.
    warnings.simplefilter("ignore")
    import trueskill as package

GAMES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.sampled_from([0.0, 0.5, 1.0])).filter(
        lambda game: game[0] != game[1]
    ),
    min_size=1,
    max_size=50,
)


@given(GAMES)
def test_ratings_are_those_of_the_package(games: list[tuple[str, str, float]]) -> None:
    theirs = {name: package.Rating() for name in "abcd"}
    for a, b, outcome in games:
        first, second = (b, a) if outcome == 0 else (a, b)
        theirs[first], theirs[second] = package.rate_1vs1(theirs[first], theirs[second], drawn=outcome == 0.5)
    for name, made in trueskill(games).items():
        assert made == pytest.approx((theirs[name].mu, theirs[name].sigma), abs=1e-4)  # its normal is approximate


def test_a_win_a_tie_and_a_loss_of_newcomers_are_the_published_ones() -> None:
    won, tied = trueskill([("a", "b", 1)]), trueskill([("a", "b", 0.5)])
    assert won["a"] == pytest.approx((29.396, 7.171), abs=5e-4)
    assert won["b"] == pytest.approx((20.604, 7.171), abs=5e-4)
    assert tied["a"] == tied["b"] == pytest.approx((25.0, 6.458), abs=5e-4)


def test_the_greatest_surprise_is_a_finite_step() -> None:
    sure = Rating(25.0, 0.5)
    weak = trueskill([("a", "b", 1.0)] * 2000, sure)
    upset = trueskill([("a", "b", 1.0)] * 2000 + [("a", "b", 0.0)], sure)
    assert weak["a"].mean > upset["a"].mean > 0
    tied = trueskill([("a", "b", 1.0)] * 2000 + [("a", "b", 0.5)], sure)
    assert weak["a"].mean > tied["a"].mean > upset["a"].mean


def test_a_tie_needs_a_chance_of_ties() -> None:
    assert trueskill([("a", "b", 1)], draw=0)["a"].mean > 25
    with pytest.raises(ValueError, match="'a' and 'b' tied, but draw is 0"):
        trueskill([("a", "b", 0.5)], draw=0)
