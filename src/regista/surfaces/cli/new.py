"""`regista new`: a small application that works at once, to be changed into one's own."""

import re
import shlex
import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from regista.core.errors import ConfigurationError

PLACEHOLDER = "my-app"
"""The template's own name, which every copy replaces by its own. The template is a whole application itself."""
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def new(name: Annotated[str, Parameter(help="Its name, or the folder to make, such as apps/club.")]) -> None:
    """Make an application: a prompt, two documents, a tool and test questions. It needs no key and no download."""
    folder = make(Path(name))
    shown = shlex.quote(str(folder))
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text.assemble(("✓ ", "bold green"), "Made ", (str(folder), "bold"), ". What next:"))
    example = tomllib.loads((folder / "regista.toml").read_text("utf-8"))["app"]["example"]
    for command in (f"regista check {shown}", f"regista ask {shown} {shlex.quote(example)}", f"regista up {shown}"):
        console.print(Text(f"  {command}", "cyan"))


def make(folder: Path) -> Path:
    """Copy the template into a new or empty folder, under the folder's name.

    Raises:
        ConfigurationError: the name cannot be an application's, or something is there already.
    """
    name = folder.name
    if not NAME.fullmatch(name):
        raise ConfigurationError(f"An application's name has lower-case letters, digits and hyphens.{_advice(name)}")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()) or (folder.is_dir() and any(folder.iterdir())):
        raise ConfigurationError(f"{folder} is there already and not empty. Choose another name, or empty it first.")
    try:
        _copy(files("regista.app") / "template", folder, name)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}.") from error
    return folder


def _advice(name: str) -> str:
    """A name like the one asked for, if there is one."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    plain = plain.lstrip("0123456789-")[:40].strip("-")
    return f" Type: regista new {plain}" if plain else " For example: regista new club"


def _copy(source: Traversable, target: Path, name: str) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            _copy(entry, target / entry.name, name)
        else:
            text = entry.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
            (target / entry.name).write_text(text, encoding="utf-8", newline="\n")
