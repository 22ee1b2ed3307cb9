"""What the rules of `words` and the weights of `head.json` together take a turn to say of the answer before it.

Logistic regression, trained and measured by `benchmarks/feedback/signals.py`. A rule that fires, or is excused, is a
feature as words are. Plain Python: to look up a hundred weights takes no array.
"""

import math
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from regista.feedback.features import Span, features
from regista.feedback.words import Signs, cleaned, offsets, signs

FILE = "head.json"
SCALE = 100
"""Weights are whole hundredths."""
FIELD, MASK, MIDDLE = 32, (1 << 32) - 1, 1 << 31
"""Bits of a label's sum: enough for any text that is read."""


class Scale(Struct, frozen=True):
    """Of a label: the logit without features, that from which it is told, and its line to how often that is right."""

    bias: float
    threshold: float
    slope: float
    level: float


class Head(Struct, frozen=True):
    """`weights` has for each feature the labels it speaks for or against, by place, each followed by how strongly."""

    labels: dict[str, Scale]
    weights: dict[str, list[int]]


class Read(Struct, frozen=True, gc=False):
    """A label with how often such a finding is right, and the words from `start` to `end` that told most of it."""

    label: str
    confidence: float
    start: int
    end: int


@lru_cache(maxsize=1_024)
def read(turn: str, question: str = "", answer: str = "") -> tuple[Read, ...]:
    """What a turn says of the answer before it, the surest first. `question` is that of the answer.

    >>> read("That's wrong, the final was in Paris", "Who won the cup?", "France, in Rome.")[0].label
    'wrong'
    """
    head, names = _head(), _names()
    clean, places = cleaned(turn)
    if not clean:
        return ()
    by_rule = signs(turn)
    rules = {one.label: (one.start, one.end) for one in by_rule.told}
    present = features(clean, turn, question, answer)
    found: list[Read] = []
    for at, (name, score) in enumerate(zip(names, logits([*present, *ruled(by_rule)]), strict=True)):
        scale = head.labels[name]
        if score >= scale.threshold:
            span = rules.get(name) or offsets(places, *_strongest(present, at, len(clean)))
            found.append(Read(name, round(_share(scale.slope * score + scale.level), 2), *span))
    return tuple(sorted(found, key=lambda one: -one.confidence))


def ruled(found: Signs) -> list[str]:
    """The features that say which rules fired and which were excused."""
    return [f"rule {one.label}" for one in found.told] + [f"excused {label}" for label in sorted(found.excused)]


def logits(present: Iterable[str]) -> list[float]:
    """How much the features speak for each label, in the order of the head's labels."""
    packed, even = _packed()
    total = sum([packed.get(name, 0) for name in present], even)
    sums = (_field(total, at) for at in range(len(_names())))
    return [whole / SCALE + scale.bias for whole, scale in zip(sums, _head().labels.values(), strict=True)]


def _strongest(present: dict[str, Span], label: int, length: int) -> Span:
    """The words that speak most for a label; all of them where it is what is shared that tells."""
    packed, even = _packed()
    best, strongest = 0, (0, length)
    for name, span in present.items():
        if (row := packed.get(name)) and (weight := _field(row + even, label)) > best and span[1] > span[0]:
            best, strongest = weight, span
    return strongest


def _field(packed: int, at: int) -> int:
    return ((packed >> at * FIELD) & MASK) - MIDDLE


@cache
def _packed() -> tuple[dict[str, int], int]:
    """The weights of each feature for all labels in one number, a field a label; and the middle of every field.

    To add such numbers adds all fields at once. They start in the middle, so that none goes below nothing.
    """
    packed = {
        name: sum(weight << at * FIELD for at, weight in zip(row[::2], row[1::2], strict=True))
        for name, row in _head().weights.items()
    }
    return packed, sum(MIDDLE << at * FIELD for at in range(len(_names())))


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@cache
def _head() -> Head:
    return msgspec.json.decode(files(__package__ or "").joinpath(FILE).read_bytes(), type=Head)


@cache
def _names() -> tuple[str, ...]:
    return tuple(_head().labels)
