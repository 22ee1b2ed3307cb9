"""A model's own parameters: they hold where the request sets none. It knows no parameter."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from msgspec.structs import replace

from regista.core.nouns import Delta, Json, Request
from regista.models.providers import Provider


@dataclass
class Parameters:
    """Asks `provider` with `parameters` under the fields of the request."""

    provider: Provider
    parameters: Json

    def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        return self.provider.generate(replace(request, rest={**self.parameters, **request.rest}))
