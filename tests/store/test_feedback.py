"""Feedback and the links between turns, on each engine."""

import pytest
from msgspec.structs import replace

from regista.core.errors import NotFoundError
from regista.core.nouns import Evidence, Feedback, Span, Trace
from regista.observe.recorder import Recorder
from regista.store import Database, conversations, feedback, forgetting, traces
from regista.store.conversations import SessionRow, TurnRow
from regista.store.feedback import Kept, identity

HOUR = 3_600 * 10**9
NOON = 497_388 * HOUR
A, B = "0a" * 16, "0b" * 16


def trace(id: str = A, tenant: str = "acme", question: str = "Who plays?", at: int = NOON) -> Trace:
    made = Recorder("club", "digest", "club", tenant).finish("ok", question=question, answer="The six.")
    return replace(made, id=id, started_ns=at, spans=(Span("generate", "", -1, 0, 1),))


def thumb(value: float = 1.0, at: int = NOON, trace: str = A) -> Feedback:
    return Feedback("thumb", "user", at, trace=trace, value=value)


def signal(name: str, at: int = NOON, trace: str = A) -> Feedback:
    evidence = (Evidence(B, "question", 0, 2, "No"),)
    return Feedback("signal", "gateway", at, trace, session=A, name=name, value=1.0, confidence=0.9, evidence=evidence)


def kept(one: Feedback, id: object = 1, tenant: str = "acme") -> Kept:
    return Kept(identity(id), one, tenant, "club")


def put(database: Database, *some: Kept) -> None:
    with database.transaction() as transaction:
        feedback.put(transaction, some)


def enter(database: Database, *some: Trace) -> None:
    with database.transaction() as transaction:
        traces.write(transaction, some)


def test_feedback_comes_back_as_it_was_given(database: Database) -> None:
    comment = Feedback(
        "comment",
        "reviewer",
        NOON + 1,
        A,
        3,
        B,
        "tone",
        -0.5,
        "so\0so ☕",
        B,
        "a",
        "ann",
        0.25,
        signal("wrong").evidence,
    )
    put(database, kept(comment, 1), kept(signal("wrong"), 2), kept(replace(thumb(), trace="", session=A), 3))
    assert [one.feedback for one in feedback.of_trace(database, A)] == [signal("wrong"), comment]
    assert feedback.recent(database)[0] == kept(comment, 1)


def test_what_has_the_id_of_another_takes_its_place(database: Database) -> None:
    put(database, kept(thumb(1.0)))
    put(database, kept(thumb(-1.0)))
    assert [one.feedback.value for one in feedback.of_trace(database, A)] == [-1.0]


def test_the_newest_come_first_and_are_chosen_by_kind_source_name_and_tenant(database: Database) -> None:
    put(
        database,
        kept(thumb(at=NOON), 1),
        kept(signal("wrong", NOON + 2), 2),
        kept(signal("rephrased", NOON + 1), 3),
        kept(thumb(at=NOON + 3), 4, "other"),
    )

    def names(**wanted: object) -> list[str]:
        found = feedback.recent(database, **wanted)  # pyright: ignore[reportArgumentType]
        return [one.feedback.name or one.feedback.kind for one in found]

    assert names() == ["thumb", "wrong", "rephrased", "thumb"]
    assert names(tenant="acme") == ["wrong", "rephrased", "thumb"]
    assert names(hidden=("rephrased",)) == ["thumb", "wrong", "thumb"]
    assert names(hidden=("thumb", "")) == ["thumb", "wrong", "rephrased", "thumb"]
    assert names(kind="signal", name="wrong") == ["wrong"] and names(source="gateway", limit=1) == ["wrong"]
    assert names(since_ns=NOON + 3) == ["thumb"]


