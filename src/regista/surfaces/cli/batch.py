"""`regista batch`: files of requests answered durably: run, list, status, cancel, resume."""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import cyclopts
from cyclopts import Parameter, validators
from rich.console import Console
from rich.text import Text

from regista.app.batches.pool import LocalPool
from regista.app.batches.run import Pool, Run
from regista.app.batches.runner import key_of
from regista.app.batches.upstream import UpstreamPool
from regista.app.folder import read
from regista.app.platform import ANYONE, Platform
from regista.core.errors import RequestError
from regista.core.settings import settings
from regista.store import Database, batches, connect, files
from regista.store.batches import LEASE_NS, SECOND_NS, Batch
from regista.surfaces.cli._batches import progress, put, show, table, take
from regista.surfaces.cli._loop import run_async
from regista.surfaces.cli._place import existing_store, resolve, store_url
from regista.surfaces.cli._progress import ingest_progress
from regista.surfaces.http.batches import wire
from regista.surfaces.http.inside import asking, request_of

App = Annotated[str | None, Parameter(name="--app", help="A folder, or a name under apps/.")]
Name = Annotated[str, Parameter(help="The batch's id, or how it starts.")]
Out = Annotated[Path | None, Parameter(help="Where the answers go. Without it, NAME.out.jsonl for NAME.jsonl.")]
AtOnce = Annotated[int, Parameter(help="Lines under way at once.", validator=validators.Number(gte=1, lte=1024))]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
Endpoint = Literal["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"]

batch = cyclopts.App(name="batch", help="Answer files of requests. What is done is kept; interrupted, they go on.")


class _Begun(NamedTuple):
    """A batch to be run, how its input is called, and where its answers go."""

    batch: Batch
    name: str
    answers: Path


class _Ended(NamedTuple):
    """What became of it, with the files that were written."""

    batch: Batch
    name: str
    written: list[Path]


Begin = Callable[[Database, str, str], _Begun]
"""Makes or takes a batch, given the store, the application's name and who will run it."""


@batch.command(name="run")
def run_batch(
    file: Annotated[Path, Parameter(help="Requests as OpenAI's Batch API takes them, one JSON object a line.")],
    *,
    app: App = None,
    out: Out = None,
    model: Annotated[str, Parameter(help="Ask this model in every line, whatever the line says.")] = "",
    endpoint: Annotated[Endpoint | None, Parameter(help="What the lines ask. Without it, what the first asks.")] = None,
    concurrency: AtOnce = 64,
    as_json: AsJson = False,
) -> int:
    """Answer a file of requests, in this process or on the Ray that REGISTA_RAY names.

    Every answer is kept as soon as it is there. Ctrl-C lets the lines under way end; `regista batch resume` goes on.
    Exit status: 0; 1 where a line failed or the batch did not come to its end.

    Example: regista batch run questions.jsonl --app club --model club
    """

    def begin(database: Database, application: str, owner: str) -> _Begun:
        made = take(database, file, application, endpoint or "", model, owner)
        return _Begun(made, str(file), out or file.with_suffix(".out.jsonl"))

    return _told(run_async(_run(resolve(app), begin, concurrency)), as_json)


@batch.command(name="resume")
def resume_batch(
    name: Name, *, app: App = None, out: Out = None, concurrency: AtOnce = 64, as_json: AsJson = False
) -> int:
    """Go on with a batch that was interrupted or given up. What is done is not asked again.

    Example: regista batch resume batch_3f2a --app club
    """

    def begin(database: Database, application: str, owner: str) -> _Begun:
        taken = _taken(database, batches.named(database, application, name), owner)
        asked = files.find(database, taken.tenant, taken.input_file).name
        # A client named it: what is written stays in this folder.
        return _Begun(taken, asked, out or Path(Path(asked).name or taken.id).with_suffix(".out.jsonl"))

    return _told(run_async(_run(resolve(app), begin, concurrency)), as_json)


@batch.command(name="list")
def list_batches(
    *,
    app: App = None,
    limit: Annotated[int, Parameter(help="How many.", validator=validators.Number(gte=1))] = 20,
    as_json: AsJson = False,
) -> None:
    """List the last batches, newest first, those made over HTTP too.

    Example: regista batch list --app club
    """
    folder = resolve(app)
    store = existing_store(folder)
    found = batches.of_application(store, read(folder).name, limit) if store else []
    if as_json:
        print(json.dumps([wire(one) for one in found], indent=2))
    elif found:
        Console(highlight=False).print(table(found))
    else:
        print("No batches yet. Run one: regista batch run FILE.jsonl")


