"""Anthropic's Messages API, and servers that speak it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from regista.core.errors import StreamCutError
from regista.core.nouns import Delta, Request
from regista.core.registry import option, port
from regista.egress import Patience, Reply, Transport
from regista.models import anthropic_request, anthropic_wire
from regista.models.batches import BatchApi
from regista.models.batches.anthropic import AnthropicBatches
from regista.models.batches.reach import Reach
from regista.models.credentials import key_for, require
from regista.models.http_errors import error_of, expect_events
from regista.models.prompt_cache import Heads
from regista.models.providers import providers

HOME = "https://api.anthropic.com"
VERSION = "2023-06-01"
"""Of the wire, not of a model: https://platform.claude.com/docs/en/api/versioning."""


@providers.add
@dataclass
class Anthropic:
    """Speaks `/v1/messages` below `base_url`; the key goes to that origin alone."""

    base_url: str = option(HOME, "URL up to and not including /v1.")
    api_key_env: str = option(
        "", "Environment variable of the key. Unset: ANTHROPIC_API_KEY for Anthropic's own URL, no key for any other."
    )
    max_tokens: int = option(4096, "Tokens an answer may have where the request sets no limit: the API wants one.")
    prompt_cache: bool = option(False, "Mark what stays from request to request, so that the prompt cache keeps it.")
    connect_s: float = option(10.0, "Seconds to wait for a connection.")
    first_s: float = option(120.0, "Seconds to wait for the first byte of an answer.")
    between_s: float = option(60.0, "Seconds to wait between two parts of an answer.")
    transport: Transport = port()
    _headers: tuple[tuple[str, str], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/").removesuffix("/v1")
        self.api_key_env, self._key = key_for(self.api_key_env, "ANTHROPIC_API_KEY", self.base_url, [HOME])
        self._patience = Patience(self.connect_s, self.first_s, self.between_s)
        self._heads = Heads() if self.prompt_cache else None
        key = (("x-api-key", self._key.reveal()),) if self._key else ()
        self._headers = (("content-type", "application/json"), ("anthropic-version", VERSION), *key)

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        body = anthropic_request.body(request, self.max_tokens, self._heads)
        async with await self._post("/v1/messages", body, request.account.headers) as reply:
            if reply.status != 200:
                raise await error_of(reply, "anthropic", request.model, self.api_key_env)
            if not request.stream:
                for delta in anthropic_wire.whole(await reply.read()):
                    yield delta
                return
            expect_events(reply, "anthropic", request.model)
            stream = anthropic_wire.Stream()
            async for block in reply.blocks():
                for delta in stream.feed(block):
                    yield delta
                if stream.done:
                    reply.leave()
                    return
            raise StreamCutError(f"The stream of {request.model!r} ended before message_stop: the answer is not whole.")

    def batches(self) -> BatchApi:
        """See `RunsBatches`."""
        headers = self._headers[1:]
        reach = Reach("anthropic", self.base_url, headers, self.api_key_env, self.transport, self._patience)
        return AnthropicBatches(reach)

    async def count_tokens(self, request: Request) -> int:
        """See `CountsTokens`."""
        async with await self._post("/v1/messages/count_tokens", anthropic_request.count_body(request)) as reply:
            if reply.status != 200:
                raise await error_of(reply, "anthropic", request.model, self.api_key_env)
            return anthropic_wire.counted(await reply.read())

    async def _post(self, path: str, body: bytes, more: bytes = b"") -> Reply:
        require(self._key, "anthropic", self.api_key_env, self.base_url, [HOME])
        return await self.transport.open("POST", self.base_url + path, self._headers, body, self._patience, more)
