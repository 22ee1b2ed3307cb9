"""What of an application is compared over time: gathered from its store, for `regista.observe.drift` to judge.

Traces are sampled; times, cost, failures and models are those of all traffic, and so is what was thought of answers.
Calls block, but for `meant`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from regista.app.embedder import embedder_name, open_embedder
from regista.app.live import TARGET
from regista.app.schema import Context
from regista.core.digest import score_key
from regista.core.nouns import Trace
from regista.feedback.labels import HIDDEN
from regista.observe.drift import LEAST, Counts, Known, Rate, Sketches, Values, Vectors
from regista.observe.features import (
    CACHED,
    CANCELLED,
    COST,
    DOLLAR,
    DURATION,
    FAILED,
    FIRST_TOKEN,
    MEANING,
    MODEL,
    MS,
    Key,
)
from regista.store import Database, evaluations
from regista.store.rollups import HOUR_S, MINUTE_S, MINUTES_KEPT_S, NANO, Summary, by_model
from regista.store.samples import Signalled, opinions, sample, signals

SCORES = 10_000
"""Thumbs and scores looked at of each time: the newest."""
EMBEDDED = 300
"""Questions of either time that are embedded."""
_MEANINGLESS = {
    "none": "[context] embedder is none",
    "hashed": "the embedder here knows letters and no meaning; for one that does: python -m regista.models.prepare",
}
"""Embedders that say nothing of what is meant, and why."""
_PLACES: dict[Key, int] = {FAILED: 1, CANCELLED: 2, CACHED: 3}
_UNPRICED = 7
"""Places among the counts of a `Summary`, of which the first is how many traces there are."""


class Times(NamedTuple):
    """When before begins, when it ends and now begins, and when now ends, in nanoseconds since 1970."""

    before: int
    begin: int
    end: int


class Gathered(NamedTuple):
    """Traces of before and of now, and what else is known of both."""

    before: list[Trace]
    now: list[Trace]
    known: Known


Scores = dict[str, list[tuple[float, str]]]
"""By what was scored: the scores, each with the trace it is of."""


class _Side(NamedTuple):
    """What is known of all that happened in one of the two times."""

    models: dict[str, Summary]
    total: Summary
    scores: Scores
    up: list[str]
    down: list[str]
    signals: dict[str, Signalled]


def gather(database: Database, application: str, times: Times, sampled: int) -> Gathered:
    """Everything that is compared, but for embeddings: about `sampled` traces of each time."""
    before = list(sample(database, application, times.before, times.begin, sampled))
    now = list(sample(database, application, times.begin, times.end, sampled))
    # The rollups know whole minutes where they are still kept, else whole hours.
    grain_s = MINUTE_S if times.end - times.before < (MINUTES_KEPT_S - HOUR_S) * NANO else HOUR_S
    start_s, begin_s, end_s = (at // (grain_s * NANO) * grain_s for at in times)
    older = by_model(database, application, start_s, begin_s, grain_s)
    newer = by_model(database, application, begin_s, end_s + grain_s, grain_s)
    sides = (
        _side(database, application, times.before, times.begin, older),
        _side(database, application, times.begin, times.end, newer),
    )
    return Gathered(before, now, _known(*sides))


def _side(database: Database, application: str, since: int, until: int, models: dict[str, Summary]) -> _Side:
    total = Summary()
    for one in models.values():
        total.merge(one)
    given = opinions(database, application, since, until, SCORES)
    scores = _evaluated(database, application, since, until)
    for one in given:
        if one.kind == "score":
            scores.setdefault(f"score: {one.name}", []).append((one.value, one.trace))
    thumbs = [one for one in given if one.kind == "thumb"]
    up, down = ([one.trace for one in thumbs if (one.value > 0) == liked] for liked in (True, False))
    return _Side(models, total, scores, up, down, signals(database, application, since, until))


def _evaluated(database: Database, application: str, since: int, until: int) -> Scores:
    """What the scorers of `[evaluation]` found in live traffic."""
    tried = evaluations.tried(database, application, TARGET, since, until, SCORES)
    keys = [
        (f"scorer: {name}", id, score_key(output, case, digest.encode()))
        for id, case, output, scorers in tried
        for name, digest in scorers.items()
    ]
    known = evaluations.scores(database, [key for _, _, key in keys])
    found: Scores = {}
    for name, id, key in keys:
        if (score := known.get(key)) is not None and score.value is not None:
            found.setdefault(name, []).append((score.value, id))
    return found


def _known(before: _Side, now: _Side) -> Known:
    values: dict[Key, Values] = {
        ("scores", name): Values(before.scores.get(name, []), now.scores.get(name, []))
        for name in sorted({*before.scores, *now.scores})
    }
    counts = {MODEL: Counts(_counted(before), _counted(now), of_all=True)}
    return Known(values, _sketches(before.total, now.total), counts, _rates(before, now))


def _counted(side: _Side) -> dict[str, int]:
    return {model: one.counts[0] for model, one in side.models.items()}


def _sketches(before: Summary, now: Summary) -> dict[Key, Sketches]:
    found: dict[Key, Sketches] = {
        DURATION: Sketches(before.duration, now.duration, MS),
        FIRST_TOKEN: Sketches(before.first_token, now.first_token, MS),
    }
    # Hours of before there were sketches of cost have none.
    if all(side.cost.count + side.counts[_UNPRICED] == side.counts[0] for side in (before, now)):
        found[COST] = Sketches(before.cost, now.cost, DOLLAR)
    return found


def _rates(before: _Side, now: _Side) -> dict[Key, Rate]:
    """How many failed and came from a cache, how many thumbs point up, and in how many traces each signal was found."""
    whole = before.total.counts[0], now.total.counts[0]
    rates: dict[Key, Rate] = {
        key: Rate((before.total.counts[place], whole[0]), (now.total.counts[place], whole[1]), of_all=True)
        for key, place in _PLACES.items()
    }
    thumbs = (len(before.up), len(before.up) + len(before.down)), (len(now.up), len(now.up) + len(now.down))
    rates["scores", "thumb up"] = Rate(*thumbs, examples=now.up, others=now.down, of_all=True)
    for name in sorted({*before.signals, *now.signals} - {*HIDDEN}):
        older, newer = (side.signals.get(name, Signalled(0, [])) for side in (before, now))
        # A signal may come after the end of the time its trace is of.
        shares = (min(older.traces, whole[0]), whole[0]), (min(newer.traces, whole[1]), whole[1])
        rates["scores", f"signal: {name}"] = Rate(*shares, examples=newer.examples, of_all=True)
    return rates


class Meant(NamedTuple):
    """Embeddings of questions and the name of what made them, or why there are none."""

    vectors: dict[Key, Vectors]
    by: str = ""
    why_not: str = ""


async def meant(context: Context | None, found: Gathered, models: str) -> Meant:
    """Embed the questions, where the application has an embedder that knows what words mean. Asks another process."""
    if context is None:
        return Meant({}, why_not="the application has no embedder, as it retrieves nothing")
    name = embedder_name(context.embedder, models)
    if name in _MEANINGLESS:
        return Meant({}, why_not=_MEANINGLESS[name])
    before, now = _questions(found.before), _questions(found.now)
    embedder = await open_embedder(name, models)
    if embedder is None or min(len(before), len(now)) < LEAST:
        return Meant({}, why_not=f"there are fewer than {LEAST} questions before or now")
    try:
        older, newer = [await embedder.embed([one.question for one in side], bulk=True) for side in (before, now)]
    finally:
        await embedder.close()
    return Meant({MEANING: Vectors(older, newer, [one.id for one in now])}, embedder.embedder)


def _questions(traces: Sequence[Trace]) -> list[Trace]:
    """Traces with a question, `EMBEDDED` at most, evenly drawn."""
    asked = [one for one in traces if one.question.strip()]
    return asked[:: max(1, -(-len(asked) // EMBEDDED))]
