"""`regista trace`: one request, all of it: what each stage decided, how long it took, and what was said."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, cast

import msgspec
from cyclopts import Parameter
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from regista.core.errors import NotFoundError
from regista.core.nouns import Call, Json, Span, Trace
from regista.store import feedback
from regista.store.feedback import Kept
from regista.store.traces import find
from regista.surfaces.cli import _feedback
from regista.surfaces.cli._place import existing_store, resolve
from regista.surfaces.cli.traces import STYLES
from regista.text.shown import duration, line, lines, moment, money

_DEEPEST = 12
"""Columns of branches before a span; what is deeper stands there too."""
_BAD = {"error": "bold red", "block": "bold red", "cancelled": "yellow", "mask": "yellow"}


def trace(
    trace_id: Annotated[str, Parameter(help="The trace's id, or how it starts.")],
    app: Annotated[str | None, Parameter(help="A folder, or a name under apps/.")] = None,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> None:
    """Show one request: stages with their times and decisions, retrieved passages, cost, answer and citations."""
    folder = resolve(app)
    store = existing_store(folder)
    if store is None:
        raise NotFoundError(f"There are no traces of {folder.name} yet. Ask something: regista ask {folder.name} '…'")
    found = find(store, trace_id)
    said = feedback.of_trace(store, found.id)
    asked = feedback.questions(store, sorted({words.trace for one in said for words in one.feedback.evidence}))
    if as_json:
        listed = [_feedback.as_mapping(one, {found.id: found.question}) for one in said]
        print(json.dumps(as_mapping(found) | {"feedback": listed}, indent=2))
        return
    console = Console(highlight=False)
    ascii_only = console.options.ascii_only
    console.print(screen(found, console.width, ascii_only=ascii_only))
    if said:
        console.print(Group(*_section("Feedback", _said(said, asked, ascii_only))))


def as_mapping(trace: Trace) -> Json:
    """A trace with the names of its fields, ready for JSON."""
    named = {name: getattr(trace, name) for name in Trace.__struct_fields__}
    spans = [{name: getattr(span, name) for name in Span.__struct_fields__} for span in trace.spans]
    calls = [{name: getattr(call, name) for name in Call.__struct_fields__} for call in trace.calls]
    return cast("Json", msgspec.to_builtins({**named, "spans": spans, "calls": calls}))


def screen(trace: Trace, width: int, *, ascii_only: bool = False) -> RenderableType:
    """The whole page, for a terminal of this many columns."""
    parts: list[RenderableType] = [*_head(trace)]
    if trace.spans:
        parts += _section("Stages", _stages(trace, width, ascii_only))
    notes = [note for span in trace.spans for note in _notes(span)]
    if len(trace.calls) > 1 or notes or not all(call.exact for call in trace.calls):
        calls = _calls(trace.calls, about="~" if ascii_only else "≈")
        reasons = [f"{call.cause} {call.model}: {call.reason}" for call in trace.calls if call.reason]
        parts += _section("Calls", Group(calls, *(Text(line(told), "dim") for told in (*reasons, *notes))))
    hits = [hit for span in trace.spans for hit in _hits(span)]
    if hits:
        parts += _section("Retrieved", _retrieved(hits))
    if trace.error:
        parts += _section("Error", Text(line(trace.error), "red"))
    if trace.answer:
        parts += _section("Answer", Text(lines(trace.answer)))
    if trace.citations:
        parts += _section("Citations", _citations(trace))
    return Group(*parts)


def _section(title: str, body: RenderableType) -> list[RenderableType]:
    return [Text(), Text(title, "bold"), Padding(body, (0, 0, 0, 2))]


def _head(trace: Trace) -> Iterator[RenderableType]:
    yield Text(lines(trace.question) or "(no question)", "bold")
    yield Text()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(trace):
        facts.add_row(name, value)
    yield Padding(facts, (0, 0, 0, 2))


def _facts(trace: Trace) -> Iterator[tuple[str, Text]]:
    usage = trace.usage
    first = f", first token after {duration(trace.first_token_ns)}" if trace.first_token_ns else ""
    yield "status", Text(line(trace.status), STYLES.get(trace.status, ""))
    yield "time", Text(f"{duration(trace.duration_ns)}{first}; {moment(trace.started_ns, long=True)}")
    yield "model", Text(line(trace.model) or "–")
    parts = {"cached": usage.cached_tokens, "reasoning": usage.reasoning_tokens}
    among = ", ".join(f"{count:,} {kind}" for kind, count in parts.items() if count)
    tokens = f"{usage.input_tokens:,} in, {usage.output_tokens:,} out{f' ({among})' if among else ''}"
    yield "tokens", Text(tokens)
    prices = f" (prices {line(trace.price_version)})" if trace.price_version else ""
    yield (
        "cost",
        Text("unknown: the model has no price" if trace.cost_nano is None else money(trace.cost_nano) + prices),
    )
    if trace.cached:
        yield "cache", Text(line(trace.cached))
    tenant = f", tenant {line(trace.tenant)}" if trace.tenant else ""
    tenant += f", user {line(trace.user)}" if trace.user else ""
    yield "variant", Text(f"{line(trace.application)} {line(trace.variant)}{tenant}")
    yield "trace", Text(trace.id, "cyan")


def _stages(trace: Trace, width: int, ascii_only: bool) -> Table:
    bar = 24 if width >= 110 else 12
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, max_width=width // 3)
    table.add_column(no_wrap=True, width=bar)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(overflow="fold")
    for branch, span in _tree(trace.spans, ascii_only):
        label = (
            Text(branch, "dim") + Text(line(span.stage), "") + Text(f" {line(span.name)}" if span.name else "", "dim")
        )
        decision = Text(line(span.decision), _BAD.get(span.decision, "green"))
        reason = Text(("  " if span.decision else "") + line(span.reason), "dim") if span.reason else Text()
        table.add_row(label, _bar(trace, span, bar, ascii_only), duration(span.duration_ns), decision + reason)
    return table


def _tree(spans: tuple[Span, ...], ascii_only: bool) -> Iterator[tuple[str, Span]]:
    """Spans depth first, each with the branch that leads to it."""
    children: dict[int, list[int]] = {}
    for index, span in enumerate(spans):
        children.setdefault(span.parent if 0 <= span.parent < index else -1, []).append(index)
    fork, last, through = ("|- ", "`- ", "|  ") if ascii_only else ("├╴", "└╴", "│ ")

    # Not by recursion: who sends spans from elsewhere may send thousands, each below the last.
    waiting = [(index, "", "") for index in reversed(children.get(-1, []))]
    while waiting:
        index, branch, lead = waiting.pop()
        yield branch, spans[index]
        family = children.get(index, [])
        for child in reversed(family):
            shown, below = (last, " " * len(through)) if child == family[-1] else (fork, through)
            waiting.append((child, lead + shown, (lead + below)[:_DEEPEST]))


def _bar(trace: Trace, span: Span, cells: int, ascii_only: bool) -> Text:
    """Where in the request the span lies, and how long it is, to scale; never less than a mark."""
    whole = max(1, trace.duration_ns)
    start = min(cells - 1, int(span.start_ns / whole * cells))
    length = max(1, min(cells - start, round(span.duration_ns / whole * cells)))
    short = span.duration_ns / whole * cells < 0.5
    full, mark = ("=", "-") if ascii_only else ("━", "╸")
    return Text(" " * start) + Text(mark if short else full * length, "red" if span.decision == "error" else "blue")


def _notes(span: Span) -> list[str]:
    """The attribute `notes` of a span: what was decided on the way to a model without a call."""
    notes = span.attributes.get("notes")
    return [str(note) for note in cast("list[object]", notes)] if isinstance(notes, list) else []


def _calls(calls: tuple[Call, ...], about: str) -> Table:
    """Every call of a model: why it was made, what became of it, and what it cost; with a sign where nobody counted."""
    table = Table.grid(padding=(0, 2))
    for justify in ("left", "left", "left", "right", "right", "right"):
        table.add_column(no_wrap=True, justify=justify)
    for call in calls:
        sign = "" if call.exact else about
        tokens = f"{sign}{call.usage.input_tokens:,} in, {sign}{call.usage.output_tokens:,} out"
        cost = "unknown" if call.cost_nano is None else sign + money(call.cost_nano)
        table.add_row(
            Text(line(call.cause), "dim" if call.cause == "answer" else "yellow"),
            Text(line(call.model)),
            Text(line(call.status), STYLES.get(call.status, "")),
            duration(call.duration_ns),
            Text(tokens),
            Text(cost),
        )
    return table


def _said(said: list[Kept], asked: Mapping[str, str], ascii_only: bool) -> Table:
    """What is thought of the answer, and what that rests on."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in said:
        made = one.feedback
        told = _feedback.lines_of(made, asked, ascii_only=ascii_only)
        who = Text(f"{made.source} {line(made.by)}".strip() + f", {moment(made.made_ns)}", "dim")
        table.add_row(_feedback.verdict(made), Group(who, *told))
    return table


