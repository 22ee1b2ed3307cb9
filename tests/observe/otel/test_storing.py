"""Spans from elsewhere in the store: once, whatever order they come in, and apart from all that is not theirs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.observe.otel.conftest import SECOND, START, sent

from regista.core.nouns import Call, Json, Trace, Usage
from regista.observe.otel import storing
from regista.observe.otel.grouping import received_again, trace_of
from regista.observe.otel.mapping import received
from regista.observe.otel.nouns import OtlpSpan
from regista.observe.otel.storing import receive
from regista.store import Database, connect, ledger, rollups, traces
from regista.store.rollups import HOUR_S, MINUTE_S


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite://{tmp_path / 'a.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")
    opened = connect(url)
    yield opened
    opened.close()


def span(trace: str, number: int, parent: int = 0, start: float = 0, seconds: float = 1) -> OtlpSpan:
    began = START + round(start * SECOND)
    resource: Json = {"service.name": f"bot-{trace[:8]}"}
    return replace(
        sent(gen_ai__operation__name="chat", gen_ai__request__model="m", gen_ai__usage__output_tokens=number),
        trace_id=trace,
        id=f"{number:016x}",
        parent_id=f"{parent:016x}" if parent else "",
        start_ns=began,
        end_ns=began + round(seconds * SECOND),
        resource=resource,
    )


def of(database: Database, trace_id: str, tenant: str = "t") -> Trace:
    (found,) = (trace for _, trace in traces.of_ids(database, [trace_id]) if trace.tenant == tenant)
    return found


def sums(database: Database, application: str, grain_s: int = HOUR_S) -> list[tuple[int, int, int]]:
    """How many traces, tokens and seconds at most, a group."""
    since = START // SECOND - HOUR_S
    read = rollups.read(
        database,
        "traces",
        ("time",),
        since_s=since,
        until_s=since + 9 * HOUR_S,
        grain_s=grain_s,
        application=application,
    )
    return [(one.count, one.output_tokens, round(one.duration_ns[2] / SECOND)) for one in read]


def test_a_late_span_is_put_into_the_trace_and_the_sums_count_it_once(database: Database) -> None:
    id = os.urandom(16).hex()
    assert receive(database, [("t", [span(id, 2, 1, start=70)])]) == 0
    assert sums(database, f"bot-{id[:8]}", MINUTE_S) == [(1, 2, 1)]
    root = span(id, 1, start=0, seconds=80)
    trace = of(database, id)
    for _ in range(2):
        assert receive(database, [("t", [root])]) == 0
        trace = of(database, id)
        assert trace == trace_of(map(received, [root, span(id, 2, 1, start=70)]), "t")
        for grain_s in (MINUTE_S, HOUR_S):
            found = sums(database, f"bot-{id[:8]}", grain_s)
            assert [(count, tokens) for count, tokens, _ in found] == [(1, 1)] and found[0][2] in range(78, 83)
    assert len(traces.recent(database, f"bot-{id[:8]}")) == 1
    assert not ledger.sums(database, "model") and not trace.calls


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(1, 8)), cuts=st.sets(st.integers(1, 6)), twice=st.sets(st.integers(0, 6)))
def test_any_order_in_any_number_of_parts_makes_the_same_trace(
    tmp_path: Path, order: list[int], cuts: set[int], twice: set[int]
) -> None:
    id = os.urandom(16).hex()
    spans = [span(id, number, number // 2, start=number * 40, seconds=400 - number * 50) for number in order]
    starts = [0, *sorted(cuts)]
    parts = [spans[start:end] for start, end in zip(starts, [*starts[1:], 7], strict=True)]
    parts += [parts[at] for at in twice if at < len(parts)]
    database = connect(f"sqlite://{tmp_path / 'b.db'}")
    for part in parts:
        receive(database, [("t", part)])
    whole = trace_of(map(received, spans), "t")
    assert of(database, id) == whole
    assert sums(database, whole.application) == [(1, 1, pytest.approx(whole.duration_ns / SECOND, abs=9))]
    database.close()


def test_parts_that_are_stored_together_are_one_too(database: Database) -> None:
    id, other = os.urandom(16).hex(), os.urandom(16).hex()
    parts = [("t", [span(id, 2, 1), span(other, 1)]), ("u", [span(id, 3)]), ("t", [span(id, 1)])]
    assert receive(database, parts) == 0
    assert [one.attributes["id"] for one in of(database, id).spans] == [f"{number:016x}" for number in (1, 2)]
    assert len(of(database, other).spans) == len(of(database, id, "u").spans) == 1


def test_who_has_the_same_id_is_another(database: Database) -> None:
    """Two tenants, and a request of our own that goes on in a client's trace, all at the same nanosecond."""
    id = os.urandom(16).hex()
    call = Call("openai", "m", "answer", "ok", Usage(1, 1), True, 5, START, 1)
    own = replace(trace_of([received(span(id, 9))], "t"), spans=(), calls=(call,))
    with database.transaction() as transaction:
        traces.write(transaction, [own])
    for _ in range(2):
        receive(database, [("t", [span(id, 1)]), ("u", [span(id, 1)])])
        receive(database, [("u", [span(id, 2, 1)])])
    stored = [trace for _, trace in traces.of_ids(database, [id])]
    assert own in stored and len(stored) == 3
    assert len({trace.started_ns for trace in stored}) == 3
    assert sorted((trace.tenant, len(trace.spans)) for trace in stored) == [("t", 0), ("t", 1), ("u", 2)]
    assert [one.calls for one in ledger.sums(database, "model")] == [1]
    spans = {span for trace in stored for span in [one.start_ns for one in received_again(trace)]}
    assert spans == {START}, "What tells them apart leaves the spans when they were."


def test_a_trace_without_end_is_stored_as_far_as_there_is_room(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "MOST", 3)
    id = os.urandom(16).hex()
    assert receive(database, [("t", [span(id, 1), span(id, 2, 1)])]) == 0
    assert receive(database, [("t", [span(id, 3, 1), span(id, 4, 1)]), ("t", [span(id, 5, 1)])]) == 1
    assert [one.attributes["id"][-1] for one in of(database, id).spans] == ["1", "2", "5"]
    assert receive(database, [("t", [span(id, 6, 1)])]) == 1
