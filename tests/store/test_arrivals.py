"""What a watch and a comparison read of a store, on both engines."""

from tests.store.test_rollups import NOON, trace

from regista.core.nouns import Feedback, FeedbackKind
from regista.store import Database, evaluations, feedback
from regista.store.arrivals import arrivals, newest, opinions
from regista.store.feedback import Kept
from regista.store.rollups import HOUR_S, NANO, by_model
from regista.store.samples import opinions as given_in
from regista.store.samples import signals
from regista.store.traces import write


def said(n: int, kind: FeedbackKind, name: str, value: float | None) -> Kept:
    one = Feedback(kind, "user", (NOON + n) * NANO, f"{n:032x}", name=name, value=value)
    return Kept(feedback.identity(n, kind, name), one, "t", "shop")


def test_what_arrives_is_read_in_order_once_and_thinned_where_it_is_too_much(database: Database) -> None:
    with database.transaction() as transaction:
        write(transaction, [trace(n + 1, NOON + n, tenant="evaluation" if n == 5 else "t") for n in range(100)])
        write(transaction, [trace(900, NOON, application="other")])
    last = newest(database)
    found = arrivals(database, ["shop", ""], 0, last, 1_000)
    assert [one.n for one in found] == sorted(one.n for one in found) and len(found) == 99
    assert (found[0].trace, found[0].started_ns, found[0].cost_nano) == (f"{1:032x}", NOON * NANO, 7)
    assert arrivals(database, ["shop"], last, last, 10) == []
    assert 8 <= len(arrivals(database, ["shop"], 0, last, 10)) <= 12


def test_thumbs_scores_and_signals_are_read_by_trace_and_by_time(database: Database) -> None:
    with database.transaction() as transaction:
        feedback.put(
            transaction,
            [
                *(said(n, "thumb", "", 1.0 if n % 2 else -1.0) for n in range(10)),
                *(said(n, "score", "useful", n / 10) for n in range(10)),
                *(
                    said(n, "signal", name, None)
                    for n in range(4)
                    for name in ("wrong", "refusal")
                    if n or name == "wrong"
                ),
                said(1, "comment", "", None),
            ],
        )
    by_trace = opinions(database, [f"{n:032x}" for n in (0, 1, 77)])
    assert sorted(by_trace[f"{1:032x}"]) == [("signal", "refusal", None), ("signal", "wrong", None), ("thumb", "", 1.0)]
    assert len(by_trace) == 2
    since, until = NOON * NANO, (NOON + 8) * NANO
    given = given_in(database, "shop", since, until, 100)
    assert len(given) == 16 and {one.kind for one in given} == {"thumb", "score"}
    assert [one.value for one in given if one.name == "useful"][:2] == [0.7, 0.6]
    assert len(given_in(database, "shop", since, until, 5)) == 5 and given_in(database, "x", since, until, 5) == []
    found = signals(database, "shop", since, until)
    assert {name: one.traces for name, one in found.items()} == {"refusal": 3, "wrong": 4}
    assert found["refusal"].examples[0] == f"{3:032x}"


def test_sums_by_model_have_their_sketches_of_times_and_of_cost(database: Database) -> None:
    with database.transaction() as transaction:
        write(
            transaction,
            [
                trace(n + 1, NOON + n, model="a" if n % 3 else "b", cost_nano=None if n == 1 else 10**n)
                for n in range(9)
            ],
        )
        write(transaction, [trace(99, NOON - HOUR_S), trace(100, NOON, application="other")])
    found = by_model(database, "shop", NOON, NOON + HOUR_S)
    assert {model: one.counts[0] for model, one in found.items()} == {"a": 6, "b": 3}
    assert (found["a"].cost.count, found["a"].counts[7], found["b"].cost.count) == (5, 1, 3)
    assert found["b"].cost.quantile(1) / 10**6 - 1 < 0.03


def test_sums_by_model_are_of_traffic_and_not_of_what_is_tried(database: Database) -> None:
    served = [trace(n + 1, NOON + n) for n in range(6)]
    tried = [
        trace(n + 10, NOON + n, tenant="evaluation", status="error", cost_nano=n or None, duration_ns=10**12)
        for n in range(4)
    ]
    with database.transaction() as transaction:
        write(transaction, [*served, *tried, trace(20, NOON, tenant="evaluation", model="new")])
    (found,) = by_model(database, "shop", NOON, NOON + HOUR_S).items()
    assert found[0] == "shop" and found[1].counts == [6, 0, 0, 0, 60, 30, 42, 0]
    assert (found[1].duration.count, found[1].cost.count) == (6, 6) and found[1].duration.quantile(1) < 10**9


def test_without_runs_nothing_was_tried(database: Database) -> None:
    assert evaluations.tried(database, "shop", "live traces", 0, 2**62, 10) == []
