"""What guardrails did, as their spans tell."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from regista.core.nouns import Feedback, Span, Trace, Usage
from regista.store import Database, connect, feedback, guard_pages
from regista.store.traces import write

SECOND = 10**9
BEGUN = 1_795_000_000 * SECOND
EMPTY = Trace("0" * 32, "shop", "", "shop", "", BEGUN, SECOND, 0, "ok", "", "", Usage(), 0, "", "", "", (), ())


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite://{tmp_path_factory.mktemp('guards') / 'regista.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("running_postgres").schema()
    opened = connect(url)
    yield opened
    opened.close()


def trace(n: int, decision: str = "pass", reason: str = "nothing found", *, stage: str = "guard request") -> Trace:
    spans = (Span("authenticate", "", -1, 0, 5), Span(stage, "", -1, 5, 10 * n, decision, reason))
    return replace(EMPTY, id=f"{n:032x}", started_ns=BEGUN + n * SECOND, question=f"question {n}", spans=spans)


def keep(database: Database, *traces: Trace) -> None:
    with database.transaction() as transaction:
        write(transaction, traces)


def test_what_was_looked_at_is_counted_over_the_last_traces_of_an_application(database: Database) -> None:
    keep(
        database,
        *(trace(n) for n in range(1, 4)),
        *(trace(4, "mask", "pii: 1 email"), trace(5, "block", "size: 1 too long", stage="guard response")),
        replace(trace(6, "mask", "pii: 1 email"), application="club"),
    )
    looked = guard_pages.last_looks(database, "shop", BEGUN + 2 * SECOND)
    assert (looked.traces, looked.since_ns, looked.whole) == (4, BEGUN + 2 * SECOND, True)
    assert looked.took_ns == {"guard request": [20, 30, 40], "guard context": [], "guard response": [50]}
    assert [(one.stage, one.decision, one.reason) for one in looked.found] == [
        *(("guard request", "mask", "pii: 1 email"), ("guard response", "block", "size: 1 too long"))
    ]
    last = guard_pages.last_looks(database, "shop", 0, 2)
    assert (last.traces, last.since_ns, last.whole) == (2, BEGUN + 4 * SECOND, False), "It says where it ends."


def test_it_says_where_it_ends_too_where_others_traces_crowd_it_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_pages, "LOOKED_THROUGH", 3)
    keep(database, *(replace(trace(n), application="shop" if n < 3 else "club") for n in range(1, 6)))
    looked = guard_pages.last_looks(database, "shop", 0)
    assert (looked.traces, looked.whole, looked.since_ns) == (0, False, BEGUN + 2 * SECOND)


def test_the_last_times_that_one_masked_or_blocked_come_the_newest_first(database: Database) -> None:
    keep(
        database,
        *(trace(1, "mask", "pii: 1 email"), trace(2), trace(3, "pass", "pii: 1 email"), trace(4, "block", "pii: x")),
        trace(5, "mask", "of a tool", stage="tools"),
    )
    fired = guard_pages.last_fired(database)
    assert [(one.decision, one.n) for one in fired] == [("block", 1), ("mask", 1)]
    assert len(guard_pages.last_fired(database, 1)) == 1
    numbers = [one.trace for one in fired]
    seen = guard_pages.seen(database, "shop", BEGUN + 2 * SECOND, numbers)
    assert [one.id[-1] for one in seen.values()] == ["4"] and guard_pages.seen(database, "club", 0, numbers) == {}
    assert guard_pages.with_questions(database, list(seen.values()), 8)[0].question == "question"


def test_reviewers_labels_are_read_by_their_names_the_newest_first(database: Database) -> None:
    names = ("a:right", "a:wrong", "b:right")
    given = [Feedback("label", "reviewer", BEGUN + at, trace(1).id, 1, name=name) for at, name in enumerate(names)]
    given.append(Feedback("score", "reviewer", BEGUN + 9, trace(1).id, 1, name="a:right"))
    given.append(Feedback("label", "user", BEGUN + 9, trace(1).id, 1, name="a:right"))
    with database.transaction() as transaction:
        feedback.put(transaction, [feedback.Kept(bytes([n] * 16), one, "", "") for n, one in enumerate(given)])
    found = guard_pages.labels(database, ["a:right", "a:wrong"])
    assert [(one.name, one.trace[-1], one.span) for one in found] == [("a:wrong", "1", 1), ("a:right", "1", 1)]
    assert guard_pages.labels(database, []) == []
