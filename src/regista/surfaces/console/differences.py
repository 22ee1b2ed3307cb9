"""In which words two texts differ. Knows no page."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from msgspec import Struct

WORDS = 3_000
"""Words compared of each, from the first to the last that differ; what comes after them is taken for different."""
_WORD = re.compile(r"\s*\S+(?:\s+\Z)?|\s+")


class Piece(Struct, frozen=True):
    """Some words of one text, and whether the other has them in their place."""

    text: str
    same: bool


class Compared(Struct, frozen=True):
    """Two texts in pieces; `alike` is the share of their words that both have, 1 where they are the same.

    It is at least that share where `cut` says that not all words were compared.
    """

    old: list[Piece]
    new: list[Piece]
    alike: float
    cut: bool = False


def compared(old: str, new: str) -> Compared:
    """Two texts by their words (Ratcliff & Metzener 1988, as `difflib` has it).

    >>> compared("a b c", "a x c").new
    [Piece(text='a', same=True), Piece(text=' x', same=False), Piece(text=' c', same=True)]
    """
    olds, news = _WORD.findall(old), _WORD.findall(new)
    before, after = [word.strip() for word in olds], [word.strip() for word in news]
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    ends = len(olds) - tail, len(news) - tail
    until = [min(head + WORDS, end) for end in ends]
    left, right = list[Piece](), list[Piece]()
    _add(left, olds[:head], same=True)
    _add(right, news[:head], same=True)
    same = 2 * (head + tail)
    for kind, i, j, k, m in SequenceMatcher(None, before[head : until[0]], after[head : until[1]]).get_opcodes():
        _add(left, olds[head + i : head + j], kind == "equal")
        _add(right, news[head + k : head + m], kind == "equal")
        same += 2 * (j - i) if kind == "equal" else 0
    for pieces, words, begin, end in ((left, olds, until[0], ends[0]), (right, news, until[1], ends[1])):
        _add(pieces, words[begin:end], same=False)
        _add(pieces, words[end:], same=True)
    count = len(olds) + len(news)
    return Compared(left, right, same / count if old.strip() or new.strip() else 1.0, (*until,) != ends)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two texts begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _add(pieces: list[Piece], words: list[str], same: bool) -> None:
    if words:
        pieces.append(Piece("".join(words), same))
