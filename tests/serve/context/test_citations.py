"""Citations: verified to the letter, and found for the markers of an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.nouns import Citation, Hit
from regista.serve.context.citations import cite, verify

SIX = "## The six\n\nHe drops between the centre-backs. He scans before he receives. He seldom shoots."
EIGHT = "## The eight\n\nShe arrives late in the box. She presses after 2.5 seconds."
HITS = [Hit("six.md", 100, 100 + len(SIX), SIX, 1.0), Hit("eight.md", 7, 7 + len(EIGHT), EIGHT, 0.5)]


def quotes(answer: str) -> list[tuple[int, str]]:
    return [(citation.marker, citation.quote) for citation in cite(answer, HITS)]


@given(st.text(max_size=20), st.integers(-5, 25), st.integers(-5, 25), st.text(max_size=5))
def test_a_citation_holds_only_where_its_quote_stands(text: str, start: int, end: int, quote: str) -> None:
    assert not verify(Citation("d", start, end, quote), text) or (quote.strip() and text[start:].startswith(quote))
    if 0 <= start < end <= len(text) and text[start:end].strip():
        assert verify(Citation("d", start, end, text[start:end]), text)
        assert not verify(Citation("d", start, end, text[start:end] + "x"), text)


def test_a_marker_cites_the_sentence_that_supports_its_own() -> None:
    answer = "The six scans before receiving [1]. An eight arrives in the box late [2], pressing for 2.5 seconds [2]."
    assert quotes(answer)[0] == (1, "He scans before he receives.")
    assert [marker for marker, _ in quotes(answer)] == [1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        "He drops between centre-backs. [1] He shoots seldom. [1]",
        "He drops between centre-backs.[1] He shoots seldom.[1]",
    ],
)
def test_a_marker_after_the_full_stop_belongs_to_the_sentence_before(answer: str) -> None:
    assert quotes(answer) == [(1, "He drops between the centre-backs."), (1, "He seldom shoots.")]


@pytest.mark.parametrize(
    "answer", ["He drops [3].", "He drops [0].", "Bananas are yellow [1].", "[1]", "He drops.", "See [1](x)."]
)
def test_a_marker_without_source_or_support_cites_nothing(answer: str) -> None:
    assert quotes(answer) == []


@given(st.text(alphabet="[]12 heapsdrov.\n"))
def test_every_citation_is_a_slice_of_its_hit(answer: str) -> None:
    for citation in cite(answer, HITS):
        hit = HITS[citation.marker - 1]
        padded = " " * hit.start + hit.text
        assert citation.document == hit.document and verify(citation, padded)
