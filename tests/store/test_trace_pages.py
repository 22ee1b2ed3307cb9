"""Traces in pages: every one once, whatever their times; what arrived; spans a part at a time; counts from rollups."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from regista.core.errors import NotFoundError
from regista.core.nouns import Call, Span, Trace, Usage
from regista.store import Database, connect
from regista.store.rollups import HOUR_S, NANO
from regista.store.trace_pages import Wanted, arrived, newest, page, part, spent, tallies
from regista.store.traces import write

HOUR = 10_000 * HOUR_S
"""A whole hour, in seconds since 1970."""
EMPTY = Trace("0" * 32, "shop", "", "m", "", 0, 0, 0, "ok", "", "", Usage(), 0, "", "", "", (), ())


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite://{tmp_path_factory.mktemp('pages') / 'regista.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("running_postgres").schema()
    opened = connect(url)
    yield opened
    opened.close()


def keep(database: Database, *traces: Trace) -> None:
    with database.transaction() as transaction:
        write(transaction, traces)


def made(n: int, at_s: float = 0, **changes: object) -> Trace:
    return replace(EMPTY, id=f"{n:032x}", started_ns=int((HOUR + at_s) * NANO), **changes)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["ok", "error"])), max_size=30),
    st.integers(1, 7),
    st.sampled_from(["", "ok", "error"]),
)
@settings(deadline=None, max_examples=40)
def test_pages_have_every_trace_that_is_wanted_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, given: list[tuple[int, str]], size: int, status: str
) -> None:
    database = connect(f"sqlite://{tmp_path_factory.mktemp('any') / 'regista.db'}")
    keep(database, *(made(n, at, status=ended) for n, (at, ended) in enumerate(given)))
    seen: list[tuple[int, int]] = []
    after = None
    while rows := page(database, Wanted(status=status), size, after):
        seen += [(row.started_ns, row.n) for row in rows]
        after = rows[-1].place
    database.close()
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == sum(status in ("", ended) for _, ended in given)


def test_what_arrived_since_is_known_by_its_number_not_by_its_time(database: Database) -> None:
    keep(database, made(1, 50))
    last = newest(database)
    keep(database, made(2, 10), made(3, 20, model="other"))
    assert [row.id[-1] for row in arrived(database, Wanted(), last, 10)] == ["3", "2"]
    assert [row.id[-1] for row in arrived(database, Wanted(model="other"), last, 10)] == ["3"]
    assert [row.id[-1] for row in arrived(database, Wanted(), last, 1)] == ["3"]
    assert arrived(database, Wanted(), newest(database), 10) == []


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(id="0000"), "321"),
        (Wanted(id="00000000000000000000000000000002"), "2"),
        (Wanted(id="' OR 1 = 1 --"), ""),
        (Wanted(id="0" * 40), ""),
        (Wanted(text="parcel"), "31"),
        (Wanted(text='"lost parcel"'), "3"),
        (Wanted(text="parcel", status="error"), "3"),
        (Wanted(text="!?"), ""),
        (Wanted(since_ns=(HOUR + 2) * NANO), "32"),
        (Wanted(until_ns=(HOUR + 2) * NANO), "1"),
    ],
)
def test_only_what_is_wanted_is_on_a_page(database: Database, wanted: Wanted, ids: str) -> None:
    keep(database, made(1, 1, question="a parcel"), made(2, 2), made(3, 3, answer="the lost parcel", status="error"))
    assert "".join(row.id[-1] for row in page(database, wanted, 10)) == ids


def test_a_part_of_a_trace_has_its_spans_with_how_deep_they_lie(database: Database) -> None:
    spans = (
        Span("a", "", -1, 0, 9),
        Span("b", "", 0, 1, 3, attributes={"k": 1}),
        Span("c", "", 1, 2, 1),
        Span("d", "", 9, 3, 1),
    )
    keep(database, made(1, spans=spans, question="q" * 900))
    whole = part(database, "0" * 31 + "1", 0, 10)
    assert whole.spans == spans and whole.depths == (0, 1, 2, 0) and whole.count == 4
    assert len(whole.question) == 900 and len(whole.trace.question) == 240
    some = part(database, "0" * 31 + "1", 1, 2)
    assert some.spans == spans[1:3] and some.depths == (1, 2) and (some.first, some.count) == (1, 4)
    assert part(database, "0" * 31 + "1", 99, 2).spans == ()
    with pytest.raises(NotFoundError):
        part(database, "f", 0, 1)


def test_counts_and_costs_come_from_the_sums(database: Database) -> None:
    call = Call("openai", "m", "answer", "error", Usage(1, 1), True, 5, HOUR * NANO, 1)
    keep(
        database,
        made(1, 10, status="error", calls=(call, replace(call, model="n", cost_nano=None, status="ok"))),
        made(2, 20),
        made(3, HOUR_S + 1, model="other", status="cancelled"),
    )
    found = tallies(database, Wanted(), HOUR, HOUR + 2 * HOUR_S, HOUR_S)
    assert sorted(found) == [(HOUR, "shop", "m", 2, 1, 0), (HOUR + HOUR_S, "shop", "other", 1, 0, 1)]
    assert [one.traces for one in tallies(database, Wanted(model="m"), HOUR, HOUR + HOUR_S, 60)] == [2]
    assert spent(database, HOUR, HOUR + HOUR_S, HOUR_S) == [("openai/m", 1, 1, 5, 0), ("openai/n", 1, 0, 0, 1)]
