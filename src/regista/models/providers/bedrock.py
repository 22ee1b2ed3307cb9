"""Amazon Bedrock by its `Converse` API, for all models it has.

Requests go out as everything does, through the egress client, so that nothing is contacted but `base_url`. Botocore
signs them and cuts streams into messages; its own client and its search for credentials (which asks machines and
services nobody named) are not used.
"""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, cast
from urllib.parse import quote

from regista.core.errors import ConfigurationError, MissingExtraError, ProviderError
from regista.core.nouns import Delta, Request
from regista.core.registry import option, port
from regista.core.secret import Secret
from regista.egress import Patience, Reply, Transport
from regista.models import bedrock_request, bedrock_wire
from regista.models.credentials import at_home, key_for
from regista.models.http_errors import error_of
from regista.models.prompt_cache import Heads
from regista.models.providers import providers

try:
    from botocore import auth, awsrequest, credentials, eventstream  # pyright: ignore[reportMissingTypeStubs]
except ImportError:
    raise MissingExtraError("The provider bedrock", "botocore", "bedrock") from None

HOMES = ("https://bedrock-runtime.*.amazonaws.com", "https://bedrock-runtime-fips.*.amazonaws.com")
REGION = re.compile(r"https://bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
LARGE = 256 * 1024
"""Bytes from which on signing a body takes longer than an event loop should be kept."""
Headers = tuple[tuple[str, str], ...]


class _Buffer(Protocol):
    def add_data(self, data: bytes) -> None: ...
    def __iter__(self) -> Iterator[Any]: ...


@dataclass(frozen=True)
class _Account:
    """Who signs."""

    access_key: str
    secret_key: Secret
    token: Secret


@providers.add
@dataclass
class Bedrock:
    """Speaks `/model/…/converse` below `base_url`, with a Bedrock API key or signed by an AWS account."""

    base_url: str = option("https://bedrock-runtime.us-east-1.amazonaws.com", "URL of Bedrock's runtime in a region.")
    region: str = option("", "Region that requests are signed for. Unset: the one in base_url.")
    api_key_env: str = option(
        "", "Environment variable of a Bedrock API key. Unset: AWS_BEARER_TOKEN_BEDROCK for Amazon's own URLs."
    )
    account_env: str = option(
        "",
        "What the variables of an account begin with: _ACCESS_KEY_ID, _SECRET_ACCESS_KEY, _SESSION_TOKEN follow. "
        "Unset: AWS for Amazon's own URLs.",
    )
    prompt_cache: bool = option(False, "Mark what stays from request to request, so that the prompt cache keeps it.")
    connect_s: float = option(10.0, "Seconds to wait for a connection.")
    first_s: float = option(120.0, "Seconds to wait for the first byte of an answer.")
    between_s: float = option(60.0, "Seconds to wait between two parts of an answer.")
    transport: Transport = port()
    _patience: Patience = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        found = REGION.match(self.base_url)
        self.region = self.region or (found[1] if found else "")
        self.api_key_env, self._key = key_for(self.api_key_env, "AWS_BEARER_TOKEN_BEDROCK", self.base_url, HOMES)
        self._account = _account(self.account_env or ("AWS" if at_home(self.base_url, HOMES) else ""))
        self._patience = Patience(self.connect_s, self.first_s, self.between_s)
        self._heads = Heads() if self.prompt_cache else None

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        body = bedrock_request.body(request, self._heads)
        operation = "converse-stream" if request.stream else "converse"
        async with await self._post(request.model, operation, body, request.account.headers) as reply:
            if reply.status != 200:
                raise await error_of(reply, "bedrock", request.model, self.api_key_env)
            if not request.stream:
                for delta in bedrock_wire.whole(await reply.read()):
                    yield delta
                return
            stream, buffer = bedrock_wire.Stream(), cast("_Buffer", eventstream.EventStreamBuffer())
            async for block in reply.blocks():
                for kind, payload in _messages(buffer, block):
                    delta = stream.take(kind, payload)
                    if delta is not None:
                        yield delta
                if stream.done:
                    reply.leave()
                    break
            yield stream.end()

    async def count_tokens(self, request: Request) -> int:
        """See `CountsTokens`."""
        async with await self._post(request.model, "count-tokens", bedrock_request.count_body(request)) as reply:
            if reply.status != 200:
                raise await error_of(reply, "bedrock", request.model, self.api_key_env)
            return bedrock_wire.counted(await reply.read())

    async def _post(self, model: str, operation: str, body: bytes, more: bytes = b"") -> Reply:
        url = f"{self.base_url}/model/{quote(model, safe='')}/{operation}"
        if len(body) > LARGE:
            headers = await asyncio.to_thread(self._headers, url, body)
        else:
            headers = self._headers(url, body)
        return await self.transport.open("POST", url, headers, body, self._patience, more)

    def _headers(self, url: str, body: bytes) -> Headers:
        """The headers of a request with what proves who sends it; a key goes before a signature."""
        kind = ("content-type", "application/json")
        if self._key:
            return (kind, ("authorization", f"Bearer {self._key.reveal()}"))
        if self._account is not None:
            return (kind, *_signed(self._account, self.region, url, body))
        if at_home(self.base_url, HOMES):
            raise ConfigurationError(
                "bedrock needs a key: set the environment variable AWS_BEARER_TOKEN_BEDROCK, or those of an account: "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
                code="key_missing",
            )
        return (kind,)


def _account(prefix: str) -> _Account | None:
    names = [f"{prefix}_{name}" for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
    access_key, secret_key, token = (os.environ.get(name, "") for name in names)
    return _Account(access_key, Secret(secret_key), Secret(token)) if prefix and access_key and secret_key else None


def _signed(account: _Account, region: str, url: str, body: bytes) -> Iterable[tuple[str, str]]:
    """The headers of Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html."""
    secret, token = account.secret_key.reveal(), account.token.reveal() or None
    who = cast("Any", credentials).Credentials(account.access_key, secret, token)
    request = cast("Any", awsrequest).AWSRequest("POST", url, data=body)
    cast("Any", auth).SigV4Auth(who, "bedrock", region).add_auth(request)
    return request.headers.items()


def _messages(buffer: _Buffer, block: bytes) -> Iterator[tuple[str, bytes]]:
    """The messages that became whole with a block, as (kind, payload)."""
    buffer.add_data(block)
    try:
        for message in buffer:
            headers: dict[str, str] = message.headers
            failed = headers.get(":exception-type") or headers.get(":error-code")
            kind = f"{failed.removesuffix('Exception')}Exception" if failed else headers.get(":event-type", "")
            yield kind, message.payload
    except cast("Any", eventstream).ParserError as error:
        raise ProviderError(f"bedrock sent what is no event stream: {error}. Is base_url right?") from None
