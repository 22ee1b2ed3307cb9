"""Citations: whether a quote stands where it is said to stand, and which sentence of a source an answer rests on.

Pure functions. They do not know where a source's text comes from.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from regista.core.nouns import Citation, Hit
from regista.serve.context.analysis import terms
from regista.text.sentences import sentences

_MARKER = re.compile(r"\[(\d{1,3})\](?!\()")
_ONLY_MARKERS = re.compile(r"(?:\s*\[\d{1,3}\])+[\s.,;]*")


def verify(citation: Citation, text: str) -> bool:
    """Whether the quote stands in `text` word for word at its offsets, and is not blank."""
    start, end = citation.start, citation.end
    return 0 <= start < end <= len(text) and text[start:end] == citation.quote and bool(citation.quote.strip())


def cite(answer: str, hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """For each `[n]` in `answer`, the sentence of hit n that best supports the sentence in which it stands.

    Support is the overlap of stems, weighted by how rare each is in the hits, over the square root
    of the source sentence's own weight, so that a long sentence does not win by length. A marker
    that no hit has, or whose hit shares no word with the sentence, gets no citation. In order of the
    answer, one for each pair of sentence and marker.
    """
    sources = {n: list(_candidates(hits[n - 1])) for n in _numbers(answer) if 1 <= n <= len(hits)}
    rarity = _rarity([candidate.words for candidates in sources.values() for candidate in candidates])
    citations: list[Citation] = []
    for sentence in _marked(answer):
        words = set(terms(_MARKER.sub(" ", sentence)))
        for n in dict.fromkeys(_numbers(sentence)):
            best = max(sources.get(n, ()), key=lambda source: _support(words, source.words, rarity), default=None)
            if best is not None and _support(words, best.words, rarity) > 0:
                citations.append(best.citation(hits[n - 1].document, n))
    return tuple(citations)


class _Candidate(Struct, frozen=True):
    """A sentence of a hit; offsets are into its document."""

    start: int
    end: int
    quote: str
    words: frozenset[str]

    def citation(self, document: str, marker: int) -> Citation:
        return Citation(document, self.start, self.end, self.quote, marker)


def _candidates(hit: Hit) -> Iterator[_Candidate]:
    for start, end in sentences(hit.text):
        quote = hit.text[start:end]
        yield _Candidate(hit.start + start, hit.start + end, quote, frozenset(terms(quote)))


def _numbers(text: str) -> list[int]:
    return [int(marker[1]) for marker in _MARKER.finditer(text)]


def _marked(answer: str) -> Iterator[str]:
    """The sentences of an answer, each with its markers, also those set after its full stop."""
    held = ""
    for start, end in sentences(answer):
        sentence = answer[start:end]
        leading = _ONLY_MARKERS.match(sentence)
        if held and leading:
            held += leading[0]
            sentence = sentence[leading.end() :]
        if sentence:
            if held:
                yield held
            held = sentence
    if held:
        yield held


def _rarity(bags: Sequence[frozenset[str]]) -> dict[str, float]:
    """Inverse document frequency of each word over the sentences."""
    counts = Counter(word for bag in bags for word in bag)
    return {word: math.log(1 + len(bags) / count) for word, count in counts.items()}


def _support(claim: set[str], source: frozenset[str], rarity: dict[str, float]) -> float:
    shared = sum(rarity[word] for word in source & claim)
    return shared / math.sqrt(sum(rarity[word] for word in source)) if shared else 0.0
