"""PostgreSQL: the tables and the SQL of SQLite's file on a server that any number of machines share.

Transactions that write go one after the other, as they do in SQLite: what a program reads in one still holds when it
writes. Knows no table by name.
"""

import hashlib
import select
import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from regista.core.errors import ConfigurationError, MissingExtraError, StoreError
from regista.store.database import Bodies, Row, Transaction
from regista.store.dialect import copied, definition, statement
from regista.store.schema import steps

try:
    import psycopg
except ImportError as error:
    raise MissingExtraError("PostgreSQL", "psycopg", "postgres") from error
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from regista.store.postgres_advice import advice, reason
from regista.store.postgres_types import adapt

CONNECTIONS = 8
"""Connections one process keeps; who finds all in use waits for one."""
CONNECT_S = 5
LOCK_S = 5
"""How long another process's transaction is waited for."""
STATEMENT_S = 20
"""How long the server may take over a statement, and then over ending one; longer with `options` in the URL."""
SILENT_S = 20
"""A server that says nothing for so long after that has gone, whatever the network believes."""
_DEFAULTS: dict[str, Any] = {
    "application_name": "regista",
    "connect_timeout": CONNECT_S,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": SILENT_S * 1000,
}
"""Parameters of a connection where the URL gives none."""
_SESSION = {
    "statement_timeout": STATEMENT_S,
    "lock_timeout": LOCK_S,
    "idle_in_transaction_session_timeout": STATEMENT_S,
}
"""Seconds. The last frees what a process that froze in a transaction holds."""
_BEGIN = "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('regista ' || current_schema(), 0))"


class _Connection(psycopg.Connection[Row]):
    """A connection on which nothing is waited for without end: a server that is frozen closes no socket."""

    patience_s: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, timeout or self.patience_s)
        except psycopg.OperationalError as error:
            if not self.closed and self.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
                self.pgconn.finish()
                raise psycopg.OperationalError(f"the server did not answer in {self.patience_s:g} s") from error
            raise


class Postgres:
    """A database at `postgresql://user:password@host:port/name`. Each call has a connection to itself while it runs.

    Raises:
        ConfigurationError: it is no such URL.
        StoreError: the server cannot be reached, refuses, or is of another version than this Regista.
    """

    def __init__(self, url: str, bodies: Bodies, *, read_only: bool = False) -> None:
        self.bodies = bodies
        self._parameters = _parameters(url)
        self._read_only = read_only
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()
        self._free = threading.Semaphore(CONNECTIONS)
        self._closed = False
        # Who drops it without closing it keeps no connection of the server's either.
        weakref.finalize(self, _end_all, self._idle)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    @property
    def where(self) -> str:
        """Host, port and name: the URL without what is secret in it."""
        at = self._parameters
        return f"{at.get('host', 'localhost')}:{at.get('port', 5432)}/{at.get('dbname', '')}"

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with self._explained(), self._connection() as connection:
            return connection.execute(statement(sql), parameters, binary=True).fetchall()

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        with self._explained(), self._connection() as connection, _written(connection, self.bodies) as transaction:
            yield transaction

    def version(self) -> int:
        # Which transactions are done: whatever commits is not among those before. No table is read for it.
        shown = str(self.query("SELECT pg_current_snapshot()::text")[0][0])
        return int.from_bytes(hashlib.blake2b(shown.encode(), digest_size=7).digest())

    def files(self) -> list[Path]:
        return []

    def compact(self, file: Path) -> None:
        """Nothing: the server frees the room of deleted rows itself (autovacuum), and others are at its tables."""

    def close(self) -> None:
        with self._lock:
            self._closed = True
            _end_all(self._idle)

    @contextmanager
    def _connection(self) -> Generator[_Connection]:
        """A connection nobody else uses; kept for the next one unless it broke."""
        if not self._free.acquire(timeout=LOCK_S):
            raise StoreError(f"All {CONNECTIONS} connections to {self.where} have been busy for {LOCK_S} s. Try later.")
        connection: _Connection | None = None
        try:
            connection = self._kept() or self._connect()
            yield connection
        finally:
            if connection is not None:
                self._keep(connection)
            self._free.release()

    def _kept(self) -> _Connection | None:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None or not _hung_up(connection):
                return connection
            connection.close()

    def _keep(self, connection: _Connection) -> None:
        idle = not connection.closed and connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
        with self._lock:
            if idle and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> _Connection:
        connection = _Connection.connect(**self._parameters, autocommit=True, cursor_factory=psycopg.RawCursor)
        try:
            adapt(connection)
            connection.patience_s = CONNECT_S
            given = str(self._parameters.get("options", ""))
            limits = [f"SET {name} = '{seconds}s'" for name, seconds in _SESSION.items() if name not in given]
            if self._read_only:
                limits.append("SET default_transaction_read_only = on")
            connection.execute("; ".join(limits).encode())
            connection.patience_s = _patience(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self) -> None:
        """Apply the steps the database has not seen; the table `regista_schema` holds the last one's number."""
        done = _done(self.query)
        if done > len(steps()):
            known = f"schema {done}, this one knows {len(steps())}"
            raise StoreError(f"{self.where} was written by a newer Regista ({known}). Upgrade Regista.")
        if done < len(steps()) and self._read_only:
            raise StoreError(f"{self.where} was written by an older Regista. Start it once to bring it up: regista up")
        if done < len(steps()):
            self._apply()

    def _apply(self) -> None:
        with self._explained(), self._connection() as connection, _written(connection, self.bodies) as transaction:
            # Read again: another process may have done it while this one waited for the lock.
            done = _done(transaction.execute)
            transaction.execute("SET LOCAL statement_timeout = 0")
            usual, connection.patience_s = connection.patience_s, None
            transaction.execute("CREATE TABLE IF NOT EXISTS regista_schema (version BIGINT NOT NULL)")
            for step in steps()[done:]:
                for words in step:
                    transaction.execute(definition(words))
            transaction.execute("DELETE FROM regista_schema")
            transaction.execute("INSERT INTO regista_schema VALUES (?)", (len(steps()),))
            connection.patience_s = usual

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except psycopg.Error as error:
            known = advice(error)
            if known is None:
                raise  # a mistake in the program, not a state of the database
            raise StoreError(f"PostgreSQL at {self.where} cannot be used: {reason(error)}. {known}") from error


