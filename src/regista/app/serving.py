"""One request being answered: its stream of deltas and, whatever ends it, its cost and its trace."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from regista.core.errors import RegistaError
from regista.core.nouns import Answer, Delta, Response, Trace, Usage
from regista.core.user import user_of
from regista.serve.collector import Collector
from regista.serve.exchange import Exchange, Handler
from regista.serve.limits import Allowance

MAX_KEPT = 100_000
"""Characters of a question or an answer that a trace keeps."""
NANO = 1_000_000_000


class Serving:
    """Runs a handler once. `trace` is there when the stream has ended, however it ended."""

    __slots__ = ("_allowance", "_collector", "_handler", "_price_version", "_settle", "exchange", "trace")

    def __init__(
        self,
        handler: Handler,
        exchange: Exchange,
        price_version: str,
        settle: Callable[["Serving"], None],
        allowance: Allowance | None = None,
    ) -> None:
        self.exchange = exchange
        self._allowance = allowance
        self.trace: Trace | None = None
        self._handler = handler
        self._price_version = price_version
        self._settle = settle
        self._collector = Collector()

    @property
    def trace_id(self) -> str:
        return self.exchange.recorder.trace_id

    @property
    def cached(self) -> bool:
        """Whether the answer was made for another request."""
        return self.exchange.cached in ("hit", "coalesced", "semantic")

    async def deltas(self) -> AsyncGenerator[Delta]:
        """The answer as it comes. Settles cost and trace at its end, early ends included.

        Raises `OverLimitError`, and makes no trace, where the caller's key has no more requests.
        """
        if self._allowance is not None:
            await self._allowance.enter(self.exchange.recorder.started_ns)
        status, error = "cancelled", ""
        first = True
        try:
            async with aclosing(self._handler(self.exchange)) as deltas:
                async for delta in deltas:
                    if first:
                        self.exchange.recorder.first_token()
                        first = False
                    self._collector.add(delta)
                    yield delta
            status = "ok"
        except RegistaError as failure:
            status, error = "error", failure.message
            raise
        except Exception as failure:
            status, error = "error", type(failure).__name__
            raise
        finally:
            self._finish(status, error)
            if self._allowance is not None:
                self._allowance.leave()

    async def answer(self) -> Answer:
        """The whole answer, for callers in Python."""
        async with aclosing(self.deltas()) as deltas:
            async for _ in deltas:
                pass
        return self.so_far()

    @property
    def response(self) -> Response:
        """What has been answered until now."""
        return self._collector.response()

    def so_far(self) -> Answer:
        """What has been answered until now, as callers in Python get it; whole once `trace` is there."""
        response = self.response
        return Answer(
            response.text,
            response.citations,
            self.trace_id,
            self.exchange.variant.digest,
            response.usage or Usage(),
            (self.cost_nano() or 0) / NANO,
            self.cached,
        )

    def cost_nano(self) -> int | None:
        """The cost so far in nano-dollars: the sum over all calls made, or None where a price is not known."""
        costs = [call.cost_nano for call in self.exchange.calls]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def _finish(self, status: str, error: str) -> None:
        exchange, response = self.exchange, self._collector.response()
        calls = tuple(exchange.calls)
        self.trace = exchange.recorder.finish(
            status=status,
            error=error,
            cached=exchange.cached,
            usage=calls[0].usage if len(calls) == 1 else sum((call.usage for call in calls), Usage()),
            cost_nano=self.cost_nano(),
            price_version=self._price_version,
            question=exchange.question[:MAX_KEPT],
            answer=exchange.vault.conceal(response.text)[:MAX_KEPT] if exchange.vault else response.text[:MAX_KEPT],
            citations=response.citations,
            calls=calls,
            key=exchange.key,
            user=user_of(exchange.request.rest),
        )
        self._settle(self)
