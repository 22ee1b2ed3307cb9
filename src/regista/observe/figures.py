"""Figures of several processes made into one set, so that whichever of them is asked tells the truth about all.

Knows Prometheus' kinds of figures and which of ours are not sums.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

HIGHEST = frozenset(
    {"regista_trace_lag_seconds", "regista_model_breaker"}
    | {f"regista_semantic_cache_{name}" for name in ("entries", "serving", "threshold", "false_hits", "sampled")}
)
"""Figures of which the highest counts. All others add up, but for those that only inform."""
_LASTING = ("counter", "histogram")

Labels = tuple[tuple[str, str], ...]


class Figure(Struct, frozen=True, array_like=True):
    """A family of figures: `samples` are (name, labels, value)."""

    name: str
    kind: str
    help: str
    samples: tuple[tuple[str, Labels, float], ...]


def figures_of(families: Iterable[Metric]) -> tuple[Figure, ...]:
    """Families as plain values."""
    return tuple(
        Figure(
            family.name,
            family.type,
            family.documentation,
            tuple((sample.name, tuple(sample.labels.items()), float(sample.value)) for sample in family.samples),
        )
        for family in families
    )


def merged(sets: Sequence[Sequence[Figure]]) -> tuple[Figure, ...]:
    """One set for all: counts and sums added, family by family."""
    families: dict[str, Figure] = {}
    values: dict[str, dict[tuple[str, Labels], float]] = {}
    for figure in (figure for figures in sets for figure in figures):
        families.setdefault(figure.name, figure)
        known = values.setdefault(figure.name, {})
        for name, labels, value in figure.samples:
            before = known.get((name, labels))
            known[name, labels] = value if before is None else _together(figure, before, value)
    return tuple(
        Figure(name, family.kind, family.help, tuple((*key, value) for key, value in values[name].items()))
        for name, family in families.items()
    )


def lasting(figures: Iterable[Figure]) -> tuple[Figure, ...]:
    """Those that stay true of a process after its end: what it counted. A total must not fall when one ends."""
    return tuple(figure for figure in figures if figure.kind in _LASTING)


def rendered(figures: Sequence[Figure]) -> bytes:
    """Prometheus' text form, as `observe.metrics.CONTENT_TYPE` says."""
    return generate_latest(_Given(figures))


def _together(figure: Figure, one: float, other: float) -> float:
    if figure.kind == "info":
        return one
    return max(one, other) if figure.name in HIGHEST else one + other


class _Given(Collector):
    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        for figure in self._figures:
            family = Metric(figure.name, figure.help, figure.kind)
            family.samples = [Sample(name, dict(labels), value) for name, labels, value in figure.samples]
            yield family
