"""Gemini by Google's own API, which has what its OpenAI-compatible one has not: thoughts, log-probabilities, counts."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from urllib.parse import quote

from regista.core.nouns import Delta, Json, Request
from regista.core.registry import option, port
from regista.egress import Patience, Reply, Transport
from regista.models import gemini_request, gemini_wire
from regista.models.credentials import key_for, require
from regista.models.http_errors import error_of, expect_events
from regista.models.providers import Texts, providers

HOME = "https://generativelanguage.googleapis.com"
KINDS = ("models", "tunedModels")


@providers.add
@dataclass
class Gemini:
    """Speaks `/v1beta/models/…:generateContent` below `base_url`; the key goes to that origin alone."""

    base_url: str = option(HOME, "URL up to and not including /v1beta.")
    api_key_env: str = option(
        "", "Environment variable of the key. Unset: GEMINI_API_KEY for Google's own URL, no key for any other."
    )
    connect_s: float = option(10.0, "Seconds to wait for a connection.")
    first_s: float = option(120.0, "Seconds to wait for the first byte of an answer.")
    between_s: float = option(60.0, "Seconds to wait between two parts of an answer.")
    transport: Transport = port()
    _headers: tuple[tuple[str, str], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/").removesuffix("/v1beta")
        self.api_key_env, self._key = key_for(self.api_key_env, "GEMINI_API_KEY", self.base_url, [HOME])
        self._patience = Patience(self.connect_s, self.first_s, self.between_s)
        key = (("x-goog-api-key", self._key.reveal()),) if self._key else ()
        self._headers = (("content-type", "application/json"), *key)

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        async with await self._post(
            request.model, method, gemini_request.body(request), request.account.headers
        ) as reply:
            if reply.status != 200:
                raise await error_of(reply, "gemini", request.model, self.api_key_env)
            if not request.stream:
                for delta in gemini_wire.whole(await reply.read()):
                    yield delta
                return
            expect_events(reply, "gemini", request.model)
            stream = gemini_wire.Stream()
            async for block in reply.blocks():
                for delta in stream.feed(block):
                    yield delta
            yield stream.end()

    async def count_tokens(self, request: Request) -> int:
        """See `CountsTokens`."""
        body = gemini_request.count_body(request, _name(request.model))
        return gemini_wire.counted(await self._ask(request.model, "countTokens", body))

    async def embed_upstream(self, model: str, texts: Texts, rest: Json) -> bytes:
        """See `MakesEmbeddings`: Gemini's vectors in OpenAI's shape."""
        body = gemini_request.embed_body(_name(model), texts, rest)
        data = await self._ask(model, "batchEmbedContents", body)
        return gemini_wire.vectors(data, model, rest.get("encoding_format") or "float")

    async def _ask(self, model: str, method: str, body: bytes) -> bytes:
        async with await self._post(model, method, body) as reply:
            if reply.status != 200:
                raise await error_of(reply, "gemini", model, self.api_key_env)
            return await reply.read()

    async def _post(self, model: str, method: str, body: bytes, more: bytes = b"") -> Reply:
        require(self._key, "gemini", self.api_key_env, self.base_url, [HOME])
        url = f"{self.base_url}/v1beta/{_name(model)}:{method}"
        return await self.transport.open("POST", url, self._headers, body, self._patience, more)


def _name(model: str) -> str:
    """A model's name as a part of a URL, whatever a client made of it."""
    kind, _, name = model.partition("/")
    return f"{kind}/{quote(name, safe='')}" if kind in KINDS else f"models/{quote(model, safe='')}"
