"""Conversations followed through a real store, and the queue before the process that does it."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from regista.app import feedback_signals
from regista.app.configuration import parse
from regista.app.feedback import LARGEST, TOKEN_S, Hearing
from regista.app.feedback_following import KEPT_NS, Following
from regista.app.feedback_seen import Seen
from regista.app.feedback_signals import Signals
from regista.app.schema import Feedback as Settings
from regista.app.serving import Serving
from regista.core.errors import AuthenticationError
from regista.core.nouns import Message, Request, Variant
from regista.observe.recorder import Recorder
from regista.serve.exchange import FIRST_CAUSE, Exchange
from regista.store import Database, connect, conversations, feedback, traces

SECOND = 10**9
START = 1_795_000_000 * SECOND
IDLE = 1800 * SECOND


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite://{tmp_path / 'regista.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = connect(url)
    yield opened
    opened.close()


class Talk:
    """One client's conversation as requests that have ended, a minute apart."""

    def __init__(self, scope: str = "ann", trace: str = "") -> None:
        self.messages: tuple[Message, ...] = ()
        self.now = START
        self._scope, self._trace = scope, trace
        self._number = 0

    def ask(self, question: str, answer: str, *, calls: tuple[str, ...] = (), named: bool = True) -> Seen:
        self.messages += (Message("user", question),)
        return self.answered(question, answer, calls=calls, named=named)

    def answered(self, question: str, answer: str, *, calls: tuple[str, ...] = (), named: bool = True) -> Seen:
        self._number += 1
        self.now += 60 * SECOND
        trace = self._trace or f"{ord(self._scope[0]):02x}{self._number:030x}"
        asked = self.messages
        rest: dict[str, Any] = {
            "tool_calls": [{"id": call, "function": {"name": "f", "arguments": "{}"}} for call in calls]
        }
        self.messages += (Message("assistant", answer, rest if calls else {}),)
        whose = ("acme", "club", self._scope, named)
        return Seen(trace, self.now, SECOND, "ok", question, answer, False, *whose, asked, calls=calls)


def names(database: Database) -> list[str]:
    return sorted(kept.feedback.name for kept in feedback.recent(database, limit=100))


def write(database: Database, *seen: Seen) -> None:
    """Store the traces of requests."""
    made = Recorder("club", "v", "club", "acme").finish("ok")
    with database.transaction() as transaction:
        traces.write(
            transaction,
            [type(made)(**{n: getattr(made, n) for n in made.__struct_fields__} | of(one)) for one in seen],
        )


def of(seen: Seen) -> dict[str, Any]:
    return {"id": seen.trace, "started_ns": seen.started_ns, "question": seen.question, "answer": seen.answer}


def test_a_turn_is_linked_by_another_process_and_after_a_restart(url: str, database: Database) -> None:
    talk = Talk()
    first = talk.ask("When do the under-15s train?", "On Mondays at five, on the small pitch.")
    Following(database).take(first, IDLE)
    write(database, first)
    other = connect(url)
    (found,) = Following(other).take(talk.ask("No, I meant the under-13s", "On Tuesdays."), IDLE)
    assert (found.name, found.trace, found.session) == ("correction", first.trace, first.trace)
    assert found.evidence[0].text == "No, I meant" and names(database) == ["correction"]
    other.close()


def test_a_request_looked_at_twice_says_what_it_says_once(database: Database) -> None:
    talk, following = Talk(), Following(database)
    both = [talk.ask("When do they train?", "On Mondays."), talk.ask("That is wrong, it is Tuesday", "You are right.")]
    for seen in both + both:
        following.take(seen, IDLE)
    assert names(database).count("wrong") == 1
    assert len(conversations.turns(database, bytes.fromhex(both[0].trace) + both[0].started_ns.to_bytes(8))) == 2


def test_what_tools_said_is_handed_back_within_one_turn(database: Database) -> None:
    talk, following = Talk(), Following(database)
    first = talk.ask("When do they train?", "On Mondays at five, on the small pitch.")
    calls = talk.ask("That is wrong, it is Tuesday", "", calls=("call_1",))
    talk.messages += (Message("tool", "Tuesday", {"tool_call_id": "call_1"}),)
    result = talk.answered("That is wrong, it is Tuesday", "You are right: on Tuesday.")
    last = talk.ask("Thanks a lot, that helps", "You are welcome.")
    for seen in (first, calls, result, last):
        following.take(seen, IDLE)
    turns = conversations.turns(database, bytes.fromhex(first.trace) + first.started_ns.to_bytes(8))
    assert [turn.turn[:16].hex() for turn in turns] == [first.trace, result.trace, last.trace]
    found = {kept.feedback.name: kept.feedback.trace for kept in feedback.recent(database)}
    assert found["wrong"] == first.trace and found["positive"] == result.trace
    assert names(database).count("wrong") == 1


