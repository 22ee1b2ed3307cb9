"""Reading: which sentences of the retrieved passages answer a question, and whether any do.

Pure functions over text. They generate nothing and obey nothing: a passage is only ever scored and
quoted. They do not know who retrieved it, and they take sentence similarities as numbers, not as a
model. `benchmarks/reader/calibrate.py` measures the thresholds of `Rule`.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from regista.core.nouns import Hit
from regista.text.sentences import sentences
from regista.text.stems import STOP, content_stems, names, stems

CONTEXT_WEIGHT = 0.5
"""What a question's word counts for a sentence when it stands only in the title or heading above it."""
SIMILARITY_WEIGHT = 1.5
"""What cosine similarity counts beside the lexical score, which is a share of the question's weight."""
SUBJECT_BONUS = 0.15
"""Added to a sentence of the one document whose title the question names."""
COMPARISON_BONUS = 0.3
"""Added to a sentence that sets the two subjects of a question side by side."""
LEANING_PENALTY = 0.05
"""Taken from a sentence that opens with a pronoun, which a reader could not place without the one before."""
REDUNDANCY_WEIGHT = 0.2
"""What a sentence loses for repeating one already chosen (maximal marginal relevance, Carbonell & Goldstein 1998)."""
KEEP = 0.75
"""A further sentence is quoted only if it scores at least this share of the best one."""

_LEANING = frozenset({"he", "she", "it", "they", "this", "these", "those", "such", "his", "her", "its", "their"})
_HEADING_MARK = re.compile(r"[ \t]{0,3}#{1,6}[ \t]+")
_PROSE = re.compile(r"(?!\|)\S.*[.!][\"'”’»)*_]*", re.DOTALL)


@dataclass(frozen=True)
class Sentence:
    """A sentence of a hit. `hit` is the hit's index; offsets are the document's, so `text` is its [start:end].

    `context` are the words of the title and the headings above it.
    `prose` is false for headings, questions, table rows and list items that are no statement.
    """

    hit: int
    document: str
    start: int
    end: int
    text: str
    stems: frozenset[str]
    title: frozenset[str]
    context: frozenset[str]
    prose: bool
    leaning: bool


@dataclass(frozen=True)
class Support:
    """What speaks for an answer.

    `coverage` is the share (0 to 1) of the question's weight that one chosen sentence holds with the
    title and heading above it; a word that no passage holds weighs most. `similarity` is the highest
    cosine of a sentence to the question, None where nothing was embedded. `unknown` are the names
    and numbers of the question that stand in no passage.
    """

    coverage: float
    similarity: float | None
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """When to answer: `coverage` alone is enough, or, with embeddings, coverage + 2 × similarity is.

    An unknown name or number always ends in no answer: a passage that never names Klopp cannot say
    what Klopp said, however near it comes.
    """

    coverage: float = 0.55
    combined: float = 1.62

    def answers(self, support: Support) -> bool:
        if support.unknown:
            return False
        if support.similarity is None:
            return support.coverage >= self.coverage
        return support.coverage + 2 * support.similarity >= self.combined


@dataclass(frozen=True)
class Reading:
    """A question laid over its passages: candidate sentences, best first by words alone, with their scores."""

    weights: dict[str, float]
    candidates: tuple[Sentence, ...]
    scores: tuple[float, ...]
    unknown: tuple[str, ...]


def split(hits: Sequence[Hit]) -> list[Sentence]:
    """The sentences of all hits, each span of a document once, however many hits overlap there.

    A Markdown heading inside a hit counts for the sentences below it, as the hit's own does.
    """
    seen: set[tuple[str, int, int]] = set()
    found: list[Sentence] = []
    for index, hit in enumerate(hits):
        title = frozenset(stems(hit.title or hit.document))
        above = title | frozenset(stems(hit.heading))
        section = hit.heading
        for start, end in sentences(hit.text):
            text = hit.text[start:end]
            is_heading = _HEADING_MARK.fullmatch(hit.text, hit.text.rfind("\n", 0, start) + 1, start) is not None
            section = text if is_heading else section
            place = (hit.document, hit.start + start, hit.start + end)
            if place in seen:
                continue
            seen.add(place)
            words = stems(text)
            prose = not is_heading and len(words) > 2 and _PROSE.fullmatch(text) is not None
            context = above | frozenset(stems(section))
            leaning = bool(words) and words[0] in _LEANING
            found.append(Sentence(index, *place, text, frozenset(words), title, context, prose, leaning))
    return found


