"""Guardrails: where each stands, what it did lately and how fast, and how often reviewers found that it was right.

A reviewer's label says it: `guardrail:NAME:right` or `guardrail:NAME:wrong`, on the trace and the span in which the
guardrail found something.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from regista.app.platform import Platform
from regista.app.schema import Guardrails
from regista.core.errors import NotFoundError, RequestError
from regista.core.nouns import Feedback, Json
from regista.serve.guardrails import guardrails
from regista.stats.intervals import Interval, wilson
from regista.store import Database, feedback
from regista.store.feedback import Kept, about, identity
from regista.store.guard_pages import (
    STAGES,
    Label,
    Look,
    Seen,
    labels,
    last_fired,
    last_looks,
    seen,
    verdicts,
    with_questions,
)
from regista.store.rollups import NANO
from regista.store.trace_pages import PREVIEW
from regista.surfaces.console.forms import Form
from regista.surfaces.console.shown import address
from regista.surfaces.console.stretches import LENGTHS, stretch
from regista.surfaces.console.views.numbers import number

PLACES = {"guard request": "request", "guard context": "context", "guard response": "response"}
"""The table of `[guardrails]` that says what runs in each stage."""
SAYS = {"request": "what comes in", "context": "what is retrieved, and what tools say", "response": "what goes out"}
NEWEST = 20
"""Times that a guardrail found something which are listed."""
VERDICTS = ("right", "wrong")
_FOUND = re.compile(r"(\d+) (.+)")


class Firing(NamedTuple):
    """One guardrail that found something in one stage of a trace; `kinds` says how often what was found."""

    look: Look
    name: str
    action: str
    kinds: dict[str, int]


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The page's data."""
    settings = platform.application.folder.settings.guardrails
    name = platform.application.folder.name
    return await asyncio.to_thread(_read, platform.database, name, settings, query)


async def judge(platform: Platform, form: Form, rest: str) -> str:
    """Take down whether a guardrail was right, and go back to the list."""
    await asyncio.to_thread(_judge, platform.database, form)
    given = form.values
    state: Json = {"range": given.get("range", "")}
    place = given.get("place", "") if given.get("place", "") in SAYS else ""
    at = f"{place}-{given['guardrail']}-{given['trace'][:16]}-{given['span']}"
    return f"{address('/console/guardrails', state)}#{at}"


def label(name: str, verdict: str) -> str:
    """The name of a reviewer's label.

    >>> label("pii", "wrong")
    'guardrail:pii:wrong'
    """
    return f"guardrail:{name}:{verdict}"


def firings(look: Look, actions: Mapping[str, str], kept: Sequence[tuple[str, str]] = ()) -> list[Firing]:
    """The guardrails that found something in a stage, read from what it took down: `pii: 2 email; secrets: 1 key`.

    What was done is the stage's decision where one guardrail found something; else what each is set up to do now.
    Where no reason was kept, `kept` are their names and what they did.
    """
    if not look.reason:
        return [Firing(look, name, action, {}) for name, action in dict(kept).items()]
    found: dict[str, Counter[str]] = {}
    for part in look.reason.split("; "):
        name, _, what = part.partition(": ")
        kinds = found.setdefault(name, Counter())
        for each in what.split(", "):
            counted = _FOUND.fullmatch(each)
            kinds[counted[2] if counted else each] += int(counted[1]) if counted else 1
    alone = len(found) == 1
    return [
        Firing(look, name, look.decision if alone else actions.get(name, look.decision), dict(kinds))
        for name, kinds in found.items()
    ]


def _judge(database: Database, form: Form) -> None:
    trace, name, verdict = (form.values.get(field, "") for field in ("trace", "guardrail", "verdict"))
    if len(trace) != 32 or set(trace) - set("0123456789abcdef"):
        raise RequestError(f"'trace' is {trace[:40]!r}: give the id of a trace.", param="trace")
    if verdict not in VERDICTS or name not in guardrails.names():
        raise RequestError("Say which guardrail it was, and whether it was right or wrong.", param="verdict")
    span = number(form.values, "span", "a span", "")
    of = about(database, trace)
    if span >= of.spans:
        raise NotFoundError(f"The trace has {of.spans} spans, counted from 0: no {span}.")
    made = Feedback(
        *("label", "reviewer", time.time_ns(), trace, span), name=label(name, verdict), by=form.by or "console"
    )
    # One person's last word counts.
    id = identity("guardrail", of.tenant, trace, span, name, made.by)
    with database.transaction() as transaction:
        feedback.put(transaction, [Kept(id, made, of.tenant, of.application)])


