"""The innermost wrapper: counts one call of a provider and tells it to the request's account, however it ends.

Retries, fallbacks and hedges wrap this one, so that each of their tries is counted. It knows no ledger and no key.
"""

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from regista.core.errors import ConfigurationError, ProviderError, RegistaError, RequestError
from regista.core.nouns import Call, Delta, Estimate, Request, Usage
from regista.egress.client import NOT_CONNECTED
from regista.models import tokens
from regista.models.prices import Price
from regista.models.providers import Provider
from regista.models.window import check, may_exceed

Status = Literal["ok", "error", "cancelled"]


@dataclass
class Metered:
    """Calls `provider` by its own name for `model`; `price` is None where none is known.

    `name` is what the configuration calls it (`provider/model`), `parameters` what holds where a request says nothing.
    """

    provider: Provider
    biller: str
    model: str
    price: Price | None
    name: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        """See `Provider.generate`. What the account does not allow, or the window cannot hold, is not sent."""
        account = request.account
        window = self.price.context if self.price is not None else 0
        if window and may_exceed(request, window):
            await check(request, window, self.name or self.model)
        call = _Call(self, request)
        settle = None if account.hold is None else await account.hold(call.estimate())
        call.begin()
        try:
            async with aclosing(self.provider.generate(replace(request, model=self.model))) as deltas:
                async for delta in deltas:
                    if call.add(delta):
                        yield delta
            call.status = "ok"
        except Exception as error:
            call.failed(error)
            raise
        finally:
            call.end(account.tell, settle)


class _Call:
    """One call while it is made: what was sent, and what has come so far."""

    __slots__ = (
        "_begun",
        "_failure",
        "_finished",
        "_first_ns",
        "_metered",
        "_pieces",
        "_request",
        "_started",
        "_text",
        "_usage",
        "status",
    )

    def __init__(self, metered: Metered, request: Request) -> None:
        self.status: Status = "cancelled"
        self._metered = metered
        self._request = request
        self._started = time.time_ns()
        self._failure: Exception | None = None
        self._usage: Usage | None = None
        self._finished = False
        self._first_ns = 0
        self._pieces = 0
        self._text: list[str] = []

    def estimate(self) -> Estimate:
        """The most it may use."""
        usage = tokens.at_most(self._request, self._metered.parameters)
        return Estimate(self._metered.name, usage, self._cost(usage), self._started)

    def begin(self) -> None:
        self._begun = time.perf_counter_ns()

    def add(self, delta: Delta) -> bool:
        """Count a delta. False for one that is only a count before anything is said: the answer has not begun."""
        if delta.usage is not None:
            self._usage = delta.usage
        if delta.finish is not None:
            self._finished = True
        if delta.text or delta.tool_calls or delta.reasoning:
            self._pieces += 1
            self._text += (delta.text, delta.reasoning, *(part.arguments for part in delta.tool_calls))
        elif delta.raw is None and not self._pieces and not self._finished and delta.usage is not None:
            return False
        if not self._first_ns:
            self._first_ns = time.perf_counter_ns() - self._begun
        return True

    def failed(self, error: Exception) -> None:
        self.status, self._failure = "error", error

    def end(self, *told: Callable[[Call], None] | None) -> None:
        """Say what it came to: to the account, and to who held something back for it."""
        metered = self._metered
        usage, exact = self._used()
        call = Call(
            metered.biller,
            metered.model,
            self._request.account.cause,
            self.status,
            usage,
            exact,
            self._cost(usage),
            self._started,
            time.perf_counter_ns() - self._begun,
            self._first_ns,
            _reason(self._failure),
        )
        for tell in told:
            if tell is not None:
                tell(call)

    def _cost(self, usage: Usage) -> int | None:
        """What the provider says it charged, else what the price makes of it; None where neither is known."""
        if usage.charged_nano is not None:
            return usage.charged_nano
        return None if self._metered.price is None else self._metered.price.cost(usage)

    def _used(self) -> tuple[Usage, bool]:
        """What the call used, and whether that is the provider's own count."""
        if self._usage is not None and (self._finished or self.status == "ok"):
            return self._usage, True
        if self._usage is None and not self._pieces and _cost_nothing(self._failure):
            return Usage(), True
        told = self._usage or Usage(tokens.of_request(self._request))
        written = max(self._pieces, tokens.of_text("".join(self._text)), told.output_tokens)
        return replace(told, output_tokens=written), False


def _reason(failure: Exception | None) -> str:
    """What went wrong. Messages of foreign exceptions may hold a key or a whole request; Regista's own do not."""
    if failure is None:
        return ""
    return failure.message if isinstance(failure, RegistaError) else type(failure).__name__


def _cost_nothing(failure: Exception | None) -> bool:
    """Whether a call failed before a model was put to work: a refusal is not billed, nor is what never left."""
    if isinstance(failure, ProviderError):
        return failure.code == NOT_CONNECTED or failure.upstream_status >= 400
    return isinstance(failure, ConfigurationError | RequestError)
