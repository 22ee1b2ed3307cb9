"""Conversations: the ones that began last, and one of them turn by turn, with what was done and found at each."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

from regista.app.platform import Platform
from regista.app.replaying import asked
from regista.core.errors import RequestError
from regista.core.nouns import Feedback, Json, Span
from regista.feedback.derive import is_shown
from regista.feedback.labels import FIGURES, HIDDEN, LABELS
from regista.feedback.signals import signals
from regista.store import Database
from regista.store.conversation_pages import (
    Detail,
    Listed,
    Talk,
    Turn,
    Wanted,
    detail,
    located,
    on_whole,
    page,
    said_in,
    turns_of,
)
from regista.store.feedback import of_trace
from regista.store.replays import Said
from regista.store.rollups import NANO
from regista.store.trace_pages import Wanted as WantedTraces
from regista.store.trace_pages import marks, tallies
from regista.surfaces.console.stretches import LENGTHS, stretch
from regista.surfaces.console.views import replay
from regista.surfaces.console.views.numbers import number
from regista.surfaces.console.views.thoughts import thought
from regista.surfaces.console.views.trace import mappings
from regista.surfaces.console.views.traces import words

ROWS = 50
SHOWN = 50
"""Turns in a page."""
LONGEST = 60_000
"""Characters shown of a question or an answer of the turn that is looked at."""
BRIEF = 4_000
"""The same of the others."""
STATE = ("application", "signal", "trace", "range")
_OTHERS = ("complaint", "sentiment")
"""Signals that are found under names of their own: those of `LABELS`."""


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The list's data."""
    return await asyncio.to_thread(_read, platform.database, query)


