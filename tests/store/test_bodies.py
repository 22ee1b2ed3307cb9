"""What was said: kept, found again and forgotten, on both engines."""

import subprocess
import sys
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from regista.core.nouns import Call, Span, Trace, Usage
from regista.store import Database, bodies_sqlite, connect, rollups
from regista.store.bodies import PART
from regista.store.forgetting import forget
from regista.store.ledger import calls
from regista.store.traces import GONE, answered, find, recent, search, spans_of, write
from regista.text.words import held, phrases

EMPTY = Trace("0" * 32, "club", "", "", "", 0, 0, 0, "ok", "", "", Usage(), 0, "", "", "", (), ())


def trace(n: int, started: int = 0, **changes: Any) -> Trace:
    return replace(EMPTY, id=f"{n:032x}", started_ns=started or n, **changes)


def keep(database: Database, *traces: Trace) -> int:
    with database.transaction() as transaction:
        return write(transaction, traces)


def numbers(database: Database, text: str, **how: Any) -> list[int]:
    return [int(row.id, 16) for row in search(database, text, **how)]


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies move after three, so that few traces do all that many do."""
    monkeypatch.setattr(bodies_sqlite, "STEP", 3)
    monkeypatch.setattr("regista.store.bodies_postgres.FEW", 4)


def test_thousands_of_bodies_come_back_and_are_found(database: Database) -> None:
    for start in range(1, 3_001, 200):
        keep(
            database,
            *(trace(n, question=f"What is word{n}?", answer=f"It is {n % 7}.") for n in range(start, start + 200)),
        )
    rows = recent(database, limit=3_000)
    assert [row.question for row in rows] == [f"What is word{n}?" for n in range(3_000, 0, -1)]
    for n in (1, 999, 1_000, 1_001, 2_999, 3_000):
        assert numbers(database, f"WORD{n}") == [n]
        assert find(database, f"{n:032x}").answer == f"It is {n % 7}."
    page = numbers(database, "is 3", limit=50)
    assert page == [n for n in range(3_000, 0, -1) if n % 7 == 3][:50]
    assert numbers(database, "is 3", limit=5, before=page[-1])[0] == page[-1] - 7


alphabet = st.lists(st.sampled_from(["one", "two", "Two", "tré", "x-y", "返金", "?"]), max_size=6).map(" ".join)
said = st.tuples(alphabet, alphabet, st.integers(0, 8), st.sampled_from(["club", "shop"]))


@pytest.fixture
def restless_weeks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by weeks and back again, so that few bodies are in several files."""
    weeks = cycle([datetime(2026, 11, day, tzinfo=UTC) for day in (2, 9, 2, 16)])

    class Clock:
        @staticmethod
        def now(zone: object) -> datetime:
            return next(weeks)

    monkeypatch.setattr(bodies_sqlite, "datetime", Clock)


@given(
    st.lists(said, max_size=40),
    st.integers(1, 6),
    st.lists(
        st.sampled_from(["one", "two", "TRE", '"one two"', '"two one two"', "x", "y x", '"返 金"']),
        min_size=1,
        max_size=2,
    ),
    st.integers(1, 8),
    st.none() | st.integers(0, 9),
    st.sampled_from(["", "club"]),
)
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_search_finds_what_reading_all_of_it_would(
    database: Database,
    small_steps: None,
    restless_weeks: None,
    every: list[tuple[str, str, int, str]],
    size: int,
    asked: list[str],
    limit: int,
    before: int | None,
    application: str,
) -> None:
    forget(database, 2**62)
    made = [
        trace(n, started, question=question, answer=answer, application=name)
        for n, (question, answer, started, name) in enumerate(every, 1)
    ]
    for start in range(0, len(made), size):
        keep(database, *made[start : start + size])
    text = " ".join(asked)
    wanted = [
        int(one.id, 16)
        for one in sorted(made, key=lambda one: (one.started_ns, int(one.id, 16)), reverse=True)
        if held(phrases(text), (one.question, one.answer))
        and (before is None or one.started_ns < before)
        and application in ("", one.application)
    ]
    assert numbers(database, text, limit=limit, before=before, application=application) == wanted[:limit]
    assert {row.id: row.question for row in recent(database, limit=100)} == {one.id: one.question for one in made}


