"""The numbered SQL files that make the tables, as statements. Knows no engine."""

from functools import cache
from pathlib import Path

# Not `importlib.resources`: with what it imports it takes a megabyte of each process that opens a store.
_FOLDER = Path(__file__).parent / "migrations"


@cache
def steps() -> tuple[tuple[str, ...], ...]:
    """The statements of each file, in the order of their numbers: step 1 is what `0001_….sql` says."""
    return tuple(_statements(file.read_text("utf-8")) for file in sorted(_FOLDER.glob("*.sql")))


def _statements(script: str) -> tuple[str, ...]:
    """A script cut where a line ends with a semicolon.

    >>> _statements("-- One; two.\\nCREATE TABLE a (n INTEGER);\\nCREATE INDEX b ON a (n)\\n")
    ('-- One; two.\\nCREATE TABLE a (n INTEGER)', 'CREATE INDEX b ON a (n)')
    """
    return tuple(statement.strip() for statement in script.rstrip().removesuffix(";").split(";\n"))
