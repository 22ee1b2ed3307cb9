"""Answers written beforehand: for examples, tests and rehearsals of failure. Uses no network and costs nothing."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Literal, get_args

from regista.core.errors import ConfigurationError, ProviderError, StreamCutError, did_you_mean, near
from regista.core.nouns import Delta, Request, ToolCall
from regista.core.registry import option
from regista.models import plain
from regista.models.providers import providers

Failure = Literal["", "error", "cut", "slow"]


@providers.add
@dataclass
class Scripted:
    """Says its answers in turn, or the one whose `contains` stands in the question: same calls, same answers."""

    answers: tuple[str, ...] = option(("This answer was written beforehand.",), "Answers, given in turn.")
    contains: tuple[str, ...] = option(
        (), "One text for each answer, which the question must contain; letter case is ignored, '' fits all."
    )
    calls: tuple[str, ...] = option((), "Tool calls made before the answer, one a step: 'name {\"argument\": 1}'.")
    chunk: int = option(0, "Characters in each piece of a stream; 0: the whole answer in one.")
    delay_s: float = option(0.0, "Seconds to wait before each piece.")
    fail: Failure = option(
        "", "'error': fail at once; 'cut': break off half way; 'slow': say nothing until cancelled; '': answer."
    )
    _turn: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.fail not in get_args(Failure):
            offer = did_you_mean(near(self.fail, get_args(Failure)))
            raise ConfigurationError(f"scripted has no failure {self.fail!r}.{offer} Known: error, cut, slow.")
        if self.contains and len(self.contains) != len(self.answers):
            raise ConfigurationError(
                f"scripted has {len(self.answers)} answers and {len(self.contains)} contains: give one for each."
            )
        if not self.answers:
            raise ConfigurationError("scripted has no answers: give at least one.")

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        if self.fail == "slow":
            await asyncio.Event().wait()
        if self.fail == "error":
            raise ProviderError("scripted fails, as its option says.", upstream_status=500)
        step = _results(request)
        if step < len(self.calls):
            name, _, arguments = self.calls[step].partition(" ")
            deltas = list(plain.call(request, ToolCall(f"call_{step}", name, arguments.strip() or "{}")))
        else:
            deltas = list(plain.answer(request, self._choose(request.question), self.chunk))
        for delta in deltas[: len(deltas) // 2] if self.fail == "cut" else deltas:
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            yield delta
        if self.fail == "cut":
            raise StreamCutError("scripted breaks off, as its option says.")

    def _choose(self, question: str) -> str:
        if not self.contains:
            self._turn += 1
            return self.answers[(self._turn - 1) % len(self.answers)]
        for text, answer in zip(self.contains, self.answers, strict=True):
            if text.casefold() in question.casefold():
                return answer
        raise ProviderError(f"scripted has no answer to {question[:80]!r}: none of {self.contains!r} stands in it.")


def _results(request: Request) -> int:
    """Tool results since the last question: how many steps are done."""
    done = 0
    for message in reversed(request.messages):
        if message.role == "user":
            break
        done += message.role == "tool"
    return done
