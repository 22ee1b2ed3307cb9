"""What came in by OTLP and what went out, for Prometheus. Knows counters, and not what they count."""

from collections.abc import Iterator
from typing import Protocol

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Took(Protocol):
    """What `intake.Intake` tells of itself."""

    received: int
    rejected: int
    refused: int

    @property
    def held(self) -> int: ...


class Sent(Protocol):
    """What `sending.Exporter` tells of itself."""

    exported: int
    dropped: int


class OtlpFigures(Collector):
    """Read when it is asked for."""

    def __init__(self, took: Took, sent: Sent) -> None:
        self._took = took
        self._sent = sent

    def collect(self) -> Iterator[Metric]:
        took, sent = self._took, self._sent
        yield CounterMetricFamily("regista_otlp_received_spans", "Spans sent here.", value=took.received)
        yield CounterMetricFamily("regista_otlp_rejected_spans", "Those that could not be read.", value=took.rejected)
        yield CounterMetricFamily(
            "regista_otlp_refused_requests", "Requests of spans sent away for want of room.", value=took.refused
        )
        yield GaugeMetricFamily("regista_otlp_held_bytes", "Spans that are not stored yet.", took.held)
        yield CounterMetricFamily("regista_otlp_exported_traces", "Traces a collector took.", value=sent.exported)
        yield CounterMetricFamily("regista_otlp_dropped_traces", "Traces no collector took.", value=sent.dropped)
