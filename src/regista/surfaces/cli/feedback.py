"""`regista feedback`: what is thought of the answers, said outright or seen in what people did next, and from what."""

import json
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter, validators
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from regista.app.folder import read
from regista.core.nouns import FeedbackKind
from regista.feedback.labels import HIDDEN
from regista.store import Database
from regista.store.feedback import Kept, Source, counts, questions, recent
from regista.surfaces.cli._feedback import as_figures, as_mapping, lines_of, sums, verdict
from regista.surfaces.cli._place import existing_store, resolve
from regista.surfaces.cli._since import SinceOption, start_of
from regista.text.shown import line, moment, short

By = Literal["signal", "label", "hour"]


def feedback(
    app: Annotated[str | None, Parameter(help="A folder, or a name under apps/.")] = None,
    *,
    limit: Annotated[int, Parameter(help="How many.", validator=validators.Number(gte=1))] = 20,
    signals: Annotated[
        Literal["shown", "all"], Parameter(help="All of them, or those right nine times in ten where it was measured.")
    ] = "shown",
    kind: Annotated[FeedbackKind | None, Parameter(help="Only feedback of this kind.")] = None,
    source: Annotated[Source | None, Parameter(help="Only feedback from there.")] = None,
    by: Annotated[
        By | None, Parameter(help="Count it: the signals, what was given, or both by the hour (UTC).")
    ] = None,
    bias: Annotated[
        bool, Parameter(negative="", help="Measure what the feedback is worth: who gives it, on what, and where.")
    ] = False,
    since: SinceOption = "",
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> None:
    """List the last feedback, newest first, with the question and the words it rests on; or count it.

    Signals are what the gateway takes to mean something: that a client left, that the same was asked again, that
    somebody wrote "no, I meant …". The figure behind one is how often such a finding is right. How to send feedback is
    in docs/feedback.md.

    Example: regista feedback club --by signal --since 7d
    """
    folder = resolve(app)
    store = existing_store(folder)
    hidden = () if signals == "all" else HIDDEN
    since_ns = start_of(since)
    console = Console(highlight=False)
    if bias:
        _show_biases(store, read(folder).name, since_ns, console, as_json)
        return
    if by is not None:
        found = counts(store, hourly=by == "hour", hidden=hidden, since_ns=since_ns) if store else []
        if as_json:
            print(json.dumps([msgspec.to_builtins(one) for one in found], indent=2))
        elif table := sums(found, by):
            console.print(table)
        else:
            console.print("No feedback of that kind in that time.")
        return
    kept = recent(store, kind=kind, source=source, hidden=hidden, since_ns=since_ns, limit=limit) if store else []
    asked = _questions(store, kept)
    if as_json:
        print(json.dumps([as_mapping(one, asked) for one in kept], indent=2))
    elif kept:
        console.print(_table(kept, asked, ascii_only=console.options.ascii_only))
    else:
        console.print(
            f"No feedback like that yet. Send some: curl …/v1/feedback, as docs/feedback.md says; "
            f"signals come by themselves while {folder.name} is served.",
            markup=False,
        )


def _show_biases(store: Database | None, name: str, since_ns: int, console: Console, as_json: bool) -> None:
    """Each meter with its sentence; one that is found begins with a sign."""
    from regista.app.feedback_bias import measure  # noqa: PLC0415 - needs an extra

    found = measure(store, name, since_ns) if store else []
    if as_json:
        print(json.dumps([{"name": one.name, "why": one.why, **as_figures(one.bias)} for one in found], indent=2))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for one in found:
        sign = "?" if one.bias is None else "!" if one.bias.found else "="
        sentence = Text(one.why, "dim") if one.bias is None else Text(one.bias.sentence)
        table.add_row(Text(sign, "bold yellow" if sign == "!" else ""), Text(one.name, "bold"), sentence)
    console.print(table if found else "No feedback yet.")
    if found:
        console.print(Text("! found, = no sign of it, ? too little to tell", "dim"))


def _questions(store: Database | None, kept: list[Kept]) -> dict[str, str]:
    """The questions of all traces that are spoken of."""
    traces = {trace for one in kept for trace in (one.feedback.trace, *(e.trace for e in one.feedback.evidence))}
    return questions(store, sorted(traces - {""})) if store and traces else {}


def _table(kept: list[Kept], asked: dict[str, str], *, ascii_only: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True, header_style="bold")
    table.add_column("time", no_wrap=True, style="dim")
    table.add_column("trace", no_wrap=True, style="cyan")
    table.add_column("feedback", no_wrap=True)
    table.add_column("from", no_wrap=True)
    table.add_column("question and evidence", ratio=1)
    for one in kept:
        made = one.feedback
        about = Text(line(asked.get(made.trace, "")) or "(the conversation)", no_wrap=True, overflow="ellipsis")
        rests = (Padding(told, (0, 0, 0, 2)) for told in lines_of(made, asked, ascii_only=ascii_only))
        who = made.source if not made.by else f"{made.source} {line(made.by)}"
        table.add_row(
            moment(made.made_ns), short(made.trace or made.session), verdict(made), Text(who), Group(about, *rests)
        )
    return table
