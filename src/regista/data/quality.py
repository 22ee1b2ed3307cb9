"""What is known of a dataset's examples: which of them say the same, how old they are, and what they are made of.

It knows no store and no file.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from regista.data.dataset import Example, same
from regista.text.words import words

NEAR = 0.8
"""The share of their threes of letters, of all that either has, that near duplicates have in common (Jaccard)."""
READ = 1_000
"""Examples that are compared with each other: the first."""
COMPARED = 1_000
"""Characters of a question that are compared: the first."""
BANDS = ((0, 80), (80, 400), (400, 2_000), (2_000, 0))
"""Lengths of questions, in characters: from, and until before; 0 for no end."""
_DAY_NS = 86_400 * 10**9


class Quality(Struct, frozen=True):
    """The figures of one version; `exact` and `near` are how many of the first `read` say what one before them says.

    `counts` are examples by model, status, variant and length, each by its value; `referenced` those with a reference.
    """

    examples: int
    read: int
    exact: int
    near: int
    referenced: int
    started_ns: Sequence[int]
    counts: Mapping[str, Mapping[str, int]]

    def older(self, now_ns: int, days: int) -> int:
        """How many are of traces that began so many days ago, or before."""
        return bisect_left(self.started_ns, now_ns - days * _DAY_NS)


def quality(examples: Iterable[Example]) -> Quality:
    """The figures of some examples. CPU: a third of a second where questions are short, a second at most."""
    counts = {name: Counter[str]() for name in ("model", "status", "variant", "length")}
    started: list[int] = []
    referenced = 0
    first: list[str] = []
    for one in examples:
        for name in ("model", "status", "variant"):
            counts[name][getattr(one, name)] += 1
        counts["length"][band(len(one.input))] += 1
        started.append(one.started_ns)
        referenced += bool(one.reference)
        if len(first) < READ:
            first.append(one.input)
    distinct = list(dict.fromkeys(map(same, first)))
    near = len(distinct) - len(_unlike(distinct))
    return Quality(len(started), len(first), len(first) - len(distinct), near, referenced, sorted(started), counts)


def band(length: int) -> str:
    """The band of a question of so many characters.

    >>> band(12), band(80), band(5_000)
    ('0-80', '80-400', '2000-')
    """
    low, high = next((low, high) for low, high in reversed(BANDS) if length >= low)
    return f"{low}-{high or ''}"


def _unlike(texts: Sequence[str]) -> list[int]:
    """The threes, as bits, of those of some texts that are not nearly the same as one of these before them."""
    places: dict[str, int] = {}
    kept: list[tuple[int, int]] = []
    for text in texts:
        own = 0
        for gram in _grams(text):
            own |= 1 << places.setdefault(gram, len(places))
        size = own.bit_count()
        if not any(_alike(own, size, *other) for other in kept):
            kept.append((own, size))
    return [own for own, _ in kept]


def _alike(one: int, size: int, other: int, others: int) -> bool:
    if size < NEAR * others or others < NEAR * size:
        return False
    common = (one & other).bit_count()
    return common >= NEAR * (size + others - common)


def _grams(text: str) -> set[str]:
    """Threes of letters and digits of a text's beginning, a space between words."""
    plain = f" {' '.join(words(text[:COMPARED]))} "
    return {plain[at : at + 3] for at in range(len(plain) - 2)} or {plain}
