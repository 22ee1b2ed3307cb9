"""Who answers: one file per provider. A provider turns a request into a stream of deltas.

Retry, cache, budget and fallback wrap a `Provider` and are one. A provider does not know
applications, keys or traces.
"""

from collections.abc import AsyncGenerator
from typing import Protocol

from regista.core.nouns import Delta, Request
from regista.core.registry import Registry


class Provider(Protocol):
    """Answers requests."""

    def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """Stream the answer to `request`, whose `model` is the provider's own name for it.

        The stream ends normally only when the answer is whole. Closing it early (`aclose`) cancels
        the work upstream. Raises `ProviderError` (or a subclass) for everything that goes wrong:
        before the first delta if nothing came, in the middle if the stream broke.
        """
        ...


providers = Registry[Provider](__name__, "provider")