def test_feedback_is_counted_by_the_hour_and_thumbs_by_which_way(database: Database) -> None:
    put(
        database,
        *(kept(thumb(1.0, NOON + at), at) for at in range(3)),
        kept(thumb(-1.0, NOON + HOUR), 9),
        kept(signal("wrong", NOON + HOUR), 10),
        kept(signal("rephrased", NOON + HOUR), 11),
    )
    hourly = feedback.counts(database, hourly=True, hidden=("rephrased",))
    assert [(one.start_s, one.kind, one.name, one.count) for one in hourly] == [
        (NOON // 10**9, "thumb", "up", 3),
        (NOON // 10**9 + 3600, "signal", "wrong", 1),
        (NOON // 10**9 + 3600, "thumb", "down", 1),
    ]
    altogether = feedback.counts(database, since_ns=NOON + 1)
    assert (altogether[0].start_s, altogether[0].name, altogether[0].count) == (0, "up", 2)


def test_feedback_is_about_the_newest_trace_of_a_tenant(database: Database) -> None:
    enter(database, trace(), trace(at=NOON + 5), trace(at=NOON + 9, tenant="other"))
    about = feedback.about(database, A, tenant="acme")
    assert (about.tenant, about.application, about.spans) == ("acme", "club", 1)
    assert feedback.about(database, A, started_ns=NOON + 9).tenant == "other"
    for lost in ({"tenant": "nobody"}, {"started_ns": NOON + 1}):
        with pytest.raises(NotFoundError):
            feedback.about(database, A, **lost)  # pyright: ignore[reportArgumentType]


def test_questions_are_found_by_their_traces(database: Database) -> None:
    enter(database, trace(), trace(B, question="And the eight?"))
    assert feedback.questions(database, [A, B, "ff" * 16]) == {A: "Who plays?", B: "And the eight?"}
    assert feedback.questions(database, []) == {}


def test_all_servers_of_a_store_sign_with_one_secret(url: str, database: Database) -> None:
    from regista.store import connect  # noqa: PLC0415 - a second server

    other = connect(url)
    assert feedback.secret(database) == feedback.secret(other) == feedback.secret(database)
    assert len(feedback.secret(other)) == feedback.SECRET
    other.close()


def turn(number: int, session: int = 1, *, stands: bool = True) -> TurnRow:
    def name(n: int) -> bytes:
        return bytes([n]) * 16 + n.to_bytes(8)

    at = NOON + number
    return TurnRow(name(number), name(session), at, at + 1, "ok", "continues", name(number - 1), False, stands)


def store(database: Database, *rows: TurnRow, keys: dict[bytes, tuple[bytes, int]] | None = None) -> None:
    sessions = {row.session: SessionRow(row.session, "acme", "club", row.ended_ns) for row in rows}
    with database.transaction() as transaction:
        conversations.write(transaction, rows, keys or {}, list(sessions.values()))


def test_the_turns_of_a_conversation_come_in_their_order_and_without_those_replaced(database: Database) -> None:
    store(database, turn(3), turn(1), turn(2), turn(7, session=7))
    store(database, replace(turn(2), stands=False))
    assert conversations.turns(database, turn(1).session) == [turn(1), turn(3)]
    assert conversations.turn(database, turn(2).turn) == replace(turn(2), stands=False)
    assert conversations.turn(database, b"\0" * 24) is None
    assert conversations.session_of(database.query, turn(3).turn[:16].hex()) == turn(1).turn[:16].hex()
    assert conversations.session_of(database.query, "ff" * 16) == ""


def test_a_digest_stands_for_the_turn_stored_last(database: Database) -> None:
    store(database, turn(1), keys={b"d": (turn(1).turn, NOON)})
    store(database, turn(2), keys={b"d": (turn(2).turn, NOON + 1), b"e": (turn(2).turn, NOON - 1)})
    assert conversations.find(database, b"d") == turn(2).turn
    with database.transaction() as transaction:
        conversations.forget_keys(transaction, NOON)
    assert (conversations.find(database, b"d"), conversations.find(database, b"e")) == (turn(2).turn, b"")


def test_a_conversation_ends_once_and_goes_on_with_its_next_turn(database: Database) -> None:
    store(database, turn(1), turn(7, session=7))
    first, *others = conversations.idle(database, NOON + 100, 10)
    assert first == SessionRow(turn(1).session, "acme", "club", turn(1).ended_ns) and len(others) == 1
    assert conversations.idle(database, first.ended_ns, 10) == []

    def end(session: SessionRow) -> bool:
        with database.transaction() as transaction:
            return conversations.end(transaction, session)

    assert end(first) and not end(first)
    store(database, turn(2))
    assert not end(first), "it went on meanwhile"
    assert [one.ended_ns for one in conversations.idle(database, NOON + 100, 10)] == [turn(2).ended_ns, NOON + 8]


def test_forgetting_takes_feedback_and_links_of_an_older_time(database: Database) -> None:
    put(database, kept(thumb(), 1), kept(thumb(at=NOON + HOUR), 2))
    store(database, turn(1), keys={b"d": (turn(1).turn, NOON)})
    with database.transaction() as transaction:
        feedback.forget(transaction, NOON + HOUR)
    assert [one.feedback.made_ns for one in feedback.recent(database)] == [NOON + HOUR]
    assert conversations.find(database, b"d") == b"" and conversations.turns(database, turn(1).session) == []


def test_forgetting_old_traces_forgets_old_feedback(database: Database) -> None:
    put(database, kept(thumb(at=NOON), 1), kept(thumb(at=NOON + 2), 2))
    forgetting.forget(database, NOON + 1)
    assert [one.feedback.made_ns for one in feedback.recent(database)] == [NOON + 2]
