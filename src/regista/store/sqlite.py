"""SQLite in WAL mode: one writer, many readers, durable on commit. Knows no table by name."""

import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from regista.core.errors import StoreError
from regista.store.database import Bodies, Row, Transaction
from regista.store.schema import steps

BUSY_MS = 5_000
_LOG = "-wal"
"""How the name of a file's log ends: https://www.sqlite.org/wal.html."""
WAL_PAGES = 4_000
"""Pages of 4 kB in the log before they go to their places: those that change often, of an index over ids, go once."""
PATIENCE_S = 30.0
"""How long others are waited for where a file is written anew."""


class Sqlite:
    """A database file. Each thread has a connection of its own; `path` is made with its folders.

    Raises:
        StoreError: the file cannot be opened, or is of another version than this Regista.
    """

    def __init__(self, path: str, bodies: Bodies, cache_kb: int, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self.bodies = bodies
        self._cache_kb = cache_kb
        self._read_only = read_only
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._watch: sqlite3.Connection | None = None
        with self._explained():
            if not read_only:
                self._make_folder()
            self._migrate()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with self._explained():
            return self._connection().execute(sql, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        with self._explained():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Cursor(connection, self.bodies)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def version(self) -> int:
        # data_version counts the commits of others: a connection that never writes sees them all.
        with self._explained(), self._lock:
            if self._watch is None:
                self._watch = self._connect()
                self._open.append(self._watch)
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def files(self) -> list[Path]:
        with self._explained():
            settle(self._connection())
        return [*_with_log(self.path), *(file for path in self.bodies.files() for file in _with_log(path))]

    def compact(self, file: Path) -> None:
        path = file.with_name(file.name.removesuffix(_LOG))
        with self._explained(), closing(sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)) as own:
            own.execute("PRAGMA secure_delete=ON")
            compact(own)

    def close(self) -> None:
        self.bodies.close()
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
            self._watch = None
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            with self._lock:
                self._open.append(connection)
            self._local.connection = connection
        return connection

    def _connect(self) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode={'ro' if self._read_only else 'rwc'}"
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute(f"PRAGMA cache_size=-{self._cache_kb}")
            connection.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten, however SQLite was built
            if not self._read_only:
                write_ahead(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unusable(self.path, str(error)) from error

    def _migrate(self) -> None:
        """Apply the steps the database has not seen; its `user_version` is the last one's number."""
        version, known = self._version(), len(steps())
        if version > known:
            schema = f"schema {version}, this one knows {known}"
            raise StoreError(f"{self.path} was written by a newer Regista ({schema}). Upgrade Regista.")
        if version < known and self._read_only:
            raise StoreError(f"{self.path} was written by an older Regista. Start it once to bring it up: regista up")
        if version < known:
            self._apply()

    def _apply(self) -> None:
        with self.transaction() as transaction:
            # Read again: another process may have done it while this one waited for the lock.
            done = self._version()
            for number, step in enumerate(steps()[done:], done + 1):
                for statement in step:
                    transaction.execute(statement)
                transaction.execute(f"PRAGMA user_version={number}")

    def _version(self) -> int:
        return int(self._connection().execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError):
            raise  # a mistake in the program, not a state of the database
        except sqlite3.DatabaseError as error:
            raise unusable(self.path, str(error)) from error


class _Cursor:
    def __init__(self, connection: sqlite3.Connection, bodies: Bodies) -> None:
        self._connection = connection
        self.bodies = bodies

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows)


def compact(connection: sqlite3.Connection) -> None:
    """Write a file anew without what was ever deleted in it, and empty its log. Waits for others, not for ever."""
    _patiently(lambda: connection.execute("VACUUM"))
    settle(connection)


def settle(connection: sqlite3.Connection) -> None:
    """Put what is in the log where it belongs, and empty the log: older states of pages are in it."""

    def settled() -> None:
        if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise sqlite3.OperationalError("database is locked: its log is being read")

    _patiently(settled)


def _patiently(do: Callable[[], object]) -> None:
    """Do what others may stand in the way of for a moment."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            do()
            return
        except sqlite3.OperationalError as error:
            if not any(word in str(error) for word in ("locked", "busy")) or time.monotonic() > end:
                raise
        time.sleep(0.05)


def write_ahead(connection: sqlite3.Connection) -> None:
    """Let a file be read while it is written."""
    # SQLite does not wait for the lock when it changes the journal mode, and every process that
    # opens a new file at once wants to: so wait here.
    for attempt in range(50):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 49:
                raise
            time.sleep(0.05)
    # WAL keeps the file whole at any crash; NORMAL may lose the last commits on power loss only.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")


def _with_log(path: Path) -> list[Path]:
    return [file for file in (path, path.with_name(f"{path.name}{_LOG}")) if file.exists()]


_ADVICE = {
    "locked": "Another process holds it: stop that one, or set REGISTA_STORE to another path.",
    "readonly": "Make the file and its folder writable, or set REGISTA_STORE to another path.",
    "unable to open": "Make the folder exist and writable, or set REGISTA_STORE to another path.",
    "permission denied": "Make the folder writable, or set REGISTA_STORE to another path.",
    "full": "Free some disk space.",
    "not a database": "The file is no SQLite database: move it away, or set REGISTA_STORE to another path.",
    "malformed": "The file is damaged: restore a copy, or move it away to start anew.",
}


def unusable(path: Path, reason: str) -> StoreError:
    """What is wrong with a file, and what to do."""
    fallback = f"Look at {path.parent}, or set REGISTA_STORE to another path."
    advice = next((advice for key, advice in _ADVICE.items() if key in reason.lower()), fallback)
    return StoreError(f"The database {path} cannot be used: {reason}. {advice}")
