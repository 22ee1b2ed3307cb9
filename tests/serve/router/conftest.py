"""Requests as policies see them, and vectors without a process of their own."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from regista.core.nouns import Message, Request
from regista.models import tokens
from regista.models.embeddings import Embedder, embedders
from regista.models.prices import Price, Rates
from regista.serve.router import Asked, Candidate
from regista.serve.routing.pace import Pace
from regista.serve.routing.prefixes import chain_of
from regista.serve.routing.vectors import Questions

if TYPE_CHECKING:
    from regista.models.embeddings import Vectors

CHEAP = Price(Rates(100_000, 400_000, 10_000))
DEAR = Price(Rates(2_000_000, 8_000_000, 200_000))
Ask = Callable[..., Asked]


class InProcess:
    """An embedder of the registry, called where it is."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name = embedder.name

    async def start(self) -> None:
        """It runs."""

    async def embed(self, texts: Sequence[str], bulk: bool = False) -> "Vectors":
        """The vectors of the texts."""
        return self._embedder.embed(texts)


def candidate(name: str, price: Price | None = CHEAP, **fields: Any) -> Candidate:
    return Candidate(
        name, f"openai/{name}", (("openai", name),), price, pace=fields.pop("pace", None) or Pace(), **fields
    )


@pytest.fixture
def ask() -> Ask:
    """Makes what a policy sees of a question, or of messages, with further fields."""

    def made(
        question: "str | tuple[Message, ...]" = "hello",
        names: "Sequence[str] | dict[str, Candidate]" = ("small", "large", "german"),
        **fields: Any,
    ) -> Asked:
        messages = (Message("user", question),) if isinstance(question, str) else question
        request = Request(
            fields.pop("model", "shop"), messages, fields.pop("stream", False), rest=fields.pop("rest", {})
        )
        candidates = names if isinstance(names, dict) else {name: candidate(name) for name in names}
        count = fields.pop("tokens", tokens.of_request(request))
        chain = chain_of(messages)
        return Asked(request, fields.pop("tenant", "acme"), request.question, count, candidates, chain=chain, **fields)

    return made


@pytest.fixture
def questions() -> Questions:
    """Vectors of hashed words."""
    return Questions(InProcess(embedders.build("hashed")))