def _read(database: Database, application: str, settings: Guardrails, query: Mapping[str, str]) -> Json:
    over = stretch(query.get("range", ""), "7d")
    since_ns = over.since_s * NANO
    actions = {name: _action(settings, name) for place in PLACES.values() for name in getattr(settings, place)}
    last = last_looks(database, application, since_ns)
    places = {(look.trace, look.n) for look in last.found}
    older = [look for look in last_fired(database) if (look.trace, look.n) not in places]
    kept = verdicts(database, [*last.found, *older])
    in_window, before = (
        [one for look in looks for one in firings(look, actions, kept.get((look.trace, look.n), ()))]
        for looks in (last.found, older)
    )
    traces = seen(database, application, since_ns, [one.look.trace for one in [*in_window, *before]])
    fired = [one for one in [*in_window, *before] if one.look.trace in traces]
    fired.sort(key=lambda one: traces[one.look.trace].started_ns, reverse=True)
    said = labels(database, [label(name, verdict) for name in actions for verdict in VERDICTS])
    stages = [
        {
            "stage": stage,
            "place": PLACES[stage],
            "says": SAYS[PLACES[stage]],
            **_times(last.took_ns[stage], timed=stage != STAGES[-1]),
            "guardrails": [
                _row(database, name, stage, actions[name], len(last.took_ns[stage]), in_window, fired, traces, said)
                for name in getattr(settings, PLACES[stage])
            ],
        }
        for stage in STAGES
    ]
    return {
        "range": over.name,
        "ranges": list(LENGTHS),
        "stages": [stage for stage in stages if stage["guardrails"]],
        "traces": last.traces,
        "since_ns": last.since_ns,
        "all": last.whole,
    }


def _row(
    database: Database,
    name: str,
    stage: str,
    action: str,
    looked: int,
    in_window: Sequence[Firing],
    fired: Sequence[Firing],
    traces: Mapping[int, Seen],
    said: Sequence[Label],
) -> Json:
    own = [one for one in in_window if one.name == name and one.look.stage == stage]
    did = Counter(one.action for one in own)
    newest = [one for one in fired if one.name == name and one.look.stage == stage][:NEWEST]
    shown = {one.n: one for one in with_questions(database, [traces[one.look.trace] for one in newest], PREVIEW)}
    told = _verdicts(name, said)
    kinds = sum((Counter(one.kinds) for one in own), Counter[str]())
    return {
        "name": name,
        "action": action,
        "looked": looked,
        "masked": did["mask"],
        "blocked": did["block"],
        "passed": did["pass"],
        "share": _interval(wilson(len(own), looked)) if looked else None,
        "kinds": [{"kind": kind, "times": times} for kind, times in kinds.most_common(12)],
        "precision": _precision(told, [(one.id, look.n) for one, look in _places(fired, name, stage, traces)]),
        "newest": [_fired(one, shown[one.look.trace], told) for one in newest],
    }


def _fired(one: Firing, trace: Seen, judged: Mapping[tuple[str, int | None], str]) -> Json:
    return {
        "trace": trace.id,
        "started_ns": trace.started_ns,
        "status": trace.status,
        "question": trace.question,
        "span": one.look.n,
        "of": one.look.name,
        "action": one.action,
        "found": ", ".join(f"{times} {kind}" for kind, times in one.kinds.items()),
        "verdict": judged.get((trace.id, one.look.n)) or judged.get((trace.id, None), ""),
    }


def _places(fired: Iterable[Firing], name: str, stage: str, traces: Mapping[int, Seen]) -> list[tuple[Seen, Look]]:
    return [(traces[one.look.trace], one.look) for one in fired if one.name == name and one.look.stage == stage]


def _verdicts(name: str, said: Sequence[Label]) -> dict[tuple[str, int | None], str]:
    """What was said last of each place where a guardrail found something."""
    found: dict[tuple[str, int | None], str] = {}
    for one in said:
        _, of, verdict = one.name.split(":")
        if of == name:
            found.setdefault((one.trace, one.span), verdict)
    return found


def _precision(judged: Mapping[tuple[str, int | None], str], places: Sequence[tuple[str, int]]) -> Json | None:
    """How often it was right of those times that were looked at, with the interval; None where none was."""
    told = [judged.get(place) or judged.get((place[0], None)) for place in places]
    right, wrong = told.count("right"), told.count("wrong")
    return _interval(wilson(right, right + wrong)) | {"of": right + wrong} if right + wrong else None


def _times(durations: Sequence[int], *, timed: bool) -> Json:
    """How long a stage takes; of what goes out it is not measured, since it is looked at while it is written."""
    known = durations if timed else ()
    return {
        "looked": len(durations),
        "p50_ns": known[len(known) // 2] if known else None,
        "p95_ns": known[len(known) * 95 // 100] if known else None,
    }


def _interval(of: Interval) -> Json:
    return {"share": of.estimate, "low": of.low, "high": of.high}


def _action(settings: Guardrails, name: str) -> str:
    """What is done about what it finds, as it is set up."""
    given: Any = settings.options.get(name, {}).get("action")
    usual = next((option.default for option in guardrails.options(name) if option.name == "action"), "block")
    return str(given or usual)