@pytest.mark.parametrize(
    "odd",
    ["", '"', '""', "*", "one*", "AND", "NOT one", "NEAR(one two, 3)", "said:one", "^one", "-one", "{one}", "'", "\\",
     "\0", "%", "\ud800", "a" * 5_000, " ".join(f"w{n}" for n in range(3_000)), '"' * 999, "(((", "& | ! <-> :*",
     "one'; DROP TABLE traces; --", "返金", "\N{PILE OF POO}", '"' + "one " * 3_000],
)  # fmt: skip
def test_anything_may_be_searched_for(database: Database, small_steps: None, odd: str) -> None:
    for n in range(1, 9):
        keep(database, trace(n, question="one two", answer="three"))
    wanted = {"one*": 8, "^one": 8, "-one": 8, "{one}": 8}
    assert len(search(database, odd)) == wanted.get(odd, 0)


def test_a_found_trace_shows_where(database: Database) -> None:
    keep(database, trace(1, question="May I have it back?", answer=f"{'Well. ' * 60}Our Refund  policy says no."))
    (row,) = search(database, 'back "refund policy"')
    assert row.question == "May I have it back?"
    assert [row.piece[start:end] for start, end in row.marks] == ["back"]
    (row,) = search(database, "policy")
    assert [row.piece[start:end] for start, end in row.marks] == ["policy"] and "Refund  policy says no." in row.piece


