"""How far a text was edited, in words. It knows nothing about who edited it or why."""

import re
from collections.abc import Sequence
from itertools import islice

from msgspec import Struct

READ = 5_000
"""How many words of each text are compared: what follows counts as unchanged. So many take some 10 ms."""
_WORD = re.compile(r"\w+|[^\w\s]")


class Edit(Struct, frozen=True):
    """`distance` is the least number of words put in, left out or exchanged; `kept` the share of the first text's words
    that are left, in their order; 1 for no words at all."""

    distance: int
    kept: float


def edit(before: str, after: str) -> Edit:
    """From one text to another. Each mark that is no space counts as a word.

    >>> edit("Pass early, then move.", "Pass early and move.")
    Edit(distance=2, kept=0.6666666666666666)
    """
    ours, theirs = _words(before), _words(after)
    return Edit(distance(ours, theirs), common(ours, theirs) / len(ours) if ours else 1.0)


def _words(text: str) -> list[str]:
    return [found[0] for found in islice(_WORD.finditer(text), READ)]


def distance(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """Levenshtein's distance by the bits of Myers (1999) as Hyyrö (2003) has them: a column of the table a number."""
    if not ours:
        return len(theirs)
    places, full, last = _places(ours), (1 << len(ours)) - 1, 1 << (len(ours) - 1)
    up, down, total = full, 0, len(ours)
    for word in theirs:
        here = places.get(word, 0)
        zero = (((here & up) + up) ^ up) | here | down
        plus, minus = down | (~(zero | up) & full), zero & up
        total += bool(plus & last) - bool(minus & last)
        plus = (plus << 1 | 1) & full
        minus = minus << 1 & full
        up, down = minus | (~(zero | plus) & full), zero & plus
    return total


def common(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """The length of the longest common subsequence, by the bits of Hyyrö (2004)."""
    places, full = _places(ours), (1 << len(ours)) - 1
    column = full
    for word in theirs:
        matched = column & places.get(word, 0)
        column = ((column + matched) | (column - matched)) & full
    return len(ours) - column.bit_count()


def _places(words: Sequence[str]) -> dict[str, int]:
    """For each word a number whose bits say where it stands."""
    places: dict[str, int] = {}
    for at, word in enumerate(words):
        places[word] = places.get(word, 0) | 1 << at
    return places
