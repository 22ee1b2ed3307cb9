"""Sums that are read instead of traces, on both engines."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regista.core.nouns import Call, Trace, Usage
from regista.stats.sketch import ERROR, Sketch
from regista.store import Database, connect, postgres, rollups, schema, sqlite
from regista.store.grains import GRAINS, LONGER
from regista.store.rollups import HOUR_S, MINUTE_S, NANO, Rollup
from regista.store.traces import sum_up, withdraw, write

NOON = 1_795_262_400
"""A full hour, in seconds since 1970."""
MS = 1_000_000


def call(start_s: float, **fields: Any) -> Call:
    given: dict[str, Any] = {
        "biller": "openai",
        "model": "small",
        "cause": "answer",
        "status": "ok",
        "usage": Usage(10, 5),
        "exact": True,
        "cost_nano": 7,
        "started_ns": int(start_s * NANO),
        "duration_ns": 40 * MS,
        "first_token_ns": 10 * MS,
    }
    return Call(**given | fields)


def trace(n: int, start_s: float, **fields: Any) -> Trace:
    given: dict[str, Any] = {
        "id": f"{n:032x}",
        "application": "shop",
        "variant": "v1",
        "model": "shop",
        "tenant": "t",
        "started_ns": int(start_s * NANO),
        "duration_ns": 50 * MS,
        "first_token_ns": 12 * MS,
        "status": "ok",
        "error": "",
        "cached": "",
        "usage": Usage(10, 5),
        "cost_nano": 7,
        "price_version": "",
        "question": "q",
        "answer": "a",
        "citations": (),
        "spans": (),
        "calls": (call(start_s),),
    }
    return Trace(**given | fields)


def store(database: Database, *traces: Trace) -> None:
    with database.transaction() as transaction:
        write(transaction, traces)


def hours(database: Database, **fields: Any) -> list[Rollup]:
    return rollups.read(database, "traces", since_s=NOON - 10 * HOUR_S, until_s=NOON + 10 * HOUR_S, **fields)


def test_traces_are_summed_up_by_the_hour_whatever_batches_they_come_in(database: Database) -> None:
    store(database, trace(1, NOON), trace(2, NOON + 1, status="error", cost_nano=None))
    store(database, trace(3, NOON + 59, cached="hit"), trace(4, NOON + HOUR_S, status="cancelled"))
    first, second = hours(database)
    assert (first.start_s, first.count, first.failed, first.cancelled, first.aside) == (NOON, 3, 1, 0, 1)
    assert (first.input_tokens, first.output_tokens, first.cost_nano, first.unpriced) == (30, 15, 14, 1)
    assert (second.start_s, second.count, second.cancelled) == (NOON + HOUR_S, 1, 1)
    assert first.duration_ns == pytest.approx((50 * MS,) * 3, rel=ERROR)
    assert first.first_token_ns[0] == pytest.approx(12 * MS, rel=ERROR)


def test_a_trace_that_comes_twice_counts_once(database: Database) -> None:
    store(database, trace(1, NOON))
    store(database, trace(1, NOON), trace(2, NOON))
    assert [one.count for one in hours(database)] == [2]


def test_groups_are_what_is_asked_for(database: Database) -> None:
    store(
        database,
        trace(1, NOON),
        trace(2, NOON + 70, model="openai/small", application=""),
        trace(3, NOON, variant="v2"),
    )
    assert [(one.model, one.count) for one in hours(database, by=("model",))] == [("openai/small", 1), ("shop", 2)]
    assert [(one.part, one.count) for one in hours(database, by=("part",), application="shop")] == [
        ("v1", 1),
        ("v2", 1),
    ]
    minutes = hours(database, grain_s=MINUTE_S)
    assert [(one.start_s, one.count) for one in minutes] == [(NOON, 2), (NOON + 60, 1)]
    (day,) = hours(database, grain_s=24 * HOUR_S)
    assert (day.count, day.application) == (3, "")


def test_calls_are_summed_up_by_who_made_them_and_why(database: Database) -> None:
    calls = (call(NOON, status="error", cost_nano=None, exact=False, first_token_ns=0), call(NOON, cause="retry"))
    store(database, trace(1, NOON, calls=calls))
    found = rollups.read(database, "calls", ("model", "part"), since_s=NOON, until_s=NOON + 1)
    assert [(one.model, one.part, one.count, one.failed, one.aside, one.unpriced) for one in found] == [
        ("openai/small", "answer", 1, 1, 1, 1),
        ("openai/small", "retry", 1, 0, 0, 0),
    ]
    assert found[0].first_token_ns == (0, 0, 0)


def test_minutes_are_forgotten_after_two_days_and_hours_are_not(database: Database) -> None:
    store(database, trace(1, NOON - 3 * 86_400))
    store(database, trace(2, NOON))
    minutes = rollups.read(database, "traces", since_s=0, until_s=NOON + 1, grain_s=MINUTE_S)
    assert [one.start_s for one in minutes] == [NOON]
    assert [one.count for one in rollups.read(database, "traces", since_s=0, until_s=NOON + 1)] == [1, 1]


def test_what_was_stored_before_there_were_rollups_is_summed_up_once(database: Database) -> None:
    store(database, *(trace(n, NOON + 60 * n) for n in range(1, 90)))
    before = hours(database), rollups.read(database, "calls", since_s=NOON, until_s=NOON + 2 * HOUR_S)
    with database.transaction() as transaction:
        transaction.execute("DELETE FROM trace_rollups")
        transaction.execute("DELETE FROM call_rollups")
    assert (sum_up(database), sum_up(database)) == (89, 0)
    assert (hours(database), rollups.read(database, "calls", since_s=NOON, until_s=NOON + 2 * HOUR_S)) == before


TRACES = st.lists(
    st.tuples(
        st.integers(0, 4 * HOUR_S),
        st.sampled_from(("shop", "openai/a", "openai/b")),
        st.sampled_from(("ok", "error", "cancelled")),
        st.integers(1, 10**11),
    ),
    max_size=40,
)


def test_sums_too_large_for_a_column_stay_at_the_largest_it_holds(database: Database) -> None:
    huge = Usage(2**63 - 1, 1)
    store(database, trace(1, NOON, usage=huge), trace(2, NOON, usage=huge))
    assert [(one.input_tokens, one.output_tokens) for one in hours(database)] == [(2**63 - 1, 2)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(batches=st.lists(TRACES, max_size=4))
def test_the_sums_of_any_traces_are_those_of_the_traces(
    database: Database, batches: list[list[tuple[int, str, str, int]]]
) -> None:
    with database.transaction() as transaction:
        for table in ("traces", "spans", "bodies", "body_words", "ledger", "trace_rollups", "call_rollups"):
            transaction.execute(f"DELETE FROM {table}")
    n = 0
    for batch in batches:
        made: list[Trace] = []
        for second, model, status, duration in batch:
            n += 1
            made.append(trace(n, NOON + second, model=model, status=status, duration_ns=duration))
        store(database, *made)
    every = [one for batch in batches for one in batch]
    found = hours(database, by=("time", "model"))
    wanted = sorted({(NOON + second // HOUR_S * HOUR_S, model) for second, model, _, _ in every})
    assert [(one.start_s, one.model) for one in found] == wanted
    for one in found:
        same = [x for x in every if (NOON + x[0] // HOUR_S * HOUR_S, x[1]) == (one.start_s, one.model)]
        assert one.count == len(same) and one.failed == sum(x[2] == "error" for x in same)
        middle = sorted(x[3] for x in same)[-(-len(same) // 2) - 1]
        assert one.duration_ns[0] == pytest.approx(middle, abs=middle * ERROR + 1)


DAYS = st.lists(
    st.tuples(
        st.integers(-40 * HOUR_S, 40 * HOUR_S),
        st.sampled_from(("shop", "openai/a")),
        st.sampled_from(("ok", "error")),
        st.integers(1, 10**11),
    ),
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    made=DAYS,
    gone=st.integers(0, 3),
    since_s=st.integers(-50 * HOUR_S, 50 * HOUR_S),
    length_s=st.integers(0, 100 * HOUR_S) | st.sampled_from([12 * HOUR_S, 48 * HOUR_S]),
    grain_h=st.sampled_from([1, 3, 5, 6, 12, 24]),
    by=st.sampled_from([(), ("time",), ("model",), ("time", "model")]),
)
def test_any_time_read_in_longer_sums_is_what_its_hours_are_and_its_traces(
    database: Database,
    made: list[tuple[int, str, str, int]],
    gone: int,
    since_s: int,
    length_s: int,
    grain_h: int,
    by: Any,
) -> None:
    empty(database)
    some = [
        trace(n, NOON + second, model=model, status=status, duration_ns=duration, calls=())
        for n, (second, model, status, duration) in enumerate(made)
    ]
    store(database, *some)
    numbers = [row[0] for row in database.query("SELECT n FROM traces ORDER BY n LIMIT ?", (gone,))]
    with database.transaction() as transaction:
        withdraw(transaction, list(zip(numbers, some, strict=False)))
    since, until, grain = NOON + since_s, NOON + since_s + length_s, grain_h * HOUR_S
    asked: dict[str, Any] = {"by": by, "since_s": since, "until_s": until, "grain_s": grain}
    found = rollups.read(database, "traces", **asked)
    known = grains(database)
    forget_grains(database)
    assert (known, rollups.read(database, "traces", **asked)) == (set(LONGER), found)
    kept: dict[tuple[int, str], list[Trace]] = {}
    for one in some[len(numbers) :]:
        hour = one.started_ns // (HOUR_S * NANO) * HOUR_S
        if since <= hour < until:
            key = hour // grain * grain if "time" in by else 0, one.model if "model" in by else ""
            kept.setdefault(key, []).append(one)
    assert [(one.start_s, one.model, one.count, one.failed, one.duration_ns[1]) for one in found] == [
        (*key, len(of), sum(one.status == "error" for one in of), round(p95([one.duration_ns for one in of])))
        for key, of in sorted(kept.items())
    ]
    sum_up(database)
    assert (grains(database), rollups.read(database, "traces", **asked)) == (set(LONGER), found)


def p95(values: list[int]) -> float:
    return Sketch.of(values).quantile(0.95)


def empty(database: Database) -> None:
    with database.transaction() as transaction:
        for table in ("traces", "spans", "bodies", "body_words", "ledger", "trace_rollups", "call_rollups"):
            transaction.execute(f"DELETE FROM {table}")


def grains(database: Database) -> set[int]:
    return {grain for (grain,) in database.query("SELECT grain_s FROM rollup_grains")}


def forget_grains(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.execute("DELETE FROM rollup_grains")


def lengths(database: Database) -> dict[int, int]:
    """Traces in the sums of each length."""
    rows = database.query("SELECT grain_s, sum(traces) FROM trace_rollups GROUP BY grain_s")
    return {int(grain): int(count) for grain, count in rows}


def test_hours_are_read_until_longer_sums_are_made_of_those_an_older_regista_kept(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        for engine in (sqlite, postgres):
            older.setattr(engine, "steps", lambda: schema.steps()[:15])
        older.setattr(rollups, "GRAINS", GRAINS[:2])
        before = connect(url)
        store(before, *(trace(n, NOON + n * HOUR_S) for n in range(30)))
        before.close()
    database = connect(url)
    store(database, trace(30, NOON + 1))
    assert grains(database) == set()
    day = rollups.read(database, "traces", (), since_s=NOON, until_s=NOON + 24 * HOUR_S)
    assert [one.count for one in day] == [25]
    assert (sum_up(database), rollups.mend(database)) == (0, 0)
    assert (grains(database), lengths(database)) == (set(LONGER), dict.fromkeys(GRAINS, 31))
    assert rollups.read(database, "traces", (), since_s=NOON, until_s=NOON + 24 * HOUR_S) == day
    database.close()


def test_what_an_older_regista_stores_beside_a_newer_one_is_in_longer_sums_once_one_starts_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = time.time() // HOUR_S * HOUR_S - 15 * HOUR_S
    store(database, trace(1, noon), trace(2, noon, variant="v2"))
    with monkeypatch.context() as older:
        older.setattr(rollups, "GRAINS", GRAINS[:2])
        store(database, trace(3, noon + 5), trace(4, noon + 13 * HOUR_S))
    assert lengths(database) == {MINUTE_S: 4, HOUR_S: 4, **dict.fromkeys(LONGER, 2)}
    sum_up(database)
    assert lengths(database) == dict.fromkeys(GRAINS, 4)
    calls = database.query("SELECT grain_s, sum(calls) FROM call_rollups GROUP BY grain_s ORDER BY grain_s")
    assert [(int(grain), int(count)) for grain, count in calls] == [(grain, 4) for grain in GRAINS]


def test_a_long_time_is_read_in_few_rows(database: Database) -> None:
    store(database, *(trace(n, NOON + n * HOUR_S) for n in range(48)))
    read: list[int] = []

    class Counting:
        def query(self, sql: str, parameters: Any = ()) -> Any:
            rows = database.query(sql, parameters)
            read.append(len(rows))
            return rows

    counting: Any = Counting()
    (found,) = rollups.read(counting, "traces", (), since_s=NOON - 500 * HOUR_S, until_s=NOON + 500 * HOUR_S)
    assert (found.count, read) == (48, [2, 4])
