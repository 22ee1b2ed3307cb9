"""Sums over minutes, hours and more of traces, and of the calls made for them: written with them, read instead of them.

What is summed up is in two tables of one form: the key, counts that add up, and sketches of times and of cost. The same
transaction writes the sums of every length, so that a month is read in some sixty of each model. Calls block.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from regista.core.nouns import Call, Trace
from regista.stats.sketch import Sketch
from regista.store.database import Database, Row, Transaction
from regista.store.grains import DAY_S, GRAINS, HOUR_S, LONGER, MINUTE_S, keep, pieces, stored, whole

MINUTES_KEPT_S = 2 * DAY_S
MENDED_S = 30 * DAY_S
"""How far back it is looked each time whether longer sums are those of their hours."""
NANO = 1_000_000_000
_MOST = 2**63 - 1
_SERVED = frozenset(("hit", "coalesced", "semantic"))
"""What a trace says of the cache where it was answered from one."""

Of = Literal["traces", "calls"]
Key = tuple[int, str, str, str]
"""When the minute begins, in seconds since 1970; application; model; variant of a trace, or cause of a call."""


class _Table(NamedTuple):
    """One of the two tables: its name, what its last part of the key is, and its counts in their order."""

    name: str
    part: str
    counts: tuple[str, ...]

    @property
    def columns(self) -> str:
        return ", ".join(("grain_s, start_s, application, model", self.part, *self.counts, *_SKETCHES))


_SKETCHES = ("duration", "first_token", "cost")
_SUMS = ("input_tokens", "output_tokens", "cost_nano", "unpriced")
_TABLES: dict[Of, _Table] = {
    "traces": _Table("trace_rollups", "variant", ("traces", "failed", "cancelled", "cached", *_SUMS)),
    "calls": _Table("call_rollups", "cause", ("calls", "failed", "cancelled", "estimated", *_SUMS)),
}


class Summary:
    """Sums of one group: `counts` in their order, and sketches of nanoseconds and of nano-dollars."""

    __slots__ = ("cost", "counts", "duration", "first_token")

    def __init__(self) -> None:
        self.counts = [0] * 8
        self.duration, self.first_token, self.cost = Sketch(), Sketch(), Sketch()

    def add(self, counts: Iterable[int], duration_ns: int, first_token_ns: int, cost_nano: int | None) -> None:
        """Take in one trace, or one call."""
        own = self.counts
        for place, count in enumerate(counts):
            own[place] += count
        self.duration.add(duration_ns)
        if first_token_ns:
            self.first_token.add(first_token_ns)
        if cost_nano is not None:
            self.cost.add(cost_nano)

    def remove(self, counts: Iterable[int], duration_ns: int, first_token_ns: int, cost_nano: int | None) -> None:
        """Take out what was taken in as one trace."""
        self.counts = [own - given for own, given in zip(self.counts, counts, strict=True)]
        self.duration.remove(duration_ns)
        if first_token_ns:
            self.first_token.remove(first_token_ns)
        if cost_nano is not None:
            self.cost.remove(cost_nano)

    @property
    def sketches(self) -> tuple[Sketch, ...]:
        """In the order of their columns."""
        return self.duration, self.first_token, self.cost

    def merge(self, other: "Summary") -> None:
        """Take in what another one sums up."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.duration.merge(other.duration)
        self.first_token.merge(other.first_token)
        self.cost.merge(other.cost)


class Rollup(Struct, frozen=True):
    """Sums as they are read. A part of the key that was not asked for is empty, and `start_s` 0.

    `count` is how many traces or calls there are and `aside` how many of them came from a cache, or were estimated.
    Times are quantiles in nanoseconds, at 50, 95 and 99 of 100; 0 where there are none.
    """

    start_s: int
    application: str
    model: str
    part: str
    count: int
    failed: int
    cancelled: int
    aside: int
    input_tokens: int
    output_tokens: int
    cost_nano: int
    unpriced: int
    duration_ns: tuple[int, int, int]
    first_token_ns: tuple[int, int, int]


