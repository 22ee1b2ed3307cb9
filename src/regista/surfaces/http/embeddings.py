"""`POST /v1/embeddings`: vectors from the embedder in this process, or from a provider that has some.

https://platform.openai.com/docs/api-reference/embeddings
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from regista.core.errors import RequestError
from regista.core.nouns import Json, Message, Request
from regista.surfaces.http.answering import Asked, Surface
from regista.surfaces.http.reading import Positive, read

MAX_TEXTS = 2048
Token = Annotated[int, Meta(ge=0)]


class _Embeddings(Struct):
    model: str
    input: str | list[str | Token | list[Token]]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Positive | None = None
    user: str | None = None


def request_of(body: Json) -> Request:
    """An embeddings request as a noun: its texts are messages too, from which can be told what they will cost."""
    asked = read(body, _Embeddings, "an embeddings request")
    given = asked.input
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        given = [given]
    texts = [text for text in given if isinstance(text, str)]
    of_one_kind = len(texts) == len(given) or (not texts and all(isinstance(each, list) for each in given))
    if not 0 < len(given) <= MAX_TEXTS or not all(given) or not of_one_kind:
        raise RequestError(
            f"'input' takes 1 to {MAX_TEXTS} texts, or as many lists of tokens, none of them empty.", param="input"
        )
    rest = {name: value for name, value in body.items() if value is not None and name not in ("model", "stream")}
    return Request(asked.model, tuple([Message("user", text) for text in texts]), rest=rest | {"input": given})


def whole(asked: Asked, raw: bytes | None) -> bytes:
    """The answer as it came."""
    return raw or b""


embed = Surface(read=request_of, whole=whole, vectors=True)
"""Answers an embeddings request."""
