"""`regista up`: serve an application until it is stopped."""

import logging
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from socket import socket
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.logging import RichHandler

from regista.app.platform import STATE, Platform
from regista.core.errors import ConfigurationError
from regista.core.settings import settings
from regista.store.locks import served_alone
from regista.surfaces import console as pages
from regista.surfaces.cli._loop import run_async
from regista.surfaces.cli._place import resolve, store_url
from regista.surfaces.cli._progress import ingest_progress
from regista.surfaces.http.server import Server, listen
from regista.surfaces.workers.supervisor import Supervisor
from regista.surfaces.workers.words import Served
from regista.surfaces.workers.worker import served

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOST_WORKERS = 256


def up(
    app: str | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    reload: Annotated[bool, Parameter(help="Serve what is saved in the folder as soon as it is saved.")] = True,
) -> None:
    """Serve an application over HTTP, in the shape of OpenAI's API.

    Example: regista up club --port 8001

    Parameters
    ----------
    app
        A folder with a regista.toml, or the name of one under apps/.
    host
        Address to serve on (REGISTA_HOST). Other than loopback needs at least one key.
    port
        Port to serve on (REGISTA_PORT).
    workers
        Processes that serve (REGISTA_WORKERS): about one for each core that is to work.
    """
    console = Console(stderr=True, highlight=False)
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=console, show_path=False)]
    )
    logging.getLogger("regista").setLevel(logging.INFO)
    run_async(_up(resolve(app), settings(host=host, port=port, workers=workers), reload, console))


async def _up(folder: Path, values: dict[str, Any], reload: bool, console: Console) -> None:
    count = int(values["workers"])
    if not 1 <= count <= MOST_WORKERS:
        raise ConfigurationError(f"{count} workers cannot serve: say from 1 to {MOST_WORKERS} with --workers.")
    # Servers that share a Redis share all that one file cannot tell them.
    with nullcontext() if values["redis"] else served_alone(store_url(folder)):
        await _serve(folder, values, reload, console)


async def _serve(folder: Path, values: dict[str, Any], reload: bool, console: Console) -> None:
    host, count = str(values["host"]), int(values["workers"])
    listener = listen(host, int(values["port"]))
    url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    note = folder / STATE / "server.json"

    def ready(served: Served) -> None:
        if host not in LOOPBACK and not served.keys_required:
            raise ConfigurationError(f"Serving on {host} lets others ask: make a key first, with regista keys add NAME")
        note.parent.mkdir(exist_ok=True)
        note.write_bytes(msgspec.json.encode({"url": url, "pid": os.getpid(), "workers": count}))
        _welcome(console, served, folder, url, count, pages.address(folder, url))

    try:
        await (_alone if count == 1 else _together)(listener, folder, values, reload, console, ready)
    finally:
        note.unlink(missing_ok=True)
        listener.close()


Ready = Callable[[Served], None]


async def _alone(
    listener: socket, folder: Path, values: dict[str, Any], reload: bool, console: Console, ready: Ready
) -> None:
    with ingest_progress(console) as report:
        platform = await Platform.open(folder, values, report)
    try:
        if reload:
            platform.watch()
        platform.hearing.follow()
        platform.upkeep.start()
        server = Server(platform, int(values["drain_s"]), mounted=pages.MOUNTED)
        await server.run([listener], lambda: ready(served(platform)))
    finally:
        await platform.close()


async def _together(
    listener: socket, folder: Path, values: dict[str, Any], reload: bool, console: Console, ready: Ready
) -> None:
    with ingest_progress(console) as report:
        supervisor = Supervisor(listener, folder, values, int(values["workers"]), reload, report)
        said = await supervisor.start()
    try:
        ready(said)
    except BaseException:
        await supervisor.close()
        raise
    await supervisor.run()


def _welcome(console: Console, served: Served, folder: Path, url: str, workers: int, opens: str) -> None:
    """Say where it is and what to try. `folder` is shown as one would type it, `opens` is the console's address."""
    typed = folder.name if folder.parent == Path.cwd() / "apps" else os.path.relpath(folder)
    command = "regista" if shutil.which("regista") else os.path.relpath(sys.argv[0])
    key = " -H 'authorization: Bearer rk-…'" if served.keys_required else ""
    question = served.question
    body = msgspec.json.encode({"model": served.name, "messages": [{"role": "user", "content": question}]}).decode()
    by = f" by {workers} workers" if workers > 1 else ""
    console.print(f"\n[bold]{served.name}[/] is served at [bold]{url}[/]{by} (variant {served.variant})")
    if served.embedding:
        console.print(f"Documents are found by their words and by {served.embedding}.", markup=False, soft_wrap=True)
    free = f"No key is needed on this machine until one is made: {command} keys add NAME"
    console.print("Keys are required." if key else free, markup=False, soft_wrap=True)
    console.print(f"Look at it in a browser: {opens}", markup=False, soft_wrap=True)
    console.print("\nTry, in another terminal:\n")
    shown = body.replace("'", "'\\''")
    for line in (
        f"  curl {url}/v1/chat/completions{key} -H 'content-type: application/json' -d '{shown}'",
        f'  {command} ask {typed} "{question}"',
    ):
        console.print(line, markup=False, soft_wrap=True)
    console.print("\nStop with Ctrl-C.\n")