def write(transaction: Transaction, traces: Sequence[Trace]) -> None:
    """Add traces to their sums of each length. Whoever stores them does this in the same transaction, once."""
    minutes: dict[Of, dict[Key, Summary]] = {"traces": {}, "calls": {}}
    for trace in traces:
        start = trace.started_ns // (MINUTE_S * NANO) * MINUTE_S
        _of(minutes["traces"], (start, trace.application, trace.model, trace.variant)).add(
            _of_trace(trace), trace.duration_ns, trace.first_token_ns, trace.cost_nano
        )
        for call in trace.calls:
            key = (start, trace.application, f"{call.biller}/{call.model}", call.cause)
            _of(minutes["calls"], key).add(_of_call(call), call.duration_ns, call.first_token_ns, call.cost_nano)
    for of, found in minutes.items():
        for grain_s in GRAINS[::-1]:  # storing changes what it is given, so the minutes come last
            _store(transaction, _TABLES[of], grain_s, _coarser(found, grain_s))


def withdraw(transaction: Transaction, trace: Trace) -> None:
    """Take a trace without calls out of its sums again, where they are kept still."""
    table = _TABLES["traces"]
    for grain_s in GRAINS:
        start = trace.started_ns // (grain_s * NANO) * grain_s
        place = (grain_s, start, trace.application, trace.model, trace.variant)
        where = "grain_s = ? AND start_s = ? AND application = ? AND model = ? AND variant = ?"
        for row in transaction.execute(f"SELECT {table.columns} FROM {table.name} WHERE {where}", place):
            transaction.execute(f"DELETE FROM {table.name} WHERE {where}", place)
            left = _summary(row)
            left.remove(_of_trace(trace), trace.duration_ns, trace.first_token_ns, trace.cost_nano)
            if left.counts[0] > 0:
                _store(transaction, table, grain_s, {place[1:]: left})


def missing(transaction: Transaction) -> bool:
    """Whether there are traces that no rollup has: those of a Regista that kept none."""
    kept = transaction.execute("SELECT 1 FROM trace_rollups LIMIT 1")
    return not kept and bool(transaction.execute("SELECT 1 FROM traces LIMIT 1"))


def mend(database: Database) -> int:
    """Make sums of several hours anew where they are not those of their hours; how many stretches of time that were.

    So they are where a Regista stored traces that kept none, and where one did lately, beside a newer one.
    """
    done, lately = 0, int(time.time()) // LONGER[-1] * LONGER[-1] - MENDED_S
    since = lately if whole(database) >= set(LONGER) else -_MOST
    for table in _TABLES.values():
        for grain_s in LONGER:
            for (start,) in database.query(_apart(table), (grain_s, grain_s, HOUR_S, since, grain_s)):
                with database.transaction() as transaction:
                    _mend(transaction, table, grain_s, int(start))
                done += 1
    keep(database)
    return done


def _apart(table: _Table) -> str:
    """When those stretches begin of which some sum has another count than its hours."""
    key = f"application, model, {table.part}"
    same = " AND ".join(f"own.{name} = hours.{name}" for name in key.split(", "))
    count = table.counts[0]
    return (
        f"SELECT DISTINCT start_s FROM (SELECT start_s / ? * ? AS start_s, {key}, sum({count}) AS count "
        f"FROM {table.name} WHERE grain_s = ? AND start_s >= ? GROUP BY 1, {key}) AS hours WHERE NOT EXISTS (SELECT 1 "
        f"FROM {table.name} AS own WHERE own.grain_s = ? AND own.start_s = hours.start_s AND {same} "
        f"AND own.{count} = hours.count)"
    )


def _mend(transaction: Transaction, table: _Table, grain_s: int, start: int) -> None:
    given = (HOUR_S, start, start + grain_s)
    sql = f"SELECT {table.columns} FROM {table.name} WHERE grain_s = ? AND start_s >= ? AND start_s < ?"
    made: dict[Key, Summary] = {}
    for row in transaction.execute(sql, given):
        _of(made, (start, *row[2:5])).merge(_summary(row))
    transaction.execute(f"DELETE FROM {table.name} WHERE grain_s = ? AND start_s = ?", (grain_s, start))
    _store(transaction, table, grain_s, made)


