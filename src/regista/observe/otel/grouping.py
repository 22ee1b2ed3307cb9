"""The spans of one trace made into a `Trace`, in whatever order, how often and from how many clocks they came.

The result depends on nothing but the set of spans, and holds all that `received_again` needs to have them back: a late
span is merged by making the trace anew. Knows no store.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from regista.core.nouns import Json, Span, Trace, Usage
from regista.core.user import kept
from regista.observe.otel.bounds import INT64, plain
from regista.observe.otel.conventions import SERVICE, UNNAMED
from regista.observe.otel.nouns import Received

OWN = {"variant": "regista.variant", "cached": "regista.cached", "price_version": "regista.price_version"}
"""Fields of a trace that our own export has attributes for."""
_MODELS = ("generate", "embed", "rerank")
"""Stages that a model is asked in."""
_OF_TRACE = ("trace_id", "name", "stage", "start_ns", "duration_ns", "resource", "decision", "reason")
_NO_USAGE: Json = msgspec.to_builtins(Usage())
_encode = msgspec.json.Encoder().encode


def by_trace(spans: Iterable[Received]) -> dict[str, list[Received]]:
    """Spans by the trace they belong to, in the order of the first of each."""
    traces: dict[str, list[Received]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    return traces


def trace_of(spans: Iterable[Received], tenant: str = "", key: str = "") -> Trace:
    """The trace of spans that share a trace id; there is at least one.

    - Of spans with one id, the one that ended last counts.
    - A parent that has not come leaves its children roots; their `parent_id` still names it.
    - A child that starts before its parent, or after the end of one elsewhere, has another clock: it is moved into its
      parent with all below it (in its middle, as Jaeger does, or to its start if it is longer), by `skew_ns`.
    - It lasts as long as its root; from the first to the last of several.
    - `usage` and `cost_nano` are the sums of the topmost spans that say so: what an agent counts, its calls do too. The
      cost is None where a model was asked and no span says at what price.
    - It is the application of its root's `service.name`, and its `calls` are empty: the ledger is for our own.
    """
    placed = _placed(_each_once(spans))
    first = placed[0].span
    roots = [one for one in placed if one.parent < 0]
    root = min(roots, key=lambda one: (bool(one.span.parent_id), one.start_ns))
    started = min(one.start_ns for one in roots)
    asked = next((one for one in placed if one.span.stage in _MODELS and one.span.model), None)
    begun = next((one for one in (root, *placed) if one.span.first_token_ns), None)
    failed = next((one.span for one in (root, *roots) if one.span.status != "ok"), root.span)
    counting = _topmost(placed, _counts)
    own = {name: plain(str(root.span.attributes.get(attribute, ""))) for name, attribute in OWN.items()}
    return Trace(
        first.trace_id,
        _application(root.span.resource),
        variant=own["variant"],
        model=root.span.model or (asked.span.model if asked else ""),
        tenant=tenant,
        started_ns=started,
        duration_ns=root.span.duration_ns
        if len(roots) == 1
        else min(max(one.start_ns + one.span.duration_ns for one in placed) - started, INT64),
        first_token_ns=min(begun.start_ns - started + begun.span.first_token_ns, INT64) if begun else 0,
        status=failed.status,
        error=failed.error,
        cached=own["cached"],
        usage=_bounded(sum((span.usage for span in counting if span.usage), Usage())),
        cost_nano=_cost(placed),
        price_version=own["price_version"],
        question=root.span.question or _first(one.span.question for one in placed if one.span.stage in _MODELS),
        answer=root.span.answer or _first(one.span.answer for one in reversed(placed) if one.span.stage in _MODELS),
        citations=(),
        spans=tuple([_span(one, started, first.resource) for one in placed]),
        key=key,
        user=kept(root.span.user or _first(one.span.user for one in placed)),
    )


def received_again(trace: Trace) -> list[Received]:
    """The spans a trace was made of by `trace_of`, as they came."""
    spans: list[Received] = []
    resource: Json = {}
    for span in trace.spans:
        known: Json = dict(span.attributes)
        skew = known.pop("skew_ns", 0)
        resource = known.pop("resource", resource) if not spans else resource
        known.setdefault("resource", resource)
        spans.append(
            msgspec.convert(
                {
                    **known,
                    "trace_id": trace.id,
                    "name": span.name,
                    "stage": span.stage,
                    "start_ns": trace.started_ns + span.start_ns - skew,
                    "duration_ns": span.duration_ns,
                    "decision": span.decision if "told" in known else "",
                    "reason": span.reason if "told" in known else "",
                },
                Received,
            )
        )
    return spans


def came(trace: Trace) -> bool:
    """Whether a trace was made by `trace_of`: spans of our own have no ids."""
    return bool(trace.spans) and "id" in trace.spans[0].attributes


def merged(trace: Trace, late: Iterable[Received]) -> Trace:
    """A trace with spans that came after it was made. It may start earlier: the store must replace it by its id."""
    return trace_of([*received_again(trace), *late], trace.tenant, trace.key)


class _Placed(NamedTuple):
    """A span in its place: the index of its parent, and when it started by the clock of its root."""

    span: Received
    parent: int
    start_ns: int


def _each_once(spans: Iterable[Received]) -> dict[str, Received]:
    known: dict[str, Received] = {}
    for span in spans:
        before = known.get(span.id)
        known[span.id] = span if before is None or before == span else max(before, span, key=_lateness)
    return known


def _lateness(span: Received) -> tuple[int, int, bytes]:
    """Of two reports of one span: the later, the fuller, and then either, but always the same."""
    encoded = _encode(span)
    return span.start_ns + span.duration_ns, len(encoded), encoded


def _placed(known: Mapping[str, Received]) -> list[_Placed]:
    """Parents before their children, and those by their start."""
    children: dict[str, list[Received]] = {}
    for span in sorted(known.values(), key=lambda span: (span.start_ns, span.id), reverse=True):
        parent = span.parent_id if span.parent_id in known else ""
        children.setdefault(parent, []).append(span)
    placed: list[_Placed] = []
    seen: set[str] = set()
    waiting = [(span, -1) for span in children.get("", ())]
    unseen = iter(sorted(known.values(), key=lambda span: (span.start_ns, span.id)))
    while True:
        while waiting:
            span, parent = waiting.pop()
            if span.id in seen:  # parents in a circle
                continue
            seen.add(span.id)
            start = span.start_ns if parent < 0 else _moved(span, placed[parent])
            placed.append(_Placed(span, parent, start))
            waiting.extend((child, len(placed) - 1) for child in children.get(span.id, ()))
        loose = next((span for span in unseen if span.id not in seen), None)
        if loose is None:
            return placed
        waiting.append((loose, -1))


def _moved(span: Received, parent: _Placed) -> int:
    """When a span started by the clock of its parent."""
    start = span.start_ns + parent.start_ns - parent.span.start_ns
    late = start > parent.start_ns + parent.span.duration_ns and span.resource != parent.span.resource
    if start >= parent.start_ns and not late:
        return start
    return parent.start_ns + max(parent.span.duration_ns - span.duration_ns, 0) // 2


def _topmost(placed: Sequence[_Placed], says: Callable[[Received], bool]) -> list[Received]:
    """Those that say something, and are below none that does."""
    below = [False] * len(placed)
    found: list[Received] = []
    for index, (span, parent, _) in enumerate(placed):
        covered = parent >= 0 and below[parent]
        below[index] = covered or says(span)
        if below[index] and not covered:
            found.append(span)
    return found


def _cost(placed: Sequence[_Placed]) -> int | None:
    """What the topmost spans with a cost add up to; None if a model was asked beside them, at a price unknown."""
    priced = [False] * len(placed)
    for index, (span, parent, _) in enumerate(placed):
        priced[index] = span.cost_nano is not None or (parent >= 0 and priced[parent])
        if not priced[index] and span.usage is not None and span.stage in _MODELS:
            return None
    charging = _topmost(placed, _costs)
    return min(sum(span.cost_nano or 0 for span in charging), INT64) if charging else None


def _counts(span: Received) -> bool:
    return span.usage is not None


def _costs(span: Received) -> bool:
    return span.cost_nano is not None


def _span(one: _Placed, started: int, resource: Json) -> Span:
    """A span of a trace; what `Span` has no field for is among its attributes, as `Received` calls it."""
    span = one.span
    attributes: Json = msgspec.to_builtins(span)
    for name in _OF_TRACE:
        attributes.pop(name, None)
    if span.usage is not None:
        attributes["usage"] = {name: count for name, count in attributes["usage"].items() if count != _NO_USAGE[name]}
    if one.start_ns != span.start_ns:
        attributes["skew_ns"] = one.start_ns - span.start_ns
    if span.resource != resource or one.parent < 0:
        attributes["resource"] = span.resource
    if span.decision or span.reason:
        attributes["told"] = True
    failed = span.status if span.status != "ok" else ""
    return Span(
        span.stage,
        span.name,
        one.parent,
        one.start_ns - started,
        span.duration_ns,
        span.decision or (failed if not span.reason else ""),
        span.reason or (span.error if not span.decision else ""),
        attributes,
    )


def _bounded(usage: Usage) -> Usage:
    fields: dict[str, Any] = msgspec.structs.asdict(usage)
    return replace(usage, **{name: min(count, INT64) for name, count in fields.items() if count})


def _application(resource: Json) -> str:
    name = plain(str(resource.get(SERVICE, "")))
    return "" if name.startswith(UNNAMED) else name


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
