"""A share of requests that may be asked again: what keeps retries and hedges from becoming a storm.

After the retry budget of https://twitter.github.io/finagle/guide/Clients.html#retries.
"""

import time
from dataclasses import dataclass, field

RETRIES = 0.2
"""Retries for a request, on average: an upstream that is down meets a fifth more calls, and not three times as many."""
HEDGES = 0.1
"""Second calls for a request, on average."""
RESERVE = 10.0
"""What may be spent at once, and so by whoever asks seldom."""
PER_S = 1.0
"""What comes back in a second without any request."""


@dataclass
class Budget:
    """Every request adds `share`, every further call takes one."""

    share: float
    _left: float = field(default=RESERVE, init=False)
    _at: float = field(default_factory=time.monotonic, init=False)

    def earn(self) -> None:
        """Count a request."""
        left = self._left + self.share
        self._left = left if left < RESERVE else RESERVE

    def take(self) -> bool:
        """Spend one call, if there is one to spend."""
        now = time.monotonic()
        self._left = min(RESERVE, self._left + (now - self._at) * PER_S)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
