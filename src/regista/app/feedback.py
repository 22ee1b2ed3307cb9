"""What users say of answers, as a running platform hears it: what is looked at, who may say something, what came in.

It knows neither HTTP nor the tables.
"""

import hmac
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, cast

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from regista.app.feedback_seen import Seen
from regista.app.feedback_signals import Signals
from regista.app.schema import Feedback as Settings
from regista.app.serving import Serving
from regista.core.errors import AuthenticationError
from regista.core.nouns import Message, Request
from regista.observe.capture import Capture
from regista.observe.figures import Figure, figures_of
from regista.serve.exchange import FIRST_CAUSE, Exchange

TOKEN = "rf"  # noqa: S105 - how tokens begin, not one
TOKEN_S = 7 * 86_400
"""For how long something may be said of an answer with its token."""
LARGEST = 1_000_000
"""Characters of a request that is looked at; larger ones are left out, and counted."""
_BLOCKED = "block"


class Hearing:
    """One platform's. `settings` tells what the version served now asks for; `url` is the store's."""

    def __init__(self, url: str, secret: bytes, settings: Callable[[], Settings | None]) -> None:
        self.signals = Signals(url)
        self.capture: Capture = "full"
        """How much may be kept of what was said, where signals rest on it."""
        self._settings = settings
        self._secret = secret
        self._follows = False
        self._given: dict[tuple[str, str], int] = {}

    def follow(self) -> None:
        """Tell conversations apart from now on, as the application asks."""
        self._follows = True

    @property
    def settings(self) -> Settings | None:
        """`[feedback]`, if there is one."""
        return self._settings()

    def keep(self, exchange: Exchange, request: Request) -> None:
        """Keep what a request says until its answer is there, if it is one to look at."""
        if not self._follows or FIRST_CAUSE.get() != "answer" or exchange.tenant == "evaluation":
            return
        wanted = (self._settings() or Settings()).signals
        if wanted == "all" or (wanted == "application" and exchange.variant.application):
            exchange.said = request.messages

    def hear(self, serving: Serving) -> None:
        """Look at a request that has ended, if it was kept. Never waits and never raises."""
        exchange = serving.exchange
        if not exchange.said:
            return
        try:
            if _weight(exchange.said) <= LARGEST:
                self.signals.offer(_seen(serving, self.capture), (self._settings() or Settings()).over_after_s)
                return
        except Exception as error:  # noqa: BLE001 - nothing a client sends may end a request here
            self.signals.last_error = f"A request could not be looked at: {type(error).__name__}"
        self.signals.dropped += 1

    def count(self, kind: str, source: str, *, new: bool) -> None:
        """Take down that something was said outright, if it is `new` and not what took the place of something."""
        self._given[kind, source] = self._given.get((kind, source), 0) + new

    def token_for(self, serving: Serving) -> str:
        """With this, whoever has it may say what they think of one answer, for a week; none without `[feedback]`."""
        if self._settings() is None or not serving.exchange.variant.application:
            return ""
        trace, started_ns = serving.trace_id, serving.exchange.recorder.started_ns
        expires = int(time.time()) + TOKEN_S
        return f"{TOKEN}-{expires:x}-{started_ns:x}-{self._sign(trace, started_ns, expires)}"

    def check(self, trace: str, token: str) -> int:
        """When the answer's request began, in nanoseconds since 1970.

        Raises:
            AuthenticationError: the token is not for this trace, or its week is over.
        """
        head, expires, started, signature = (token.split("-") + [""] * 4)[:4]
        try:
            ends, began = int(expires, 16), int(started, 16)
        except ValueError:
            ends = began = 0
        if head != TOKEN or not hmac.compare_digest(self._sign(trace, began, ends).encode(), signature.encode()):
            raise AuthenticationError(
                "This token is not for feedback on this answer: send the one that came with it, in 'regista.feedback'.",
                code="invalid_feedback_token",
                param="token",
            )
        if ends < time.time():
            raise AuthenticationError(
                "The time for feedback on this answer is over.", code="expired_feedback_token", param="token"
            )
        return began

    def figures(self) -> Sequence[Figure]:
        """What came in, for Prometheus."""
        signals = self.signals
        given = CounterMetricFamily("regista_feedback", "Feedback stored.", labels=("kind", "source"))
        for labels, count in self._given.items():
            given.add_metric(labels, count)
        given.add_metric(("signal", "gateway"), signals.found)
        turns, lost = "Requests looked at for signals.", "Requests not looked at: too many, too large, or the store."
        families: list[Metric] = [
            given,
            CounterMetricFamily("regista_feedback_turns", turns, value=signals.followed),
            CounterMetricFamily("regista_feedback_turns_dropped", lost, value=signals.dropped),
            CounterMetricFamily("regista_feedback_restarts", "Processes that ended early.", value=signals.restarts),
            GaugeMetricFamily("regista_feedback_turns_waiting", "Requests to be looked at.", value=signals.depth),
        ]
        return figures_of(families)

    async def close(self) -> None:
        """Have what waits looked at, and end what runs beside."""
        await self.signals.close()

    def _sign(self, trace: str, started_ns: int, expires: int) -> str:
        said = f"{trace} {started_ns} {expires}".encode()
        return hmac.digest(self._secret, said, sha256)[:20].hex()


def _seen(serving: Serving, capture: Capture) -> Seen:
    trace, exchange, response = serving.trace, serving.exchange, serving.response
    assert trace is not None, "looked at when it has ended"  # noqa: S101
    user = str(exchange.request.rest.get("user") or exchange.request.rest.get("safety_identifier") or "")
    return Seen(
        *(trace.id, trace.started_ns, trace.duration_ns, trace.status, trace.question, trace.answer),
        response.refused or (trace.status == "error" and any(span.decision == _BLOCKED for span in trace.spans)),
        *(trace.tenant, trace.application),
        "\0".join((trace.tenant, trace.key, user, trace.application)),
        bool(user),
        exchange.said,
        response.text if response.text != trace.answer else None,
        tuple(call.id for call in response.tool_calls),
        exchange.vault.conceal(_last_answer(exchange.said)) if exchange.vault else None,
        capture,
    )


def _last_answer(messages: Sequence[Message]) -> str:
    """The assistant's message next before the last question."""
    asked = max((at for at, message in enumerate(messages) if message.role == "user"), default=0)
    return next((message.text for message in reversed(messages[:asked]) if message.role == "assistant"), "")


def _weight(value: object) -> int:
    """Characters of all text in messages, or in what one of them holds."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Message):
        return _weight(value.content) + _weight(value.rest)
    if isinstance(value, dict):
        return sum(map(_weight, cast("dict[str, Any]", value).values()))
    if isinstance(value, list | tuple):
        return sum(map(_weight, cast("Sequence[Any]", value)))
    return 8
