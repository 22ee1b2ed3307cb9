"""By when an answer must be whole, whatever is tried on the way. It sets the time; `silence` and who waits keep it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from msgspec.structs import replace

from regista.core.nouns import Delta, Request
from regista.models.providers import Provider


@dataclass
class Deadline:
    """Gives an answer `total_s` seconds, or what is left of a shorter time that it was given already."""

    provider: Provider
    total_s: float

    def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        account = request.account
        until = asyncio.get_running_loop().time() + self.total_s
        until = min(until, account.until) if account.until else until
        return self.provider.generate(replace(request, account=replace(account, until=until)))
