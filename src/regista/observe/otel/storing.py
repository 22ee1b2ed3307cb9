"""Spans from elsewhere into the store: what came of a trace before and what comes now are one, however often it comes.

Knows no encoding and no queue. Calls block.
"""

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from regista.core.nouns import Trace
from regista.observe.otel.grouping import by_trace, came, merged, trace_of
from regista.observe.otel.mapping import received
from regista.observe.otel.nouns import OtlpSpan, Received
from regista.store.database import Database
from regista.store.traces import of_ids, withdraw, write

MOST = 32_768
"""Spans of a trace. What comes after them is left out: with each, all before it are stored anew."""
_Key = tuple[str, str]


def receive(
    database: Database,
    gathered: Sequence[tuple[str, Sequence[OtlpSpan]]],
    rest: Callable[[], object] = lambda: None,
    look: Callable[[Received], Received] = lambda span: span,
) -> int:
    """Store spans, each with the tenant whose they are, as `look` lets them be. Returns how many found no room.

    A trace that is there is replaced by one with the new spans too, and counted in sums as it then is, once. Traces of
    several tenants stay apart if their ids are the same, and from those that this gateway made itself. Nothing is
    entered in the ledger: who sent them has paid for them.
    """
    parts = _mapped(gathered, rest, look)
    refused = 0
    with database.transaction() as transaction:
        earlier, taken = _known(database, parts)
        made: list[Trace] = []
        replaced: list[tuple[int, Trace]] = []
        for (tenant, id), some in parts.items():
            n, before = earlier.get((tenant, id), (0, None))
            spans, left_out = _within(some, len(before.spans) if before else 0)
            refused += left_out
            trace = merged(before, spans) if before else trace_of(spans, tenant) if spans else None
            if trace is None or trace == before:  # all of it came before
                continue
            if before is not None:
                taken.discard((id, before.started_ns))
                replaced.append((n, before))
            made.append(_apart(trace, taken))
            rest()
        withdraw(transaction, replaced)
        write(transaction, made, rest)
    return refused


def _mapped(
    gathered: Sequence[tuple[str, Sequence[OtlpSpan]]],
    rest: Callable[[], object],
    look: Callable[[Received], Received],
) -> dict[_Key, list[list[Received]]]:
    """What came of each trace, by tenant and id, in as many parts as it came in."""
    parts: dict[_Key, list[list[Received]]] = {}
    for tenant, spans in gathered:
        for id, some in by_trace(look(received(span)) for span in spans).items():
            parts.setdefault((tenant, id), []).append(some)
        rest()
    return parts


def _known(database: Database, keys: Iterable[_Key]) -> tuple[dict[_Key, tuple[int, Trace]], set[tuple[str, int]]]:
    """What is stored of these traces, each with its number; and ids and starts of all that have these ids."""
    stored = of_ids(database, list(dict.fromkeys(id for _, id in keys)))
    taken = {(trace.id, trace.started_ns) for _, trace in stored}
    return {(trace.tenant, trace.id): (n, trace) for n, trace in stored if came(trace)}, taken


def _within(parts: Sequence[list[Received]], known: int) -> tuple[list[Received], int]:
    """The spans of those parts for which a trace of so many has room, and how many parts it has none for."""
    kept: list[Received] = []
    refused = 0
    for part in parts:
        if known + len(kept) + len(part) > MOST:
            refused += 1
        else:
            kept += part
    return kept, refused


def _apart(trace: Trace, taken: set[tuple[str, int]]) -> Trace:
    """The same trace, its start a nanosecond or so later where another of its id starts at once: that tells them apart.

    Its spans stay when they were.
    """
    by = 0
    while (trace.id, trace.started_ns + by) in taken:
        by += 1
    taken.add((trace.id, trace.started_ns + by))
    if not by:
        return trace
    spans = tuple([replace(span, start_ns=span.start_ns - by) for span in trace.spans])
    return replace(trace, started_ns=trace.started_ns + by, spans=spans)
