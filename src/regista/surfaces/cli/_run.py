"""Builds the command table and turns errors into one clear line and an exit status."""

import sys

import cyclopts
from rich.console import Console

import regista
from regista.core.errors import RegistaError
from regista.surfaces.cli import COMMANDS

HELP = """AI engineering in one process: serve, observe, evaluate and improve applications on language models.

Start with: regista new demo && regista up demo
"""


def run(arguments: list[str]) -> int:
    """Run one command; its exit status."""
    app = cyclopts.App(name="regista", help=HELP, version=regista.__version__, result_action="return_value")
    for name, target in COMMANDS.items():
        app.command(f"regista.surfaces.cli.{target}", name=name)
    try:
        result = app(arguments, exit_on_error=False, print_error=True)
    except cyclopts.CycloptsError:
        return 2
    except RegistaError as error:
        Console(stderr=True, highlight=False).print(f"[bold red]error:[/] {error.message}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