@batch.command(name="status")
def show_batch(name: Name, *, app: App = None, as_json: AsJson = False) -> None:
    """Show how far a batch is, and what is wrong with it.

    Example: regista batch status batch_3f2a --app club
    """
    folder = resolve(app)
    database = connect(store_url(folder))
    found = batches.named(database, read(folder).name, name)
    _print(found, found.input_file, as_json)


@batch.command(name="cancel")
def cancel_batch(name: Name, *, app: App = None, as_json: AsJson = False) -> None:
    """Have no further line of a batch run. What is answered is kept.

    Example: regista batch cancel batch_3f2a --app club
    """
    folder = resolve(app)
    database = connect(store_url(folder))
    application = read(folder).name
    found = batches.named(database, application, name)
    found = batches.cancel(database, found.tenant, found.id)
    # Who runs one that a provider has tells the provider, and fetches what was answered.
    elsewhere = found.upstream not in ("", "[]")
    taken = None if elsewhere else batches.claim(database, application, batches.owner(), found.id)
    if taken is not None:  # nobody runs it, so nobody else would end it
        found = run_async(_ended(database, taken))
    _print(found, found.input_file, as_json)
    if elsewhere and not as_json:
        print(f"Its provider is told by the server that runs it, or by: regista batch resume {found.id}")


class _Nobody:
    """Answers nothing: see `Pool`."""

    async def work(self, run: Run) -> None:
        run.keeper.stop("cancelled")


async def _ended(database: Database, taken: Batch) -> Batch:
    return await Run(database, taken, ANYONE, settings()["max_body_mb"] << 20).through(_Nobody())


def _taken(database: Database, found: Batch, owner: str) -> Batch:
    """A batch for this process to run; waits for the lease of one that has died."""
    if found.status == "failed":
        return batches.reopen(database, found, owner)
    end = time.monotonic() + 1.5 * LEASE_NS / SECOND_NS
    while found.ended_ns is None and time.monotonic() < end:
        taken = batches.claim(database, found.application, owner, found.id)
        if taken is not None:
            return taken
        time.sleep(0.5)
        found = batches.find(database, found.tenant, found.id)
    state = "run by another process" if found.ended_ns is None else found.status
    raise RequestError(f"The batch {found.id} is {state}: there is nothing to resume.")


async def _run(folder: Path, begin: Begin, at_once: int) -> _Ended:
    console = Console(stderr=True, highlight=False)
    with ingest_progress(console) as ingesting:
        platform = await Platform.open(folder, settings(), ingesting)
    try:
        database = platform.database
        made, name, answers = await asyncio.to_thread(begin, database, platform.application.name, batches.owner())
        with progress(name) as report:
            key = await asyncio.to_thread(key_of, database, made)
            run = Run(database, made, key, platform.max_body, report)
            _leave_on_interrupt(run, console)
            ended = await run.through(_pool(platform, folder, at_once))
        stem = answers.name.removesuffix(".jsonl").removesuffix(".out")
        targets = {answers: ended.output_file, answers.with_name(f"{stem}.errors.jsonl"): ended.error_file}
        written = [path for path, file in targets.items() if file and ended.ended_ns is not None]
        for path in written:
            await asyncio.to_thread(put, database, targets[path], path)
        return _Ended(ended, name, written)
    finally:
        await platform.close()


def _pool(platform: Platform, folder: Path, at_once: int) -> Pool:
    """The Ray that REGISTA_RAY names, else the provider where it is to run batches, else this process."""
    address = str(settings()["ray"])
    if not address:
        ask = asking(platform)
        return UpstreamPool(platform, ask, request_of, LocalPool(ask, asyncio.Semaphore(at_once), at_once))
    from regista.app.batches.spread import RayPool  # noqa: PLC0415 - an extra

    return RayPool(address, folder, asking, at_once)


def _leave_on_interrupt(run: Run, console: Console) -> None:
    """Ctrl-C ends the batch politely; a second time, at once."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def leave() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        loop.add_signal_handler(signal.SIGINT, lambda: task.cancel() if task is not None else None)
        console.print("Waiting for the lines under way; Ctrl-C again gives them up.")
        run.keeper.stop("left")

    loop.add_signal_handler(signal.SIGINT, leave)


def _told(ended: _Ended, as_json: bool) -> int:
    """Say what became of a batch; the exit status."""
    made = ended.batch
    _print(made, ended.name, as_json)
    if not as_json:
        console = Console(highlight=False)
        for path in ended.written:
            console.print(Text(f"Written: {path}"), soft_wrap=True)
        if made.ended_ns is None or (made.status == "failed" and made.total):
            console.print(Text(f"Go on with: regista batch resume {made.id}"), soft_wrap=True)
    if made.ended_ns is None:
        return 130
    return 0 if made.status == "completed" and not made.failed else 1


def _print(found: Batch, name: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(wire(found), indent=2))
    else:
        show(Console(highlight=False), found, name)
