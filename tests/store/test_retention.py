"""What goes with its age beside the traces, and when a file of a week is written anew for it."""

import time
from pathlib import Path

import pytest
from tests.app.test_erasing import DAY_NS, NOW, SECRETS, keep, scored, trace
from tests.surfaces.http.test_users import holding

from regista.core.digest import content_key
from regista.core.evaluation import Output
from regista.core.nouns import Call, Usage
from regista.store import Database, bodies_sqlite, caches, connect, evaluations, ledger, retention
from regista.store.caches import Answer, Label
from regista.store.forgetting import forget
from regista.store.traces import recent

CALL = Call("openai", "m", "answer", "error", Usage(5, 1), True, 7, NOW, 2, 1, f"refused: {SECRETS[0]}")
OLD = NOW - 50 * 10**9
"""Between the younger traces, which began within 50 seconds of now, and the older ones."""


def test_what_was_made_of_old_traces_goes_with_them(database: Database) -> None:
    keep(database, trace(10, "", "spade", calls=(CALL,)), trace(90, "", SECRETS[1], calls=(CALL,)))
    for n, word in ((10, "spade"), (90, SECRETS[2])):
        scored(database, f"{n:032x}", word)
    kept = [
        Answer(bytes([n]) * 16, b"p", word, b"", b"", NOW - n * 10**9, NOW + DAY_NS)
        for n, word in ((10, "a"), (90, "b"))
    ]
    caches.keep(database, "shop", kept, 10, NOW)
    labels = [Label(bytes([n]) * 16, "e", NOW - n * 10**9, 0.9, True, word, "") for n, word in ((10, "a"), (90, "b"))]
    caches.learn(database, "shop", labels)
    assert forget(database, OLD) == 1
    assert [row.question for row in recent(database)] == ["Q spade"]
    assert [row[0] for row in database.query("SELECT id FROM evaluation_cases")] == [f"{10:032x}"]
    assert caches.count(database, "shop", NOW) == 1
    assert [label.asked for label in caches.labels(database, "shop", "e")] == ["a"]
    assert [row[0] for row in database.query("SELECT reason FROM ledger ORDER BY trace")] == [CALL.reason, ""]
    assert ledger.sums(database, "application")[0].calls == 2


def test_each_time_adds_to_what_was_deleted(database: Database) -> None:
    keep(database, *(trace(n, "", "spade") for n in (1, 2, 3)))
    first = retention.run(database, 10**15, 0)
    assert first is not None and (first.traces, first.total) == (0, 0)
    second = retention.run(database, 1, 0)
    assert second is not None and (second.traces, second.total, second.problem) == (3, 3, "")
    assert retention.last(database) == second


@pytest.mark.parametrize("slack_ns", [0, 100 * 10**9])
def test_a_week_that_is_partly_old_is_written_anew_when_that_can_wait_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slack_ns: int
) -> None:
    monkeypatch.setattr(bodies_sqlite, "STEP", 4)
    database = connect(f"sqlite://{tmp_path / 'a.db'}")
    for n in (90, 89, 88, 87, 12, 11, 10, 9, 8, 7):
        keep(database, trace(n, "", SECRETS[3] if n > 50 else "spade"))
    (week,) = database.bodies.files()
    assert forget(database, OLD, slack_ns=slack_ns) == 4
    assert len(recent(database)) == 6 and all("spade" in row.question for row in recent(database))
    numbers = range(1, 11)
    assert len(database.bodies.get(database, list(numbers))) == (6 if not slack_ns else 10)
    database.close()
    if not slack_ns:
        assert week.name not in holding(tmp_path, SECRETS[3])


def test_who_keeps_it_longer_does_not_do_it_for_who_keeps_it_less_long(database: Database) -> None:
    # Hours apart: ages count from when this file was read, which may be minutes ago.
    keep(database, trace(10, "", "spade"), trace(90_000, "", "spade"))
    longer = retention.run(database, 10 * DAY_NS, 10**9)
    assert longer is not None and longer.traces == 0
    shorter = retention.run(database, 3 * 3_600 * 10**9, 10**9)
    assert shorter is not None and shorter.traces == 1
    assert retention.run(database, 10 * DAY_NS, 10**9) is None, "It is done already."


def test_a_clock_that_was_ahead_stops_nobody(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as ahead:
        ahead.setattr(time, "time_ns", lambda: NOW + 10_000 * DAY_NS)
        assert retention.run(database, 20_000 * DAY_NS, 3_600 * 10**9) is not None
    assert retention.run(database, 20_000 * DAY_NS, 3_600 * 10**9) is not None
    assert retention.run(database, 20_000 * DAY_NS, 3_600 * 10**9) is None


def test_what_judges_replied_goes_with_its_age_unless_a_run_has_it(database: Database) -> None:
    scored(database, f"{10:032x}", "spade")
    body = SECRETS[4].encode()
    kept = Output(SECRETS[4])
    batch = evaluations.Batch([], [(b"k" * 16, content_key(body), body, kept)], [], [])
    evaluations.write(database, batch, "run")
    assert database.query("SELECT count(*) FROM evaluation_answers") == [(2,)]
    forget(database, time.time_ns() + DAY_NS)
    assert database.query("SELECT count(*) FROM evaluation_answers") == [(1,)]
    assert len(database.query("SELECT digest FROM evaluation_outputs")) == 1


@pytest.mark.parametrize("kind", ["feedback", "turn_keys", "conversations", "review_items", "cache_answers"])
def test_nothing_goes_in_one_transaction_that_holds_all_others_up(database: Database, kind: str) -> None:
    with database.transaction() as transaction:
        for n in range(900):
            transaction.execute(_ROWS[kind], (n.to_bytes(24),))
    rests = list[int]()
    forget(database, 2, lambda: rests.append(int(database.query(f"SELECT count(*) FROM {kind}")[0][0])))
    assert rests == [500, 100, 0]


_ROWS = {
    "feedback": "INSERT INTO feedback VALUES "
    "(?, 1, 'thumb', 'user', 't', 'a', '', NULL, '', '', 1, '', '', '', '', 1, '', '')",
    "turn_keys": "INSERT INTO turn_keys VALUES (?, '', 1)",
    "conversations": "INSERT INTO conversations VALUES (?, 't', 'a', 1, 1)",
    "review_items": "INSERT INTO review_items VALUES (?, 'a', 'q', '', '', 't', 1, 1, '', 0, 0, 0, 0, 0, '')",
    "cache_answers": "INSERT INTO cache_answers "
    "(id, application, place, question, vector, answer, made_ns, expires_ns) VALUES (?, 'a', '', '', '', '', 1, 2)",
}
