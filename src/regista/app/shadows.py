"""Shadow calls: a share of what was answered is asked of another model too, after the answer and off its path.

What that model says goes to nobody: it is a trace of its own, whose span names the trace it was made for, and its calls
are in the ledger with the cause `shadow`, on no key's account. Where too many are under way, some are left out.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from msgspec.structs import replace

from regista.app.application import Application
from regista.app.serving import Serving
from regista.core.nouns import Trace
from regista.observe.recorder import Recorder
from regista.serve.exchange import FIRST_CAUSE, Exchange

STAGE = "shadow"
PREFIX = "shadow "
"""What stands before the model's name in a shadow's trace, as the model asked for."""
UNDER_WAY = 8
"""Shadows asked at once: what comes while so many are is left out."""
SECONDS = 120.0
LAST_SECONDS = 5.0
"""How long the end of the server waits for them."""
_log = logging.getLogger(__name__)


class Shadows:
    """Asks in tasks of its own. `offer` what was answered; `close` it. `settle` is told every trace."""

    def __init__(self, settle: Callable[[Trace], None]) -> None:
        self.left_out = 0
        self._settle = settle
        self._tasks: set[asyncio.Task[None]] = set()

    def offer(self, serving: Serving, application: Application, price_version: str) -> None:
        """Ask the shadow what was asked, if this request is of its share and was answered. Never waits."""
        exchange, trace = serving.exchange, serving.trace
        if exchange.shadowed is None or application.shadow is None or trace is None:
            return
        if trace.status != "ok" or trace.tenant == "evaluation":
            return
        if len(self._tasks) >= UNDER_WAY:
            self.left_out += 1
            return
        task = asyncio.create_task(self._ask(exchange, trace, application, price_version), name="shadow")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let those under way end, for a few seconds at most."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=LAST_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _ask(self, exchange: Exchange, of: Trace, application: Application, price_version: str) -> None:
        # Of this task alone: its context is a copy.
        FIRST_CAUSE.set("shadow")
        router = application.folder.settings.router
        handler, asked = application.shadow, exchange.shadowed
        assert router is not None and handler is not None and asked is not None, "offered only where they are"  # noqa: S101
        if application.toolbox is not None:
            asked = replace(asked, tools=application.toolbox.tools)
        variant = exchange.variant
        recorder = Recorder(variant.application, variant.digest, PREFIX + router.shadow, exchange.tenant)
        with recorder.span(STAGE, of.id) as span:
            span.decide("asked", f"the same as {of.model} was")
        shadow = Exchange(asked, variant, exchange.tenant, recorder, question=of.question, vault=exchange.vault)
        serving = Serving(handler, shadow, price_version, self._settled)
        try:
            async with asyncio.timeout(SECONDS), aclosing(serving.deltas()) as deltas:
                async for _ in deltas:
                    pass
        except Exception as error:  # noqa: BLE001 - its trace says what went wrong, and nobody waits for it
            _log.debug("A shadow call failed: %s", error)

    def _settled(self, serving: Serving) -> None:
        if (trace := serving.trace) is not None:
            # Tries and fallbacks of a shadow are a shadow's too.
            self._settle(replace(trace, calls=tuple(replace(call, cause="shadow") for call in trace.calls)))
