"""Embeddings as answers of a provider: one delta, whose bytes are the whole answer, counted and traced as any other.

What makes them is a provider that has some, or the embedder of this process. It knows no surface.
"""

import asyncio
import dataclasses
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from regista.app.application import build_provider, metered
from regista.app.schema import Model
from regista.core.errors import NotFoundError, ProviderError, RequestError
from regista.core.nouns import Delta, Json, Request, Usage
from regista.models.metered import Metered
from regista.models.prices import FREE, Prices
from regista.models.providers import MakesEmbeddings, Provider, Texts
from regista.models.resilience.retry import Retry

HERE = "embedded"
"""The provider whose embedder runs in this process."""
NO_ANSWER = {"max_completion_tokens": 1}
"""What limits the tokens of an answer that has none."""

Embed = Callable[[str, Sequence[str]], Awaitable[tuple[str, Any]]]
"""Takes a model's name and texts; returns the embedder's own name and its vectors, one row a text."""


@dataclasses.dataclass
class Embeds:
    """Answers with the embeddings of what stands in the request's `input`."""

    maker: MakesEmbeddings

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        rest = dict(request.rest)
        raw = await self.maker.embed_upstream(request.model, rest.pop("input"), rest)
        yield Delta(finish="stop", usage=_usage(raw), raw=raw)


@dataclasses.dataclass
class Here:
    """The embedder of this process, as a provider of embeddings."""

    embed: Embed

    async def embed_upstream(self, model: str, texts: Texts, rest: Json) -> bytes:
        """See `MakesEmbeddings`. Tokens are words here."""
        said = [text for text in texts if isinstance(text, str)]
        if len(said) < len(texts):
            raise RequestError(
                "This embedder does not know lists of tokens, which are another model's: send text. "
                "LangChain does with check_embedding_ctx_length=False.",
                param="input",
            )
        name, vectors = await self.embed(model, said)
        wanted, width = rest.get("dimensions"), vectors.shape[1]
        if wanted not in (None, width):
            raise RequestError(f"This embedder makes vectors of {width} numbers, not {wanted}.", param="dimensions")
        words = sum(len(text.split()) for text in said)
        return await asyncio.to_thread(_written, name, vectors, rest.get("encoding_format") == "base64", words)


def _written(name: str, vectors: Any, packed: bool, words: int) -> bytes:
    """Vectors as JSON: as numbers, or packed as their bytes, which are those of 32-bit numbers, the least first."""
    rows = [
        {"object": "embedding", "index": i, "embedding": b64encode(v.tobytes()).decode() if packed else v.tolist()}
        for i, v in enumerate(vectors)
    ]
    usage = {"prompt_tokens": words, "total_tokens": words}
    return msgspec.json.encode({"object": "list", "data": rows, "model": f"{HERE}/{name}", "usage": usage})


def vectors(
    model: Model, embed: Embed, prices: Prices, own: Mapping[str, object], ports: Mapping[str, Any]
) -> Provider:
    """What makes the embeddings of a model, counted, and asked again as the model's retries say.

    Raises:
        NotFoundError: its provider makes none.
        UnknownNameError: there is no such provider.
    """
    if model.provider == HERE:
        return Metered(Embeds(Here(embed)), HERE, model.name, FREE, model.model, NO_ANSWER)
    made = build_provider(model.provider, model.options, ports)
    if not isinstance(made, MakesEmbeddings):
        message = f"{model.provider} makes no embeddings. Try {HERE}/default."
        raise NotFoundError(message, code="model_not_found", param="model")
    counted = metered(made, model.model, prices, own)
    # Each text has the model's window to itself, so their sum may be larger.
    price = counted.price if counted.price is None else replace(counted.price, context=0)
    counted = dataclasses.replace(counted, provider=Embeds(made), price=price, parameters=NO_ANSWER)
    return Retry(counted, model.retries)


class _Counted(Struct):
    prompt_tokens: int = 0


class _Answer(Struct):
    usage: _Counted | None = None


def _usage(raw: bytes) -> Usage | None:
    """What an answer of embeddings used, in OpenAI's shape; None where it does not say."""
    try:
        found = msgspec.json.decode(raw, type=_Answer).usage
    except msgspec.MsgspecError as error:
        raise ProviderError(f"The provider's answer holds no embeddings ({error}). Is base_url right?") from None
    return Usage(found.prompt_tokens) if found is not None else None
