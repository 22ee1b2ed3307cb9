import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from club.football import roles
from club.football.roles import OUTFIELD, ROLES


@pytest.mark.parametrize("role", OUTFIELD, ids=lambda role: role.name)
def test_a_match_on_a_prototype_has_its_role(role: roles.Role) -> None:
    shares = roles.probabilities(np.array([role.height]), np.array([role.width]))[0]
    assert OUTFIELD[int(shares.argmax())] == role
    assert shares.max() > 0.5


@given(st.floats(-60, 60), st.floats(0, 50))
def test_a_match_belongs_to_the_roles_in_parts_of_one(height: float, width: float) -> None:
    shares = roles.probabilities(np.array([height]), np.array([width]))
    assert shares.sum() == pytest.approx(1) and (shares >= 0).all()


@pytest.mark.parametrize(
    ("called", "role"),
    [
        ("six", "deep-lying midfielder"),
        ("DM", "deep-lying midfielder"),
        ("the regista", "deep-lying midfielder"),
        ("holding midfielders", "deep-lying midfielder"),
        ("Deep Lying Midfielder", "deep-lying midfielder"),
        ("8", "box-to-box midfielder"),
        ("a box to box", "box-to-box midfielder"),
        ("number ten", "attacking midfielder"),
        ("fullbacks", "full-back"),
        ("center-back", "centre-back"),
        ("wingers", "winger"),
        ("GK", "goalkeeper"),
    ],
)
def test_a_role_answers_to_what_people_call_it(called: str, role: str) -> None:
    found = roles.named(called)
    assert found is not None and found.name == role


def test_no_alias_names_two_roles() -> None:
    named = [name for role in ROLES for name in (role.name, role.plural, *role.aliases)]
    for role in ROLES:
        for name in (role.name, role.plural, *role.aliases):
            assert roles.named(name) == role, name
    assert len(named) == len(set(named))


def test_a_word_that_names_no_role_is_answered_with_near_ones() -> None:
    assert roles.named("sweeper-keeperish") is None
    assert "winger" in roles.near("wingr")