def test_requests_that_share_a_trace_are_told_apart(database: Database) -> None:
    talk, following = Talk(trace="ab" * 16), Following(database)
    for question in ("When do the under-15s train?", "No, I meant the under-13s"):
        following.take(talk.ask(question, "On Mondays at five, on the small pitch."), IDLE)
    (kept,) = feedback.of_trace(database, "ab" * 16)
    assert (kept.feedback.name, kept.feedback.evidence[0].trace) == ("correction", "ab" * 16)


def test_another_scope_is_another_conversation(database: Database) -> None:
    following = Following(database)
    ann, bob = Talk("ann"), Talk("bob")
    following.take(ann.ask("When do they train?", "On Mondays."), IDLE)
    bob.messages = ann.messages
    assert following.take(bob.ask("That is wrong, it is Tuesday", "It is."), IDLE) == []


def test_a_conversation_ends_once_and_its_end_is_taken_back_when_it_goes_on(database: Database) -> None:
    talk, following = Talk(), Following(database)
    first = talk.ask("When do they train?", "Which team do you mean?")
    following.take(first, IDLE)
    assert following.end(talk.now + IDLE, IDLE) == [], "it may still go on"
    assert sorted(one.name for one in following.end(talk.now + 2 * IDLE, IDLE)) == ["abandoned", "length"]
    assert following.end(talk.now + 2 * IDLE, IDLE) == []
    talk.now += 3 * IDLE
    following.take(talk.ask("The under-13s", "On Tuesdays."), IDLE)
    assert names(database) == ["length"]
    following.end(talk.now + 2 * IDLE, IDLE)
    assert [kept.feedback.value for kept in feedback.recent(database) if kept.feedback.name == "length"] == [2.0]


def test_an_old_conversation_is_not_found_again(database: Database) -> None:
    talk, following = Talk(), Following(database)
    following.take(talk.ask("When do they train?", "On Mondays."), IDLE)
    following.forget(talk.now + 2 * KEPT_NS)
    assert following.take(talk.ask("That is wrong, it is Tuesday", "It is."), IDLE) == []


# The queue.


def seen(text: str = "hello") -> Seen:
    return Talk().ask(text, "Hello.")


async def test_what_is_offered_is_looked_at_and_kept(url: str, database: Database) -> None:
    signals, talk = Signals(url), Talk()
    signals.offer(talk.ask("When do they train?", "On Mondays."), 1800)
    signals.offer(talk.ask("That is wrong, it is Tuesday", "It is."), 1800)
    await signals.settled(60)
    assert (signals.followed, signals.dropped, signals.found, signals.depth) == (2, 0, 1, 0)
    await signals.close()
    assert names(database) == ["wrong"]
    signals.offer(seen(), 1800)
    assert signals.dropped == 1, "it has ended"


async def test_what_waits_is_looked_at_before_the_end(url: str, database: Database) -> None:
    signals, talk = Signals(url), Talk()
    signals.offer(talk.ask("When do they train?", "On Mondays."), 1800)
    signals.offer(talk.ask("That is wrong, it is Tuesday", "It is."), 1800)
    await signals.close(60)
    assert (signals.followed, signals.dropped, names(database)) == (2, 0, ["wrong"])


async def test_what_finds_no_room_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_signals, "WAITING", 3)
    signals = Signals(f"sqlite://{tmp_path / 'regista.db'}")
    for _ in range(5):
        signals.offer(seen(), 1800)
    assert (signals.depth, signals.dropped) == (3, 2)
    await signals.settled(60)
    signals.offer(replace(seen(), question="\ud800"), 1800)
    assert (signals.depth, signals.dropped) == (0, 3), "no text to anyone"
    monkeypatch.setattr(feedback_signals, "BYTES", 10)
    signals.offer(seen(), 1800)
    signals.offer(seen(), 1800)
    assert signals.dropped == 4, "what waits has its size"
    await signals.close(60)


