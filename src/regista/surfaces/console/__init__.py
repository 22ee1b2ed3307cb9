"""The console: pages in a browser over what the gateway stores. The first one asked for imports what they need."""

from collections.abc import Mapping
from pathlib import Path

from regista.app.platform import STATE, Platform
from regista.surfaces.console.sessions import Sessions
from regista.surfaces.http.gateway import App, Open


def opened(platform: Platform) -> App:
    """The console over a platform. Blocks for its imports."""
    from regista.surfaces.console.console import Console  # noqa: PLC0415 - a template engine, which serving never needs

    return Console(platform)


MOUNTED: Mapping[str, Open] = {"/console": opened}
"""Where the gateway has it."""


def address(folder: Path, url: str) -> str:
    """What opens the console of the application in `folder` at `url` from now on, in place of what did before."""
    return f"{url}/console/login?ticket={Sessions(folder / STATE).begin()}"
