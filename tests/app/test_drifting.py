"""What is gathered to be compared: what the scorers of live traffic found, and sums of whole minutes or hours."""

import time
from pathlib import Path

import msgspec
from tests.store.test_rollups import trace

from regista.app.drifting import Times, gather
from regista.app.live import TARGET
from regista.core.digest import content_key, score_key
from regista.core.evaluation import Case, Output, Score
from regista.core.nouns import Message
from regista.observe.features import COST, DURATION, FAILED, MODEL
from regista.store import Database, connect, evaluations
from regista.store.traces import write

HOUR_NS = 3_600 * 10**9
encode = msgspec.msgpack.Encoder().encode


def scored(database: Database, n: int, value: float | None) -> None:
    """Keep a finding as live scoring does."""
    run = evaluations.Run(
        *("r1", "shop", "live", "s", "base live", "v", TARGET, 1, "faithful", {"faithful": "d1"}),
        only={},
        cases=0,
        started_ns=1,
    )
    case, output = Case(f"{n:032x}", (Message("user", f"{n}?"),)), Output(f"answer {n}")
    body = encode(output)
    digest, key, content = content_key(encode(case)), content_key(b"live", case.id.encode()), content_key(body)
    found = [(score_key(content, digest, b"d1"), Score(value, "ok" if value is not None else "error"))]
    batch = evaluations.Batch([(digest, case)], [(key, content, body, output)], found, [])
    evaluations.append(database, run, batch, digest, key, content)


def test_what_the_scorers_of_live_traffic_found_is_compared(tmp_path: Path) -> None:
    database = connect(f"sqlite://{tmp_path / 'regista.db'}")
    for n in range(5):
        scored(database, n, n / 10 if n else None)
    now = time.time_ns()
    found = gather(database, "shop", Times(now - 2 * HOUR_NS, now - HOUR_NS, now + HOUR_NS), 100).known.values
    values = found["scores", "scorer: faithful"]
    assert sorted(values.now) == [(n / 10, f"{n:032x}") for n in range(1, 5)] and list(values.before) == []
    database.close()


def test_sums_are_of_the_time_asked_about_by_the_minute_or_by_the_hour(tmp_path: Path) -> None:
    database = connect(f"sqlite://{tmp_path / 'regista.db'}")
    now_s = time.time_ns() // HOUR_NS * 3_600 + 1_800
    with database.transaction() as transaction:
        write(transaction, [trace(n + 1, now_s - 40 * 3_600 + n, cost_nano=None) for n in range(30)])
        write(transaction, [trace(n + 100, now_s - 120 + n, status="error") for n in range(10)])
    now = now_s * 10**9
    for before, expected in ((41, (30, 10)), (400, (30, 10))):
        known = gather(database, "shop", Times(now - before * HOUR_NS, now - HOUR_NS, now), 100).known
        assert (known.rates[FAILED].before, known.rates[FAILED].now) == ((0, 30), (10, 10))
        assert (known.sketches[DURATION].before.count, known.sketches[DURATION].now.count) == expected
        assert known.counts[MODEL].before == {"shop": 30}
        assert known.sketches[COST].before.count == 0, "of none of them a cost is known"
    database.close()


def test_costs_of_before_there_were_sketches_of_them_are_those_of_samples(tmp_path: Path) -> None:
    database = connect(f"sqlite://{tmp_path / 'regista.db'}")
    now = time.time_ns()
    with database.transaction() as transaction:
        write(transaction, [trace(n + 1, now / 1e9 - 7_200 + n) for n in range(30)])
        transaction.execute("UPDATE trace_rollups SET cost = NULL")
    found = gather(database, "shop", Times(now - 3 * HOUR_NS, now - HOUR_NS, now), 100)
    assert COST not in found.known.sketches and DURATION in found.known.sketches
    database.close()