def _hits(span: Span) -> list[Mapping[str, Any]]:
    """The attribute `hits` of a span: mappings with document, start, end, score, and text where it was kept."""
    hits = span.attributes.get("hits")
    if not isinstance(hits, list):
        return []
    return [cast("Mapping[str, Any]", hit) for hit in cast("list[object]", hits) if isinstance(hit, dict)]


def _retrieved(hits: list[Mapping[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for number, hit in enumerate(hits, 1):
        score = hit.get("score")
        shown = f"{score:.3g}" if isinstance(score, int | float) else "–"
        place = Text(line(str(hit.get("document", "?"))), "cyan")
        offsets = f"{hit.get('start', '?')}–{hit.get('end', '?')}"
        place.append(f"  {line(offsets)}", "dim")
        text = line(str(hit.get("text", "")))
        if text:
            place.append("\n" + (text if len(text) <= 200 else text[:199] + "…"))
        table.add_row(Text(f"[{number}]"), shown, place)
    return table


def _citations(trace: Trace) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for citation in trace.citations:
        place = Text(line(citation.document), "cyan").append(f"  {citation.start}–{citation.end}", "dim")
        table.add_row(Text(f"[{citation.marker}]"), place.append(f"\n“{line(citation.quote)}”", "default"))
    return table