async def show_one(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """One conversation's data."""
    return await asyncio.to_thread(_one, platform, query, rest)


def names() -> list[str]:
    """The signals that may be asked for, those of words with the others."""
    return sorted({*LABELS, *signals.names()} - {*_OTHERS, *FIGURES})


def _read(database: Database, query: Mapping[str, str]) -> Json:
    known = names()
    signal, after = query.get("signal", ""), query.get("after", "").strip()
    if signal and signal not in known:
        raise RequestError(f"'signal' is {signal[:40]!r}: give {', '.join(known)}.", param="signal")
    if after and (len(after) != 48 or set(after) - set("0123456789abcdef")):
        raise RequestError(f"'after' is {after[:60]!r}: take it from the page before.", param="after")
    since_s = stretch(query["range"], "").since_s if query.get("range") else 0
    which = Wanted(query.get("application", ""), signal, query.get("trace", ""), since_s * NANO)
    found = page(database, which, ROWS + 1, after)
    drawn = stretch(query.get("range", ""), "30d")
    counted = tallies(database, WantedTraces(), drawn.since_s, drawn.until_s, drawn.grain_s)
    return {
        "rows": [_row(one) for one in found[:ROWS]],
        "after": found[ROWS - 1].talk.id if len(found) > ROWS else "",
        "state": {name: query.get(name, "") for name in STATE},
        "filtered": any(query.get(name) for name in STATE),
        "signals": known,
        "applications": sorted({one.application for one in counted if one.application} | {which.application} - {""}),
        "ranges": list(LENGTHS),
    }


def _row(one: Listed) -> Json:
    shown = [mark for mark in one.found if not (mark.kind == "signal" and mark.name in HIDDEN)]
    return {
        **_bare(one.talk),
        "turns": one.turns,
        "question": one.question,
        "cost_nano": one.cost.nano,
        "cost_partly": one.cost.partly,
        "outcome": outcome(one.talk, one.status, one.refused, [mark.name for mark in shown if mark.kind == "signal"]),
        "marks": words([mark for mark in shown if mark.name != "abandoned"]),
    }


def _bare(talk: Talk) -> Json:
    return {
        "id": talk.id,
        "application": talk.application,
        "tenant": talk.tenant,
        "begun_ns": talk.begun_ns,
        "ended_ns": talk.ended_ns,
        "duration_ns": max(0, talk.ended_ns - talk.begun_ns),
        "is_over": talk.is_over,
    }


def outcome(talk: Talk, status: str, refused: bool, found: Sequence[str]) -> Json:
    """How the gateway takes a conversation to have ended, in words, and whether that speaks against the answers."""
    ends = {
        "abandoned": "abandoned" in found,
        "goes on": not talk.is_over,
        "ended in a refusal": refused,
        "ended in an error": status == "error",
        "stopped by the client": status == "cancelled",
    }
    word = next((word for word, holds in ends.items() if holds), "ended")
    return {"word": word, "against": word not in ("ended", "goes on")}


def _one(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    database = platform.database
    talk = located(database, rest)
    turns = turns_of(database, talk)
    chosen = _chosen(number(query, "turn", "a turn"), turns)
    at = turns.index(chosen) if chosen is not None else 0
    first = at // SHOWN * SHOWN
    some = turns[first : first + SHOWN]
    said = said_in(database, some)
    found = marks(database, list(dict.fromkeys(turn.trace for turn in some if turn.trace)))
    happened = detail(database, chosen) if chosen is not None else Detail((), (), ())
    whole = on_whole(database, talk)
    gone = _abandoned([*happened.feedback, *whole]) if at == len(turns) - 1 else None
    last = turns[-1] if turns else None
    ends = ["abandoned"] if last and any(m.name == "abandoned" for m in _marks_of(database, last)) else []
    again = asked(database, chosen.trace, chosen.started_ns) if chosen is not None and chosen.trace else None
    return {
        **_bare(talk),
        "outcome": outcome(talk, last.status if last else "", last is not None and last.refused, ends)
        | {"confidence": gone.confidence if gone is not None else None},
        "turn_count": len(turns),
        "turns": [_turn(talk, turn, said[turn.number], found.get(turn.trace, []), turn is chosen) for turn in some],
        "chosen": _chosen_told(chosen, happened) | _says(database, turns, chosen) if chosen is not None else None,
        "whole": [thought(one) for one in whole if is_shown(one)],
        "cost_nano": turns[-1].so_far.nano if turns else 0,
        "cost_partly": bool(turns) and turns[-1].so_far.partly,
        "slowest_first_ns": max((turn.first_token_ns for turn in some), default=0),
        "before": turns[at - 1].number if at > 0 else None,
        "next": turns[at + 1].number if 0 <= at < len(turns) - 1 else None,
        "earlier": turns[first - 1].number if first else None,
        "later": turns[first + SHOWN].number if len(turns) > first + SHOWN else None,
        "again": replay.offered(platform, again) if again is not None else None,
    }


def _marks_of(database: Database, turn: Turn) -> list[Any]:
    return marks(database, [turn.trace], HIDDEN).get(turn.trace, []) if turn.trace else []


def _chosen(wanted: int, turns: Sequence[Turn]) -> Turn | None:
    """The turn that is looked at: the one that is asked for, or the nearest to it; without one the first."""
    return min(turns, key=lambda turn: abs(turn.number - wanted)) if turns else None


def _turn(talk: Talk, turn: Turn, said: Said, found: list[Any], chosen: bool) -> Json:
    most = LONGEST if chosen else BRIEF
    shown = [mark for mark in found if not (mark.kind == "signal" and mark.name in HIDDEN)]
    told: Json = {name: getattr(turn, name) for name in Turn.__struct_fields__ if name not in ("turn", "n", "so_far")}
    return told | {
        "chosen": chosen,
        "after_ns": max(0, turn.started_ns - talk.begun_ns),
        "question": said.question[:most],
        "answer": said.answer[:most],
        "cut": len(said.question) > most or len(said.answer) > most,
        "kept": said.kept,
        "so_far_nano": turn.so_far.nano,
        "so_far_partly": turn.so_far.partly,
        "marks": words(shown),
    }


def _chosen_told(turn: Turn, happened: Detail) -> Json:
    return {
        "number": turn.number,
        "trace": turn.trace,
        "so_far_nano": turn.so_far.nano,
        "so_far_partly": turn.so_far.partly,
        "hits": [hit for span in happened.spans for hit in mappings(span.attributes.get("hits"))][:50],
        "tools": [tool for span in happened.spans if span.stage == "tools" for tool in _tools(span)][:50],
        "citations": len(happened.citations),
        "feedback": [thought(one) for one in happened.feedback if one.name not in FIGURES],
    }


def _says(database: Database, turns: Sequence[Turn], chosen: Turn) -> Json:
    """What a turn says of the answer before it."""
    before = next((turn for turn in turns if turn.number == chosen.after), None)
    given = of_trace(database, before.trace) if before is not None and before.trace else []
    said = [kept.feedback for kept in given if any(one.trace == chosen.trace for one in kept.feedback.evidence)]
    return {"of": chosen.after, "says": [thought(one) for one in said if is_shown(one)]}


def _tools(span: Span) -> list[Json]:
    """The tools that were called side by side, each with what it was given and what it said."""
    calls, results = mappings(span.attributes.get("calls")), span.attributes.get("results")
    texts = cast("list[Any]", results) if isinstance(results, list) else []
    return [
        {
            "name": str(call.get("name", "")),
            "arguments": str(call.get("arguments", "")),
            "result": str(texts[n]) if n < len(texts) else "",
            "duration_ns": span.duration_ns,
        }
        for n, call in enumerate(calls or [{"name": span.name}])
    ]


def _abandoned(given: Sequence[Feedback]) -> Feedback | None:
    return next((one for one in given if one.kind == "signal" and one.name == "abandoned"), None)
