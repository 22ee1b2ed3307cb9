"""`regista drift`: whether what is asked, found, answered, thought of and spent now is as it was before."""

import json
import time
from collections.abc import Sequence
from typing import Annotated

import msgspec
from cyclopts import Parameter, validators
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table
from rich.text import Text

from regista.app.drifting import Gathered, Meant, Times, gather, meant
from regista.app.folder import read
from regista.core.errors import NotFoundError
from regista.core.settings import settings
from regista.observe.drift import LEAST, Drift, Known
from regista.observe.drift import drift as drift_of
from regista.store import Database
from regista.store.alarms import Alarm, newest
from regista.store.traces import find
from regista.surfaces.cli._loop import run_async
from regista.surfaces.cli._place import existing_store, resolve
from regista.surfaces.cli._since import start_of
from regista.text.shown import line, moment, short

_QUESTION = 60


def drift(
    app: Annotated[str | None, Parameter(help="A folder, or a name under apps/.")] = None,
    *,
    since: Annotated[str, Parameter(help="What counts as now: '24h', '7d', or from a day such as 2026-11-01.")] = "24h",
    against: Annotated[
        str, Parameter(help="What counts as before, written the same; it ends where now begins.")
    ] = "8d",
    sampled: Annotated[
        int, Parameter(help="Traces read of each time.", validator=validators.Number(gte=LEAST))
    ] = 1_000,
    level: Annotated[
        float, Parameter(help="Share of the shifts told that may be chance.", validator=validators.Number(gt=0, lt=1))
    ] = 0.05,
    embed: Annotated[bool, Parameter(help="Compare what questions mean too, where there is an embedder.")] = True,
    alarms: Annotated[
        bool, Parameter(negative="", help="List the alarms that a running server raised since then, instead.")
    ] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Compare the traces of now with those before: inputs, retrieval, outputs, scores, latency, cost.

    Something has shifted (▲) where the shift is large (a population stability index of 0.2 less what chance alone
    adds, for rates a Cohen's h of 0.2, for embeddings an AUC of 0.6) and is not chance (tests adjusted for how many
    there are). Exit status: 0 for no shift, 1 for one, 2 for an error.

    Example: regista drift club --since 24h --against 8d
    """
    folder = resolve(app)
    about, store = read(folder), existing_store(folder)
    if alarms:
        return _list(newest(store, about.name, start_of(since)) if store else [], since, as_json)
    times = Times(start_of(against), start_of(since), time.time_ns())
    found = gather(store, about.name, times, sampled) if store else Gathered([], [], Known())
    if store is None or min(len(found.before), len(found.now)) < LEAST:
        raise NotFoundError(
            f"{about.name} has {len(found.now)} traces since {moment(times.begin, long=True)} and {len(found.before)} "
            f"in the time before it from {moment(times.before, long=True)} on: {LEAST} of each are needed. "
            "Ask it more, or look further back: regista drift --since 7d --against 60d"
        )
    models = str(settings()["models"])
    looked = run_async(meant(about.settings.context, found, models)) if embed else Meant({}, why_not="--no-embed")
    known = replace(found.known, vectors=looked.vectors)
    judged = drift_of(found.before, found.now, level=level, known=known)
    if as_json:
        told = {"before": len(found.before), "now": len(found.now), "not_embedded": looked.why_not}
        print(json.dumps({**told, "features": [msgspec.to_builtins(one) for one in judged]}, indent=2))
    else:
        samples = f"{len(found.before):,} traces before, {len(found.now):,} since {moment(times.begin, long=True)}"
        _print(judged, store, samples, looked)
    return 1 if any(one.shifted for one in judged) else 0


def _print(found: list[Drift], store: Database, samples: str, looked: Meant) -> None:
    console = Console(highlight=False)
    console.print(_table(found))
    for one in found:
        if one.shifted:
            console.print(Text.assemble("\n", (f"{one.name}: ", "bold"), f"more of {line(one.more)} now, such as"))
            _print_examples(console, store, one.examples)
    console.print(Text(f"\n{samples}. * of all traffic. regista trace ID shows one.", "dim"))
    if looked.why_not:
        console.print(Text(f"What questions mean was not looked at: {looked.why_not}.", "dim"))


def _print_examples(console: Console, store: Database, ids: Sequence[str]) -> None:
    for id in ids:
        try:
            question = find(store, id).question
        except NotFoundError:
            question = "(forgotten)"
        console.print(Text(f"  {short(id)}  {line(question)[:_QUESTION]}"))


def _table(found: list[Drift]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True)
    for name in ("feature", "before", "now"):
        table.add_column(name, no_wrap=True, max_width=28)
    for name in ("effect", "p"):
        table.add_column(name, justify="right", no_wrap=True, min_width=6)
    for one in found:
        style = "bold yellow" if one.shifted else "dim" if one.p > 0.5 else ""
        mark = "▲" if one.shifted else "–"
        name = f"{one.name}{'*' if one.of_all else ''}"
        cells = (mark, line(name), line(one.before), line(one.now), f"{one.measure} {one.effect:.2f}", _p(one.p))
        table.add_row(*(Text(cell, style) for cell in cells))
    return table


def _p(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _list(found: list[Alarm], since: str, as_json: bool) -> int:
    """Alarms as they are kept, the newest first; 1 where one is open."""
    if as_json:
        print(json.dumps([msgspec.to_builtins(one) for one in found], indent=2))
        return 1 if any(one.closed_ns is None for one in found) else 0
    console = Console(highlight=False)
    if not found:
        console.print(f"No alarm since {since}. A server raises them while it runs.", markup=False)
        return 0
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("", "opened", "feature", "before", "now", "examples"):
        table.add_column(name, no_wrap=True)
    for one in found:
        mark, style = ("▲", "bold yellow") if one.closed_ns is None else ("–", "")
        examples = " ".join(short(id) for id in one.examples)
        cells = (mark, moment(one.opened_ns), line(one.name), line(one.before), line(one.now), examples)
        table.add_row(*(Text(cell, style) for cell in cells))
    console.print(table)
    return 1 if any(one.closed_ns is None for one in found) else 0
