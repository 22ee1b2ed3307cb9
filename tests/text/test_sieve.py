import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regista.text.sieve import Sieve, loosened

PATTERNS = (
    r"^how (do|can) i",
    r"(this|last) \w+day(?! of (the|a) week)",
    r"\d{3,}|[\w.+-]+@[\w-]+\.\w+",
    r"yet[.?!]*$",
    r"now(?!\()",
    r"(far|away) from there|été",
)
EXACT = [re.compile(rf"(?<!\w)(?:{pattern})(?!\w)") for pattern in PATTERNS]
WORDS = "how can i last this sunday of week yet now ( ) . ? ! é été 123 ٣٤٥ a@b.cd à@ß.ée ½ _ ſ 𝟙𝟚𝟛"
PIECES = [" ", *WORDS.split()]
LINES = st.text(st.characters(exclude_characters="\n"), max_size=3)
SIEVE = Sieve(PATTERNS)


@given(st.lists(st.sampled_from(PIECES) | LINES).map("".join) | st.lists(st.sampled_from(PIECES)).map(" ".join))
@example("lone \ud800 now")
@example("last été day, last étéday yet")
@example("٣٤٥")
def test_what_a_pattern_is_found_in_the_sieve_lets_through(text: str) -> None:
    found = {place for place, pattern in enumerate(EXACT) if pattern.search(text)}
    assert found <= set(SIEVE.may_hold(text))


def test_it_holds_back_what_is_not_there() -> None:
    assert SIEVE.may_hold("snow fell on the yeti for 12 days") == []
    assert SIEVE.may_hold("how can i get it now") == [0, 4]


@pytest.mark.parametrize("pattern", [r"\Wa", r"[^\w]a", r"(?P<one>a)", r"(a)\1", r"a\b"])
def test_a_pattern_that_re2_would_read_otherwise_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="not the same in RE2"):
        loosened(pattern)


def test_a_pattern_that_re2_cannot_read_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot read"):
        Sieve(["(a"])
