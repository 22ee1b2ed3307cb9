from tests.store.test_rollups import NOON, trace

from regista.store import Database
from regista.store.rollups import NANO
from regista.store.samples import Asked, newest, sample
from regista.store.traces import write


def test_a_sample_is_even_over_the_time_and_all_where_there_are_few(database: Database) -> None:
    with database.transaction() as transaction:
        write(transaction, [trace(n + 1, NOON + n, application="shop" if n % 10 else "club") for n in range(2_000)])
    first, last = NOON * NANO, (NOON + 2_000) * NANO
    drawn = list(sample(database, "shop", first, last, 300))
    assert 240 <= len(drawn) <= 360 and {one.application for one in drawn} == {"shop"}
    assert [one.started_ns for one in drawn] == sorted(one.started_ns for one in drawn)
    halves = sum(one.started_ns < (NOON + 1_000) * NANO for one in drawn) / len(drawn)
    assert 0.4 < halves < 0.6
    assert len(list(sample(database, "club", first, last, 300))) == 200
    assert list(sample(database, "shop", last, last + 1, 10)) == []
    with database.transaction() as transaction:
        write(transaction, [trace(n + 5_000, NOON + n, application="club", tenant="evaluation") for n in range(400)])
    assert len(list(sample(database, "club", first, last, 300))) == 200, "what is tried is no traffic"


def test_the_newest_of_an_application_come_without_evaluations_and_some_with_their_lengths(database: Database) -> None:
    traces = [trace(n, NOON + n, question="x" * n, model=f"m{n % 2}") for n in range(1, 7)]
    others = [trace(7, NOON + 7, tenant="evaluation"), trace(8, NOON + 8, application="other")]
    with database.transaction() as transaction:
        write(transaction, [*traces, *others])
    found = newest(database, "shop", 0, 4, 2)
    assert found == [Asked("m0", "ok", 6), Asked("m1", "ok", 5), Asked("m0", "ok", None), Asked("m1", "ok", None)]
    assert len(newest(database, "shop", traces[4].started_ns, 100, 0)) == 2
