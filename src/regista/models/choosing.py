"""Several answers to one request, of which one is given: by majority, by a verifier, or by length.

Majority over final answers is self-consistency: Wang and others, https://arxiv.org/abs/2203.11171; best of n by a
verifier: Cobbe and others, https://arxiv.org/abs/2110.14168. All answers are paid for; a stream comes in one piece.
"""

import asyncio
import math
import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from regista.core.errors import RegistaError, RequestError
from regista.core.nouns import Delta, Message, Request, Usage
from regista.models.answers import Answer, collected
from regista.models.final_answers import final
from regista.models.providers import Provider
from regista.models.resilience.turns import because, note

VERIFY = """Judge an answer to a question.

<question>
{question}
</question>

<answer>
{answer}
</answer>

How likely is it that the answer is right and does what was asked? Think about it in at most three sentences. Then write
a last line with one whole number from 0 (surely wrong) to 100 (surely right) and nothing else."""
_SCORE = re.compile(r"(?<![\d.])(100|\d{1,2})(?!\d|\.\d)\D*\Z")


CUT_OFF = ("length", "content_filter")
"""Ends of answers that may lack what they were to come to: chosen only where there are no others."""


class Chosen(NamedTuple):
    """The place of the answer that is given, and why; with what choosing it has used."""

    place: int
    why: str
    used: Usage = Usage()


class Choice(Protocol):
    """How one of several answers is chosen."""

    async def __call__(self, request: Request, answers: Sequence[Answer]) -> Chosen:
        """Choose among one or more answers."""
        ...


@dataclass
class Samples:
    """Asks `provider` `count` times at once, and gives one of the answers.

    Those that fail are left out, and those that were cut off; if all fail, the first one's error holds.
    """

    provider: Provider
    count: int
    choice: Choice

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        if request.rest.get("n") not in (None, 1):
            raise RequestError("This model gives the best of several answers: leave out 'n'.", param="n")
        tasks = [asyncio.create_task(self._one(request, place)) for place in range(self.count)]
        try:
            await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        answers = [task.result() for task in tasks if not isinstance(task.exception(), RegistaError)]
        if not answers:
            raise next(error for task in tasks if (error := task.exception()) is not None)
        whole = [answer for answer in answers if answer.finish not in CUT_OFF] or answers
        chosen = await self.choice(request, whole)
        failed = f"; {self.count - len(answers)} failed" if len(answers) < self.count else ""
        cut = f"; {len(answers) - len(whole)} were cut off" if len(whole) < len(answers) else ""
        note(request, f"answer {chosen.place + 1} of {len(whole)} is given: {chosen.why}{failed}{cut}")
        for delta in whole[chosen.place].using(sum((one.usage or Usage() for one in answers), chosen.used)):
            yield delta

    async def _one(self, request: Request, place: int) -> Answer:
        """One of the answers. A seed would make them all alike, so each has its own."""
        seed: object = request.rest.get("seed")
        rest = {**request.rest, "seed": seed + place} if isinstance(seed, int) else request.rest
        return await collected(self.provider, because(replace(request, rest=rest), "sample"))


def comes_to(answer: Answer) -> str:
    """What an answer comes to, the same for the same answer."""
    return _called(answer) or final(answer.text)


def _called(answer: Answer) -> str:
    """The calls of tools in an answer, a line each: their arguments as values, however they are written."""
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for part in (part for delta in answer.deltas for part in delta.tool_calls):
        names[part.index] = names.get(part.index, "") + part.name
        arguments[part.index] = arguments.get(part.index, "") + part.arguments
    return "\n".join(f"{name} {final(arguments[index])}" for index, name in names.items())


def _shown(answer: Answer) -> str:
    """An answer as one who judges it is shown it."""
    return "\n".join(part for part in (answer.text, _called(answer)) if part)


async def majority(request: Request, answers: Sequence[Answer]) -> Chosen:
    """An answer of those that most agree with; of several such groups, the one whose first came first."""
    came_to = [comes_to(answer) for answer in answers]
    counts = Counter(came_to)
    best = max(counts.values())
    place = next(place for place, what in enumerate(came_to) if counts[what] == best)
    return Chosen(place, f"{best} of {len(answers)} come to the same")


async def longest(request: Request, answers: Sequence[Answer]) -> Chosen:
    """The answer with the most characters."""
    lengths = [len(answer.text) for answer in answers]
    return Chosen(lengths.index(max(lengths)), f"it is the longest, with {max(lengths)} characters")


async def shortest(request: Request, answers: Sequence[Answer]) -> Chosen:
    """The answer with the fewest characters."""
    lengths = [len(answer.text) for answer in answers]
    return Chosen(lengths.index(min(lengths)), f"it is the shortest, with {min(lengths)} characters")


Score = Callable[[str, str], Awaitable[float]]
"""How good an answer is to a question: higher is better."""


@dataclass
class ByScore:
    """The answer that a function of the application scores best; by majority where it gives no number for any."""

    score: Score

    async def __call__(self, request: Request, answers: Sequence[Answer]) -> Chosen:
        """See `Choice`."""
        told = [self.score(request.question, _shown(answer)) for answer in answers]
        scores = [_number(score) for score in await asyncio.gather(*told, return_exceptions=True)]
        return await _best(request, answers, scores, Usage())


@dataclass
class Verified:
    """The answer that another model holds most likely right; by majority where it gives no number for any."""

    verifier: Provider

    async def __call__(self, request: Request, answers: Sequence[Answer]) -> Chosen:
        """See `Choice`. The same answer is judged once."""
        texts = [_shown(answer) for answer in answers]
        different = list(dict.fromkeys(texts))
        judged = await asyncio.gather(*(self._judged(request, text) for text in different))
        scores = {text: score for text, (score, _) in zip(different, judged, strict=True)}
        used = sum((usage for _, usage in judged), Usage())
        return await _best(request, answers, [scores[text] for text in texts], used)

    async def _judged(self, request: Request, text: str) -> tuple[float | None, Usage]:
        asked = VERIFY.format(question=request.question, answer=text)
        judging = Request(request.model, (Message("user", asked),), account=request.account)
        try:
            verdict = await collected(self.verifier, because(judging, "sample"))
        except RegistaError as error:
            note(request, f"an answer was not judged: {error.message}")
            return None, Usage()
        found = _SCORE.search(verdict.text.strip())
        return float(found[1]) if found else None, verdict.usage or Usage()


async def _best(request: Request, answers: Sequence[Answer], scores: Sequence[float | None], used: Usage) -> Chosen:
    known = [(score, -place) for place, score in enumerate(scores) if score is not None]
    if not known:
        chosen = await majority(request, answers)
        return Chosen(chosen.place, f"none could be scored, and {chosen.why}", used)
    score, place = max(known)
    return Chosen(-place, f"it is scored best, with {score:g}", used)


def _number(score: object) -> float | None:
    if isinstance(score, BaseException) and not isinstance(score, Exception):
        raise score
    return float(score) if isinstance(score, int | float) and math.isfinite(score) else None


CHOICES: dict[str, Choice] = {"majority": majority, "longest": longest, "shortest": shortest}
"""The choices that need nothing beside the answers."""
