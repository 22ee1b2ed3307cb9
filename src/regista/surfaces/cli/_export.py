"""`regista data export`: closed days of traces as Parquet files, for whatever reads them."""

import json
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from regista.app.days import place_of, remember
from regista.app.folder import read
from regista.data.from_traces import masking
from regista.serve.screen import Guards, screen
from regista.store.parquet import export as write
from regista.surfaces.cli._place import existing_store, resolve

BLOCKED = "(blocked by a guardrail)"


def export(
    app: Annotated[str | None, Parameter(help="A folder, or a name under apps/.")] = None,
    *,
    to: Annotated[
        Path | None, Parameter(help="The folder of the files, if not that of `[observe] parquet` or .regista/days.")
    ] = None,
    again: Annotated[bool, Parameter(negative="", help="Write days that are there already anew.")] = False,
    mask: Annotated[
        bool, Parameter(negative="", help="Hide secrets and personal data, also where the store has them.")
    ] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> None:
    """Write each day that is over (UTC) and not written yet to a Parquet file of its own: a row a trace.

    Every trace of the store is in it, with its figures, the question and the answer as they are stored. A server does
    this by itself where `[observe] parquet` names a folder. Needs the extra [sql].

    Example: regista data export club --to /srv/traces
    """
    folder = resolve(app)
    about, store = read(folder), existing_store(folder)
    place = to if to is not None else place_of(folder, about.settings.observe.parquet)
    remember(folder, place)
    guards: Guards = masking() if mask else []

    def said(text: str) -> str:
        shown, verdicts = screen(text, guards)
        return BLOCKED if any(verdict.action == "block" for verdict in verdicts) else shown

    console, made = Console(highlight=False), list[dict[str, object]]()
    for one in write(store, place, time.time_ns(), again=again, said=said if mask else str) if store else ():
        made.append({"day": one.day.isoformat(), "path": str(one.path), "traces": one.traces, "bytes": one.size})
        if not as_json:
            told = f"{one.day}  {one.traces:>9,} traces  {one.size / 1e6:>8.1f} MB  {one.path}"
            console.print(Text(told), soft_wrap=True)
    if as_json:
        print(json.dumps(made, indent=2))
    elif not made:
        console.print(Text(f"There is no day to write to {place}: those that are over are there, or there are none."))
