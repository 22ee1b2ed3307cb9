import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regista.text.words import PHRASES, found, held, phrases, piece, words

texts = st.text(st.sampled_from("abAB é\u0301ß-_\"'?.\0返金ไท한ﬁ½İ\ud800"), max_size=20) | st.text(max_size=20)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("refund", "Your REFUND."),
        ("refund policy", "A policy, then a refund"),
        ('"refund policy"', "our (refund) policy"),
        ("cafe", "Café"),
        ("CAFE\u0301", "cafe"),
        ("straße", "STRASSE"),
        ("e-mail", "by e mail"),
        ("返金", "全額返金します"),
        ("한국", "한국 사람"),
        ("don't", "I don’t know"),
        ('"unfinished business', "unfinished business"),
        ("ﬁle", "file"),
    ],
)
def test_what_reads_the_same_is_held(asked: str, text: str) -> None:
    assert held(phrases(asked), ("", text))
    assert found(phrases(asked), text)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("refund", "refunds"),
        ('"refund policy"', "refund our policy"),
        ("返金", "金を返す"),
        ("one two", "one"),
        ('"end begin"', "the end"),
    ],
)
def test_what_does_not_is_not(asked: str, text: str) -> None:
    assert not held(phrases(asked), (text, "begin"))


@pytest.mark.parametrize("odd", ["", " ", '"', '""', "-", "*", "\0", "\ud800", "&|!():^"])
def test_a_query_without_words_asks_for_nothing(odd: str) -> None:
    assert phrases(odd) == ()


def test_a_query_of_a_thousand_words_is_cut() -> None:
    assert len(phrases(" ".join(f"w{n}" for n in range(1_000)))) == PHRASES


@given(texts)
def test_a_text_holds_its_own_words_and_they_are_words_again(text: str) -> None:
    own = words(text)
    assert words(" ".join(own)) == own
    assert all(word and (not word.isascii() or word.isalnum()) for word in own)
    if own:
        assert held((tuple(own),), (text,))


@given(texts, texts, texts)
def test_a_piece_is_of_its_text_and_its_marks_hold_what_was_asked(asked: str, before: str, after: str) -> None:
    sought, text = phrases(asked), f"{before} {asked} {after}"
    shown, marks = piece(sought, ("", text), 12)
    assert shown.strip("…") in text
    for start, end in marks:
        assert set(words(shown[start:end])) & {word for phrase in sought for word in phrase}
    assert list(marks) == sorted(marks)


def by_the_words(asked: str, said: list[str]) -> bool:
    spaced = [f" {' '.join(words(text))} " for text in said]
    return all(any(f" {' '.join(phrase)} " in text for text in spaced) for phrase in phrases(asked))


beyond = st.text(
    st.sampled_from("aAbkrsı é\u0301ÀßſKfﬁ½…—’\u00ad\u200d😀İΣςйЙ返か\u3099한\u1112\u1161\u0915\u093f.-"), max_size=6
)


@given(st.lists(beyond, min_size=1, max_size=3), beyond, beyond, st.booleans())
@example(["-"], "\u1112\u1161\u11ab", "", True)
def test_what_is_held_is_what_the_words_of_a_text_say(said: list[str], asked: str, before: str, within: bool) -> None:
    text = f"{before}{asked}{said[0]}" if within else before
    quoted = f'"{asked}"'
    for query in (asked, quoted, f"{asked} {before}"):
        assert held(phrases(query), [text, *said]) == by_the_words(query, [text, *said])


def test_any_character_is_held_as_the_words_have_it() -> None:
    changed = [c for c in map(chr, range(0x80, 0x30000)) if unicodedata.normalize("NFKD", c).casefold() != c]
    for character in (*changed[:5_000], *changed[5_000::50], *map(chr, range(0x80, 0x30000, 200))):
        text = f"a{character}b {character}\u0301 {character.upper()}"
        for query in (character, f"a{character}b", "ab", words(text)[-1]):
            assert held(phrases(query), [text, "—"]) == by_the_words(query, [text, "—"]), (query, text)


def test_a_piece_shows_the_first_place_with_what_is_around_it() -> None:
    text = f"{'before ' * 50}the refund Policy is here{' after' * 50}"
    shown, marks = piece(phrases('"refund policy"'), ("nothing", text), 60)
    assert shown.startswith("…") and shown.endswith("…") and len(shown) <= 62
    assert [shown[start:end] for start, end in marks] == ["refund Policy"]
