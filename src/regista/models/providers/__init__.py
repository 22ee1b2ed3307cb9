"""Who answers: one file per provider. A provider turns a request into a stream of deltas.

Retry, cache, budget and fallback wrap a `Provider` and are one. A provider does not know
applications, keys or traces.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, runtime_checkable

from regista.core.nouns import Delta, Json, Request
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


@runtime_checkable
class MakesEmbeddings(Protocol):
    """What a provider has beside `generate` if it also makes vectors."""

    async def embed_upstream(self, model: str, texts: Sequence[str], rest: Json) -> bytes:
        """Its own answer to an embeddings request, in OpenAI's shape, as it came."""
        ...


providers = Registry[Provider](__name__, "provider")
