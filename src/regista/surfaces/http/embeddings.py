"""`POST /v1/embeddings`: vectors from the embedder in this process, or from a provider that has some."""

import base64
from typing import Literal

import msgspec
from msgspec import Struct

from regista.app.platform import Platform
from regista.core.errors import RequestError
from regista.core.nouns import Json
from regista.store.keys import Key
from regista.surfaces.http.wire import JSON_TYPE, Receive, Scope, Send, decode_object, encode, read_body, respond

MAX_TEXTS = 2048


class _Embeddings(Struct):
    model: str
    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"


async def embed(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer an embeddings request: https://platform.openai.com/docs/api-reference/embeddings."""
    body = decode_object(await read_body(scope, receive, platform.max_body))
    try:
        asked = msgspec.convert(body, _Embeddings)
    except msgspec.ValidationError as error:
        raise RequestError(f"The request is no embeddings request: {error}.") from None
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    if not 0 < len(texts) <= MAX_TEXTS or not all(texts):
        raise RequestError(f"'input' takes 1 to {MAX_TEXTS} texts, none of them empty.", param="input")
    provider_name, _, model = asked.model.partition("/")
    if provider_name != "embedded":
        rest = {name: value for name, value in body.items() if name not in ("model", "input")}
        await respond(send, 200, await platform.embed_upstream(asked.model, texts, rest), [JSON_TYPE])
        return
    name, vectors = await platform.embed(model, texts)
    rows = [_row(vector.tobytes(), vector.tolist(), i, asked.encoding_format) for i, vector in enumerate(vectors)]
    words = sum(len(text.split()) for text in texts)
    usage: Json = {"prompt_tokens": words, "total_tokens": words}
    await respond(send, 200, encode({"object": "list", "data": rows, "model": f"embedded/{name}", "usage": usage}))


def _row(raw: bytes, values: list[float], index: int, form: str) -> Json:
    embedding = base64.b64encode(raw).decode() if form == "base64" else values
    return {"object": "embedding", "index": index, "embedding": embedding}