def forget(transaction: Transaction, now_s: int) -> None:
    """Leave out the minutes that are older than two days; their hours stay."""
    for table in _TABLES.values():
        transaction.execute(
            f"DELETE FROM {table.name} WHERE grain_s = ? AND start_s < ?", (MINUTE_S, now_s - MINUTES_KEPT_S)
        )


def read(
    database: Database,
    of: Of,
    by: Sequence[Literal["time", "application", "model", "part"]] = ("time",),
    *,
    since_s: int,
    until_s: int,
    grain_s: int = HOUR_S,
    application: str = "",
    model: str = "",
) -> list[Rollup]:
    """Sums over what began from `since_s` until before `until_s` (seconds since 1970), grouped and ordered by `by`.

    `grain_s` is how long a group of `time` is: a minute, or any number of whole hours, which a month is best read in.
    """
    groups = _groups(database, of, by, since_s, until_s, grain_s, application, model)
    return [_rollup(key, groups[key]) for key in sorted(groups)]


def read_with_total(
    database: Database, of: Of, *, since_s: int, until_s: int, grain_s: int = HOUR_S
) -> tuple[Rollup | None, list[Rollup]]:
    """The same by time alone, with the sum of all, if there is anything: both for the price of one."""
    groups = _groups(database, of, ("time",), since_s, until_s, grain_s)
    total = Summary()
    for summary in groups.values():
        total.merge(summary)
    return _rollup((0, "", "", ""), total) if groups else None, [_rollup(key, groups[key]) for key in sorted(groups)]


def by_model(
    database: Database, application: str, since_s: int, until_s: int, grain_s: int = HOUR_S
) -> dict[str, Summary]:
    """Sums over an application's traffic of whole hours or minutes, with their sketches, by the model asked for.

    What was tried in evaluations is summed up too, and is taken out again as far as its traces are kept.
    """
    return _traffic(database, "model", application, since_s, until_s, grain_s, costs=True)


def by_variant(
    database: Database, application: str, since_s: int, until_s: int, grain_s: int = HOUR_S
) -> dict[str, Rollup]:
    """The same by the variant that answered, as it is read."""
    found = _traffic(database, "variant", application, since_s, until_s, grain_s)
    return {variant: _rollup((0, "", "", variant), summary) for variant, summary in found.items()}


def _traffic(
    database: Database,
    by: Literal["model", "variant"],
    application: str,
    since_s: int,
    until_s: int,
    grain_s: int,
    *,
    costs: bool = False,
) -> dict[str, Summary]:
    tried = database.query(
        f"SELECT {by}, status, cached, input_tokens, output_tokens, duration_ns, first_token_ns, cost_nano FROM traces "
        "WHERE application = ? AND tenant = 'evaluation' AND started_ns >= ? AND started_ns < ?",
        (application, since_s * NANO, until_s * NANO),
    )
    part = "part" if by == "variant" else by
    groups = _groups(database, "traces", (part,), since_s, until_s, grain_s, application, costs=costs)
    found = {model or variant: summary for (_, _, model, variant), summary in groups.items()}
    for name, status, cached, given, written, duration_ns, first_token_ns, cost in tried:
        if (summary := found.get(name)) is not None:
            counts = (1, status == "error", status == "cancelled", cached in _SERVED, given, written)
            summary.remove((*counts, cost or 0, cost is None), duration_ns, first_token_ns, cost if costs else None)
    return {name: summary for name, summary in found.items() if summary.counts[0] > 0}


