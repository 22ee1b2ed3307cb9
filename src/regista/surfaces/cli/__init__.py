"""The command line: one file per command, imported when it is called, so that `regista --version` stays quick."""

import sys

import regista

COMMANDS = {
    "new": "new:new",
    "check": "check:check",
    "up": "up:up",
    "ask": "ask:ask",
    "ingest": "ingest:ingest",
    "retrieve": "retrieve:retrieve",
    "models": "models:models",
    "keys": "keys:keys",
    "traces": "traces:traces",
    "trace": "trace:trace",
}
"""Command to file and function in this folder; `keys` is a group (a cyclopts `App`)."""


def main() -> None:
    """Run the command line. Ends with status 0, 1 (it failed; the reason is printed) or 2 (it was called wrongly)."""
    if sys.argv[1:] == ["--version"]:
        print(f"regista {regista.__version__}")
        return
    from regista.surfaces.cli._run import run  # noqa: PLC0415 - the quick path above needs none of it

    sys.exit(run(sys.argv[1:]))
