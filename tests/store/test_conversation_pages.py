"""Conversations in pages: each once, whatever their times; found by what was found in them; and turn by turn."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from regista.core.errors import NotFoundError
from regista.core.nouns import Feedback, Span, Trace, Usage
from regista.store import Database, connect, conversations, feedback
from regista.store import conversation_pages as pages
from regista.store.conversation_pages import Wanted
from regista.store.conversations import MOST, SessionRow, TurnRow
from regista.store.replays import question_of, replays, said_before, turn_id
from regista.store.traces import GONE, write

SECOND = 10**9
BEGUN = 1_795_000_000 * SECOND
EMPTY = Trace(
    *("0" * 32, "shop", "", "shop", "", BEGUN, SECOND, SECOND // 4, "ok", "", "", Usage(30, 4), 1_000, "", "", ""),
    *((), ()),
)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite://{tmp_path_factory.mktemp('talks') / 'regista.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("running_postgres").schema()
    opened = connect(url)
    yield opened
    opened.close()


def trace(n: int, at_s: float = 0, **changes: object) -> Trace:
    made = replace(EMPTY, id=f"{n:032x}", started_ns=BEGUN + int(at_s * SECOND), question=f"q{n}", answer=f"a{n}")
    return replace(made, **changes)


def row(of: Trace, first: Trace, **changes: object) -> TurnRow:
    ids = (turn_id(of.id, of.started_ns), turn_id(first.id, first.started_ns))
    made = TurnRow(*ids, of.started_ns, of.started_ns + of.duration_ns, of.status, "begins", b"", refused=False)
    return replace(made, **changes)


def after(of: Trace) -> bytes:
    return turn_id(of.id, of.started_ns)


def keep(database: Database, *turns: tuple[Trace, TurnRow], application: str = "shop", stored: bool = True) -> str:
    """Store a conversation's turns; its id."""
    session = turns[0][1].session
    with database.transaction() as transaction:
        write(transaction, [one for one, _ in turns] if stored else [])
        last = SessionRow(session, "", application, turns[-1][1].ended_ns)
        conversations.write(transaction, [one for _, one in turns], {}, [last])
    return session.hex()


def alone(database: Database, n: int, at_s: float, **changes: object) -> str:
    one = trace(n, at_s, **changes)
    return keep(database, (one, row(one, one)), application=one.application)


def say(database: Database, *given: Feedback) -> None:
    with database.transaction() as transaction:
        feedback.put(transaction, [feedback.Kept(bytes([n] * 16), one, "", "shop") for n, one in enumerate(given)])


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=25), st.integers(1, 6))
@settings(deadline=None, max_examples=30)
def test_pages_have_every_conversation_once_the_newest_first(
    tmp_path_factory: pytest.TempPathFactory, begun: list[tuple[int, bool]], size: int
) -> None:
    database = connect(f"sqlite://{tmp_path_factory.mktemp('any') / 'regista.db'}")
    # Several traces may share their id: then the time tells conversations apart.
    ids = {alone(database, n % 3 if shared else n + 10, at + n / 100) for n, (at, shared) in enumerate(begun)}
    seen: list[pages.Talk] = []
    while rows := pages.page(database, Wanted(), size, seen[-1].id if seen else ""):
        seen += [one.talk for one in rows]
    database.close()
    assert len(seen) == len(ids) and {talk.id for talk in seen} == ids
    assert all(newer.begun_ns >= older.begun_ns for newer, older in pairwise(seen))


def test_a_row_of_the_list_says_what_became_of_a_conversation(database: Database) -> None:
    first, second, third = trace(1), trace(2, 10, cost_nano=500), trace(3, 20, status="error", cost_nano=None)
    keep(
        database,
        *((first, row(first, first)), (second, row(second, first, way="continues", after=after(first)))),
        (third, row(third, first, way="continues", after=after(second), refused=True)),
    )
    say(
        database,
        Feedback("signal", "gateway", 1, second.id, session=first.id, name="correction"),
        Feedback("score", "user", 2, session=first.id, name="help", value=0.5),
        Feedback("thumb", "user", 3, f"{9:032x}", value=1.0),
    )
    (told,) = pages.page(database, Wanted(), 10)
    assert (told.turns, told.status, told.refused, told.question) == (3, "error", True, "q1")
    assert told.cost == pages.Cost(1_500, partly=True)
    assert [mark.name for mark in told.found] == ["correction", "help"]
    assert told.talk.begun_ns == BEGUN and told.talk.ended_ns == third.started_ns + SECOND and not told.talk.is_over