class _Cursor:
    def __init__(self, connection: _Connection, bodies: Bodies) -> None:
        self._cursor = connection.cursor(binary=True)
        self.bodies = bodies

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        self._cursor.execute(statement(sql), parameters)
        return self._cursor.fetchall() if self._cursor.description else []

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        if (command := copied(sql)) is None:
            self._cursor.executemany(statement(sql), rows)
            return
        with self._cursor.copy(command) as copy:
            for row in rows:
                copy.write_row(row)


@contextmanager
def _written(connection: _Connection, bodies: Bodies) -> Generator[_Cursor]:
    connection.execute(_BEGIN)
    try:
        yield _Cursor(connection, bodies)
        connection.commit()
    except BaseException:
        with suppress(psycopg.Error):
            connection.rollback()
        raise


def _end_all(idle: list[_Connection]) -> None:
    while idle:
        idle.pop().close()


def _done(run: Callable[[str], list[Row]]) -> int:
    """The number of the last step the database has seen."""
    if run("SELECT to_regclass('regista_schema') IS NULL")[0][0]:
        return 0
    return int(run("SELECT coalesce(max(version), 0) FROM regista_schema")[0][0])


def _patience(connection: _Connection) -> float | None:
    """How long to wait for an answer: a little longer than the server itself allows a statement."""
    asked = "SELECT extract(epoch FROM current_setting('statement_timeout')::interval)::float8"
    seconds = float(connection.execute(asked).fetchall()[0][0])
    return seconds + LOCK_S if seconds else None


def _hung_up(connection: _Connection) -> bool:
    """Whether an idle connection has something to say: the server ends it, or has gone."""
    ready = select.poll()
    ready.register(connection.fileno(), select.POLLIN)
    return bool(ready.poll(0))


def _parameters(url: str) -> dict[str, Any]:
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Its message may quote the whole URL, password and all.
        raise ConfigurationError(
            "REGISTA_STORE is no URL of PostgreSQL. Write postgresql://user:password@host:5432/name; "
            "write what is special in the password as %XX."
        ) from None
    return _DEFAULTS | given
