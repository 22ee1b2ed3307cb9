"""SQLite in WAL mode: one writer, many readers, durable on commit. Knows no table by name."""

import sqlite3
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from regista.core.errors import StoreError
from regista.store.database import Row, Transaction

BUSY_MS = 5_000


class Sqlite:
    """A database file. Each thread has a connection of its own; `path` is made with its folders."""

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self._read_only = read_only
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        with self._explained():
            if not read_only:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._migrate()
            self._connection().execute("PRAGMA schema_version").fetchone()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with self._explained():
            return self._connection().execute(sql, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        with self._explained():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Cursor(connection)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def close(self) -> None:
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            uri = f"{self.path.absolute().as_uri()}?mode={'ro' if self._read_only else 'rwc'}"
            connection = sqlite3.connect(
                uri, uri=True, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA foreign_keys=ON")
            if not self._read_only:
                connection.execute("PRAGMA journal_mode=WAL")
                # WAL keeps the file whole at any crash; NORMAL may lose the last commits on power loss only.
                connection.execute("PRAGMA synchronous=NORMAL")
            with self._lock:
                self._open.append(connection)
            self._local.connection = connection
        return connection

    def _migrate(self) -> None:
        """Apply the numbered SQL files the database has not seen; its `user_version` is the last one's number."""
        folder = files("regista.store").joinpath("migrations")
        steps = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
        connection = self._connection()
        if self._version() > len(steps):
            known = f"schema {self._version()}, this one knows {len(steps)}"
            raise StoreError(f"{self.path} was written by a newer Regista ({known}). Upgrade Regista.")
        if self._version() == len(steps):
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for number, step in enumerate(steps[self._version() :], self._version() + 1):
                for statement in step.read_text("utf-8").split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def _version(self) -> int:
        return int(self._connection().execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.DatabaseError, OSError) as error:
            raise StoreError(
                f"The database {self.path} cannot be used: {error}. {_advice(str(error), self.path)}"
            ) from error


class _Cursor:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows)


_ADVICE = {
    "locked": "Another process holds it: stop that one, or set REGISTA_STORE to another path.",
    "readonly": "Make the file and its folder writable, or set REGISTA_STORE to another path.",
    "unable to open": "Make the folder exist and writable, or set REGISTA_STORE to another path.",
    "Permission denied": "Make the folder writable, or set REGISTA_STORE to another path.",
    "full": "Free some disk space.",
    "not a database": "The file is no SQLite database: move it away, or set REGISTA_STORE to another path.",
    "malformed": "The file is damaged: restore a copy, or move it away to start anew.",
}


def _advice(reason: str, path: Path) -> str:
    fallback = f"Look at {path.parent}, or set REGISTA_STORE to another path."
    return next((advice for key, advice in _ADVICE.items() if key.lower() in reason.lower()), fallback)
