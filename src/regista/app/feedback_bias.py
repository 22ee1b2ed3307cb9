"""What the feedback in a store is worth: its rows laid out for the meters of `regista.feedback.bias`.

Calls block. Needs the extra `eval`.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from regista.core.errors import MissingExtraError
from regista.core.nouns import Feedback
from regista.feedback.labels import AGAINST
from regista.observe.features import documents_of
from regista.store import Database, traces
from regista.store import feedback as rows
from regista.store.documents import Documents
from regista.store.samples import sample

try:
    from regista.feedback.bias.length import length
    from regista.feedback.bias.leniency import leniency
    from regista.feedback.bias.loop import loop
    from regista.feedback.bias.meter import Bias
    from regista.feedback.bias.position import position
    from regista.feedback.bias.selection import selection
except ModuleNotFoundError as error:
    raise MissingExtraError("To measure biases", error.name or "scipy", "eval") from error

MOST = 10_000
"""Answers, and pieces of feedback, that are looked at: the newest."""
SHOWN = 1_000
"""Answers of which it is looked what was retrieved for them, drawn evenly."""


class Measured(NamedTuple):
    """A meter by its name, with what it found, or why it could not."""

    name: str
    bias: Bias | None
    why: str = ""


def measure(database: Database, application: str, since_ns: int = 0) -> list[Measured]:
    """Each meter over the newest feedback since a time, in nanoseconds since 1970.

    What is retrieved for the answers of an application is what it shows.
    """
    given = [kept.feedback for kept in rows.recent(database, since_ns=since_ns, limit=MOST)]
    preferred = [one for one in given if one.kind == "preference" and one.value != 0]
    return [
        _measured("leniency", lambda: _leniency(given)),
        _measured("selection", lambda: _selection(database, given, since_ns)),
        _measured("position", lambda: position(one.side for one in _some(preferred))),
        _measured("length", lambda: _length(database, _some(preferred))),
        _measured("loop", lambda: _loop(database, application, given, since_ns)),
    ]


def _measured(name: str, meter: Callable[[], Bias]) -> Measured:
    try:
        return Measured(name, meter())
    except ValueError as error:
        return Measured(name, None, str(error))


def _some(preferred: Sequence[Feedback]) -> Sequence[Feedback]:
    if not preferred:
        raise ValueError("Nobody preferred one answer to another: send 'preference', or vote in a queue by pairs.")
    return preferred


def _leniency(given: Sequence[Feedback]) -> Bias:
    """Of thumbs, or of the scores of the name that most have; with the answers taken out where two rated the same."""
    groups: dict[str, list[Feedback]] = {}
    for one in given:
        if one.kind in ("thumb", "score") and one.by and one.trace:
            groups.setdefault(one.name, []).append(one)
    most = max(groups.values(), key=len, default=list[Feedback]())
    if not most:
        raise ValueError("Nobody who gave a thumb or a score said who it was: send 'by'.")
    answers = [one.trace for one in most]
    shared = len(set(answers)) < len(answers)
    return leniency([one.value or 0.0 for one in most], [one.by for one in most], answers if shared else None)


def _selection(database: Database, given: Sequence[Feedback], since_ns: int) -> Bias:
    """Of thumbs, over what became of each answer: whether it failed, and what the gateway saw people do next."""
    thumbs = {one.trace: one.value for one in given if one.kind == "thumb"}
    seen: dict[str, str] = {}
    for one in given:
        if one.kind == "signal" and (one.name in AGAINST or one.name == "positive"):
            blamed = one.name in AGAINST or seen.get(one.trace) == "complained of"
            seen[one.trace] = "complained of" if blamed else "praised"
    answers = rows.outcomes(database, since_ns, MOST)
    outcomes = [seen.get(trace, "nothing seen") if status == "ok" else status for trace, status in answers]
    return selection([thumbs.get(trace) for trace, _ in answers], outcomes)


def _loop(database: Database, application: str, given: Sequence[Feedback], since_ns: int) -> Bias:
    """Of documents: how often each was found for an answer, those that never were too.

    No retriever, router or cache learns from feedback, so that none of it is on what was shown for earlier feedback.
    """
    known = Documents(database, application).known()
    if len(known) < 2:
        raise ValueError("There are fewer than two documents, so that nothing is shown in the place of another.")
    shown, rated = Counter[str](), {one.trace for one in given if one.kind in ("thumb", "score")}
    on = 0
    for trace in sample(database, application, since_ns, time.time_ns() + 1, SHOWN):
        found = {document for document in documents_of(trace) if document in known}
        shown.update(found)
        on += bool(found) and trace.id in rated
    if not shown:
        raise ValueError("For none of the answers in this time was a document found that is there still.")
    bias = loop([shown[document] for document in known], on, 0)
    return bias._replace(sentence=f"{bias.sentence} Nothing here chooses by feedback what is shown.")


def _length(database: Database, preferred: Sequence[Feedback]) -> Bias:
    """Of answers preferred to others; which of a pair is ours is told by their ids, and so by chance."""
    wanted = sorted({trace for one in preferred for trace in (one.trace, one.other)})
    sizes = {trace.id: len(trace.answer) for _, trace in traces.of_ids(database, wanted)}
    pairs = [one for one in preferred if sizes.get(one.trace) and sizes.get(one.other)]
    won = [one.trace < one.other for one in pairs]
    sides = [sorted((one.trace, one.other)) for one in pairs]
    return length(won, [sizes[ours] for ours, _ in sides], [sizes[theirs] for _, theirs in sides])
