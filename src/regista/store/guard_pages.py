"""What guardrails did, as their spans tell: over the last traces, the newest times one did something, and what
reviewers said of those.

Knows no guardrail and no screen. Calls block.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from regista.store.database import Database
from regista.store.traces import NOTHING

STAGES = ("guard request", "guard context", "guard response")
"""The stages in which guardrails look, in the order a request meets them."""
LOOKED_AT = 2_000
"""Traces that shares and times are taken from: the last."""
LOOKED_THROUGH = 20_000
"""The last traces of all applications, among which these are looked for."""
FIRED = 500
"""Times a guardrail masked or blocked that are found: the last, of all applications."""
LABELS = 1_000
"""Labels of a name that are read: the newest."""
_IDS = 400
_SPAN = "trace, n, stage, name, decision, reason"
_TRAFFIC = "application = ? AND tenant <> 'evaluation'"
_NOTHING_FOUND = "nothing found"


class Look(NamedTuple):
    """A stage of a trace (the trace's number, the span's) in which guardrails found something, and what was decided."""

    trace: int
    n: int
    stage: str
    name: str
    decision: str
    reason: str


class Looked(NamedTuple):
    """What guardrails did in the `traces` of an application since a time: since the one asked for, if `whole`.

    `took_ns` is by stage how long each look took, the shortest first.
    """

    traces: int
    since_ns: int
    whole: bool
    took_ns: dict[str, list[int]]
    found: list[Look]


class Seen(NamedTuple):
    """A trace in which a guardrail found something, as a list shows it; `question` is its beginning."""

    n: int
    id: str
    started_ns: int
    status: str
    question: str


class Label(NamedTuple):
    """What somebody called a trace, or one span of it."""

    trace: str
    span: int | None
    name: str
    by: str
    made_ns: int


def last_looks(database: Database, application: str, since_ns: int, most: int = LOOKED_AT) -> Looked:
    """What guardrails looked at in the last traces of an application since a time, but for those of evaluations."""
    newest = "SELECT n, started_ns, application, tenant FROM traces WHERE started_ns >= ? ORDER BY started_ns DESC"
    sql = f"SELECT n, started_ns FROM ({newest} LIMIT {LOOKED_THROUGH}) AS newest WHERE {_TRAFFIC} LIMIT ?"
    traces = database.query(sql, (since_ns, application, most))
    if len(traces) == most:
        since_ns, whole = traces[-1][1], False
    else:
        beyond = database.query(f"{newest} LIMIT 1 OFFSET {LOOKED_THROUGH}", (since_ns,))
        since_ns, whole = (beyond[0][1], False) if beyond else (since_ns, True)
    took: dict[str, list[int]] = {stage: [] for stage in STAGES}
    found: list[Look] = []
    stages = ", ".join("?" * len(STAGES))
    for some in _chunks(sorted(row[0] for row in traces)):
        marks = ", ".join("?" * len(some))
        sql = f"SELECT {_SPAN}, duration_ns FROM spans WHERE trace IN ({marks}) AND stage IN ({stages})"
        for *look, duration_ns in database.query(sql, (*some, *STAGES)):
            took[look[2]].append(duration_ns)
            if look[5] not in ("", _NOTHING_FOUND) or look[4] in ("mask", "block"):
                found.append(Look(*look))
    took = {stage: sorted(durations) for stage, durations in took.items()}
    return Looked(len(traces), since_ns, whole, took, found)


def last_fired(database: Database, most: int = FIRED) -> list[Look]:
    """The last times that guardrails masked or blocked, the newest first."""
    # The first condition is word for word that of the index spans_fired.
    sql = (
        f"SELECT {_SPAN} FROM spans WHERE decision IN ('mask', 'block') AND stage IN ({', '.join('?' * len(STAGES))}) "
        "ORDER BY trace DESC LIMIT ?"
    )
    return [Look(*row) for row in database.query(sql, (*STAGES, most))]


def seen(database: Database, application: str, since_ns: int, numbers: Sequence[int]) -> dict[int, Seen]:
    """Of some traces by their numbers those of an application that began after a time."""
    found: dict[int, Seen] = {}
    for some in _chunks(list(dict.fromkeys(numbers))):
        marks = ", ".join("?" * len(some))
        sql = f"SELECT n, id, started_ns, status FROM traces WHERE n IN ({marks}) AND {_TRAFFIC} AND started_ns >= ?"
        rows = database.query(sql, (*some, application, since_ns))
        found |= {n: Seen(n, id.hex(), started_ns, status, "") for n, id, started_ns, status in rows}
    return found


def verdicts(database: Database, looks: Sequence[Look]) -> dict[tuple[int, int], list[tuple[str, str]]]:
    """Of looks without a reason, as they are kept where capture is off, which guardrail did what, by trace and span."""
    bare = [look for look in looks if not look.reason][:FIRED]
    bodies = database.bodies.get(database, list({look.trace for look in bare}))
    found: dict[tuple[int, int], list[tuple[str, str]]] = {}
    for look in bare:
        attributes = bodies.get(look.trace, NOTHING).attributes
        given: Any = attributes[look.n].get("verdicts") if look.n < len(attributes) else None
        found[look.trace, look.n] = [(str(one.get("guardrail", "")), str(one.get("action", ""))) for one in given or ()]
    return found


def with_questions(database: Database, traces: Sequence[Seen], most: int) -> list[Seen]:
    """The same traces with the beginnings of their questions."""
    bodies = database.bodies.get(database, [one.n for one in traces])
    return [one._replace(question=bodies.get(one.n, NOTHING).question[:most]) for one in traces]


def labels(database: Database, names: Sequence[str]) -> list[Label]:
    """The newest labels of these names that reviewers gave, the newest first: what a user says of it is no verdict."""
    if not names:
        return []
    found: list[Label] = []
    for name in names:
        sql = (
            "SELECT trace, span, name, author, made_ns FROM feedback WHERE name = ? AND name <> '' AND kind = 'label' "
            f"AND source = 'reviewer' ORDER BY made_ns DESC LIMIT {LABELS}"
        )
        found += [Label(bytes(trace).hex(), *rest) for trace, *rest in database.query(sql, (name,))]
    return sorted(found, key=lambda one: -one.made_ns)


def _chunks(of: list[Any]) -> Iterator[list[Any]]:
    return (of[start : start + _IDS] for start in range(0, len(of), _IDS))
