"""Figures of the running process in Prometheus' text form, taken from finished traces.

Knows a trace, the log it went to and how models do; serves nothing itself.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Protocol, cast

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from regista.core.nouns import Json, Trace, Upstream
from regista.core.version import VERSION
from regista.observe.figures import Figure, figures_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_SERIES = 500
"""Combinations of labels kept apart; what comes after them is counted under `other`: a client names the model."""
_TOKENS = ("input", "output", "cached", "reasoning")
_PIECES_NS = 1_000_000
"""An answer that took less after its first piece came in one: it says nothing of the time between pieces."""
_STATES = {"closed": 0, "half-open": 1, "open": 2}


class Log(Protocol):
    """What `observe.log.TraceLog` tells of itself."""

    written: int
    dropped: int
    thinned: int
    bared: int
    depth: int
    restarts: int

    @property
    def lag_ms(self) -> float: ...


class Metrics:
    """Tallies over traces. `observe_trace` is for the hot path: plain additions, made into figures when read."""

    def __init__(
        self,
        log: Log | None = None,
        upstreams: Callable[[], Sequence[Upstream]] = tuple,
        refused: Mapping[str, int] | None = None,
        *more: Collector,
    ) -> None:
        self._registry = CollectorRegistry()
        self._tallies: dict[tuple[str, str, str, str], _Tally] = {}
        self._actions: dict[tuple[str, str], int] = {}
        self._calls: dict[tuple[str, str, str], int] = {}
        self._registry.register(_Traces(self._tallies, self._actions, self._calls))
        self._registry.register(_Process(log))
        self._registry.register(_Models(upstreams))
        self._registry.register(_Refusals({} if refused is None else refused))
        for collector in more:
            self._registry.register(collector)

    def observe_trace(self, trace: Trace) -> None:
        """Count a finished trace."""
        key = (trace.application, trace.model, trace.status, trace.cached)
        tally = self._tallies.get(key)
        if tally is None:
            if len(self._tallies) >= _SERIES:
                key = (trace.application, "other", trace.status, trace.cached)
            tally = self._tallies.setdefault(key, _Tally())
        tally.add(trace)
        for call in trace.calls:
            called = (call.model, call.cause, call.status)
            if called not in self._calls and len(self._calls) >= _SERIES:
                called = ("other", call.cause, call.status)
            self._calls[called] = self._calls.get(called, 0) + 1
        for span in trace.spans:
            if span.attributes and "verdicts" in span.attributes:
                self._count_verdicts(span.attributes)

    def figures(self) -> tuple[Figure, ...]:
        """All figures; `observe.figures.rendered` puts them in the format of `CONTENT_TYPE`."""
        return figures_of(self._registry.collect())

    def _count_verdicts(self, attributes: Json) -> None:
        """The attribute `verdicts` of a span lists `{guardrail, action}`, as guardrails decided."""
        for verdict in cast("list[Mapping[str, str]]", attributes["verdicts"]):
            key = (verdict["guardrail"], verdict["action"])
            self._actions[key] = self._actions.get(key, 0) + 1


class _Spread:
    """How often times fell into each bucket of `_SECONDS`, the last being all above."""

    __slots__ = ("counts", "total_ns")

    def __init__(self) -> None:
        self.counts = [0] * (len(_SECONDS) + 1)
        self.total_ns = 0

    def add(self, ns: int) -> None:
        self.counts[bisect_left(_SECONDS, ns / 1e9)] += 1
        self.total_ns += ns


class _Tally:
    """Sums over the traces of one combination of labels."""

    __slots__ = ("cost_nano", "duration", "each", "first", "requests", "tokens", "unpriced")

    def __init__(self) -> None:
        self.requests = self.cost_nano = self.unpriced = 0
        self.tokens = [0] * len(_TOKENS)
        self.duration, self.first, self.each = _Spread(), _Spread(), _Spread()

    def add(self, trace: Trace) -> None:
        self.requests += 1
        self.duration.add(trace.duration_ns)
        if trace.first_token_ns:
            self.first.add(trace.first_token_ns)
        for call in trace.calls:
            written, rest_ns = call.usage.output_tokens, call.duration_ns - call.first_token_ns
            if call.first_token_ns and rest_ns > _PIECES_NS and written > 1 and call.status == "ok":
                self.each.add(rest_ns // (written - 1))
        usage, tokens = trace.usage, self.tokens
        tokens[0] += usage.input_tokens
        tokens[1] += usage.output_tokens
        tokens[2] += usage.cached_tokens
        tokens[3] += usage.reasoning_tokens
        if trace.cost_nano is None:
            self.unpriced += 1
        else:
            self.cost_nano += trace.cost_nano


class _Traces(Collector):
    """The tallies as Prometheus' families."""

    def __init__(
        self,
        tallies: Mapping[tuple[str, str, str, str], _Tally],
        actions: Mapping[tuple[str, str], int],
        calls: Mapping[tuple[str, str, str], int],
    ) -> None:
        self._tallies = tallies
        self._actions = actions
        self._calls = calls

    def collect(self) -> Iterator[Metric]:
        by = ("application", "model")
        requests = CounterMetricFamily("regista_requests", "Requests answered.", labels=(*by, "status"))
        caches = CounterMetricFamily("regista_cache", "What the cache said.", labels=("application", "result"))
        tokens = CounterMetricFamily("regista_tokens", "Tokens the providers counted.", labels=(*by, "kind"))
        cost = CounterMetricFamily("regista_cost_dollars", "Cost of answers with a known price.", labels=by)
        unpriced = CounterMetricFamily("regista_unpriced_requests", "Requests of unknown cost.", labels=by)
        duration = HistogramMetricFamily("regista_request_seconds", "Time to the whole answer.", labels=by)
        first = HistogramMetricFamily("regista_first_token_seconds", "Time to the first piece.", labels=by)
        each = HistogramMetricFamily(
            "regista_output_token_seconds", "Time to each token after the first, of calls that stream.", labels=by
        )
        for labels, tallies in self._grouped(0, 1, 2):
            requests.add_metric(labels, sum(tally.requests for tally in tallies))
        for (application, result), tallies in self._grouped(0, 3):
            if result:
                caches.add_metric((application, result), sum(tally.requests for tally in tallies))
        for labels, tallies in self._grouped(0, 1):
            for kind, counts in zip(_TOKENS, zip(*(tally.tokens for tally in tallies), strict=True), strict=True):
                tokens.add_metric((*labels, kind), sum(counts))
            cost.add_metric(labels, sum(tally.cost_nano for tally in tallies) / 1e9)
            unpriced.add_metric(labels, sum(tally.unpriced for tally in tallies))
            _add_spreads(duration, labels, [tally.duration for tally in tallies])
            _add_spreads(first, labels, [tally.first for tally in tallies])
            _add_spreads(each, labels, [tally.each for tally in tallies])
        guards = CounterMetricFamily(
            "regista_guardrail_actions", "What guardrails did.", labels=("guardrail", "action")
        )
        for labels, count in self._actions.items():
            guards.add_metric(labels, count)
        calls = CounterMetricFamily(
            "regista_calls", "Calls of models, and why they were made.", labels=("model", "cause", "status")
        )
        for labels, count in self._calls.items():
            calls.add_metric(labels, count)
        yield from (requests, duration, first, each, tokens, cost, unpriced, caches, guards, calls)

    def _grouped(self, *places: int) -> Iterable[tuple[tuple[str, ...], list[_Tally]]]:
        groups: dict[tuple[str, ...], list[_Tally]] = {}
        for key, tally in self._tallies.items():
            groups.setdefault(tuple(key[place] for place in places), []).append(tally)
        return groups.items()