async def test_a_process_that_cannot_be_started_costs_no_request_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback_signals.sys, "executable", str(tmp_path / "nothing"))
    monkeypatch.setattr(feedback_signals, "PAUSES_S", (0.0,))
    signals = Signals(f"sqlite://{tmp_path / 'regista.db'}")
    signals.offer(seen(), 1800)
    async with asyncio.timeout(20):
        while signals.restarts < 3:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert "could not be started" in signals.last_error and signals.depth == 1
    await signals.close(0.1)
    assert (signals.dropped, signals.depth) == (1, 0)


async def test_a_store_that_cannot_be_used_loses_signals_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "regista.db").write_bytes(b"this is no database" * 100)
    signals = Signals(f"sqlite://{tmp_path / 'regista.db'}")
    signals.offer(seen(), 1800)
    await signals.settled(60)
    assert (signals.dropped, signals.restarts) == (1, 0) and "not a database" in signals.last_error
    await signals.close()


# What is heard.


def hearing(settings: Settings | None = None) -> Hearing:
    made = Hearing("sqlite://nowhere", b"secret", lambda: settings)
    made.follow()
    return made


def exchange(application: str = "club", tenant: str = "acme", text: str = "hello") -> Exchange:
    variant = Variant(application, "v", 0)
    request = Request("club", (Message("user", text),))
    return Exchange(request, variant, tenant, Recorder(application, "v", "club", tenant))


def keeps(made: Exchange, heard: Hearing) -> bool:
    heard.keep(made, made.request)
    return bool(made.said)


def test_what_is_asked_of_the_application_is_looked_at() -> None:
    assert keeps(exchange(), hearing()) and not keeps(exchange(""), hearing())
    assert keeps(exchange(""), hearing(Settings("all"))) and not keeps(exchange(), hearing(Settings("off")))
    assert not keeps(exchange(tenant="evaluation"), hearing())
    assert not keeps(exchange(), Hearing("sqlite://nowhere", b"secret", lambda: None)), "nobody asked it to follow"
    token = FIRST_CAUSE.set("batch")
    assert not keeps(exchange(), hearing())
    FIRST_CAUSE.reset(token)


async def test_a_request_that_is_too_large_is_left_out_and_counted() -> None:
    heard = hearing()
    for text, left_out in (("x" * LARGEST, 0), ("x" * (LARGEST + 1), 1)):
        made = exchange(text=text)
        heard.keep(made, made.request)
        serving = Serving(cast("Any", None), made, "", lambda _: None)
        serving.trace = made.recorder.finish("ok")
        heard.hear(serving)
        assert heard.signals.dropped == left_out
    assert heard.signals.depth == 1
    await heard.signals.close(0)


def test_a_token_ends_with_its_week(monkeypatch: pytest.MonkeyPatch) -> None:
    heard, made = hearing(Settings()), exchange()
    serving = cast("Serving", SimpleNamespace(exchange=made, trace_id=made.recorder.trace_id))
    token = heard.token_for(serving)
    assert heard.check(made.recorder.trace_id, token) == made.recorder.started_ns
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + TOKEN_S + 2)
    with pytest.raises(AuthenticationError, match="over") as failed:
        heard.check(made.recorder.trace_id, token)
    assert failed.value.code == "expired_feedback_token"
    assert hearing(None).token_for(serving) == ""
    serving.exchange.variant = Variant("", "v", 0)
    assert heard.token_for(serving) == "", "a raw model's answer has no field of Regista's"


async def test_more_than_one_batch_is_looked_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_signals, "BATCH", 3)
    signals = Signals(url)
    for _ in range(40):
        signals.offer(seen(), 1800)
    await signals.settled(60)
    assert (signals.followed, signals.dropped) == (40, 0)
    await signals.close()


# The configuration.


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('origins = ["https://shop.example/"]', "no slash"),
        ('origins = ["*"]', "origin"),
        ("signals = true", "signals"),
        ('origin = ["https://shop.example"]', "origins"),
        ("over_after_s = 0", "over_after_s"),
    ],
)
def test_what_feedback_cannot_be_is_told(written: str, told: str) -> None:
    _, _, (mistake,) = parse(f'[app]\nname = "shop"\n[feedback]\n{written}\n')
    assert told in mistake.message and mistake.line == 4


def test_feedback_as_it_may_be_written() -> None:
    origins = ("https://shop.example", "http://127.0.0.1:8080", "http://[::1]:80")
    settings, _, mistakes = parse(f'[feedback]\nsignals = "all"\norigins = [{", ".join(map(repr, origins))}]\n')
    assert mistakes == [] and settings.feedback == Settings("all", 1800.0, origins)
    assert parse("")[0].feedback is None
