"""Figures of the running process in Prometheus' text form, taken from finished traces.

Knows a trace and the log it went to; serves nothing itself.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, cast

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from regista.core.nouns import Json, Trace
from regista.core.version import VERSION

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_SERIES = 500
"""Combinations of labels kept apart; what comes after them is counted under `other`: a client names the model."""
disable_created_metrics()  # a second series for every counter, which nothing here is asked for
_TOKENS = ("input", "output", "cached", "reasoning")


class Log(Protocol):
    """What `observe.log.TraceLog` tells of itself."""

    written: int
    dropped: int
    depth: int
    restarts: int

    @property
    def lag_ms(self) -> float: ...


class Metrics:
    """Counters over traces. `observe_trace` is for the hot path: it looks its counters up once per combination."""

    def __init__(self, log: Log | None = None) -> None:
        self._registry = registry = CollectorRegistry()
        by = ("application", "model")
        self._requests = Counter("regista_requests", "Requests answered.", (*by, "status"), registry=registry)
        self._duration = Histogram(
            "regista_request_seconds", "Time to the whole answer.", by, buckets=_SECONDS, registry=registry
        )
        self._first = Histogram(
            "regista_first_token_seconds", "Time to the first piece.", by, buckets=_SECONDS, registry=registry
        )
        self._tokens = Counter("regista_tokens", "Tokens the providers counted.", (*by, "kind"), registry=registry)
        self._cost = Counter("regista_cost_dollars", "Cost of answers with a known price.", by, registry=registry)
        self._unpriced = Counter("regista_unpriced_requests", "Requests of unknown cost.", by, registry=registry)
        self._cache = Counter("regista_cache", "What the cache said.", ("application", "result"), registry=registry)
        self._guards = Counter(
            "regista_guardrail_actions", "What guardrails did.", ("guardrail", "action"), registry=registry
        )
        registry.register(_Process(log))
        self._observers: dict[tuple[str, str, str, str], Callable[[Trace], None]] = {}
        self._actions: dict[tuple[str, str], Callable[[], None]] = {}

    def observe_trace(self, trace: Trace) -> None:
        """Count a finished trace."""
        key = (trace.application, trace.model, trace.status, trace.cached)
        observe = self._observers.get(key)
        if observe is None:
            observe = self._observers[key] = self._observer(*key)
        observe(trace)
        for span in trace.spans:
            if span.attributes and "verdicts" in span.attributes:
                self._count_verdicts(span.attributes)

    def render(self) -> bytes:
        """All figures, in the format of `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def _observer(self, application: str, model: str, status: str, cached: str) -> Callable[[Trace], None]:
        """What to do with traces of these labels, all counters found."""
        if len(self._observers) >= _SERIES:
            model = "other"
        request = self._requests.labels(application, model, status).inc
        duration = self._duration.labels(application, model).observe
        first = self._first.labels(application, model).observe
        tokens = [self._tokens.labels(application, model, kind).inc for kind in _TOKENS]
        cost = self._cost.labels(application, model).inc
        unpriced = self._unpriced.labels(application, model).inc
        cache = self._cache.labels(application, cached).inc if cached else None

        def observe(trace: Trace) -> None:
            request()
            duration(trace.duration_ns / 1e9)
            if trace.first_token_ns:
                first(trace.first_token_ns / 1e9)
            usage = trace.usage
            counts = (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens)
            for count, add in zip(counts, tokens, strict=True):
                if count:
                    add(count)
            if trace.cost_nano is None:
                unpriced()
            elif trace.cost_nano:
                cost(trace.cost_nano / 1e9)
            if cache is not None:
                cache()

        return observe

    def _count_verdicts(self, attributes: Json) -> None:
        """The attribute `verdicts` of a span lists `{guardrail, action}`, as guardrails decided."""
        for verdict in cast("list[Mapping[str, str]]", attributes["verdicts"]):
            key = (verdict["guardrail"], verdict["action"])
            count = self._actions.get(key)
            if count is None:
                count = self._actions[key] = self._guards.labels(*key).inc
            count()


class _Process(Collector):
    """What is read when it is asked for: the build, and how the log keeps up."""

    def __init__(self, log: Log | None) -> None:
        self._log = log

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("regista_build", "This build.", {"version": VERSION})
        log = self._log
        if log is None:
            return
        yield GaugeMetricFamily("regista_trace_queue_depth", "Traces that are not stored yet.", log.depth)
        yield GaugeMetricFamily("regista_trace_lag_seconds", "Age of the oldest of them.", log.lag_ms / 1000)
        yield CounterMetricFamily("regista_traces_written", "Traces stored.", value=log.written)
        yield CounterMetricFamily("regista_traces_dropped", "Traces lost: queue full, or refused.", value=log.dropped)
        yield CounterMetricFamily("regista_trace_writer_restarts", "Writers that ended early.", value=log.restarts)
