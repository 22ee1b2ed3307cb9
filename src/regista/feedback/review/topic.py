"""How new a question is beside those that were reviewed: by rare words, or by vectors where there is an embedder.

Of words there is 1 − the greatest weighted Jaccard likeness, Σ over shared words of w / Σ over all words of w (Ioffe
2010), with w = ln(1 + n / how many of the n questions have the word) (Spärck Jones 1972); words are cut to stems. Of
vectors it is 1 − the greatest cosine. A topic is bytes: hashes of words, from which nobody reads them, or a vector in
whole numbers from -127 to 127.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from regista.text.stems import STOP, stem
from regista.text.words import words

WORDS, VECTOR = b"w", b"v"
MOST = 200
"""Different words of a question that count."""
_SCALE = 127


def of_words(question: str) -> bytes:
    """The topic of a question by its words; those that carry no question of their own are left out."""
    read = words(question)
    kept = dict.fromkeys(stem(word) for word in read if word not in STOP) or dict.fromkeys(read)
    hashes = sorted({int.from_bytes(blake2b(word.encode(), digest_size=4).digest(), "little") for word in kept})
    return WORDS + array("I", hashes[:MOST]).tobytes()


def of_vector(vector: Iterable[float]) -> bytes:
    """The topic of a question by its vector, of length 1."""
    return VECTOR + array("b", [max(-_SCALE, min(_SCALE, round(part * _SCALE))) for part in vector]).tobytes()


def novelty(topics: Sequence[bytes], reviewed: Sequence[bytes], among: Sequence[bytes] = ()) -> list[float]:
    """How new each topic is beside those reviewed: 1 where nothing is alike, 0 for what was reviewed itself.

    Words are rare or not among all that is given, `among` too. Topics of the other kind say nothing.

    >>> a, b, c = map(of_words, ("Where is my parcel?", "where is my PARCEL", "How is tea made?"))
    >>> novelty([a, c], [b])
    [0.0, 1.0]
    """
    by_words = _by_words(topics, [one for one in reviewed if one[:1] == WORDS], among)
    by_vector = _by_vectors(topics, [one for one in reviewed if one[:1] == VECTOR])
    return [
        vector if topic[:1] == VECTOR else word for topic, word, vector in zip(topics, by_words, by_vector, strict=True)
    ]


def _by_words(topics: Sequence[bytes], reviewed: Sequence[bytes], among: Sequence[bytes]) -> list[float]:
    ours, theirs = [_hashes(one) for one in topics], [_hashes(one) for one in reviewed]
    everything = [*ours, *theirs, *(_hashes(one) for one in among)]
    counts = Counter(word for one in everything for word in one)
    weight = {word: math.log1p(len(everything) / count) for word, count in counts.items()}
    sums = [sum(weight[word] for word in one) for one in theirs]
    found: list[float] = []
    for one in ours:
        own = sum(weight[word] for word in one)
        most = 0.0
        for other, total in zip(theirs, sums, strict=True):
            if shared := one & other:
                common = sum(weight[word] for word in shared)
                most = max(most, common / (own + total - common))
        found.append(max(0.0, min(1.0, 1 - most)))
    return found


def _by_vectors(topics: Sequence[bytes], reviewed: Sequence[bytes]) -> list[float]:
    found = [1.0] * len(topics)
    lengths = {len(one) for one in topics if one[:1] == VECTOR}
    if not reviewed or not lengths:
        return found
    import numpy as np  # noqa: PLC0415 - who has an embedder has it

    for length in lengths:
        ours = [at for at, one in enumerate(topics) if one[:1] == VECTOR and len(one) == length]
        theirs = [one for one in reviewed if len(one) == length]
        if theirs:
            one, other = (_unit(np, some) for some in ([topics[at] for at in ours], theirs))
            alike = (one @ other.T).max(axis=1)
            for at, likeness in zip(ours, alike.tolist(), strict=True):
                found[at] = max(0.0, min(1.0, 1 - likeness))
    return found


def _unit(np: Any, topics: Sequence[bytes]) -> Any:
    """Vectors of length 1, a row each; one of nothing stays so."""
    rows = np.array([np.frombuffer(one, np.int8, offset=1) for one in topics], np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _hashes(topic: bytes) -> frozenset[int]:
    return frozenset(array("I", topic[1:])) if topic[:1] == WORDS else frozenset()
