"""A model that keeps failing is left alone for a while: who asks is told at once, and can go elsewhere.

The circuit breaker of M. Nygard, Release It! (2018), chapter 5. It knows neither what is asked nor who is next.
"""

import math
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Literal

from regista.core.errors import ProviderError, RegistaError
from regista.core.nouns import Delta, Request
from regista.models.providers import Provider
from regista.models.resilience import faults

WINDOW_S = 30.0
SLICES = 10
"""The window moves on in tenths of it."""
LEAST = 10
"""Calls in the window below which a share says nothing."""
OPEN_S = 2.0
"""How long it is left alone the first time; twice as long each time that it has not come back."""
LONGEST_S = 60.0
LONGEST_HOLD_S = 300.0
"""What a provider may say about when to come back and be believed."""

State = Literal["closed", "open", "half-open"]


class Circuit:
    """What is known of one upstream. `share` of failing calls opens it; `clock` gives seconds.

    Closed lets every call through, open none until its time is over, half-open one: what becomes of it decides.
    """

    def __init__(self, name: str, share: float = 0.5, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.opened = 0
        """How often it opened."""
        self.closed_at = -math.inf
        """When it last came back."""
        self.reason = ""
        self._share = share
        self._clock = clock
        self._worked = [0] * SLICES
        self._failed = [0] * SLICES
        self._slice = 0
        self._until = 0.0
        self._open_s = OPEN_S
        self._closed = True
        self._probing = False

    @property
    def state(self) -> State:
        """As calls meet it now."""
        if self.seconds:
            return "open"
        return "closed" if self._closed else "half-open"

    @property
    def seconds(self) -> float:
        """How long nothing is let through; 0 where a call may be."""
        return max(self._until - self._clock(), 0.0)

    @property
    def ready(self) -> bool:
        """Whether a call would be let through now."""
        return not self.seconds and not self._probing

    def enter(self) -> bool:
        """Let a call through, or raise `ProviderError`. True where it is the one that decides.

        Who was let through tells `worked` or `failed` with that, or `left`.
        """
        if self._closed and not self._until:
            return False
        seconds = self.seconds
        if seconds or self._probing:
            when = f"for {seconds:.0f} s more" if seconds >= 1 else "until a call that tries it has ended"
            raise ProviderError(
                f"{self.name} is left alone {when}: {self.reason}",
                code=faults.LEFT_ALONE,
                status=503,
                retry_after=str(max(math.ceil(seconds), 1)),
            )
        self._until = 0.0
        self._probing = not self._closed
        return self._probing

    def worked(self, *, probe: bool = False) -> None:
        """A call was answered."""
        if self._closed:
            self._count(self._worked)
        elif probe:
            self._closed, self._probing = True, False
            self._open_s = OPEN_S
            self._worked, self._failed = [0] * SLICES, [0] * SLICES
            self.closed_at = self._clock()

    def failed(self, error: RegistaError, *, probe: bool = False) -> None:
        """A call failed, through the fault of the upstream."""
        wait = faults.retry_after(error)
        if wait is not None and isinstance(error, ProviderError) and error.upstream_status == 429:
            self.reason = f"it said to come back after {wait:.0f} s."
            self._until = max(self._until, self._clock() + min(wait, LONGEST_HOLD_S))
            self.left(probe=probe)
        elif self._closed:
            self._count(self._failed)
            bad, calls = sum(self._failed), sum(self._failed) + sum(self._worked)
            if calls >= LEAST and bad >= self._share * calls:
                self._open(f"{bad} of {calls} calls failed, the last one so: {error.message}")
        elif probe:
            self._open(f"it failed again: {error.message}")

    def left(self, *, probe: bool = False) -> None:
        """A call ended without telling anything: who asked went away."""
        if probe:
            self._probing = False

    def _open(self, reason: str) -> None:
        self.reason = reason
        self.opened += 1
        self._closed, self._probing = False, False
        self._until = self._clock() + self._open_s
        self._open_s = min(2 * self._open_s, LONGEST_S)

    def _count(self, counts: list[int]) -> None:
        now = int(self._clock() / (WINDOW_S / SLICES))
        for passed in range(self._slice + 1, min(now, self._slice + SLICES) + 1):
            self._worked[passed % SLICES] = self._failed[passed % SLICES] = 0
        self._slice = max(now, self._slice)
        counts[now % SLICES] += 1


@dataclass
class Breaker:
    """Calls `provider` as long as `circuit` is closed, and tells it what became of each call."""

    provider: Provider
    circuit: Circuit = field(repr=False)

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`. Raises `ProviderError` (`left_alone`) without a call where the circuit is open."""
        circuit = self.circuit
        probe, told = circuit.enter(), False
        deltas = self.provider.generate(request)
        try:
            async for delta in deltas:
                if not told:
                    told = True
                    circuit.worked(probe=probe)
                    probe = False  # it has decided: when it breaks off, another one may be under way that decides
                yield delta
        except ProviderError as error:
            if faults.blames(error):
                told = True
                circuit.failed(error, probe=probe)
            elif error.upstream_status and not told:
                told = True
                circuit.worked(probe=probe)
            raise
        finally:
            if not told:
                circuit.left(probe=probe)
            await deltas.aclose()
