"""What a word is to a search, and whether words are held by a text. Knows no index.

A word is a run of letters and digits, without case, accents or other marks; where a script puts no spaces between
words, each character is one. Nothing else counts: `e-mail` is two words in a row.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

MOST = 100_000
"""Characters of a text that are searched."""
PHRASES = 32
"""Phrases of a query that count."""
ROW = 64
"""Words of a phrase that count."""
_MARKS = (
    r"\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    r"\u06d6-\u06dc\u06df-\u06e4\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f"
)
_UNSPACED = (
    r"\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff"
)
_MARK_RUN = re.compile(f"[{_MARKS}]+")
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_MARKED_WORD = re.compile(rf"[{_UNSPACED}][{_MARKS}]*|[^\W_{_UNSPACED}](?:[^\W_{_UNSPACED}]|[{_MARKS}])*")
_ALONE = re.compile(r"[\u0080-\u058f\u1e00-\u2bff\u3000-\u30ff\u3400-\u9fff\uac00-\ud7a3\U0001f300-\U0001faff]")
"""A character that never becomes one with those beside it, but for marks that are left out."""
_ASCII = bytes(range(128))
_PART = re.compile(r'"([^"]*)"?|([^\s"]+)')

Phrases = tuple[tuple[str, ...], ...]
"""What a query asks for: words in a row, all of them."""


def words(text: str) -> list[str]:
    """The words of a text, in their order.

    >>> words("Café, 'RE\u0301SUME\u0301'; don't_go 返金")
    ['cafe', 'resume', 'don', 't', 'go', '返', '金']
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return _WORD.findall(_bare(text))


def phrases(query: str) -> Phrases:
    """What a query asks for: a phrase for what stands in quotes, and for every other piece without a space.

    >>> phrases('refund "Our policy" e-mail ?')
    (('refund',), ('our', 'policy'), ('e', 'mail'))
    """
    parts = (tuple(words(quoted or piece)[:ROW]) for quoted, piece in _PART.findall(query[:MOST]))
    return tuple(dict.fromkeys(part for part in parts if part))[:PHRASES]


def held(asked: Phrases, texts: Sequence[str]) -> bool:
    """Whether each phrase is in one of the texts."""
    cut = [text[:MOST] for text in texts]
    whole = "\n".join(cut)
    if whole.isascii():
        whole = whole.lower()
        for phrase in asked:  # most texts that are looked at one after another hold not even the letters
            for word in phrase:
                if word not in whole:
                    return False
        lowered = [text.lower() for text in cut]
        return all(any(pattern.search(text) for text in lowered) for pattern in map(_pattern, asked))
    if not _may_hold(asked, whole):
        return False
    spaced = "\n".join(f" {' '.join(words(text))} " for text in cut)
    return all(f" {' '.join(phrase)} " in spaced for phrase in asked)


def _bare(text: str) -> str:
    """A text without case, accents or other marks."""
    bare = _MARK_RUN.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare.casefold())


def _may_hold(asked: Phrases, text: str) -> bool:
    """Whether the letters of each word are in a text, as far as a twentieth of the cost of its words can tell.

    Of a word there is sought what no character beyond ASCII that the text has becomes: of `resume` in a text with an
    `é`, `r` and `sum`.
    """
    whole = text.encode("utf-8", "ignore")
    became = set[str]()
    for character in set(whole.translate(None, _ASCII).decode()):
        letters = _becomes(character)
        if letters is None:
            return True
        became.update(letters)
    lowered = whole.lower()  # of ASCII alone: any other capital becomes another letter
    for phrase in asked:
        for word in phrase:
            pieces = "".join(" " if letter in became else letter for letter in word).split()
            if not all(piece.encode() in lowered for piece in pieces):
                return False
    return True


@lru_cache(8_192)
def _becomes(character: str) -> str | None:
    """The letters of a character that is another one in words; None where what it becomes is not its business alone."""
    bare = _bare(character)
    if not bare or not _ALONE.fullmatch(character):
        return None
    return "" if bare == character else bare


def found(asked: Phrases, text: str) -> list[tuple[int, int]]:
    """Where in the text the phrases are: starts and ends, in order, none in another."""
    text = text[:MOST]
    if text.isascii():
        lowered = text.lower()
        hits = (match.span() for phrase in asked for match in _pattern(phrase).finditer(lowered))
    else:
        hits = _found_by_words(asked, text)
    apart: list[tuple[int, int]] = []
    for start, end in sorted(hits):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


@lru_cache(256)
def _pattern(phrase: tuple[str, ...]) -> re.Pattern[str]:
    """A phrase in ASCII text of small letters. What begins with letters is found quickly: the look back comes after."""
    first, *others = map(re.escape, phrase)
    row = "".join(f"[^a-z0-9]+{word}" for word in others)
    return re.compile(f"{first}(?<![a-z0-9]{first}){row}(?![a-z0-9])")


def _found_by_words(asked: Phrases, text: str) -> list[tuple[int, int]]:
    places, spans = list[str](), list[tuple[int, int]]()
    for match in _MARKED_WORD.finditer(text):
        for word in words(match[0]):
            places.append(word)
            spans.append(match.span())
    starts: dict[str, list[int]] = {}
    for at, word in enumerate(places):
        starts.setdefault(word, []).append(at)
    return [
        (spans[at][0], spans[at + len(phrase) - 1][1])
        for phrase in asked
        for at in starts.get(phrase[0], [])
        if tuple(places[at : at + len(phrase)]) == phrase
    ]


def piece(asked: Phrases, texts: Sequence[str], length: int) -> tuple[str, tuple[tuple[int, int], ...]]:
    """About `length` characters of the first text that holds any of it, and where in them the phrases are.

    What is left out at an end is an ellipsis.
    """
    for text in texts:
        if places := found(asked, text):
            break
    else:
        text, places = next((text for text in texts if text), ""), []
    first = places[0] if places else (0, 0)
    start = max(0, min(first[0] - length // 3, len(text) - length))
    if start and (space := text.find(" ", start, first[0])) >= 0:
        start = space + 1
    end = max(first[1], min(len(text), start + length))
    lead, tail = "…" * (start > 0), "…" * (end < len(text))
    shift = len(lead) - start
    return (
        f"{lead}{text[start:end]}{tail}",
        tuple((a + shift, b + shift) for a, b in places if start <= a and b <= end),
    )
