"""Takes down what happens to one request while it happens, and makes its trace in the end.

On the hot path: a span is one small object in a list. Knows no stage and no store.
"""

import os
import random
import time
from collections.abc import Sequence
from types import TracebackType

from regista.core.errors import RegistaError
from regista.core.nouns import Call, Citation, Json, Span, Trace, Usage
from regista.observe.otel.context import Context, headers
from regista.observe.otel.identity import span_id

_clock = time.perf_counter_ns
_bits = random.Random(os.urandom(32)).getrandbits  # noqa: S311
"""Random as W3C asks, and not a secret: the system is asked once instead of at every request."""


def made_id(started_ns: int) -> str:
    """A new trace's id: the second it begins in, and 24 digits by chance.

    Those of one time stand together in the store's index of ids: at 200,000 traces, writing one costs a quarter less
    than with ids by chance alone. What W3C asks to be random, the last 14 digits, is
    (https://www.w3.org/TR/trace-context-2/#random-trace-id-flag).
    """
    return f"{(started_ns // 1_000_000_000 & 0xFFFFFFFF) << 96 | _bits(96):032x}"


class Recorder:
    """One request's notebook. `trace_id` is 32 hexadecimal digits, the W3C form, made up where none is given.

    The stages of a request run one after the other in one task, so the span that is open is the
    parent of the next. `context` is where the caller stands in a trace, if it said so.
    """

    __slots__ = (
        "_application",
        "_first_token_ns",
        "_model",
        "_open",
        "_spans",
        "_start",
        "_tenant",
        "_variant",
        "context",
        "started_ns",
        "trace_id",
    )

    def __init__(self, application: str, variant: str, model: str, tenant: str, trace_id: str | None = None) -> None:
        self.started_ns = time.time_ns()
        self.trace_id = trace_id or made_id(self.started_ns)
        self._application = application
        self._variant = variant
        self._model = model
        self._tenant = tenant
        self._spans: list[OpenSpan] = []
        self._open = -1
        self._first_token_ns = 0
        self.context: Context | None = None
        self._start = _clock()

    def span(self, stage: str, name: str = "") -> "OpenSpan":
        """Open a span: `with recorder.span("retrieve") as span: … span.decide("8 hits", "hybrid")`."""
        return OpenSpan(self, stage, name)

    def first_token(self) -> None:
        """Take down when the first piece of the answer was there. Later calls change nothing."""
        if not self._first_token_ns:
            self._first_token_ns = _clock() - self._start

    def finish(
        self,
        status: str,
        error: str = "",
        cached: str = "",
        usage: Usage | None = None,
        cost_nano: int | None = None,
        price_version: str = "",
        question: str = "",
        answer: str = "",
        citations: Sequence[Citation] = (),
        calls: Sequence[Call] = (),
        key: str = "",
        user: str = "",
    ) -> Trace:
        """The trace. `status` is ok, error or cancelled; `cost_nano` is None where the price is unknown."""
        end = _clock()
        start = self._start
        # Spans know their recorder: to let go of them here spares the collector a cycle for every request.
        taken, self._spans = self._spans, []
        spans = tuple(
            [
                Span(
                    s.stage,
                    s.name,
                    s.parent,
                    s.start - start,
                    (s.end or end) - s.start,
                    s.decision,
                    s.reason,
                    s.attributes,
                )
                for s in taken
            ]
        )
        return Trace(
            self.trace_id,
            self._application,
            self._variant,
            self._model,
            self._tenant,
            self.started_ns,
            end - start,
            self._first_token_ns,
            status,
            error,
            cached,
            usage or Usage(),
            cost_nano,
            price_version,
            question,
            answer,
            tuple(citations),
            spans,
            tuple(calls),
            key,
            user,
        )


_NOTHING: Json = {}


class OpenSpan:
    """A stage under way. `decide` says what it did and why, `set` keeps figures beside that."""

    __slots__ = ("_index", "_recorder", "attributes", "decision", "end", "name", "parent", "reason", "stage", "start")

    def __init__(self, recorder: Recorder, stage: str, name: str) -> None:
        self._recorder = recorder
        self.stage = stage
        self.name = name
        self.decision = self.reason = ""
        self.attributes = _NOTHING
        self.end = 0

    def __enter__(self) -> "OpenSpan":
        recorder = self._recorder
        spans = recorder._spans  # pyright: ignore[reportPrivateUsage] - one thing in two classes, for speed
        self.parent = recorder._open  # pyright: ignore[reportPrivateUsage]
        self._index = recorder._open = len(spans)  # pyright: ignore[reportPrivateUsage]
        spans.append(self)
        self.start = _clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end = _clock()
        recorder = self._recorder
        # A generator that is closed late must not reopen what was closed before it.
        if recorder._open >= self._index:  # pyright: ignore[reportPrivateUsage]
            recorder._open = self.parent  # pyright: ignore[reportPrivateUsage]
        if error is not None:
            self._failed(error)

    def decide(self, decision: str, reason: str = "") -> None:
        """Say what this stage decided, in a word or two, and why."""
        self.decision = decision
        self.reason = reason

    def set(self, **attributes: object) -> None:
        """Keep plain values (numbers, text, lists and mappings of them) with the span."""
        self.attributes = {**self.attributes, **attributes}

    def headers(self) -> bytes:
        """The header lines by which a call made in this stage says what it belongs to (W3C trace context)."""
        recorder = self._recorder
        own = span_id(recorder.trace_id, recorder.started_ns, self._index)
        context = recorder.context
        if context is None:
            return headers(recorder.trace_id, own)
        return headers(recorder.trace_id, own, context.flags, context.state)

    def _failed(self, error: BaseException) -> None:
        self.decision = "error" if isinstance(error, Exception) else "cancelled"
        # Messages of foreign exceptions may hold a key or a whole request; Regista's own do not.
        self.reason = type(error).__name__
        if isinstance(error, RegistaError):
            self.reason += f": {error.message}"
