"""Asks again what was asked once, of the application as it is now or of another model, with the turns before it.

It is a request like any other: traced, priced and in the ledger. It is made on the account of evaluations, which are no
traffic: no conversation is made of it, no signal is looked for in it, and nothing is learned from it. Its trace has a
span of the stage `replay`, whose name is the id of the trace that is asked again. Knows no page.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing

from msgspec import Struct
from msgspec.structs import replace

from regista.app.asking import TENANT
from regista.app.platform import Platform
from regista.app.serving import MAX_KEPT, Serving
from regista.core.errors import RegistaError, RequestError
from regista.core.nouns import Message, Request
from regista.store import Database, traces
from regista.store.keys import Key, listing
from regista.store.replays import DEEPEST, Question, Said, question_of, said_before, turn_id
from regista.store.traces import GONE

STAGE = "replay"
SECONDS = 120.0
"""How long an answer may take before it is given up."""
STORED_S = 3.0
"""How long is waited for its trace to be stored."""
CONSOLE = Key("console", TENANT, "", 0)
"""Who asks, where nobody's key does."""


class Asked(Struct, frozen=True):
    """A question that was asked, and what had been said before it, the oldest first.

    `problem` says why it cannot be asked again, and `notes` in what the same is not quite the same.
    """

    trace: str
    started_ns: int
    model: str
    question: str
    before: tuple[Said, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = ()


def asked(database: Database, trace: str, started_ns: int = 0) -> Asked:
    """What was asked in a trace; of several with one id in the one that began then, else in the newest. Blocks.

    Raises `NotFoundError`.
    """
    of = question_of(database, trace, started_ns)
    before = said_before(database, turn_id(of.trace, of.started_ns))
    problem = _problem(of, before)
    notes = () if problem else _notes(of, before)
    return Asked(of.trace, of.started_ns, of.application or of.model, of.question, tuple(before), problem, notes)


def messages(asked: Asked) -> tuple[Message, ...]:
    """What is sent: questions and answers in turn, and the question last."""
    turns = [Message(role, text) for one in asked.before for role, text in _turn(one)]
    return (*turns, Message("user", asked.question))


async def replay(platform: Platform, asked: Asked, model: str, key: Key) -> str:
    """Ask again, and return the id of the new trace once it is stored. How it went wrong, if it did, is in that trace.

    Raises:
        RequestError: it cannot be asked again.
        NotFoundError: nothing is called `model`.
        OverLimitError: the key has no more requests.
    """
    if asked.problem:
        raise RequestError(asked.problem, code="not_replayable")
    serving = platform.serve(Request(model, messages(asked)), key, fresh=True)
    with serving.exchange.recorder.span(STAGE, asked.trace) as span:
        turns = len(asked.before)
        span.decide("asked again", f"with the {turns} turns before it" if turns else "without turns before it")
        span.set(started_ns=asked.started_ns, turns=turns)
    try:
        async with asyncio.timeout(SECONDS), aclosing(serving.deltas()) as deltas:
            async for _ in deltas:
                pass
    except (RegistaError, TimeoutError):
        if serving.trace is None:
            raise
    await _stored(platform.database, serving)
    return serving.trace_id


def key_of(database: Database, name: str) -> Key:
    """On whose limits it is asked: those of a key in use, or nobody's. Blocks."""
    now = time.time_ns()
    keys = (key for key in listing(database) if name and key.name == name and key.state(now) == "active")
    return next((replace(key, tenant=TENANT) for key in keys), CONSOLE)


def _problem(of: Question, before: Sequence[Said]) -> str:
    """Why it cannot be asked again, if it cannot."""
    if of.question == GONE or any(one.question == GONE for one in before):
        return "What was said is gone from the store, so it cannot be asked again."
    if not of.question.strip() and "block" in of.screened:
        return "A guardrail refused this question. What is refused is not kept, so it cannot be asked again."
    if not of.question.strip():
        return "No question is kept of this trace (capture was off, or there was none), so it cannot be asked again."
    if any(not one.kept or not one.question.strip() for one in before):
        return "Of an earlier turn nothing is kept, so the question cannot be asked again with what led to it."
    return ""


def _notes(of: Question, before: Sequence[Said]) -> tuple[str, ...]:
    told = {
        "The question is kept masked: what a guardrail hid in it is hidden in what is asked again.": "mask"
        in of.screened,
        f"Of the question the first {MAX_KEPT:,} characters are kept.": len(of.question) >= MAX_KEPT,
        f"Of the turns before it the last {DEEPEST} are asked.": len(before) >= DEEPEST,
    }
    return tuple(note for note, holds in told.items() if holds)


def _turn(said: Said) -> list[tuple[str, str]]:
    """A turn's messages; one that got no answer is a question without one."""
    return [(role, text) for role, text in (("user", said.question), ("assistant", said.answer)) if text]


async def _stored(database: Database, serving: Serving) -> None:
    end = time.monotonic() + STORED_S
    while time.monotonic() < end:
        if await asyncio.to_thread(traces.known, database, [serving.trace_id]):
            return
        await asyncio.sleep(0.03)
