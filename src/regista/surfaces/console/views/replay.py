"""A question asked again: the answer there was beside the one there is now. Knows not how it is asked."""

import asyncio
from collections.abc import Mapping

from regista.app import replaying
from regista.app.platform import Platform
from regista.app.replaying import STAGE, Asked
from regista.core.errors import NotFoundError, RequestError
from regista.core.nouns import Json
from regista.store import Database
from regista.store.conversation_pages import place
from regista.store.replays import replays
from regista.store.trace_pages import Part, part
from regista.surfaces.console.differences import Compared, compared
from regista.surfaces.console.forms import Form

SPANS = 40
"""Spans in which the one is that says what is asked again: it is the second."""
LONGEST = 60_000
"""Characters compared of an answer."""
LATEST_NS = (1 << 63) - 1
"""When a trace may have begun: what the store's tables hold."""


async def again(platform: Platform, form: Form, rest: str) -> str:
    """Ask a trace's question again, and go on to where the two stand side by side."""
    trace, model = form.values.get("trace", ""), form.values.get("model", "") or platform.application.name
    started = form.values.get("started", "0")
    if not (started.isascii() and started.isdecimal() and len(started) <= 19 and int(started) <= LATEST_NS):
        raise RequestError(f"'started' is {started[:24]!r}: give when the trace began.", param="started")
    question = await asyncio.to_thread(replaying.asked, platform.database, trace, int(started))
    key = await asyncio.to_thread(replaying.key_of, platform.database, form.by)
    return f"/console/replays/{await replaying.replay(platform, question, model, key)}"


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The page's data."""
    return await asyncio.to_thread(_read, platform, rest)


def offered(platform: Platform, question: Asked) -> Json:
    """What a page says beside the button: what can be asked, which first, and what would not be the same."""
    names = dict.fromkeys(name for name, _ in platform.models())
    usual = question.model if question.model in names or "/" in question.model else platform.application.name
    return {
        "trace": question.trace,
        "started_ns": question.started_ns,
        "models": list(names | {usual: None}),
        "model": usual,
        "turns": len(question.before),
        "problem": question.problem,
        "notes": [*question.notes, *_of_capture(platform, question)],
    }


def _of_capture(platform: Platform, question: Asked) -> list[str]:
    masked = platform.application.folder.settings.observe.capture == "masked" and not question.problem
    return ["What is personal or secret is hidden in what is kept, and so in what is asked."] if masked else []


def _read(platform: Platform, trace: str) -> Json:
    database = platform.database
    new = part(database, trace, 0, SPANS)
    span = next((one for one in new.spans if one.stage == STAGE), None)
    if span is None:
        raise NotFoundError(f"In the trace {new.trace.id} nothing was asked again: it is one of its own.")
    begun = span.attributes.get("started_ns", 0)
    old = _old(database, span.name, begun if isinstance(begun, int) and 0 <= begun <= LATEST_NS else 0)
    question = replaying.asked(database, old.trace.id, old.trace.started_ns) if old is not None else None
    told = compared(old.answer[:LONGEST], new.answer[:LONGEST]) if old is not None else Compared([], [], 0.0)
    turn = place(database, old.trace.id, old.trace.started_ns) if old is not None else None
    return {
        "of": span.name,
        "question": new.question or (old.question if old is not None else ""),
        "turns": span.attributes.get("turns", 0),
        "old": _side(old) if old is not None else None,
        "new": _side(new),
        "old_pieces": told.old,
        "new_pieces": told.new,
        "alike": told.alike,
        "cut": old is not None and (told.cut or max(len(old.answer), len(new.answer)) > LONGEST),
        "again": offered(platform, question) | {"model": new.trace.model} if question is not None else None,
        "conversation": {"id": turn[0].id, "turn": turn[1]} if turn is not None else None,
        "others": [one for one in replays(database, span.name) if one.id != new.trace.id],
    }


def _old(database: Database, trace: str, started_ns: int) -> Part | None:
    """What was asked again, if it is stored still."""
    try:
        return part(database, trace, 0, SPANS, started_ns)
    except NotFoundError:
        return None


def _side(of: Part) -> Json:
    trace = of.trace
    return {
        "trace": trace,
        "models": list(dict.fromkeys(f"{call.biller}/{call.model}" for call in of.calls)),
        "words": len(of.answer.split()),
        "answer": of.answer[:LONGEST],
    }
