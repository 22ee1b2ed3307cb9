"""Builds the command table and turns errors into one clear line and an exit status."""

import os
import signal
import sys
import traceback
from pathlib import Path

import cyclopts
from rich.console import Console

from regista.core.errors import MissingExtraError, RegistaError, UnknownNameError
from regista.core.version import VERSION
from regista.surfaces.cli import COMMANDS, EVALUATING

NUMBERS = ("numpy", "scipy")
"""What the commands of evaluation need, and a base install has not."""
HELP = """AI engineering in one process: serve, observe, evaluate and improve applications on language models.

Start with: regista new demo && regista up demo
"""


def run(arguments: list[str]) -> int:
    """Run one command; its exit status."""
    app = cyclopts.App(name="regista", help=HELP, version=VERSION, result_action="return_value")
    for name, (target, about) in COMMANDS.items():
        # The command that is called tells of itself, with its example; the others are not imported for a line of help.
        told = {} if arguments[:1] == [name] else {"help": about}
        app.command(f"regista.surfaces.cli.{target}", name=name, **told)
    try:
        if arguments and not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
            app.command(_of_application(arguments[0]), name=arguments[0])
        result = app(arguments, exit_on_error=False, print_error=True)
        sys.stdout.flush()
    except cyclopts.CycloptsError:
        return 2
    except RegistaError as error:
        Console(stderr=True, highlight=False).print(f"[bold red]error:[/] {_plain(error.message)}", soft_wrap=True)
        # To who runs an evaluation, 1 is a regression: what cannot be evaluated at all is called wrongly.
        return 2 if arguments and arguments[0] in EVALUATING else 1
    except ImportError as error:
        # A command whose file cannot be imported comes wrapped; what was missing is the cause.
        package = (getattr(error.__cause__ or error, "name", None) or "").partition(".")[0]
        if package not in NUMBERS:
            raise
        absent = MissingExtraError(f"regista {arguments[0]}", package, "eval")
        Console(stderr=True, highlight=False).print(f"[bold red]error:[/] {_plain(absent.message)}", soft_wrap=True)
        return 2
    except (KeyboardInterrupt, BrokenPipeError) as error:
        return _ended(error)
    except Exception:
        if not arguments or arguments[0] not in EVALUATING:
            raise
        # Left to Python the status would be 1, and a gate that broke would read as a regression.
        traceback.print_exc()
        return 2
    return result if isinstance(result, int) else 0


def _of_application(name: str) -> cyclopts.App:
    """The commands an application adds: those its `commands.py` lists in `COMMANDS`."""
    from regista.app.modules import load_module  # noqa: PLC0415 - only applications' own commands need it
    from regista.surfaces.cli._place import MARK, applications  # noqa: PLC0415

    folder = next((f for f in (Path(name), Path("apps") / name) if (f / MARK).is_file()), None)
    if folder is None:
        raise UnknownNameError("command or application", name, [*COMMANDS, *(f.name for f in applications())])
    if not (folder / "commands.py").is_file():
        raise RegistaError(f"The application {name!r} adds no commands: it has no commands.py.")
    module = load_module(folder.absolute(), "commands", "commands")
    app = cyclopts.App(name=name, help=(module.__doc__ or "").strip(), result_action="return_value")
    for command, function in module.COMMANDS.items():
        app.command(function, name=command)
    return app


def _ended(by: KeyboardInterrupt | BrokenPipeError) -> int:
    """The status of a command that was ended from outside, as shells have it."""
    if isinstance(by, BrokenPipeError):
        # Who reads has had enough, as `head` has. What is left is not written when Python ends, either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + (signal.SIGPIPE if isinstance(by, BrokenPipeError) else signal.SIGINT)


def _plain(text: str) -> str:
    """Text without rich's markup: what an error quotes is data."""
    return text.replace("[", "\\[")


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
