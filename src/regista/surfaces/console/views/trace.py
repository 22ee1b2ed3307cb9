"""One trace: where its time went, what was decided and why, what was said, and what it cost."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, cast

from regista.app.platform import Platform
from regista.app.replaying import STAGE, asked
from regista.core.nouns import Call, Json, Span
from regista.store.conversation_pages import place
from regista.store.feedback import of_trace
from regista.store.replays import replays
from regista.store.trace_pages import Part, part
from regista.surfaces.console.views import replay, review
from regista.surfaces.console.views.numbers import number
from regista.surfaces.console.views.thoughts import thought

SPANS = 200
"""Spans in a page."""
WORK = {"retrieve": "retrieval", "tools": "tools"}
"""Stages whose time is not the platform's own, and what they are called."""
KINDS = {"generate": "models", **WORK}
"""The colour of a stage's bar: that of what most of its time is."""
_SHOWN = ("policy", "steps", "runner_up", "hits", "notes", "tokens", "stream", "chain", "unfit")
"""Attributes that are shown in words, or say nothing to people."""


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The page's data."""
    first = number(query, "spans", "a span")
    picked = {name: query.get(name, "") for name in ("dataset", "added")}
    return await asyncio.to_thread(_read, platform, rest, first) | {"picked": picked}


def _read(platform: Platform, trace_id: str, first: int) -> Json:
    found = part(platform.database, trace_id, first, SPANS)
    after = first + len(found.spans)
    return {
        "trace": found.trace,
        "question": found.question,
        "answer": found.answer,
        "citations": found.citations,
        "spans": [_drawn(found, n) for n in range(len(found.spans))],
        "span_count": found.count,
        "first_span": first,
        "next_span": after if after < found.count else None,
        "calls": [_call(found, call) for call in found.calls],
        "decisions": [entry for n, span in enumerate(found.spans) for entry in _decision(span, first + n)],
        "hits": [hit for span in found.spans for hit in mappings(span.attributes.get("hits"))],
        "spent": spent(found),
        "feedback": [thought(one.feedback) for one in of_trace(platform.database, found.trace.id)],
        "first_token": _share(found.trace.first_token_ns, found.trace.duration_ns),
        "review": review.standing(platform, found.trace),
        **_again(platform, found),
    }


def _again(platform: Platform, found: Part) -> Json:
    """The conversation that a trace is a turn of, what would be asked again, and the times that it was."""
    trace = found.trace
    turn = place(platform.database, trace.id, trace.started_ns)
    return {
        "conversation": {"id": turn[0].id, "turn": turn[1], "turns": turn[2]} if turn is not None else None,
        "again": replay.offered(platform, asked(platform.database, trace.id, trace.started_ns)),
        "replay": any(span.stage == STAGE for span in found.spans),
        "replays": replays(platform.database, trace.id),
    }


def spent(found: Part) -> Json:
    """Where the time of a request went, in nanoseconds; `platform` is what is left: Regista's own work and waiting.

    Moments count once: under a model's call first, then under a stage that works for the request.
    """
    whole = found.trace.duration_ns
    begun = found.trace.started_ns
    kinds = [("models", [(call.started_ns - begun, call.duration_ns) for call in found.calls])]
    kinds += [
        (name, [(span.start_ns, span.duration_ns) for span in found.spans if span.stage == stage])
        for stage, name in WORK.items()
    ]
    taken: list[tuple[int, int]] = []
    parts: list[Json] = []
    before = 0
    for name, stretches in kinds:
        taken += [(max(0, start), min(whole, start + length)) for start, length in stretches]
        covered = union(taken)
        parts.append({"name": name, "ns": covered - before})
        before = covered
    own = max(0, whole - before)
    parts.append({"name": "Regista", "ns": own})
    return {"platform_ns": own, "share": own / whole if whole else 0.0, "parts": [p for p in parts if p["ns"]]}


def union(stretches: Iterable[tuple[int, int]]) -> int:
    """How long it is that at least one of the stretches (start, end) lasts.

    >>> union([(0, 10), (5, 20), (30, 31), (40, 40)])
    21
    """
    total, reached = 0, 0
    for start, end in sorted(stretches):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _drawn(found: Part, n: int) -> Json:
    """A span with where its bar lies, in per cent of the trace."""
    span, whole = found.spans[n], found.trace.duration_ns
    return {
        "n": found.first + n,
        "depth": found.depths[n],
        "stage": span.stage,
        "name": span.name,
        "parent": span.parent,
        "start_ns": span.start_ns,
        "duration_ns": span.duration_ns,
        "kind": KINDS.get(span.stage, "Regista"),
        "decision": span.decision,
        "reason": span.reason,
        "attributes": span.attributes,
        "bar": _bar(span.start_ns, span.duration_ns, whole),
    }


def _call(found: Part, call: Call) -> Json:
    named = {name: getattr(call, name) for name in Call.__struct_fields__}
    return named | {"bar": _bar(call.started_ns - found.trace.started_ns, call.duration_ns, found.trace.duration_ns)}


def _bar(start: int, length: int, whole: int) -> Json:
    left = _share(start, whole)
    return {"left": left, "width": max(0.3, min(100 - left, _share(length, whole)))}


def _share(ns: int, whole: int) -> float:
    return round(min(99.7, max(0.0, 100 * ns / whole)), 2) if whole else 0.0


def _decision(span: Span, n: int) -> Iterable[Json]:
    """What a stage decided and why; of a router also what it passed over. Stages that decided nothing are left out."""
    given = span.attributes
    notes = [str(note) for note in _list(given.get("notes"))]
    if not (span.decision or span.reason or notes):
        return
    yield {
        "n": n,
        "stage": span.stage,
        "name": span.name,
        "decision": span.decision,
        "reason": span.reason,
        "runner_up": str(given.get("runner_up") or ""),
        "steps": [_step(step) for step in mappings(given.get("steps"))],
        "unfit": {str(name): str(why) for name, why in _mapping(given.get("unfit")).items()},
        "notes": notes,
        "rest": {name: value for name, value in given.items() if name not in _SHOWN},
    }


def _step(step: Mapping[str, Any]) -> Json:
    """What one policy of a router said; its scores in words, the best first."""
    scores = {name: score for name, score in _mapping(step.get("scores")).items() if isinstance(score, int | float)}
    best = sorted(scores.items(), key=lambda one: -one[1])
    return {
        "policy": str(step.get("policy", "")),
        "model": str(step.get("model", "")),
        "reason": str(step.get("reason", "")),
        "scores": ", ".join(f"{name} {score:.3g}" for name, score in best),
    }


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Those of a list that are mappings; none of what is no list."""
    return [one for each in _list(value) if (one := _mapping(each))]