def _groups(
    database: Database,
    of: Of,
    by: Sequence[str],
    since_s: int,
    until_s: int,
    grain_s: int,
    application: str = "",
    model: str = "",
    *,
    costs: bool = False,
) -> "dict[Key, Summary]":
    """Sums by their key. Sketches of cost are read where they are asked for: no rollup shows them."""
    table = _TABLES[of]
    named = {name: value for name, value in (("application", application), ("model", model)) if value}
    where = " AND ".join(("grain_s = ? AND start_s >= ? AND start_s < ?", *(f"{name} = ?" for name in named)))
    select, selects, parameters = f"SELECT {table.columns} FROM {table.name} WHERE {where}", list[str](), list[Any]()
    for piece in pieces(stored(database, grain_s, by_time="time" in by), since_s, until_s):
        selects.append(select)
        parameters += (*piece, *named.values())
    rows = database.query(" UNION ALL ".join(selects), parameters) if selects else []
    groups: dict[Key, Summary] = {}
    for row in rows:
        key = (row[1] // grain_s * grain_s, row[2], row[3], row[4])
        grouped = tuple(value if name in by else type(value)() for name, value in zip(_PARTS, key, strict=True))
        _of(groups, grouped).merge(_summary(row, costs=costs))
    return groups


_PARTS = ("time", "application", "model", "part")
_SHARES = (0.5, 0.95, 0.99)


def _of(found: "dict[Key, Summary]", key: Any) -> Summary:
    summary = found.get(key)
    if summary is None:
        summary = found[key] = Summary()
    return summary


def _coarser(found: "dict[Key, Summary]", grain_s: int) -> "dict[Key, Summary]":
    """Sums of minutes as sums of a longer time, or as they are."""
    if grain_s == MINUTE_S:
        return found
    made: dict[Key, Summary] = {}
    for (start, *key), summary in found.items():
        _of(made, (start // grain_s * grain_s, *key)).merge(summary)
    return made


def _of_trace(trace: Trace) -> tuple[int, ...]:
    cost, usage = trace.cost_nano, trace.usage
    return (
        1,
        trace.status == "error",
        trace.status == "cancelled",
        trace.cached in _SERVED,
        usage.input_tokens,
        usage.output_tokens,
        cost or 0,
        cost is None,
    )


def _of_call(call: Call) -> tuple[int, ...]:
    cost, usage = call.cost_nano, call.usage
    return (
        1,
        call.status == "error",
        call.status == "cancelled",
        not call.exact,
        usage.input_tokens,
        usage.output_tokens,
        cost or 0,
        cost is None,
    )


def _store(transaction: Transaction, table: _Table, grain_s: int, found: "dict[Key, Summary]") -> None:
    """Put sums in the place of what is there, which they take in first."""
    key = f"grain_s, start_s, application, model, {table.part}"
    marks = ", ".join("?" * (len(table.counts) + 5 + len(_SKETCHES)))
    changes = ", ".join(f"{name} = excluded.{name}" for name in (*table.counts, *_SKETCHES))
    for at, summary in found.items():
        place = (grain_s, *at)
        where = f"grain_s = ? AND start_s = ? AND application = ? AND model = ? AND {table.part} = ?"
        for row in transaction.execute(f"SELECT {table.columns} FROM {table.name} WHERE {where}", place):
            summary.merge(_summary(row))
        transaction.execute(
            f"INSERT INTO {table.name} ({table.columns}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {changes}",
            (*place, *map(_bounded, summary.counts), *(sketch.written() for sketch in summary.sketches)),
        )


def _bounded(count: int) -> int:
    """A sum that a column can hold: who sends spans from outside may count anything."""
    return max(-_MOST, min(count, _MOST))


def _summary(row: Row, *, costs: bool = True) -> Summary:
    made = Summary()
    made.counts = list(row[5:13])
    made.duration, made.first_token = Sketch.read(row[13]), Sketch.read(row[14])
    if costs and row[15] is not None:
        made.cost = Sketch.read(row[15])
    return made


def _rollup(key: Key, summary: Summary) -> Rollup:
    count, failed, cancelled, aside, given, written, cost, unpriced = summary.counts
    times = _quantiles(summary.duration), _quantiles(summary.first_token)
    return Rollup(*key, count, failed, cancelled, aside, given, written, cost, unpriced, *times)


def _quantiles(sketch: Sketch) -> tuple[int, int, int]:
    if not sketch.counts:
        return (0, 0, 0)
    low, high, highest = (round(value) for value in sketch.quantiles(_SHARES))
    return (low, high, highest)
