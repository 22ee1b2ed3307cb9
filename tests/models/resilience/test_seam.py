"""Where two halves of an answer meet: nothing twice, nothing lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.resilience._world import ANSWER

from regista.models.resilience.seam import Seam, cut_back


def joined(said: str, pieces: list[str], *, words: bool) -> str:
    seam = Seam(said, words=words)
    return said + "".join([*(seam.push(piece) for piece in pieces), seam.finish()])


def pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


CUTS = st.integers(0, len(ANSWER))
SIZES = st.integers(1, 30)


@given(CUTS, SIZES)
def test_who_begins_with_the_last_word_repeats_nothing(cut: int, size: int) -> None:
    said = ANSWER[:cut]
    rest = ANSWER[len(cut_back(said)) :].lstrip()
    assert joined(said, pieces(rest, size), words=True) == ANSWER


@given(CUTS, SIZES)
def test_who_begins_again_repeats_nothing(cut: int, size: int) -> None:
    said = ANSWER[:cut]
    assert joined(said, pieces(ANSWER, size), words=True) == ANSWER


@given(CUTS, SIZES)
def test_who_goes_on_letter_by_letter_loses_nothing(cut: int, size: int) -> None:
    said = ANSWER[:cut]
    rest = ANSWER[len(said.rstrip()) :]
    assert joined(said, pieces(rest, size), words=False) == ANSWER


@given(CUTS, SIZES)
def test_a_server_that_says_what_it_was_given_again_repeats_nothing(cut: int, size: int) -> None:
    said = ANSWER[: max(cut, 20)].rstrip()
    assert joined(said, pieces(ANSWER, size), words=False) == ANSWER


@given(st.text(), st.lists(st.text()), st.booleans())
def test_any_text_comes_out_but_for_what_stood_there_already(said: str, second: list[str], words: bool) -> None:
    new, come = joined(said, second, words=words)[len(said) :], "".join(second)
    new = new if come.endswith(new) else new.removeprefix(" ")
    assert come.endswith(new)
    taken = come.removesuffix(new)
    assert said.rstrip().endswith(taken.rstrip())


@pytest.mark.parametrize(
    ("said", "second", "words", "whole"),
    [
        ("The capital of", "Paris", True, "The capital of Paris"),
        ("It is the same all", "all over", True, "It is the same all over"),
        ("first line\n", "\nsecond line", True, "first line\nsecond line"),
        ("hel", "lo there", False, "hello there"),
        ("1", "1.5", False, "11.5"),
        ("今日は天", "気がいい", True, "今日は天気がいい"),
        ("", " well", True, " well"),
        ("It is very very ", "very good", True, "It is very very good"),
        ("See https://example.org/" + "a" * 40, "bc", True, "See https://example.org/" + "a" * 40 + "bc"),
        ("The Danube.\n\n", "Danube. It is", True, "The Danube.\n\nIt is"),
        ("all", "", True, "all"),
    ],
)
def test_seams(said: str, second: str, words: bool, whole: str) -> None:
    assert joined(said, [second], words=words) == whole


def test_a_repetition_of_all_is_found_however_long_it_is() -> None:
    long = " ".join(f"word{n}" for n in range(5000))
    assert joined(long[:20_000], pieces(long, 500), words=True) == long


def test_what_cannot_be_a_repetition_leaves_at_once() -> None:
    seam = Seam("The river Regen rises in the Bav", words=True)
    assert seam.push("Bavarian") == "arian"
    assert seam.push(" Forest") == " Forest"


@pytest.mark.parametrize(
    ("said", "left"),
    [("The capital of Fra", "The capital of"), ("All done. ", "All"), ("", ""), ("Word", ""), ("x" * 60, "x" * 60)],
)
def test_the_last_word_is_taken_back(said: str, left: str) -> None:
    assert cut_back(said) == left
