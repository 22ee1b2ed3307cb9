"""`regista cache`: what an application's caches are worth, the threshold of the semantic one, a new beginning."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App as Commands
from cyclopts import Parameter, validators
from rich.console import Console
from rich.table import Table
from rich.text import Text

from regista.app.folder import Folder, read
from regista.core.settings import settings
from regista.store import Database, caches, connect
from regista.surfaces.cli._loop import run_async
from regista.surfaces.cli._place import existing_store, resolve, store_url
from regista.text.shown import line, moment

App = Annotated[str | None, Parameter(help="A folder, or a name under apps/.")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
HOUR_NS = 3_600 * 10**9

cache = Commands(name="cache", help="See what the caches hold and are worth, calibrate the semantic one, begin anew.")


@cache.command(name="stats")
def show(
    app: App = None,
    *,
    hours: Annotated[float, Parameter(help="How far back hits are counted.", validator=validators.Number(gt=0))] = 24,
    as_json: AsJson = False,
) -> None:
    """Show hits, what is held, and the share of false hits that the sample found.

    Example: regista cache stats club --hours 1
    """
    folder = read(resolve(app))
    found = _stats(folder, existing_store(folder.path), time.time_ns(), hours)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        _print_stats(folder, found, hours)


@cache.command(name="calibrate")
def calibrate_cache(
    app: App = None,
    *,
    pairs: Annotated[
        Path | None, Parameter(help="A file of labelled pairs; without it, the sample of traffic.")
    ] = None,
    bound: Annotated[
        float | None, Parameter(help="The share of false hits allowed; without it, [cache] false_hits.")
    ] = None,
    dry_run: Annotated[bool, Parameter(negative="", help="Only say what would hold.")] = False,
    as_json: AsJson = False,
) -> int:
    """Find from which likeness on hits of the semantic cache keep to the bound, and let it hold.

    A line of the file has an id, an input, an other question, and same: true or false.

    Example: regista cache calibrate club --pairs evals/paraphrases.jsonl
    """
    from regista.app.calibrating import calibrate, hold  # noqa: PLC0415 - needs numpy and scipy

    folder = read(resolve(app))
    if bound is not None and not 0 < bound <= 0.5:
        raise SystemExit("--bound is a share above 0 and up to 0.5, such as 0.01.")
    store = connect(store_url(folder.path))
    allowed = folder.settings.cache.false_hits if bound is None else bound
    made = run_async(calibrate(folder, store, str(settings()["models"]), pairs, allowed))
    held = hold(folder, store, made) if not dry_run else None
    if as_json:
        print(json.dumps({**msgspec.to_builtins(made), "holds": held is not None}, indent=2))
    else:
        _print_calibration(folder, made, held is not None)
    return 0 if made.choice.threshold is not None else 1


@cache.command(name="clear")
def clear_cache(app: App = None) -> None:
    """Serve nothing kept until now: running servers follow within a second.

    Example: regista cache clear club
    """
    folder = resolve(app)
    name = read(folder).name
    epoch = caches.clear(connect(store_url(folder)), name)
    Console(highlight=False).print(Text(f"The caches of {name} begin anew (epoch {epoch})."))


def _stats(folder: Folder, store: Database | None, now: int, hours: float) -> dict[str, Any]:
    """What is known, as plain data."""
    held = folder.settings.cache
    found: dict[str, Any] = {"exact": held.exact, "semantic": held.semantic, "false_hits": held.false_hits}
    if store is None:
        return {**found, "requests": {}, "epoch": 0, "answers": 0, "calibrations": []}
    return found | {
        "requests": caches.outcomes(store, folder.name, now - int(hours * HOUR_NS)),
        "epoch": caches.epoch(store, folder.name),
        "answers": caches.count(store, folder.name, now),
        "labels": caches.label_counts(store, folder.name),
        "calibrations": [_measured(folder, store, made) for made in caches.calibrations(store, folder.name)],
    }


def _measured(folder: Folder, store: Database, made: caches.Calibration) -> dict[str, Any]:
    from regista.serve.caches.measure import false_hits  # noqa: PLC0415 - needs numpy

    measured = false_hits(made, caches.labels(store, folder.name, made.embedder, made.made_ns))
    return {**msgspec.to_builtins(made), "measured": {**msgspec.to_builtins(measured), "share": measured.share}}


def _print_stats(folder: Folder, found: dict[str, Any], hours: float) -> None:
    console = Console(highlight=False)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    kinds = [kind for kind in ("exact", "semantic") if found[kind]]
    table.add_row("caches", ", ".join(kinds) or "none: write [cache] exact = true or semantic = true")
    total = sum(found["requests"].values())
    for result, count in sorted(found["requests"].items(), key=lambda each: -each[1]):
        table.add_row(f"{result or 'no cache'}", f"{count} of {total} requests in {hours:g} h ({count / total:.1%})")
    table.add_row("epoch", str(found["epoch"]))
    if found["semantic"]:
        table.add_row("held for other words", f"{found['answers']} answers")
        for embedder, counts in found.get("labels", {}).items():
            table.add_row("learned", f"{counts['labels']} labels, {counts['wrong']} of them wrong ({line(embedder)})")
        for made in found["calibrations"]:
            table.add_row("threshold", Text(_calibration(made)))
            table.add_row("false hits", Text(_false_hits(made)))
            if made["off"]:
                table.add_row("switched off", Text(line(made["off"]), "bold red"))
        if not found["calibrations"]:
            table.add_row("threshold", f"none yet: nothing is served. Type: regista cache calibrate {folder.name}")
    console.print(Text.assemble((folder.name, "bold")))
    console.print(table)


def _calibration(made: dict[str, Any]) -> str:
    source = "the sample" if made["source"] == "sample" else line(made["source"])
    return f"{made['threshold']:.2f} for {made['bound']:.1%}, from {source} on {moment(made['made_ns'])}"


def _false_hits(made: dict[str, Any]) -> str:
    measured = made["measured"]
    if not measured["hits"]:
        return "not measured yet: none was sampled since"
    ends = f"{measured['low']:.1%} to {measured['high']:.1%}"
    return f"{measured['share']:.1%} ({ends}), {measured['wrong']} of {measured['hits']} sampled"


def _print_calibration(folder: Folder, made: Any, holds: bool) -> None:
    console = Console(highlight=False)
    choice = made.choice
    table = Table("likeness", "hits", "false", "false at most", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for row in choice.tested:
        style = "" if row.upper <= made.bound else "dim"
        table.add_row(f"{row.threshold:.2f}", str(row.hits), str(row.wrong), f"{row.upper:.2%}", style=style)
    console.print(f"{made.labels} labels from {line(made.source)}, {made.apart} of them told apart by the rules.")
    console.print(table)
    if choice.threshold is None:
        console.print(
            f"No threshold is shown to keep false hits within {made.bound:.1%}: {choice.missing} more labels near "
            "enough are missing, if none of them is wrong. What held before still holds.",
            soft_wrap=True,
        )
        return
    said = "holds from now on" if holds else "would hold"
    console.print(
        f"From a likeness of {choice.threshold:.2f} on, false hits are within {made.bound:.1%} (at 95 %). "
        f"It {said} for {folder.name}.",
        soft_wrap=True,
    )
