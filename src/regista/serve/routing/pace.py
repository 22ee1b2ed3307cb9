"""How a model does just now: means over its latest calls, the newest weighing most. It knows no prices."""

import time
from collections.abc import Callable

from regista.core.nouns import Call

WEIGHT = 0.2
"""Of the newest call: the last ten make nine tenths of a mean."""
STALE_S = 600.0
"""What is older says nothing any more: a model that was slow is tried again."""
LEAST_WARM = 256
"""Tokens a provider should have had in its cache below which a call says nothing about whether it caches."""


class Mean:
    """An exponentially weighted mean; None before the first value, and when the last one is stale."""

    __slots__ = ("_at", "_clock", "_value")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._value: float | None = None
        self._at = 0.0

    def add(self, value: float) -> None:
        kept = self.value
        self._value = value if kept is None else kept + WEIGHT * (value - kept)
        self._at = self._clock()

    @property
    def value(self) -> float | None:
        return self._value if self._value is not None and self._clock() - self._at < STALE_S else None


class Pace:
    """What is known of one model: times in nanoseconds, tokens of an answer, and whether its provider caches.

    `first_ns` is the time to the first token of streams, `whole_ns` that to the end of answers that did not stream.
    `cached` is the share of the tokens that should have been in the provider's prompt cache and were.
    """

    __slots__ = ("cached", "calls", "first_ns", "output_tokens", "whole_ns")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.calls = 0
        self.first_ns = Mean(clock)
        self.whole_ns = Mean(clock)
        self.output_tokens = Mean(clock)
        self.cached = Mean(clock)

    def note(self, call: Call, *, streamed: bool) -> None:
        """Take in a call that ended well."""
        self.calls += 1
        if not streamed:
            self.whole_ns.add(call.duration_ns)
        elif call.first_token_ns:
            self.first_ns.add(call.first_token_ns)
        self.output_tokens.add(call.usage.output_tokens)

    def note_cached(self, call: Call, warm: int) -> None:
        """Take in what the provider read from its cache, where it should have had `warm` tokens of the input."""
        if warm >= LEAST_WARM and call.exact:
            self.cached.add(min(call.usage.cached_tokens / warm, 1.0))

    def wait_ns(self, *, streamed: bool) -> float | None:
        """How long a client waits for what it reads first; None where unknown."""
        return self.first_ns.value if streamed else self.whole_ns.value