@pytest.mark.parametrize("length", [10_000_000, 0])
def test_what_is_very_long_or_empty_is_kept_whole(database: Database, small_steps: None, length: int) -> None:
    long = ("0123456789 findable " * (length // 20 + 1))[:length]
    for n in range(1, 5):
        keep(database, trace(n, question="q", answer=long))
    assert {find(database, f"{n:032x}").answer == long for n in range(1, 5)} == {True}
    assert numbers(database, "findable") == ([4, 3, 2, 1] if length else [])


def test_a_lone_surrogate_is_refused_and_harms_nothing(database: Database, small_steps: None) -> None:
    for n in range(1, 6):
        with pytest.raises(UnicodeEncodeError):
            keep(database, trace(90 + n, question="\ud800 one"))
        keep(database, trace(n, question="one"))
    assert numbers(database, "one") == [5, 4, 3, 2, 1]


def test_a_trace_of_32000_spans_is_read_in_pages(database: Database) -> None:
    spans = tuple(Span("tool", str(n), -1, n, 1, "", "", {"n": n}) for n in range(32_000))
    keep(database, trace(1, spans=spans), trace(2, spans=spans[:PART]), trace(3, spans=spans[: PART + 1]))
    id = f"{1:032x}"
    for start, limit in ((0, 10), (PART - 5, 10), (PART, PART), (31_990, 200), (32_000, 5), (150, 700)):
        assert tuple(spans_of(database, id, start, limit)) == spans[start : start + limit]
    assert find(database, id).spans == spans
    assert find(database, f"{2:032x}").spans == spans[:PART]
    assert find(database, f"{3:032x}").spans == spans[: PART + 1]
    ((length,),) = database.query("SELECT max(length(body)) FROM bodies")
    assert length < 10_000


def test_what_is_forgotten_is_gone_and_its_sums_and_money_stay(database: Database, small_steps: None) -> None:
    spent = Call("openai", "small", "answer", "ok", Usage(3, 2), exact=True, cost_nano=7, started_ns=5, duration_ns=1)
    for n in range(1, 12):
        keep(database, trace(n, question=f"word{n} all", calls=(spent,), spans=(Span("s", "", -1, 0, 0, "", "", {}),)))
    assert forget(database, 8) == 7
    assert [row.question for row in recent(database)] == [f"word{n} all" for n in (11, 10, 9, 8)]
    assert numbers(database, "all") == [11, 10, 9, 8]
    assert numbers(database, "word5") == []
    assert sum(one.count for one in rollups.read(database, "traces", since_s=0, until_s=9)) == 11
    assert database.query("SELECT count(*), sum(cost_nano) FROM ledger") == [(11, 77)]
    assert forget(database, 2**62) == 4
    for table in ("traces", "spans", "bodies", "body_parts", "body_steps", "body_words"):
        assert database.query(f"SELECT * FROM {table}") == []
    keep(database, trace(20, question="again", calls=(spent,)))
    assert [row.question for row in recent(database)] == ["again"]
    assert len(calls(database, database.query("SELECT n FROM traces")[0][0])) == 1


def test_a_number_is_not_used_again_where_forgetting_was_cut_short(
    sqlite: Database, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(1, 9):
        keep(sqlite, trace(n, question=f"word{n}"))

    def power_fails(database: Database, before_ns: int, slack_ns: int) -> None:
        raise KeyError

    with monkeypatch.context() as broken, pytest.raises(KeyError):
        broken.setattr(sqlite.bodies, "purge", power_fails)
        forget(sqlite, 100)
    for n in range(11, 19):
        keep(sqlite, trace(n, question=f"new{n}"))
    assert [row.question for row in recent(sqlite)] == [f"new{n}" for n in range(18, 10, -1)]
    assert [numbers(sqlite, f"word{n}") + numbers(sqlite, f"new{n}") for n in range(1, 19)] == [
        *([[]] * 10),
        *([n] for n in range(11, 19)),
    ]


def test_a_long_phrase_is_found_whole(database: Database, small_steps: None) -> None:
    row = [f"w{n}" for n in range(40)]
    for n in range(1, 6):
        keep(
            database, trace(n, answer=" ".join([*row[: n * 8], "else", *row])), trace(n + 5, answer=" ".join(row[:39]))
        )
    assert numbers(database, f'"{" ".join(row)}"') == [5, 4, 3, 2, 1]


def test_times_far_off_are_kept_and_found(database: Database, small_steps: None) -> None:
    times = [-(2**63), 2**63 - 1, 0, 1, -1, 10**18, 2**62, 5, -(10**18)]
    for n, started in enumerate(times, 1):
        keep(database, trace(n, started or 2, question="when"))
    order = [n for _, n in sorted(((started or 2, n) for n, started in enumerate(times, 1)), reverse=True)]
    assert numbers(database, "when", limit=5) == order[:5]
    assert numbers(database, "when") == order


WRITER = """
import sys
from msgspec.structs import replace
from regista.core.nouns import Trace, Usage
from regista.store import bodies_sqlite, connect
from regista.store.traces import write

bodies_sqlite.STEP = 10
empty = Trace("0" * 32, "club", "", "", "", 0, 0, 0, "ok", "", "", Usage(), 0, "", "", "", (), ())
database, own = connect(sys.argv[1]), int(sys.argv[2])
for n in range(own, 400 + own, 8):
    some = [replace(empty, id=f"{i:032x}", started_ns=i, question=f"word{i} all") for i in range(n, n + 8, 2)]
    with database.transaction() as transaction:
        write(transaction, some)
database.close()
"""


def test_processes_that_write_at_once_lose_nothing(url: str) -> None:
    connect(url).close()
    writing = [subprocess.Popen([sys.executable, "-c", WRITER, url, own]) for own in ("1", "2")]
    assert [process.wait() for process in writing] == [0, 0]
    database = connect(url)
    assert [row.question for row in recent(database, limit=500)] == [f"word{n} all" for n in range(400, 0, -1)]
    assert numbers(database, "all", limit=500) == list(range(400, 0, -1))
    assert [numbers(database, f"word{n}") for n in range(1, 401, 7)] == [[n] for n in range(1, 401, 7)]
    database.close()


def test_two_that_write_by_turns_lose_nothing(url: str, small_steps: None) -> None:
    one, two = connect(url), connect(url)
    for n in range(1, 30):
        keep(one if n % 2 else two, trace(n, question=f"word{n}"))
    for database in (one, two):
        assert [row.question for row in recent(database, limit=50)] == [f"word{n}" for n in range(29, 0, -1)]
        assert [numbers(database, f"word{n}") for n in range(1, 30)] == [[n] for n in range(1, 30)]
        database.close()


def test_what_is_only_figures_is_not_taken_for_an_answer(database: Database) -> None:
    keep(database, trace(1, question="one"), trace(2, question="two"))
    with database.transaction() as transaction:
        transaction.execute("DELETE FROM bodies WHERE trace = 2")
    assert [one.question for one in answered(database, "club")] == ["one"]
    assert [row.question for row in recent(database)] == [GONE, "one"]
    assert find(database, f"{2:032x}").question == GONE
