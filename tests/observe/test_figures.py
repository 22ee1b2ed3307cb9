"""Figures of several processes, put together."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.observe.conftest import record

from regista.observe.figures import Figure, figures_of, lasting, merged, rendered
from regista.observe.metrics import Metrics


class Log:
    def __init__(self, depth: int, lag_ms: float) -> None:
        self.written, self.dropped, self.thinned, self.bared, self.restarts = 10 * depth, 0, 0, 0, 0
        self.depth, self.lag_ms = depth, lag_ms


def lines(*sets: tuple[Figure, ...]) -> set[str]:
    return set(rendered(merged(sets)).decode().splitlines())


def test_counts_of_all_add_up_and_the_longest_lag_is_told() -> None:
    processes = [Metrics(Log(3, 250.0)), Metrics(Log(4, 1500.0))]
    for process, times in zip(processes, (2, 3), strict=True):
        for _ in range(times):
            process.observe_trace(replace(record("a"), duration_ns=30_000_000))
    found = lines(*(process.figures() for process in processes))
    assert 'regista_requests_total{application="club",model="embedded/reader",status="ok"} 5.0' in found
    assert 'regista_request_seconds_bucket{application="club",le="0.05",model="embedded/reader"} 5.0' in found
    assert 'regista_request_seconds_sum{application="club",model="embedded/reader"} 0.15' in found
    assert "regista_trace_queue_depth 7.0" in found
    assert "regista_trace_lag_seconds 1.5" in found
    assert "regista_traces_written_total 70.0" in found


def test_one_process_is_told_as_it_is_and_builds_are_not_added() -> None:
    metrics = Metrics(Log(1, 0))
    metrics.observe_trace(record("a"))
    once = rendered(metrics.figures())
    assert rendered(merged([metrics.figures()])) == once
    assert sum(line.startswith("regista_build_info{") for line in lines(metrics.figures(), metrics.figures())) == 1
    assert all(line.endswith(" 1.0") for line in lines(metrics.figures()) if line.startswith("regista_build_info{"))


def test_what_a_dead_process_counted_lasts_and_what_it_held_does_not() -> None:
    metrics = Metrics(Log(5, 100))
    metrics.observe_trace(record("a"))
    found = lines(lasting(metrics.figures()))
    assert 'regista_requests_total{application="club",model="embedded/reader",status="ok"} 1.0' in found
    assert not any("queue_depth" in line or "lag_seconds" in line for line in found)


counts = st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), unique_by=lambda s: s[0]), max_size=4)


@given(counts)
def test_nothing_is_lost_or_counted_twice_in_whatever_order(processes: list[list[tuple[str, int]]]) -> None:
    sets = [(Figure("n", "counter", "N.", tuple(("n_total", (("of", of),), n) for of, n in one)),) for one in processes]
    total = sum(n for one in processes for _, n in one)
    for way in (sets, sets[::-1]):
        assert sum(value for figure in merged(way) for *_, value in figure.samples) == total
    stepwise = ()
    for one in sets:
        stepwise = merged([stepwise, one])
    assert stepwise == merged(sets)


def test_figures_are_prometheus_own() -> None:
    metrics = Metrics()
    assert figures_of(()) == ()
    assert {figure.kind for figure in metrics.figures()} >= {"counter", "histogram", "info"}
