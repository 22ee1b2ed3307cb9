"""Sentence offsets: rules by example, invariants on any text."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regista.text.sentences import sentences


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He ran. She saw it.", ["He ran.", "She saw it."]),
        ("G. Wijnaldum met J. P. van Dijk. He won.", ["G. Wijnaldum met J. P. van Dijk.", "He won."]),
        ("It fell by 2.5 to .5 points. Then 3 more.", ["It fell by 2.5 to .5 points.", "Then 3 more."]),
        ("Use two, e.g. Kanté, vs. City, i.e. away.", ["Use two, e.g. Kanté, vs. City, i.e. away."]),
        ("No. 7 wore it. He said no. See fig. 3.", ["No. 7 wore it.", "He said no.", "See fig. 3."]),
        ("It was plan B. The team lost.", ["It was plan B.", "The team lost."]),
        ('He asked "Why?" and left. "Go!" She did.', ['He asked "Why?" and left.', '"Go!"', "She did."]),
        ("He waited... and waited. Etc.", ["He waited... and waited.", "Etc."]),
        ("a problem .  the results .", ["a problem .", "the results ."]),
        ("这是一句话。这是第二句！好", ["这是一句话。", "这是第二句！", "好"]),
    ],
)
def test_a_full_stop_ends_a_sentence_unless_it_belongs_to_a_word(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Roles\n## The *six*\nHe drops.", ["Roles", "The *six*", "He drops."]),
        ("- one. And more\n- two\n  goes on\n3. three", ["one.", "And more", "two\n  goes on", "three"]),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |\nAfter", ["| a | b |", "| 1 | 2 |", "After"]),
        ("> quoted, and\n> more. Two.", ["quoted, and\n> more.", "Two."]),
        ("```py\nx = 1\n\ny = 2\n```\nDone", ["x = 1", "y = 2", "Done"]),
        ("Title\n=====\nText", ["Title", "Text"]),
    ],
)
def test_the_marks_of_markdown_part_sentences_and_stay_outside(text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_a_line_wrapped_at_the_margin_goes_on() -> None:
    text = "The midfielder who drops between the\nCentre-backs starts the attack. He\nturns."
    assert split(text) == ["The midfielder who drops between the\nCentre-backs starts the attack.", "He\nturns."]


def test_a_line_left_short_before_a_capital_ends_and_so_does_one_before_a_label() -> None:
    assert split("A short line\nThis one is a good deal longer than that") == [
        "A short line",
        "This one is a good deal longer than that",
    ]
    assert split("Position: midfield, deep\nClub: Newcastle") == ["Position: midfield, deep", "Club: Newcastle"]


@given(st.text(alphabet=st.sampled_from("aB1 .!?\n#-|`>\t\"'é。\r\u2028"), max_size=80) | st.text())
@example("```\n1. a")
def test_spans_are_in_order_apart_trimmed_and_hold_every_letter(text: str) -> None:
    spans = sentences(text)
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    if "```" not in text and "~~~" not in text:
        covered = {offset for start, end in spans for offset in range(start, end)}
        assert all(offset in covered for offset, character in enumerate(text) if character.isalpha())
