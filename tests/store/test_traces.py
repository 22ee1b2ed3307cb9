from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from regista.core.errors import NotFoundError
from regista.core.nouns import Citation, Span, Trace, Usage
from regista.store import Database, connect
from regista.store.traces import TraceRow, find, recent, write

EMPTY = Trace("0" * 32, "club", "", "", "", 0, 0, 0, "ok", "", "", Usage(), 0, "", "", "", (), ())


def trace(id: str, started: int = 0, **changes: object) -> Trace:
    return replace(EMPTY, id=id.ljust(32, "0"), started_ns=started, **changes)


def keep(database: Database, *traces: Trace) -> int:
    with database.transaction() as transaction:
        return write(transaction, traces)


def ids(rows: list[TraceRow]) -> str:
    return "".join(row.id[0] for row in rows)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
whole = st.integers(-(2**63), 2**63 - 1)
json = st.recursive(
    st.none() | st.booleans() | whole | st.floats(allow_nan=False) | words,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(words, below, max_size=3),
    max_leaves=5,
)
usages = st.builds(Usage, whole, whole, whole, whole)
citations = st.builds(Citation, words, whole, whole, words, whole)
spans = st.builds(Span, words, words, whole, whole, whole, words, words, st.dictionaries(words, json, max_size=3))
traces = st.builds(
    Trace,
    *(st.binary(min_size=16, max_size=16).map(bytes.hex), words, words, words, words, whole, whole, whole),
    *(words, words, words, usages, st.none() | whole, words, words, words),
    *(st.lists(citations, max_size=3).map(tuple), st.lists(spans, max_size=4).map(tuple)),
)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite://{tmp_path_factory.mktemp('traces') / 'regista.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("running_postgres").schema()
    opened = connect(url)
    yield opened
    opened.close()


@given(st.lists(traces, min_size=1, max_size=3, unique_by=lambda trace: trace.id))
@settings(deadline=None, max_examples=60)
def test_a_trace_comes_back_as_it_was(shared: Database, given: list[Trace]) -> None:
    with shared.transaction() as transaction:
        for table in ("traces", "spans", "bodies", "body_words", "body_parts"):
            transaction.execute(f"DELETE FROM {table}")
    assert keep(shared, *given) == len(given)
    assert [find(shared, trace.id) for trace in given] == given


def test_storing_a_trace_again_changes_nothing(database: Database) -> None:
    first, second = trace("a", question="one"), trace("b", question="two")
    assert keep(database, first, first) == 1
    assert keep(database, first, second) == 1
    assert keep(database, replace(first, question="other")) == 0
    assert find(database, first.id).question == "one"
    assert len(recent(database)) == 2


def test_requests_that_share_a_callers_id_are_all_kept(database: Database) -> None:
    keep(database, trace("a", 1, question="one"), trace("a", 2, question="two"))
    assert [row.question for row in recent(database)] == ["two", "one"]
    assert find(database, "a").question == "two"


def test_many_traces_are_told_from_those_already_there(database: Database) -> None:
    many = [trace(f"{number:032x}", number) for number in range(1_000)]
    assert keep(database, *many[::2]) == 500
    assert keep(database, *many) == 500
    assert len(recent(database, limit=2_000)) == 1_000


def test_the_newest_come_first_and_pages_follow_on(database: Database) -> None:
    keep(database, *(trace(f"{number:x}", started=number) for number in range(1, 8)))
    first = recent(database, limit=3)
    then = recent(database, limit=3, before=first[-1].started_ns)
    assert [row.started_ns for row in first + then] == [7, 6, 5, 4, 3, 2]


def test_a_list_is_narrowed_by_application_model_and_status(database: Database) -> None:
    keep(
        database,
        trace("a", 1, model="m", status="ok"),
        trace("b", 2, model="n", status="error", error="it broke"),
        trace("c", 3, application="other", model="m", status="error"),
        trace("d", 4, model="m", status="cancelled"),
    )

    assert ids(recent(database)) == "dcba"
    assert ids(recent(database, "club")) == "dba"
    assert ids(recent(database, "club", model="m")) == "da"
    assert ids(recent(database, status="error")) == "cb"
    assert ids(recent(database, "club", status="error", model="n")) == "b"
    assert recent(database, "club", status="error")[0].error == "it broke"


@pytest.mark.parametrize("status", [None, "ok", "error"])
def test_a_list_is_read_along_an_index(sqlite: Database, status: str | None) -> None:
    where = "1 = 1" if status is None else f"status = '{status}'" + (" AND status <> 'ok'" if status != "ok" else "")
    plan = sqlite.query(
        f"EXPLAIN QUERY PLAN SELECT n, id FROM traces WHERE {where} ORDER BY started_ns DESC, n DESC LIMIT 20"
    )
    steps = " ".join(str(row[3]) for row in plan)
    assert ("traces_failed" if status == "error" else "traces_by_time") in steps
    assert "TEMP B-TREE" not in steps


def test_the_start_of_an_id_finds_its_trace(database: Database) -> None:
    keep(database, trace("abc1"), trace("abd2"))
    assert find(database, "abc").id.startswith("abc1")
    assert find(database, " ABD2 ").id.startswith("abd2")


def test_a_start_that_fits_several_names_them(database: Database) -> None:
    keep(database, trace("abc1"), trace("abd2"))
    with pytest.raises(NotFoundError, match=r"several traces start with 'ab': abc100000000, abd200000000\. Type more"):
        find(database, "ab")


@pytest.mark.parametrize("id", ["", "f", "nothing", "0" * 33, "'; --"])
def test_an_id_nothing_has_says_where_to_look(database: Database, id: str) -> None:
    keep(database, trace("a"))
    with pytest.raises(NotFoundError, match="`regista traces` lists"):
        find(database, id)


def test_an_answer_is_small_on_disk_and_stored_apart(database: Database, tmp_path: Path) -> None:
    keep(database, trace("a", answer="The same words again and again. " * 1_000))
    assert database.query("SELECT length(body) < 300 FROM bodies") == [(1,)]
