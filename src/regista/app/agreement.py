"""Whether two answers to one question say the same, for the sample of the semantic cache. Rules and vectors, no model.

Measured by `benchmarks/cache/answers.py`. Where it errs it says that they differ: then a threshold is higher than it
need be, and not lower.
"""

import asyncio
import re
from collections.abc import Iterator

from regista.core.nouns import Response
from regista.evaluate.claims.reading import read
from regista.evaluate.claims.sources import read_sources
from regista.evaluate.claims.statement import Statement
from regista.evaluate.claims.support import Finding, check
from regista.models.embeddings import Embed
from regista.text.sentences import sentences

NEAR = 0.93
"""The least cosine of two answers, each behind its question: below it they are taken to differ."""
READ = 4_000
"""Characters of an answer that are compared."""
_MARKER = re.compile(r"[ \t]*\[\d{1,3}\](?!\()")


class AnswerAgreement:
    """Compares answers by their numbers, their claims and their vectors."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    async def __call__(self, question: str, fresh: Response, kept: Response) -> bool:
        """Whether who asks the question is as well served by one answer as by the other."""
        one, other = _text(fresh), _text(kept)
        if one.casefold().split() == other.casefold().split():
            return True
        if not await asyncio.to_thread(_compatible, one, other):
            return False
        vectors = await self._embed([f"{question} {one}", f"{question} {other}"])
        return float(vectors[0] @ vectors[1]) >= NEAR


def _text(response: Response) -> str:
    return _MARKER.sub("", response.text[:READ])


def _compatible(one: str, other: str) -> bool:
    """Whether the numbers of one are all in the other, and neither denies what the other says."""
    fewer, more = sorted((_numbers(one), _numbers(other)), key=len)
    if not fewer <= more:
        return False
    sides = [_claims(one, other), _claims(other, one)]
    borne = any(all(finding.supported for finding in side) for side in sides)
    return borne or not any(finding.denied for side in sides for finding in side)


def _numbers(text: str) -> set[str]:
    return {number.value for start, end in sentences(text) for number in Statement(read(text[start:end])).numbers}


def _claims(text: str, source: str) -> list[Finding]:
    """Each sentence of a text laid beside the other text."""
    sources = read_sources([], [], [source])
    return [check(sentence, sources) for sentence in _sentences(text)]


def _sentences(text: str) -> Iterator[str]:
    return (text[start:end] for start, end in sentences(text))