def test_conversations_are_found_by_application_signal_trace_and_time(database: Database) -> None:
    ids = [alone(database, n, n, application="club" if n == 2 else "shop") for n in range(1, 5)]
    say(
        database,
        *(Feedback("signal", "gateway", BEGUN + n, session=f"{n:032x}", name="wrong") for n in (1, 2)),
        Feedback("label", "user", BEGUN, session=f"{3:032x}", name="wrong"),
    )

    def found(size: int = 10, **wanted: object) -> list[int]:
        rows = pages.page(database, Wanted(**wanted), size)  # pyright: ignore[reportArgumentType]
        return [ids.index(one.talk.id) + 1 for one in rows]

    assert found() == [4, 3, 2, 1]
    assert found(application="club") == [2] and found(application="shop", size=2) == [4, 3]
    assert found(signal="wrong") == [2, 1] and found(signal="wrong", size=1) == [2] and found(signal="right") == []
    assert found(signal="wrong", application="shop") == [1]
    assert found(trace="0" * 31 + "3") == [3] and found(trace="ff") == [] and found(trace="what?") == []
    assert found(trace="000", signal="wrong") == [2, 1]
    assert found(since_ns=BEGUN + 3 * SECOND) == [4, 3] and found(until_ns=BEGUN + 3 * SECOND) == [2, 1]
    assert found(signal="wrong", until_ns=BEGUN + 2 * SECOND) == [1]
    rest = pages.page(database, Wanted(signal="wrong"), 5, ids[1])
    assert [one.talk.id for one in rest] == [ids[0]], "A page of what was found goes on after its last, too."


def test_a_conversation_is_found_by_how_its_id_starts(database: Database) -> None:
    older, newer = alone(database, 1, 1), alone(database, 1, 2)
    other = alone(database, 16, 3)
    assert pages.located(database, older).id == older and pages.located(database, newer[:32]).id == newer
    assert pages.located(database, f" {other.upper()} ").id == other
    for lost in ("", "0" * 30, "f", "zz", "0" * 49):
        with pytest.raises(NotFoundError):
            pages.located(database, lost)


def test_turns_say_what_they_follow_and_what_was_spent_so_far(database: Database) -> None:
    first, step, second, again = trace(1), trace(2, 10), trace(3, 12), trace(4, 20, cost_nano=None)
    took = {"after": after(first), "way": "continues"}
    keep(
        database,
        (first, row(first, first)),
        # A request that hands back what tools said takes the place of the one that called them.
        (step, row(step, first, stands=False, **took)),
        (second, row(second, first, started_ns=step.started_ns, **took)),
        (again, row(again, first, way="regenerates", after=after(second))),
    )
    talk = pages.located(database, first.id)
    turns = pages.turns_of(database, talk)
    assert [(one.number, one.trace[-1], one.way, one.after) for one in turns] == [
        *((1, "1", "begins", 0), (2, "3", "continues", 1), (3, "4", "regenerates", 2))
    ]
    assert [one.cost_nano for one in turns] == [1_000, 2_000, None], "A turn costs what its steps do."
    assert [one.so_far for one in turns] == [
        *(pages.Cost(1_000, False), pages.Cost(3_000, False), pages.Cost(3_000, True))
    ]
    assert turns[0].first_token_ns == SECOND // 4 and turns[0].usage == Usage(30, 4)
    said = pages.said_in(database, turns)
    assert [(said[n].question, said[n].answer) for n in (1, 2, 3)] == [("q1", "a1"), ("q3", "a3"), ("q4", "a4")]
    assert pages.place(database, second.id, second.started_ns) == (talk, 2, 3)
    assert pages.place(database, second.id, 1) is None and pages.place(database, f"{7:032x}", BEGUN) is None


