"""`regista data`: datasets made of what was served, and what they are made of."""

import json
import time
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from cyclopts import App as Commands
from cyclopts import Parameter, validators
from rich.console import Console
from rich.table import Table
from rich.text import Text

from regista.app.folder import read
from regista.core.errors import NotFoundError, RequestError
from regista.core.nouns import Trace
from regista.data import adding, dataset
from regista.data.dataset import Lineage
from regista.data.from_traces import example_of, examples_of, masking
from regista.store.samples import sample
from regista.surfaces.cli._export import export
from regista.surfaces.cli._place import existing_store, resolve
from regista.surfaces.cli._since import SinceOption, start_of
from regista.text.shown import line, moment

App = Annotated[str | None, Parameter(help="A folder, or a name under apps/.")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]

AMONG = 20
"""Of how many times as many traces those are chosen whose questions are of a length."""
LONGEST = 1 << 40

data = Commands(name="data", help="Make datasets of what was served; list them, and show where one comes from.")
data.command(name="export")(export)


@data.command(name="from-traces")
def from_traces(
    name: Annotated[str, Parameter(help="The dataset's name: a folder under evals/datasets/.")],
    app: App = None,
    *,
    status: Annotated[Literal["ok", "error", "cancelled"] | None, Parameter(help="Only traces that ended so.")] = None,
    model: Annotated[str | None, Parameter(help="Only traces that asked for this model.")] = None,
    since: SinceOption = "",
    limit: Annotated[
        int, Parameter(help="Traces drawn, evenly over the time.", validator=validators.Number(gte=1))
    ] = 1_000,
    length: Annotated[str, Parameter(help="Only questions of so many characters: '80-400', '2000-'.")] = "",
    mask: Annotated[bool, Parameter(help="Hide secrets and personal data.")] = True,
    add: Annotated[bool, Parameter(negative="", help="Add to the newest version what it does not have.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a version of a dataset: each question once, secrets and personal data hidden, with its lineage beside it.

    A version is named by its content. With --add it also has what the newest version has. Its file is JSON Lines that
    a suite can name among its cases.

    Example: regista data from-traces failures club --status error --since 7d
    """
    folder, now, lengths = resolve(app), time.time_ns(), _lengths(length)
    application, store = read(folder).name, existing_store(folder)
    filters = {"status": status or "", "model": model or "", "since": since, "limit": limit, "mask": mask}
    filters |= {"length": length} if length else {}
    guards = masking() if mask else ()
    chosen: list[Trace] = []
    if store:
        among = limit * AMONG if length else limit
        drawn = sample(store, application, start_of(since), now, among, status=status or "", model=model or "")
        fit = [trace for trace in drawn if len(trace.question) in lengths]
        chosen = fit[:: max(1, -(-len(fit) // limit))] if length else fit
    made = examples_of(chosen, guards)
    if not made.examples:
        raise NotFoundError(
            f"No trace of {application} is like that. regista traces {folder.name} lists what there is."
        )
    if add:
        kept = adding.add(folder, name, list(map(example_of, chosen)), guards, application, filters)
    else:
        with dataset.changing(folder):
            # What was added one by one before is in a version before this one.
            dataset.settled(folder, dataset.check_name(name))
            lineage = Lineage(name, "", application, time.time_ns(), 0, filters, made.left_out, made.masked)
            kept = dataset.keep(folder, made.examples, lineage)
    path = dataset.path_of(folder, kept)
    if as_json:
        print(json.dumps({**msgspec.to_builtins(kept), "path": str(path)}, indent=2))
        return
    console = Console(highlight=False)
    console.print(_about(kept))
    console.print(Text(f'\nIn a suite: cases = "{path.relative_to(folder / "evals")}"'), soft_wrap=True)


@data.command(name="list")
def list_datasets(app: App = None, *, as_json: AsJson = False) -> None:
    """List the versions of all datasets, the newest first.

    Example: regista data list club
    """
    folder = resolve(app)
    found = dataset.versions(folder)
    console = Console(highlight=False)
    if as_json:
        print(json.dumps([msgspec.to_builtins(one) for one in found], indent=2))
    elif not found:
        console.print(f"No datasets yet. Make one: regista data from-traces first {folder.name}", markup=False)
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for column in ("dataset", "version", "made", "from"):
            table.add_column(column, no_wrap=True)
        table.add_column("examples", justify="right")
        for one in found:
            cells = (one.name, one.version[:8], moment(one.created_ns), _asked(one), f"{one.examples:,}")
            table.add_row(*(Text(line(cell)) for cell in cells))
        console.print(table)


@data.command(name="show")
def show(
    name: Annotated[str, Parameter(help="The dataset's name.")],
    app: App = None,
    *,
    version: Annotated[str, Parameter(help="The beginning of a version; without it, the newest.")] = "",
    first: Annotated[int, Parameter(help="Examples shown.", validator=validators.Number(gte=0))] = 5,
    as_json: AsJson = False,
) -> None:
    """Show where a version comes from, and its first examples.

    Example: regista data show failures club
    """
    folder = resolve(app)
    lineage = dataset.find(folder, name, version)
    shown = [one for one, _ in zip(dataset.read(folder, lineage), range(first), strict=False)]
    if as_json:
        examples = [msgspec.to_builtins(one) for one in shown]
        print(json.dumps({**msgspec.to_builtins(lineage), "first": examples}, indent=2))
        return
    console = Console(highlight=False)
    console.print(_about(lineage))
    for one in shown:
        console.print(Text.assemble("\n", (one.id, "cyan"), f"  {one.status}  ", (line(one.input), "bold")))
        console.print(Text(f"  {line(one.output) or '(nothing was answered)'}"))


def _lengths(given: str) -> range:
    """The lengths that `--length` names."""
    low, dash, high = given.partition("-")
    if not given:
        return range(LONGEST)
    if not dash or not low.isdecimal() or not (high == "" or high.isdecimal()):
        raise RequestError(f"--length {given!r} is no length: write '80-400', or '2000-' for that and more.")
    return range(int(low), int(high) if high else LONGEST)


def _about(one: Lineage) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    rows = {
        "dataset": f"{one.name}, version {one.version}, {one.examples:,} examples",
        "made": f"{moment(one.created_ns, long=True)}, of traces of {one.application}: {_asked(one)}",
        "left out": _counts(one.left_out),
        "masked": _counts(one.masked),
    }
    for title, said in rows.items():
        table.add_row(title, Text(line(said)))
    return table


def _asked(one: Lineage) -> str:
    filters = one.filters.items()
    said = [f"{name} {value}" for name, value in filters if value != "" and not isinstance(value, bool)]
    return ", ".join([*said, *(["not masked"] if one.filters.get("mask") is False else [])])


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{times:,} {what}" for what, times in sorted(counts.items())) or "nothing"
