"""`regista ledger`: what was spent, on which models, keys, tenants or days, told apart by how surely it is known."""

import json
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from regista.store.ledger import By, Sum, from_caches, sums
from regista.surfaces.cli._place import existing_store, resolve
from regista.surfaces.cli._since import SinceOption, start_of
from regista.text.shown import line, money


def ledger(
    app: Annotated[str | None, Parameter(help="A folder, or a name under apps/.")] = None,
    *,
    by: Annotated[By, Parameter(help="What to add up by; days are those of UTC.")] = "model",
    since: SinceOption = "",
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON; money in nano-dollars.")] = False,
) -> None:
    """Add up every call of a provider: tries that failed, streams that were left and shadows are among them.

    Exact is what providers counted themselves. What they did not count, because a stream broke or its client left, is
    estimated from what was sent and what came, and stands apart.

    Example: regista ledger club --by key --since 30d
    """
    folder = resolve(app)
    start = start_of(since)
    store = existing_store(folder)
    found = sums(store, by, start) if store else []
    cached = from_caches(store, start) if store else 0
    if as_json:
        print(json.dumps({"by": by, "sums": [msgspec.to_builtins(one) for one in found], "from_caches": cached}))
        return
    console = Console(highlight=False)
    if found:
        console.print(_table(found, by))
    else:
        when = f" since {since}" if since else ""
        console.print(f"No call of a model{when}. Ask something: regista ask {folder.name} 'a question'", markup=False)
    for note in _notes(found, cached):
        console.print(Text(note, "dim"), soft_wrap=True)


def _table(found: list[Sum], by: By) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_footer=len(found) > 1)
    total = _total(found)
    columns = [(by, "all"), *zip(("calls", "input", "output", "exact", "estimated"), _cells(total), strict=True)]
    for name, footer in columns:
        aside = name == by
        table.add_column(
            name,
            footer=footer,
            footer_style="bold",
            justify="left" if aside else "right",
            overflow="fold",
            no_wrap=not aside,
        )
    for one in found:
        table.add_row(Text(line(one.name) or "–"), *_cells(one))
    return table


def _cells(one: Sum) -> list[Text]:
    """Calls, tokens in and out, and money: exact with a mark where some of it is not known, then estimated."""
    known = one.exact_nano or not (one.unpriced or one.estimated)
    exact = Text(money(one.exact_nano) if known else "" if one.unpriced else "–")
    if one.unpriced:
        exact.append(" + ?" if known else "?", "yellow")
    estimated = Text(f"≈ {money(one.estimated_nano)}", "yellow") if one.estimated else Text("–", "dim")
    return [Text(f"{number:,}") for number in (one.calls, one.input_tokens, one.output_tokens)] + [exact, estimated]


def _total(found: list[Sum]) -> Sum:
    columns = [name for name in Sum.__struct_fields__ if name != "name"]
    return Sum("", **{name: sum(getattr(one, name) for one in found) for name in columns})


def _notes(found: list[Sum], cached: int) -> list[str]:
    total = _total(found)
    notes = [
        (total.estimated, "{} not counted by the provider: tokens and cost are estimated (≈)."),
        (
            total.unpriced,
            '{} of a model whose price is not known (?): add it to regista.toml, [prices."provider/model"].',
        ),
    ]
    told = [note.format(_calls(number)) for number, note in notes if number]
    answers = "1 answer" if cached == 1 else f"{cached:,} answers"
    return told + ([f"{answers} came from a cache and cost nothing."] if cached else [])


def _calls(number: int) -> str:
    return f"{number:,} calls were" if number != 1 else "1 call was"