def test_a_turn_whose_trace_is_gone_is_still_one(database: Database) -> None:
    first = trace(1)
    keep(database, (first, row(first, first)), stored=False)
    talk = pages.located(database, first.id)
    (turn,) = pages.turns_of(database, talk)
    assert (turn.number, turn.trace, turn.status, turn.cost_nano) == (1, "", "ok", None)
    assert not pages.said_in(database, [turn])[1].kept
    assert pages.detail(database, turn) == pages.Detail((), (), ())
    assert pages.page(database, Wanted(), 5)[0].question == GONE


def test_a_very_long_conversation_keeps_its_numbers(database: Database) -> None:
    first = trace(1)
    rows = [row(replace(first, id=f"{n:032x}", started_ns=BEGUN + n * SECOND), first) for n in range(1, MOST + 11)]
    keep(database, *((first, one) for one in rows), stored=False)
    talk = pages.page_of_talks(database, Wanted(), 1)[0]
    turns = pages.turns_of(database, talk)
    assert (len(turns), turns[0].number, turns[-1].number) == (MOST, 11, MOST + 10)
    assert pages.page(database, Wanted(), 1)[0].turns == MOST + 10


def test_what_a_very_long_conversation_cost_is_at_least_that_of_the_turns_that_are_read(database: Database) -> None:
    made = [trace(n, n) for n in range(1, MOST + 2)]
    keep(database, *((one, row(one, made[0])) for one in made))
    talk = pages.page_of_talks(database, Wanted(), 1)[0]
    assert pages.turns_of(database, talk)[-1].so_far == pages.Cost(MOST * 1_000, partly=True)


def test_what_happened_in_a_turn_is_its_own_though_traces_share_their_id(database: Database) -> None:
    one = trace(1, spans=(Span("tools", "old", -1, 0, 1, "", "", {"n": 1}),))
    other = trace(1, 5, spans=(Span("tools", "new", -1, 0, 1, "", "", {"n": 2}),))
    ids = [keep(database, (each, row(each, each))) for each in (one, other)]
    say(database, Feedback("comment", "user", 1, one.id, text="Good."))
    for id, name, n in zip(ids, ("old", "new"), (1, 2), strict=True):
        (turn,) = pages.turns_of(database, pages.located(database, id))
        told = pages.detail(database, turn)
        assert (told.spans[0].name, told.spans[0].attributes) == (name, {"n": n})
        assert [given.text for given in told.feedback] == ["Good."]


def test_what_was_said_before_a_turn_leaves_out_what_was_asked_anew(database: Database) -> None:
    one, two, reworded, three = (trace(n, n) for n in range(1, 5))
    keep(
        database,
        *((one, row(one, one)), (two, row(two, one, way="continues", after=after(one)))),
        (reworded, row(reworded, one, way="rewords", after=after(two))),
        (three, row(three, one, way="continues", after=after(reworded))),
    )
    assert [said.question for said in said_before(database, after(three))] == ["q1", "q3"]
    assert [said.question for said in said_before(database, after(reworded))] == ["q1"]
    assert said_before(database, after(one)) == [] == said_before(database, bytes(24))
    with database.transaction() as transaction:
        transaction.execute("DELETE FROM traces WHERE id = ?", (bytes.fromhex(one.id),))
    assert [said.kept for said in said_before(database, after(three))] == [False, True]


def test_a_question_is_that_of_the_trace_which_began_then(database: Database) -> None:
    guarded = (Span("guard request", "", -1, 0, 1, "mask", "pii: 1 email"),)
    with database.transaction() as transaction:
        write(transaction, [trace(1, question="old", spans=guarded), trace(1, 5, question="new")])
    newest, older = question_of(database, trace(1).id), question_of(database, trace(1).id, BEGUN)
    assert (newest.question, newest.screened) == ("new", ()) and (older.question, older.screened) == ("old", ("mask",))


def test_replays_of_a_trace_are_listed_the_newest_first(database: Database) -> None:
    asked = Span("replay", trace(1).id, -1, 0, 1)
    with database.transaction() as transaction:
        write(transaction, [trace(1), trace(2, 5, spans=(asked,)), trace(3, 6, spans=(asked,), status="error")])
        write(transaction, [trace(4, 7, spans=(replace(asked, stage="tools"),))])
    assert [(one.id[-1], one.status) for one in replays(database, trace(1).id)] == [("3", "error"), ("2", "ok")]
