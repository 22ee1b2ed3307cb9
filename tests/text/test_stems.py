import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.text.stems import content_stems, names, stem, stems


@pytest.mark.parametrize(
    "family",
    [
        "press presses pressed pressing",
        "pass passes passed passing",
        "scan scans scanned scanning",
        "move moves moved moving",
        "carry carries carried",
        "complete completed completion completions",
        "winger wingers winger's wingers’",
        "measure measured measurement",
    ],
)
def test_the_forms_of_a_word_share_a_stem(family: str) -> None:
    assert len({stem(form) for form in family.split()}) == 1


@given(st.text())
def test_no_stem_is_empty_and_case_does_not_matter(text: str) -> None:
    assert all(stems(text))
    assert set(content_stems(text)) <= set(stems(text))


def test_a_question_in_capitals_names_nothing() -> None:
    assert names("WHAT DOES THE WINGER DO?") == []
