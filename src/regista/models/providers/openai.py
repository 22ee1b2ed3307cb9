"""Any OpenAI-compatible URL: OpenAI itself, and every host of the table `hosts.toml`."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, make_dataclass
from typing import Any, ClassVar, cast

import msgspec
from msgspec.structs import replace

from regista.core.errors import ProviderError
from regista.core.nouns import Delta, Json, Request
from regista.core.registry import option, port
from regista.core.secret import Secret
from regista.egress import Patience, Reply, Transport
from regista.models import openai_request, openai_wire
from regista.models.batches import BatchApi
from regista.models.batches.openai import OpenAIBatches
from regista.models.batches.reach import Reach
from regista.models.credentials import key_for, require
from regista.models.hosts import Host, host_at, hosts
from regista.models.http_errors import error_of, expect_events
from regista.models.prompt_cache import key_of
from regista.models.providers import Texts, providers

OWN = "openai"
KEY_HELP = "Environment variable of the key. Unset: {usual} for {title}'s own URL, no key for any other."


@providers.add
@dataclass
class OpenAI:
    """Speaks `/chat/completions` and `/embeddings` below `base_url`; the key goes to that origin alone."""

    host: ClassVar[str] = OWN
    base_url: str = option(hosts()[OWN].base_url, "URL up to and including /v1.")
    api_key_env: str = option("", KEY_HELP.format(usual=hosts()[OWN].key, title=hosts()[OWN].title))
    query: str = option("", "Query of every URL: api-version=2024-10-21, where base_url is a deployment of Azure's.")
    prompt_cache: bool = option(False, "Send requests that begin alike to where the prompt cache may have them.")
    connect_s: float = option(10.0, "Seconds to wait for a connection.")
    first_s: float = option(120.0, "Seconds to wait for the first byte of an answer.")
    between_s: float = option(60.0, "Seconds to wait between two parts of an answer.")
    transport: Transport = port()
    _key: Secret = field(init=False, repr=False)
    _headers: tuple[tuple[str, str], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self._host = host_at(self.base_url) if self.host == OWN else hosts()[self.host]
        self.api_key_env, self._key = key_for(self.api_key_env, self._host.key, self.base_url, self._host.homes)
        self._patience = Patience(self.connect_s, self.first_s, self.between_s)
        self._headers = (("content-type", "application/json"), *_credential(self._host, self._key))

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        async with await self._post("/chat/completions", self._body(request), request.account.headers) as reply:
            if reply.status != 200:
                raise await error_of(reply, self.host, request.model, self.api_key_env)
            if not request.stream:
                yield openai_wire.whole(await reply.read(), self._host.charges)
                return
            expect_events(reply, self.host, request.model)
            asks_usage, choices = openai_wire.wants_usage(request), openai_wire.choices_of(request)
            stream = openai_wire.Stream(asks_usage, self._host.charges, choices)
            try:
                async for block in reply.blocks():
                    delta = stream.feed(block)
                    if delta is not None:
                        yield delta
                    if stream.done:
                        break
            except ProviderError:
                if not stream.whole:
                    raise
            stream.end(request.model)
            reply.leave()

    async def embed_upstream(self, model: str, texts: Texts, rest: Json) -> bytes:
        """The provider's own `/embeddings` answer, as it came."""
        body = msgspec.json.encode({"model": model, "input": list(texts), **rest})
        async with await self._post("/embeddings", body) as reply:
            if reply.status != 200:
                raise await error_of(reply, self.host, model, self.api_key_env)
            return await reply.read()

    def batches(self) -> BatchApi:
        """See `RunsBatches`."""
        headers = _credential(self._host, self._key)
        reach = Reach(self.host, self.base_url, headers, self.api_key_env, self.transport, self._patience)
        return OpenAIBatches(reach)

    def _body(self, request: Request) -> bytes:
        if self.prompt_cache and self._host.cache_key and "prompt_cache_key" not in request.rest:
            request = replace(request, rest={**request.rest, "prompt_cache_key": key_of(request)})
        return openai_request.body(request, self._host)

    async def _post(self, path: str, body: bytes, more: bytes = b"") -> Reply:
        if self._host.key_needed:
            require(self._key, self.host, self.api_key_env, self.base_url, self._host.homes)
        url = f"{self.base_url}{path}?{self.query}" if self.query else self.base_url + path
        return await self.transport.open("POST", url, self._headers, body, self._patience, more)


def of_host(name: str) -> type[OpenAI]:
    """The provider of a row of `hosts.toml`: as `OpenAI`, with the row's URL and key."""
    host = hosts()[name]
    key = KEY_HELP.format(usual=host.key, title=host.title) if host.key else "Environment variable of the key, if any."
    fields = [("base_url", str, _url_option(host)), ("api_key_env", str, option("", key))]
    about = f"{host.title}, in OpenAI's words: {host.base_url or 'the URL of your resource'}. See `openai`."
    namespace = {"host": name, "__doc__": about, "__module__": __name__}
    return cast("type[OpenAI]", make_dataclass("OpenAI", fields, bases=(OpenAI,), namespace=namespace))


def _url_option(host: Host) -> Any:
    if host.base_url:
        return option(host.base_url, "URL up to what OpenAI has up to /v1.")
    return field(metadata={"help": f"URL of your resource, such as {host.homes[0].replace('*', 'club')}/openai/v1."})


def _credential(host: Host, key: Secret) -> tuple[tuple[str, str], ...]:
    if not key:
        return ()
    return ((host.header, key.reveal()) if host.header else ("authorization", f"Bearer {key.reveal()}"),)
