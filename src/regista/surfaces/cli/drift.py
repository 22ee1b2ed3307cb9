"""`regista drift`: whether what is asked, found, answered and spent now is as it was before."""

import json
import time
from typing import Annotated

import msgspec
from cyclopts import Parameter, validators
from rich.console import Console
from rich.table import Table
from rich.text import Text

from regista.app.folder import read
from regista.core.errors import NotFoundError
from regista.observe.drift import LEAST, Drift
from regista.observe.drift import drift as drift_of
from regista.store import Database
from regista.store.samples import sample
from regista.store.traces import find
from regista.surfaces.cli._place import existing_store, resolve
from regista.surfaces.cli._since import start_of
from regista.text.shown import line, moment

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
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Compare the traces of now with those before: inputs, retrieval, outputs, latency, cost.

    Something has shifted (▲) where the shift is large (a population stability index of 0.2, less what chance alone
    adds) and is not chance (tests adjusted for how many there are). Exit status: 0 for no shift, 1 for one, 2 for an
    error.

    Example: regista drift club --since 24h --against 8d
    """
    folder = resolve(app)
    name, store, now_ns = read(folder).name, existing_store(folder), time.time_ns()
    begin, before = start_of(since), start_of(against)
    old = list(sample(store, name, before, begin, sampled)) if store else []
    new = list(sample(store, name, begin, now_ns, sampled)) if store else []
    if store is None or min(len(old), len(new)) < LEAST:
        raise NotFoundError(
            f"{name} has {len(new)} traces since {moment(begin, long=True)} and {len(old)} in the time before it from "
            f"{moment(before, long=True)} on: {LEAST} of each are needed. Ask it more, or look further back: "
            "regista drift --since 7d --against 60d"
        )
    found = drift_of(old, new, level=level)
    if as_json:
        told = {"before": len(old), "now": len(new), "features": [msgspec.to_builtins(one) for one in found]}
        print(json.dumps(told, indent=2))
    else:
        _print(found, store, f"{len(old):,} traces before, {len(new):,} since {moment(begin, long=True)}")
    return 1 if any(one.shifted for one in found) else 0


def _print(found: list[Drift], store: Database, samples: str) -> None:
    console = Console(highlight=False)
    console.print(_table(found))
    for one in found:
        if one.shifted:
            console.print(Text.assemble("\n", (f"{one.name}: ", "bold"), f"more of {line(one.more)} now, such as"))
            for id in one.examples:
                console.print(Text(f"  {id[:8]}  {line(find(store, id).question)[:_QUESTION]}"))
    console.print(Text(f"\n{samples}. regista trace ID shows one.", "dim"))


def _table(found: list[Drift]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True)
    for name in ("feature", "before", "now"):
        table.add_column(name, no_wrap=True, max_width=30)
    for name in ("index", "p"):
        table.add_column(name, justify="right", no_wrap=True, min_width=6)
    for one in found:
        style = "bold yellow" if one.shifted else "dim" if one.p > 0.5 else ""
        p = "<0.001" if one.p < 0.001 else f"{one.p:.3f}"
        mark = "▲" if one.shifted else "–"
        cells = (mark, one.name, line(one.before), line(one.now), f"{one.psi:.2f}", p)
        table.add_row(*(Text(cell, style) for cell in cells))
    return table
