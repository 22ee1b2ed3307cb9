"""Who answers: one file per provider, or a row of `hosts.toml`. A provider turns a request into a stream of deltas.

Retry, cache, budget and fallback wrap a `Provider` and are one. A provider does not know
applications, keys or traces.
"""

import importlib
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

from regista.core.nouns import Delta, Json, Request
from regista.core.registry import Registry
from regista.models.hosts import hosts


class Provider(Protocol):
    """Answers requests."""

    def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """Stream the answer to `request`, whose `model` is the provider's own name for it.

        The stream ends normally only when the answer is whole. Closing it early (`aclose`) cancels
        the work upstream. Raises `ProviderError` (or a subclass) for everything that goes wrong:
        before the first delta if nothing came, in the middle if the stream broke.
        """
        ...


Texts = Sequence[str] | Sequence[Sequence[int]]
"""Texts, or each of them as the numbers of its tokens, which only the model's own provider understands."""


@runtime_checkable
class MakesEmbeddings(Protocol):
    """What a provider has beside `generate` if it also makes vectors."""

    async def embed_upstream(self, model: str, texts: Texts, rest: Json) -> bytes:
        """Its own answer to an embeddings request, in OpenAI's shape, as it came."""
        ...


@runtime_checkable
class CountsTokens(Protocol):
    """What a provider has beside `generate` if it also says what a request would have as input."""

    async def count_tokens(self, request: Request) -> int:
        """The tokens of `request`, as they would be charged for. Raises as `generate` does."""
        ...


class _Hosts:
    """The rows of `hosts.toml`, each a provider made by the file `openai`."""

    def names(self) -> Iterable[str]:
        return hosts()

    def factory(self, name: str) -> Callable[..., Provider]:
        return importlib.import_module(f"{__name__}.openai").of_host(name)


providers = Registry[Provider](__name__, "provider", _Hosts())
