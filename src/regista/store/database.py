"""What an engine offers: queries and transactions in the SQL that SQLite and PostgreSQL share, with `?` parameters."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]


class Transaction(Protocol):
    """Writes that happen together or not at all."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]: ...

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None: ...


class Database(Protocol):
    """A connection that any thread may use."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Rows of a SELECT, seen in one consistent state."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A write transaction: committed at the end of the block, rolled back if it raises."""
        ...

    def version(self) -> int:
        """A number that is another one after any commit, also another process's. Cheaper than a query."""
        ...

    def close(self) -> None: ...
