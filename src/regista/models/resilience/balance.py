"""One of several models for each call: of two drawn at random the one that is faster for how busy it is.

Power of two choices (M. Mitzenmacher, 2001) on the peak-sensitive moving average of Finagle's `PeakEwma`: a slow answer
counts at once, a fast one little by little. It knows no reason why a model is slow.
"""

import math
import random
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from regista.core.errors import RegistaError
from regista.core.nouns import Delta, Request
from regista.models.providers import Provider
from regista.models.resilience import faults
from regista.models.resilience.breaker import Circuit
from regista.models.resilience.fallback import next_of
from regista.models.resilience.turns import Turn, in_turn, says

MEMORY_S = 10.0
"""After this long a measurement counts e times less."""
FAILED_S = 10.0
"""What an answer that failed counts as: one that fails fast must not look fast."""
WARM_S = 30.0
"""How long a model that has come back gets fewer calls than it could take."""
UNKNOWN_S = 1.0
"""What a call under way counts as at a model that has answered none yet."""
_random = random.Random()  # noqa: S311 - spreads load, hides nothing


class Member:
    """A model of a pool: what it takes to its first token, and how many calls it has now."""

    def __init__(
        self,
        name: str,
        provider: Provider,
        circuit: Circuit | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.running = 0
        self._provider = provider
        self._circuit = circuit
        self._clock = clock
        self._seconds = 0.0
        self._at = clock()

    @property
    def ready(self) -> bool:
        """Whether its circuit lets calls through."""
        return self._circuit is None or self._circuit.ready

    @property
    def load(self) -> float:
        """Seconds to a first token, times the calls that would then be under way; more while it warms up."""
        now = self._clock()
        seconds = self._seconds * math.exp((self._at - now) / MEMORY_S)
        if not self._seconds and self.running:
            seconds = UNKNOWN_S
        back = now - self._circuit.closed_at if self._circuit is not None else math.inf
        return seconds * (self.running + 1) * max(WARM_S / max(back, 1.0), 1.0)

    def measured(self, seconds: float) -> None:
        """Take in how long a first token took."""
        now = self._clock()
        weight = math.exp((self._at - now) / MEMORY_S)
        average = self._seconds * weight + seconds * (1 - weight)
        self._seconds, self._at = seconds if seconds > self._seconds else average, now

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        begun, spoke = self._clock(), False
        self.running += 1
        deltas = self._provider.generate(request)
        try:
            async for delta in deltas:
                if not spoke and says(delta):
                    spoke = True
                    self.measured(self._clock() - begun)
                yield delta
        except RegistaError as error:
            if not spoke and faults.blames(error):
                self.measured(FAILED_S)
            raise
        finally:
            self.running -= 1
            await deltas.aclose()


@dataclass
class Balance:
    """Asks one of `members`; the others follow, the idlest first, as long as nothing was said."""

    members: Sequence[Member]
    _random: random.Random = field(default=_random, repr=False)

    def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`. Raises an error that says why each member did not answer."""
        order = [(member.name, member) for member in self._order()]

        async def after(errors: Sequence[RegistaError], request: Request) -> Turn:
            return next_of(order, errors, request)

        return in_turn(order[0][1], request, after)

    def _order(self) -> list[Member]:
        ready = [member for member in self.members if member.ready] or list(self.members)
        drawn = self._random.sample(ready, 2) if len(ready) > 1 else ready
        first = min(drawn, key=lambda member: member.load)
        return [first, *sorted((member for member in ready if member is not first), key=lambda member: member.load)]
