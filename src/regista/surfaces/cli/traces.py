"""`regista traces`: the last requests, one line each, or sums over them."""

import json
import time
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter, validators
from rich.console import Console
from rich.table import Table
from rich.text import Text

from regista.core.errors import RequestError
from regista.store import Database, rollups
from regista.store.rollups import HOUR_S, NANO, Rollup
from regista.store.traces import TraceRow, recent, search, sum_up
from regista.surfaces.cli._place import existing_store, resolve
from regista.surfaces.cli._since import SinceOption, start_of
from regista.surfaces.cli._sums import GRAINS, By, table
from regista.text.shown import duration, line, moment, money, short

STYLES = {"ok": "green", "error": "bold red", "cancelled": "yellow"}
_WIDE = 110
_BEFORE = 12
"""Characters shown before what was found, so that it is seen however narrow the column is."""


def traces(
    app: Annotated[str | None, Parameter(help="A folder, or a name under apps/.")] = None,
    *,
    limit: Annotated[int, Parameter(help="How many.", validator=validators.Number(gte=1))] = 20,
    model: Annotated[str | None, Parameter(help="Only those this model answered.")] = None,
    status: Annotated[Literal["ok", "error", "cancelled"] | None, Parameter(help="Only those that ended so.")] = None,
    user: Annotated[str | None, Parameter(help="Only those of this end user.")] = None,
    text: Annotated[
        str | None, Parameter(name="--search", help="Only those with these words in question or answer; 'in a row'.")
    ] = None,
    by: Annotated[By | None, Parameter(help="Add them up by this, with times to answer; times are UTC.")] = None,
    since: SinceOption = "",
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON; money in nano-dollars.")] = False,
) -> None:
    """List the last requests, newest first, search what was said in them, or add up all. `regista trace ID` shows one.

    Sums are kept by the hour for good and by the minute for two days; times in them are within 2 %. A search finds
    whole words, all of them, and those in double quotes in a row; case and accents do not count.

    Example: regista traces club --search 'refund policy'
    """
    folder = resolve(app)
    store = existing_store(folder)
    if by is not None:
        if user:
            raise RequestError("Sums do not tell users apart: leave out --by or --user.")
        _show_sums(_summed(store, by, since, model) if store else [], by, as_json)
        return
    if text is not None and (model or status or user):
        raise RequestError("--search looks through all requests: leave out --model, --status and --user.")
    rows = _found(store, text, limit, model, status, user) if store else []
    console = Console(highlight=False)
    if as_json:
        print(json.dumps([msgspec.to_builtins(row) for row in rows], indent=2))
    elif rows:
        console.print(_table(rows, console.width >= _WIDE, console.options.ascii_only, searched=text is not None))
    elif text is not None:
        console.print(Text(f"No request holds {line(text)}."))
    elif model or status or user:
        console.print("No traces like that.")
    else:
        console.print(f"No traces yet. Ask something: regista ask {folder.name} 'a question'", markup=False)


def _found(
    store: Database, text: str | None, limit: int, model: str | None, status: str | None, user: str | None
) -> list[TraceRow]:
    if text is not None:
        return search(store, text, limit=limit)
    return recent(store, limit=limit, model=model, status=status, user=user)


def _summed(store: Database, by: By, since: str, model: str | None) -> list[Rollup]:
    sum_up(store)
    group = "time" if by in GRAINS else "model" if by == "model" else "part"
    # What is summed up by the hour begins with one.
    since_s = start_of(since) // NANO // GRAINS.get(by, HOUR_S) * GRAINS.get(by, HOUR_S)
    until_s = int(time.time()) + HOUR_S
    return rollups.read(
        store, "traces", (group,), since_s=since_s, until_s=until_s, grain_s=GRAINS.get(by, HOUR_S), model=model or ""
    )


def _show_sums(found: list[Rollup], by: By, as_json: bool) -> None:
    console = Console(highlight=False)
    if as_json:
        print(json.dumps([msgspec.to_builtins(one) for one in found], indent=2))
    elif found:
        console.print(table(found, by, console.width >= _WIDE))
    else:
        console.print("No traces in that time.")


def _table(rows: list[TraceRow], wide: bool, ascii_only: bool, *, searched: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True, header_style="bold")
    table.add_column("time", no_wrap=True, style="dim")
    table.add_column("trace", no_wrap=True, style="cyan")
    table.add_column("model", no_wrap=True, max_width=20 if wide else 11 if searched else 15)
    table.add_column("status", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    if wide:
        table.add_column("first", justify="right", no_wrap=True)
        table.add_column("tokens", justify="right", no_wrap=True)
        table.add_column("cost", justify="right", no_wrap=True)
        table.add_column("cache", no_wrap=True)
    table.add_column("found" if searched else "question", no_wrap=True, ratio=1)
    for row in rows:
        table.add_row(*_cells(row, wide), _piece(row, ascii_only) if searched else _question(row))
    return table


def _cells(row: TraceRow, wide: bool) -> list[Text]:
    more = [
        Text(duration(row.first_token_ns) if row.first_token_ns else "–"),
        Text(f"{row.usage.input_tokens}+{row.usage.output_tokens}"),
        Text(money(row.cost_nano)),
        Text(line(row.cached) or "–"),
    ]
    return [
        Text(moment(row.started_ns)),
        Text(short(row.id)),
        Text(line(row.model)),
        Text(line(row.status), STYLES.get(row.status, "")),
        Text(duration(row.duration_ns)),
        *(more if wide else []),
    ]


def _question(row: TraceRow) -> Text:
    return Text(line(row.question if row.status == "ok" or not row.error else f"{row.error} ← {row.question}"))


def _piece(row: TraceRow, ascii_only: bool) -> Text:
    """Some text in which something was found, with signs around what that is."""
    opened, closed = "[]" if ascii_only else "‹›"
    first = row.marks[0][0] if row.marks else 0
    start = row.piece.find(" ", max(0, first - _BEFORE), first) + 1 if first > _BEFORE else 0
    shown, at = Text("…" if start else ""), start
    for begin, end in row.marks:
        shown.append(_joined(row.piece[at:begin])).append(f"{opened}{line(row.piece[begin:end])}{closed}", "bold")
        at = end
    return shown.append(_joined(row.piece[at:]))


def _joined(text: str) -> str:
    """As `line` has it, with a space at an end that has one."""
    return f"{' ' * text[:1].isspace()}{line(text)}{' ' * text[-1:].isspace()}" if text.strip() else " " * bool(text)
