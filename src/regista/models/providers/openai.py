"""Any OpenAI-compatible URL: OpenAI itself, vLLM, SGLang, Ollama, llama.cpp and most hosts."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import msgspec

from regista.core.errors import StreamCutError
from regista.core.nouns import Delta, Json, Request
from regista.core.registry import option, port
from regista.core.secret import Secret
from regista.egress import Patience, Reply, Transport
from regista.models import openai_wire
from regista.models.credentials import key_for, require
from regista.models.http_errors import error_of, expect_events
from regista.models.providers import providers

HOME = "https://api.openai.com/v1"


@providers.add
@dataclass
class OpenAI:
    """Speaks `/chat/completions` and `/embeddings` below `base_url`; the key goes to that origin alone."""

    base_url: str = option(HOME, "URL up to and including /v1.")
    api_key_env: str = option(
        "", "Environment variable of the key. Unset: OPENAI_API_KEY for OpenAI's own URL, no key for any other."
    )
    connect_s: float = option(10.0, "Seconds to wait for a connection.")
    first_s: float = option(120.0, "Seconds to wait for the first byte of an answer.")
    between_s: float = option(60.0, "Seconds to wait between two parts of an answer.")
    transport: Transport = port()
    _key: Secret = field(init=False, repr=False)
    _headers: tuple[tuple[str, str], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self.api_key_env, self._key = key_for(self.api_key_env, "OPENAI_API_KEY", self.base_url, HOME)
        self._patience = Patience(self.connect_s, self.first_s, self.between_s)
        bearer = (("authorization", f"Bearer {self._key.reveal()}"),) if self._key else ()
        self._headers = (("content-type", "application/json"), *bearer)

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        async with await self._post("/chat/completions", openai_wire.body(request)) as reply:
            if reply.status != 200:
                raise await error_of(reply, "openai", request.model, self.api_key_env)
            if not request.stream:
                yield openai_wire.whole(await reply.read())
                return
            expect_events(reply, "openai", request.model)
            stream, finished = openai_wire.Stream(openai_wire.wants_usage(request)), False
            async for block in reply.blocks():
                delta = stream.feed(block)
                if delta is not None:
                    finished = finished or delta.finish is not None
                    yield delta
            if not (stream.done or finished):
                raise StreamCutError(
                    f"The stream of {request.model!r} ended without a finish reason: the answer is not whole."
                )

    async def embed_upstream(self, model: str, texts: Sequence[str], rest: Json) -> bytes:
        """The provider's own `/embeddings` answer, as it came."""
        body = msgspec.json.encode({"model": model, "input": list(texts), **rest})
        async with await self._post("/embeddings", body) as reply:
            if reply.status != 200:
                raise await error_of(reply, "openai", model, self.api_key_env)
            return await reply.read()

    async def _post(self, path: str, body: bytes) -> Reply:
        require(self._key, "openai", self.api_key_env, self.base_url, HOME)
        return await self.transport.open("POST", self.base_url + path, self._headers, body, self._patience)
