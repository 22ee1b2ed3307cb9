"""What is let through holds every pattern that is there."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.text.atoms import Atoms

PATTERNS = ["ab+c", "a(?!b)c", r"\w+ing", "(^|b)a$", "x|y"]


@given(st.text(st.sampled_from("abcxying \ud800é"), max_size=20))
def test_no_pattern_that_is_there_is_held_back(text: str) -> None:
    may = Atoms(PATTERNS).may_hold(text)
    assert may == sorted(may)
    assert {at for at, pattern in enumerate(PATTERNS) if re.search(pattern, text)} <= set(may)


def test_a_text_without_the_letters_of_a_pattern_is_held_back() -> None:
    assert Atoms(["useless", "pointless"]).may_hold("a pointless day") == [1]


def test_no_patterns_hold_nothing() -> None:
    assert Atoms([]).may_hold("a") == []


def test_a_pattern_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="RE2"):
        Atoms(["(unclosed"])
