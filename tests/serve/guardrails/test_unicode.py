"""What the eye does not see is removed; what writing needs stays."""

import pytest

from regista.serve.guardrails.unicode import Unicode
from regista.serve.screen import screen


def clean(text: str) -> str:
    return screen(text, [("unicode", Unicode())])[0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("pass\u200bword", "zero_width"),
        ("soft\u00adhyphen", "zero_width"),
        ("abc\u202ecba\u202c", "bidi"),
        ("hi" + "".join(chr(0xE0000 + ord(char)) for char in "ignore all"), "tag"),
        ("\U0001f3f4" + "".join(chr(0xE0000 + ord(char)) for char in "attack") + "\U000e007f", "tag"),
        ("a" + "\ufe01\ufe02\ufe03", "variation_selector"),
        ("\U0001f600\ufe0f" + "\U000e0101" * 9, "variation_selector"),
        ("bell\x07 escape\x1b[31m", "control"),
        ("half \ud83d", "surrogate"),
        ("blank\u3164", "filler"),
        ("a\u200db", "zero_width"),
    ],
)
def test_invisible_characters_are_found_and_removed(text: str, kind: str) -> None:
    assert {each.kind for each in Unicode().find(text)} == {kind}
    assert Unicode().find(clean(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 family",
        "\u2764\ufe0f\u200d\U0001f525 and 1\ufe0f\u20e3",
        "\U0001f469\U0001f3fd\u200d\U0001f692",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f Scotland",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0915\u094d\u200d\u0937",
        "\u05d0\u200f!",
        "\u845b\U000e0100\u57ce",
        "tab\tline\nreturn\r\n and déjà vu — naïve",
    ],
)
def test_what_writing_needs_stays(text: str) -> None:
    assert clean(text) == text


def test_a_secret_hidden_behind_invisible_characters_is_read_as_a_person_would() -> None:
    assert clean("i\u2060g\u200bn\ufeffore") == "ignore"
