"""`regista up`: serve an application until it is stopped."""

import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.logging import RichHandler

from regista.app.platform import STATE, Platform
from regista.core.errors import ConfigurationError
from regista.core.settings import settings
from regista.surfaces.cli._loop import run_async
from regista.surfaces.cli._place import resolve
from regista.surfaces.cli._progress import ingest_progress
from regista.surfaces.http.server import listen, serve

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def up(
    app: str | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
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
    """
    console = Console(stderr=True, highlight=False)
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=console, show_path=False)]
    )
    logging.getLogger("regista").setLevel(logging.INFO)
    run_async(_up(resolve(app), settings(host=host, port=port), reload, console))


async def _up(folder: Path, values: dict[str, object], reload: bool, console: Console) -> None:
    host, port = str(values["host"]), int(str(values["port"]))
    listener = listen(host, port)
    try:
        with ingest_progress(console) as report:
            platform = await Platform.open(folder, values, report)
    except BaseException:
        listener.close()
        raise
    note = folder / STATE / "server.json"
    try:
        if host not in LOOPBACK and not platform.keyring.required:
            raise ConfigurationError(f"Serving on {host} lets others ask: make a key first, with regista keys add NAME")
        if reload:
            platform.watch()
        url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        note.write_bytes(msgspec.json.encode({"url": url, "pid": os.getpid()}))
        await serve(platform, listener, lambda: _welcome(console, platform, folder, url))
    finally:
        note.unlink(missing_ok=True)
        await platform.close()
        listener.close()


def _welcome(console: Console, platform: Platform, folder: Path, url: str) -> None:
    """Say where it is and what to try. `folder` is shown as one would type it."""
    name = platform.application.name
    typed = folder.name if folder.parent == Path.cwd() / "apps" else os.path.relpath(folder)
    command = "regista" if shutil.which("regista") else os.path.relpath(sys.argv[0])
    question = platform.application.folder.settings.app.example or "What can you tell me?"
    key = " -H 'authorization: Bearer rk-…'" if platform.keyring.required else ""
    body = msgspec.json.encode({"model": name, "messages": [{"role": "user", "content": question}]}).decode()
    console.print(f"\n[bold]{name}[/] is served at [bold]{url}[/] (variant {platform.application.variant.digest})")
    if platform.embedding:
        console.print(f"Documents are found by their words and by {platform.embedding}.", markup=False, soft_wrap=True)
    free = f"No key is needed on this machine until one is made: {command} keys add NAME"
    console.print("Keys are required." if key else free, markup=False, soft_wrap=True)
    console.print("\nTry, in another terminal:\n")
    shown = body.replace("'", "'\\''")
    for line in (
        f"  curl {url}/v1/chat/completions{key} -H 'content-type: application/json' -d '{shown}'",
        f'  {command} ask {typed} "{question}"',
    ):
        console.print(line, markup=False, soft_wrap=True)
    console.print("\nStop with Ctrl-C.\n")
