"""`regista check`: every mistake of an application with its place, or what the application is made of."""

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from regista.app.folder import Folder, document_files, read
from regista.app.mistakes import FolderError, Mistake
from regista.core.errors import ConfigurationError, MissingExtraError
from regista.evaluate.suite import inspect, read_suite, suites
from regista.store import retention
from regista.surfaces.cli._place import existing_store, resolve
from regista.text.shown import line, moment


def check(
    app: Annotated[str | None, Parameter(help="A folder, or a name under apps/.")] = None,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Check an application: print every mistake with its file and line, or what the application is made of."""
    place = resolve(app)
    try:
        folder = read(place)
        if mistakes := _suites(folder):
            raise FolderError(folder.name, mistakes)
    except FolderError as error:
        if as_json:
            print(json.dumps({"ok": False, "mistakes": msgspec.to_builtins(error.mistakes)}, indent=2))
        else:
            _print_mistakes(_shown(place), error.mistakes)
        return 1
    if as_json:
        print(json.dumps({"ok": True, **facts(folder)}, indent=2))
    else:
        _print_facts(folder)
    return 0


def _suites(folder: Folder) -> list[Mistake]:
    """What is wrong with the suites and the ids of their cases; the references only a run reads."""
    mistakes: list[Mistake] = []
    for name in suites(folder.path / "evals"):
        try:
            inspect(read_suite(folder.path / "evals", name), {})
        except MissingExtraError:
            continue
        except ConfigurationError as error:
            message = error.message.removeprefix(f"{folder.path}/evals/").removeprefix(f"{name}.toml: ")
            mistakes.append(Mistake(f"evals/{name}.toml", 0, message))
    return mistakes


def facts(folder: Folder) -> dict[str, Any]:
    """What an application is made of, as plain data."""
    settings = folder.settings
    guards = settings.guardrails
    return {
        "name": folder.name,
        "digest": folder.digest,
        "models": {name: model.model for name, model in settings.models.items()},
        "prompts": sorted(folder.prompts),
        "documents": len(document_files(folder)),
        "retriever": settings.context.retriever if settings.context else None,
        "tools": [tool.name for tool in folder.tools],
        "guardrails": {place: list(getattr(guards, place)) for place in ("request", "context", "response")},
        "cache": settings.cache.exact,
        "semantic_cache": settings.cache.semantic,
        "capture": settings.observe.capture,
        "keep": settings.observe.keep,
        "suites": suites(folder.path / "evals"),
        "variants": sorted(path.stem for path in (folder.path / "variants").glob("*.toml")),
    }


def _print_mistakes(place: str, mistakes: Iterable[Mistake]) -> None:
    """One line a mistake, grouped by file. Paths are clickable from where the command was typed."""
    console = Console(highlight=False, soft_wrap=True)
    count = 0
    for _, group in groupby(mistakes, lambda mistake: mistake.file):
        for mistake in group:
            count += 1
            where = Path(place, mistake.file).as_posix() + (f":{mistake.line}" if mistake.line else "")
            console.print(Text.assemble((line(where), "cyan"), ": ", line(mistake.message)))
        console.print()
    console.print(Text(f"✗ {count} mistake{'s' * (count != 1)}", "bold red"))


def _print_facts(folder: Folder) -> None:
    console = Console(highlight=False)
    made_of = facts(folder)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    writing = {tool.name for tool in folder.tools if tool.writes}
    rows = {
        "models": ", ".join(f"{name} = {model}" for name, model in made_of["models"].items()),
        "prompts": ", ".join(made_of["prompts"]),
        "documents": f"{made_of['documents']}, found by {made_of['retriever']}" if made_of["retriever"] else "",
        "tools": ", ".join(f"{name} (asks approval)" if name in writing else name for name in made_of["tools"]),
        "guardrails": "\n".join(f"{at}: {', '.join(names)}" for at, names in made_of["guardrails"].items() if names),
        "cache": ", ".join(kind for key, kind in (("cache", "exact"), ("semantic_cache", "semantic")) if made_of[key]),
        "kept": _kept(folder),
        "suites": ", ".join(made_of["suites"]),
        "variants": ", ".join(made_of["variants"]),
    }
    for name, value in rows.items():
        table.add_row(name, Text(line(value) if name != "guardrails" else value) if value else Text("none", "dim"))
    console.print(Text.assemble(("✓ ", "bold green"), (folder.name, "bold"), " is whole. Variant ", folder.digest))
    console.print(table)


def _kept(folder: Folder) -> str:
    """How much of what is said is kept, for how long, and what was deleted for its age so far."""
    observe = folder.settings.observe
    told = f"{_CAPTURES[observe.capture]}, {f'for {observe.keep}' if observe.keep else 'for ever'}"
    store = existing_store(folder.path) if observe.keep else None
    ran = retention.last(store) if store is not None else None
    if store is not None:
        store.close()
    if ran is None:
        return told
    last = f"{ran.traces:,} the last time, {moment(ran.ran_ns, long=True)}"
    return f"{told}; {ran.total:,} requests were deleted, {last}{f'. {ran.problem}' if ran.problem else ''}"


_CAPTURES = {
    "full": "all that is said",
    "masked": "what is said, with what is personal hidden",
    "off": "nothing that is said",
}


def _shown(place: Path) -> str:
    """The folder as seen from here, where it lies below."""
    here = Path.cwd()
    return str(place.relative_to(here)) if place.is_relative_to(here) else str(place)
