"""The same again: a provider is asked once more after what may pass, later each time. It knows no other model."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from regista.core.errors import RegistaError
from regista.core.nouns import Delta, Request
from regista.models.providers import Provider
from regista.models.resilience import faults
from regista.models.resilience.budget import RETRIES, Budget
from regista.models.resilience.turns import Turn, because, in_turn, note

FIRST_S = 0.5
"""The longest wait before the first retry; it doubles from one to the next."""
LONGEST_S = 8.0
WAITED_FOR_S = 5.0
"""A provider that says to come back later than this is not waited for: who asks is told when, and decides."""
_random = random.Random()  # noqa: S311 - spreads load, hides nothing


@dataclass
class Retry:
    """Asks `provider` up to `retries` times more, as long as nothing was said.

    Waits are drawn evenly from nothing to the longest (full jitter,
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/); one that the provider names is kept.
    """

    provider: Provider
    retries: int
    first_s: float = FIRST_S
    budget: Budget = field(default_factory=lambda: Budget(RETRIES))

    def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        self.budget.earn()
        return in_turn(self.provider, request, self._again)

    async def _again(self, errors: Sequence[RegistaError], request: Request) -> Turn:
        error = errors[-1]
        if len(errors) > self.retries or not faults.may_pass(error):
            raise error
        wait = self.wait(len(errors), error)
        if wait is None:
            note(request, f"no retry: it says to come back after {error.retry_after}")
            raise error
        until = request.account.until
        if until and asyncio.get_running_loop().time() + wait >= until:
            note(request, f"no retry: {wait:.1f} s of waiting would be too late")
            raise error
        if not self.budget.take():
            note(request, "no retry: too many requests have been asked again already")
            raise error
        await asyncio.sleep(wait)
        return self.provider, because(request, "retry")

    def wait(self, tries: int, error: RegistaError) -> float | None:
        """Seconds until the next try; None where the provider names more of them than are waited for."""
        told = faults.retry_after(error)
        if told is not None:
            return told + _random.uniform(0, told / 10) if told <= WAITED_FOR_S else None
        return _random.uniform(0, min(self.first_s * 2 ** (tries - 1), LONGEST_S))
