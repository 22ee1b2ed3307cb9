"""The innermost wrapper: counts one call of a provider and tells it to the request's account, however it ends.

Retries, fallbacks and hedges wrap this one, so that each of their tries is counted. It knows no ledger.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from regista.core.errors import ConfigurationError, ProviderError, RegistaError, RequestError
from regista.core.nouns import Call, Delta, Request, Usage
from regista.egress.client import NOT_CONNECTED
from regista.models import tokens
from regista.models.prices import Price
from regista.models.providers import Provider


@dataclass
class Metered:
    """Calls `provider` by its own name for `model`; `price` is None where none is known."""

    provider: Provider
    biller: str
    model: str
    price: Price | None

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`."""
        tally = _Tally()
        started, begun = time.time_ns(), time.perf_counter_ns()
        status: Literal["ok", "error", "cancelled"] = "cancelled"
        reason, failure = "", None
        try:
            async with aclosing(self.provider.generate(replace(request, model=self.model))) as deltas:
                async for delta in deltas:
                    if not tally.first_ns:
                        tally.first_ns = time.perf_counter_ns() - begun
                    tally.add(delta)
                    yield delta
            status = "ok"
        except Exception as error:
            # Messages of foreign exceptions may hold a key or a whole request; Regista's own do not.
            reason = error.message if isinstance(error, RegistaError) else type(error).__name__
            status, failure = "error", error
            raise
        finally:
            if request.account.tell is not None:
                usage, exact = tally.usage_of(request, failure)
                cost = None if self.price is None else self.price.cost(usage)
                duration = time.perf_counter_ns() - begun
                cause = request.account.cause
                request.account.tell(
                    Call(
                        self.biller,
                        self.model,
                        cause,
                        status,
                        usage,
                        exact,
                        cost,
                        started,
                        duration,
                        tally.first_ns,
                        reason,
                    )
                )


class _Tally:
    """What has come of one answer so far."""

    __slots__ = ("finished", "first_ns", "pieces", "text", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.finished = False
        self.first_ns = 0
        self.pieces = 0
        self.text: list[str] = []

    def add(self, delta: Delta) -> None:
        if delta.usage is not None:
            self.usage = delta.usage
        if delta.finish is not None:
            self.finished = True
        if delta.text or delta.tool_calls or delta.reasoning:
            self.pieces += 1
            self.text += (delta.text, delta.reasoning, *(part.arguments for part in delta.tool_calls))

    def usage_of(self, request: Request, failure: Exception | None) -> tuple[Usage, bool]:
        """What the call used, and whether that is the provider's own count."""
        if self.usage is not None and self.finished:
            return self.usage, True
        if not self.pieces and _cost_nothing(failure):
            return Usage(), True
        told = self.usage or Usage(tokens.of_request(request))
        written = max(self.pieces, tokens.of_text("".join(self.text)), told.output_tokens)
        return replace(told, output_tokens=written), False


def _cost_nothing(failure: Exception | None) -> bool:
    """Whether a call failed before a model was put to work: a refusal is not billed, nor is what never left."""
    if isinstance(failure, ProviderError):
        return failure.code == NOT_CONNECTED or failure.upstream_status >= 400
    return isinstance(failure, ConfigurationError | RequestError)
