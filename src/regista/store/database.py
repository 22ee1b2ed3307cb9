"""What an engine offers: queries and transactions in the SQL that SQLite and PostgreSQL share, with `?` parameters."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from regista.store.bodies import Body
from regista.text.words import Phrases

Row = tuple[Any, ...]


class Transaction(Protocol):
    """Writes that happen together or not at all."""

    @property
    def bodies(self) -> "Bodies": ...

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]: ...

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None: ...


class Database(Protocol):
    """A connection that any thread may use."""

    @property
    def bodies(self) -> "Bodies": ...

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Rows of a SELECT, seen in one consistent state."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A write transaction: committed at the end of the block, rolled back if it raises."""
        ...

    def version(self) -> int:
        """A number that is another one after any commit, also another process's. Cheaper than a query."""
        ...

    def files(self) -> list[Path]:
        """The files that hold all of it, with whatever was waiting in a log written into them; none of a server's."""
        ...

    def compact(self, file: Path) -> None:
        """Write one of `files` anew without what was ever deleted in it. A server does that when it sees fit."""
        ...

    def close(self) -> None: ...


class Sought(NamedTuple):
    """What is searched for: phrases, in traces of one application if it is named, before a time if one is given."""

    phrases: Phrases
    application: str = ""
    before_ns: int | None = None


class Bodies(Protocol):
    """What was said in traces, kept by their numbers where the engine keeps it."""

    def put(self, transaction: Transaction, said: Iterable[tuple[int, Body]], rest: Callable[[], object]) -> None:
        """Keep bodies of traces whose rows are written in this transaction, in the order of their numbers.

        `rest` is called now and then.
        """
        ...

    def get(self, database: Database, numbers: Sequence[int]) -> dict[int, Body]:
        """Those that are kept. One that was lost is left out."""
        ...

    def search(self, database: Database, sought: Sought, limit: int) -> list[tuple[int, Body]]:
        """The last to begin of the traces in which all phrases are, newest first, each with its number."""
        ...

    def remove(self, transaction: Transaction, numbers: Sequence[int]) -> None:
        """Take the bodies of these traces away, but for those in files that `purge` sees to."""
        ...

    def purge(self, database: Database, before_ns: int, slack_ns: int = 0) -> None:
        """Make good on the disk that the traces which began before a time are gone from the tables.

        Where that means to write a file anew, it can wait until some are older by so much.
        """
        ...

    def erase(self, numbers: Sequence[int]) -> None:
        """Make good on the disk that these bodies, which `remove` took out of the tables, are gone."""
        ...

    def files(self) -> list[Path]:
        """The files beside the database's own in which bodies are."""
        ...

    def close(self) -> None: ...
