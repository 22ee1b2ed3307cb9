"""Reaches a provider's batch API: one request and its reply, errors told. Knows no provider's words."""

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from regista.core.errors import ProviderError
from regista.egress import Patience, Reply, Transport
from regista.models.http_errors import error_of

T = TypeVar("T")
JSON = "application/json"


@dataclass(frozen=True)
class Reach:
    """Where a provider is and how it is spoken to. `headers` hold its key, and no content type."""

    provider: str
    base_url: str
    headers: tuple[tuple[str, str], ...]
    key_env: str
    transport: Transport
    patience: Patience

    async def ask(self, method: str, path: str, body: bytes = b"", content_type: str = JSON) -> Reply:
        """A reply whose status was 200. Raises `ProviderError`."""
        headers = (*self.headers, ("content-type", content_type)) if body else self.headers
        reply = await self.transport.open(method, self.base_url + path, headers, body, self.patience)
        if reply.status != 200:
            async with reply:
                raise await error_of(reply, self.provider, "batch", self.key_env)
        return reply

    async def read(self, kind: type[T], method: str, path: str, body: bytes = b"", content_type: str = JSON) -> T:
        """The JSON of a reply. Raises `ProviderError`, for what is not of this kind too."""
        async with await self.ask(method, path, body, content_type) as reply:
            return decoded(await reply.read(), kind)

    async def lines(self, path: str, kind: type[T]) -> AsyncGenerator[T]:
        """The lines of a file, each of them JSON, as they arrive."""
        async with await self.ask("GET", path) as reply:
            async for line in _cut(reply.blocks()):
                yield decoded(line, kind)


def decoded(data: bytes, kind: type[T]) -> T:
    """JSON of this kind; raises `ProviderError` for what is none."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise ProviderError(f"The batch API answered with something else ({error}).") from None


async def _cut(blocks: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    """Lines, empty ones left out."""
    rest: list[bytes] = []
    async for block in blocks:
        first, *others = block.split(b"\n")
        rest.append(first)
        for other in others:
            if line := b"".join(rest).strip():
                yield line
            rest = [other]
    if line := b"".join(rest).strip():
        yield line
