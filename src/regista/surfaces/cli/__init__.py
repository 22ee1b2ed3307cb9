"""The command line: one file per command, imported when it is called, so that `regista --version` stays quick."""

import sys

from regista.core.version import VERSION

COMMANDS = {
    "new": ("new:new", "Make an application folder that works at once."),
    "check": ("check:check", "Say every mistake in an application folder, with file and line."),
    "up": ("up:up", "Serve an application over HTTP, in the shape of OpenAI's API."),
    "ask": ("ask:ask", "Ask an application one question."),
    "ingest": ("ingest:ingest", "Take in documents that are new, changed or gone."),
    "retrieve": ("retrieve:retrieve", "Show what the documents say to a query."),
    "models": ("models:models", "List an application's models and their prices."),
    "keys": ("keys:keys", "Make, list and revoke the keys that requests need."),
    "traces": ("traces:traces", "List the newest requests: times, tokens, cost."),
    "trace": ("trace:trace", "Show one request stage by stage, with every decision."),
}
"""Command to its function (or, for `keys`, its group) in a file of this folder, and its line in the help."""


def main() -> None:
    """Run the command line. Ends with status 0, 1 (it failed; the reason is printed) or 2 (it was called wrongly)."""
    if sys.argv[1:] == ["--version"]:
        print(f"regista {VERSION}")
        return
    from regista.surfaces.cli._run import run  # noqa: PLC0415 - the quick path above needs none of it

    sys.exit(run(sys.argv[1:]))
