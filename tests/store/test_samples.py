from tests.store.test_rollups import NOON, trace

from regista.store import Database
from regista.store.rollups import NANO
from regista.store.samples import sample
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