def _add_spreads(family: HistogramMetricFamily, labels: tuple[str, ...], spreads: list[_Spread]) -> None:
    counts = (sum(column) for column in zip(*(spread.counts for spread in spreads), strict=True))
    bounds = (*(str(float(second)) for second in _SECONDS), "+Inf")
    buckets = list(zip(bounds, accumulate(counts), strict=True))
    family.add_metric(labels, buckets, sum(spread.total_ns for spread in spreads) / 1e9)


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
        yield CounterMetricFamily("regista_traces_thinned", "Traces kept for the ledger alone.", value=log.thinned)
        bared = "Traces kept without what was said, as it could not be masked."
        yield CounterMetricFamily("regista_traces_bared", bared, value=log.bared)
        yield CounterMetricFamily("regista_traces_dropped", "Traces lost: queue full, or refused.", value=log.dropped)
        yield CounterMetricFamily("regista_trace_writer_restarts", "Writers that ended early.", value=log.restarts)


class _Refusals(Collector):
    """What keys were refused for want of room, by the kind of limit: `tokens/day`."""

    def __init__(self, refused: Mapping[str, int]) -> None:
        self._refused = refused

    def collect(self) -> Iterator[Metric]:
        refused = CounterMetricFamily("regista_limit_refusals", "What limits of keys refused.", labels=("limit",))
        for limit, count in self._refused.items():
            refused.add_metric((limit,), count)
        yield refused


class _Models(Collector):
    """How the models do: read when it is asked for."""

    def __init__(self, upstreams: Callable[[], Sequence[Upstream]]) -> None:
        self._upstreams = upstreams

    def collect(self) -> Iterator[Metric]:
        by = ("model",)
        running = GaugeMetricFamily("regista_model_running", "Calls under way.", labels=by)
        waiting = GaugeMetricFamily("regista_model_waiting", "Calls that wait for a place.", labels=by)
        shed = CounterMetricFamily("regista_model_shed", "Calls sent away for want of a place.", labels=by)
        state = GaugeMetricFamily("regista_model_breaker", "0: closed, 1: half-open, 2: open.", labels=by)
        opened = CounterMetricFamily("regista_model_breaker_opened", "How often it opened.", labels=by)
        for upstream in self._upstreams():
            name = (upstream.name,)
            running.add_metric(name, upstream.running)
            waiting.add_metric(name, upstream.waiting)
            shed.add_metric(name, upstream.shed)
            if upstream.state:
                state.add_metric(name, _STATES[upstream.state])
                opened.add_metric(name, upstream.opened)
        yield from (running, waiting, shed, state, opened)
