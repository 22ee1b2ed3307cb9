"""Scripts told by letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.text.scripts import RANGES, script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Where is my parcel?", "latin"),
        ("Où est mon colis ?", "latin"),
        ("Где моя посылка?", "cyrillic"),
        ("Πού είναι το δέμα μου;", "greek"),
        ("أين طردي؟", "arabic"),
        ("איפה החבילה שלי?", "hebrew"),
        ("मेरा पार्सल कहाँ है?", "devanagari"),
        ("พัสดุของฉันอยู่ไหน", "thai"),
        ("我的包裹在哪里?", "han"),
        ("荷物はどこですか", "kana"),
        ("내 소포는 어디에 있나요?", "hangul"),
        ("iPhone 15 где?", "latin"),
        ("4-3-3 (!)", ""),
        ("", ""),
    ],
)
def test_a_text_is_of_the_script_most_of_its_letters_are_of(text: str, script: str) -> None:
    assert script_of(text) == script


@given(st.text(max_size=60))
def test_any_text_has_a_known_script_or_none(text: str) -> None:
    assert script_of(text) in (*RANGES, "")