def read(question: str, hits: Sequence[Hit]) -> Reading:
    """Score every sentence of `hits` by the words it shares with `question`.

    A shared word weighs by its rarity among the sentences (BM25's inverse document frequency). Items
    that are no prose are candidates only where no prose shares a word with the question.
    """
    everything = split(hits)
    weights = _weights(content_stems(question), everything)
    subjects = _subjects(question, everything)
    scored = [(_lexical(s, weights) + _bonus(s, subjects), s) for s in everything]
    prose = [pair for pair in scored if pair[1].prose]
    if any(sentence.stems & weights.keys() for _, sentence in prose):
        scored = prose
    scored.sort(key=lambda pair: -pair[0])
    known = frozenset(chain.from_iterable(s.stems | s.context for s in everything))
    return Reading(
        weights,
        tuple(sentence for _, sentence in scored),
        tuple(score for score, _ in scored),
        tuple(name for name in names(question) if not known.issuperset(stems(name))),
    )


def choose(
    reading: Reading, similarities: Sequence[float] | None = None, *, limit: int = 5
) -> tuple[list[Sentence], Support]:
    """The at most `limit` sentences that answer best, in reading order, and what speaks for them.

    `similarities` are cosines between the question and the first candidates, in their order; only
    those candidates can then be chosen.
    """
    pool = list(zip(reading.candidates, reading.scores, strict=True))
    if similarities is not None:
        near = [SIMILARITY_WEIGHT * cosine for cosine in similarities]
        pool = [(s, score + extra) for (s, score), extra in zip(pool, near, strict=False)]
    picked = _diverse(pool, limit)
    support = Support(_coverage(reading.weights, picked), max(similarities or (), default=None), reading.unknown)
    return _ordered(picked), support


def _weights(words: Collection[str], found: Sequence[Sentence]) -> dict[str, float]:
    counts = Counter(chain.from_iterable(sentence.stems | sentence.context for sentence in found))
    total = len(found)
    return {word: math.log(1 + (total - counts[word] + 0.5) / (counts[word] + 0.5)) for word in words}


def _lexical(sentence: Sentence, weights: dict[str, float]) -> float:
    whole = sum(weights.values())
    inside = sum(weight for word, weight in weights.items() if word in sentence.stems)
    above = sum(weight for word, weight in weights.items() if word in sentence.context - sentence.stems)
    return (inside + CONTEXT_WEIGHT * above) / whole - LEANING_PENALTY * sentence.leaning if whole else 0.0


def _subjects(question: str, found: Sequence[Sentence]) -> list[frozenset[str]]:
    """The titles of hit documents that the question names whole, in the order it names them."""
    asked = stems(question)
    titles = {sentence.title for sentence in found if sentence.title and sentence.title.issubset(asked)}
    own = {title: title.difference(STOP, *(titles - {title})) for title in titles}
    named = [title for title in titles if own[title]]
    return sorted(named, key=lambda title: min(asked.index(word) for word in own[title]))


def _bonus(sentence: Sentence, subjects: Sequence[frozenset[str]]) -> float:
    """For a question with one subject: to its document. With more: to what sets the first beside another.

    A sentence that names both counts twice what a heading above it that names both does. Where it
    opens with the first subject it counts most, for it tells the difference from the side asked about.
    """
    if len(subjects) < 2:
        return SUBJECT_BONUS if sentence.title in subjects else 0.0
    first, *others = subjects
    pairs = [first | other for other in others]
    in_text = any(sentence.stems.issuperset(pair) for pair in pairs)
    in_heading = any(sentence.context.issuperset(pair) for pair in pairs)
    opens = first.issubset(stems(sentence.text)[: len(first) + 3])
    return COMPARISON_BONUS * (in_text + in_heading / 2) * (1.0 if opens else 0.6)


def _diverse(pool: list[tuple[Sentence, float]], limit: int) -> list[Sentence]:
    picked: list[Sentence] = []
    best = max((score for _, score in pool), default=0.0)
    pool = [(sentence, score) for sentence, score in pool if score > 0 and score >= KEEP * best]
    while pool and len(picked) < limit:
        sentence, _ = max(pool, key=lambda pair: pair[1] - REDUNDANCY_WEIGHT * _overlap(pair[0], picked))
        picked.append(sentence)
        pool = [pair for pair in pool if pair[0] is not sentence]
    return picked


def _overlap(sentence: Sentence, picked: Iterable[Sentence]) -> float:
    """The largest Jaccard index between a sentence's stems and those of one already chosen."""
    return max(
        (len(sentence.stems & other.stems) / len(sentence.stems | other.stems or {""}) for other in picked), default=0.0
    )


def _coverage(weights: dict[str, float], picked: Sequence[Sentence]) -> float:
    whole = sum(weights.values())
    held = [sum(w for word, w in weights.items() if word in s.stems | s.context) for s in picked]
    return max(held, default=0.0) / whole if whole else 0.0


def _ordered(picked: Sequence[Sentence]) -> list[Sentence]:
    """Grouped by document, the document of the best sentence first; inside one, in the order it is written."""
    documents = list(dict.fromkeys(sentence.document for sentence in picked))
    return sorted(picked, key=lambda sentence: (documents.index(sentence.document), sentence.start))
