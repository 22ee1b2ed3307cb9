"""Closed days of traces as Parquet files, one a day (UTC): made whole or not at all, and rewritten to forget traces.

DuckDB (the extra `sql`) reads and writes them. Knows no configuration and no schedule. Calls block.
"""

import fcntl
import importlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import zstandard

from regista.core.errors import MissingExtraError, StoreError
from regista.store.database import Database, Row
from regista.store.traces import COLUMNS, NOTHING

DAY_NS = 86_400 * 10**9
LATE_NS = 3_600 * 10**9
"""How long after midnight a day is closed: spans from elsewhere come late."""
MEMORY = "1GB"
_ROWS, _SOME = 1_000, 50
"""Rows, and bodies, read at once."""
_GROUP = 32 << 20
"""Bytes of a group of rows: DuckDB has one in memory as a whole, and would take 122,880 rows however long they are."""
_AS_PARQUET = f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES {_GROUP})"
_LINE = 16 << 20
"""Bytes of the longest line DuckDB takes unasked."""
_NUMBERS = ("_ns", "_tokens", "_nano")
_NAMES = tuple(COLUMNS.split(", "))
TYPES = {
    "trace": "VARCHAR",
    "started": "TIMESTAMP",
    **{name: "BIGINT" if name.endswith(_NUMBERS) else "VARCHAR" for name in _NAMES},
    "question": "VARCHAR",
    "answer": "VARCHAR",
}
"""The columns of a file, in order. `started` is in UTC, to the microsecond; `started_ns` is exact."""
LOCK = ".lock"
"""The file in a folder of days that whoever writes there holds."""
_encode = msgspec.json.Encoder().encode


class Exported(NamedTuple):
    """A day as a file: how many traces are in it, and how large it is in bytes."""

    day: date
    path: Path
    traces: int
    size: int


def path_of(folder: Path, day: date) -> Path:
    """Where a day is kept."""
    return folder / f"traces-{day.isoformat()}.parquet"


def files(folder: Path) -> list[Path]:
    """The files of all days that are exported, the oldest first."""
    return sorted(folder.glob("traces-????-??-??.parquet"))


def closed(database: Database, now_ns: int) -> Iterator[date]:
    """The days that are over and have traces, the oldest first."""
    end = (now_ns - LATE_NS) // DAY_NS * DAY_NS
    start = 0
    while start < end:
        rows = database.query(
            "SELECT min(started_ns) FROM traces WHERE started_ns >= ? AND started_ns < ?", (start, end)
        )
        if rows[0][0] is None:
            return
        number = int(rows[0][0]) // DAY_NS
        yield date(1970, 1, 1) + timedelta(days=number)
        start = (number + 1) * DAY_NS


def export(
    database: Database, folder: Path, now_ns: int, *, again: bool = False, said: Callable[[str], str] = str
) -> Iterator[Exported]:
    """Write the closed days that have no file yet, or with `again` all of them; each as it is done.

    `said` is what becomes of a question and of an answer on the way. A day is as the store has it when it is written:
    with `again`, what was forgotten since is left out of it.

    Raises:
        MissingExtraError: DuckDB is not installed.
        StoreError: a file cannot be written; there is then none, or the one before.
    """
    _duckdb()
    for day in closed(database, now_ns):
        path, made = path_of(folder, day), None
        if again or not path.exists():
            with _alone(folder):
                if again or not path.exists():  # another process may have written it by now
                    made = _export(database, path, day, said)
        if made is not None:
            yield made


def erase(folder: Path, trace_ids: Sequence[str], tenant: str = "", users: Sequence[str] = ()) -> int:
    """Rewrite the days that hold traces of these ids, or of a tenant's users, without them; how many are gone.

    Each file is whole at every moment; where it is interrupted, or fails, the next time does the rest.

    Raises:
        MissingExtraError: there are files, and DuckDB is not installed.
        StoreError: a file cannot be read or written, and the traces may still be in it. The others are done.
    """
    if not (trace_ids or users) or not folder.exists():
        return 0
    with _alone(folder):
        return _erase(files(folder), trace_ids, tenant, users)


def count(path: Path) -> int:
    """How many traces a file has."""
    with _connection() as connection, _explained(path):
        return int(connection.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()[0])


def _export(database: Database, path: Path, day: date, said: Callable[[str], str]) -> Exported:
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 10**9
    lines, part = path.with_name(f".{path.stem}.jsonl.part"), path.with_name(f".{path.stem}.part")
    with _connection() as connection, _explained(path):
        try:
            longest, written = _write_lines(lines, _records(database, start, said))
            columns = ", ".join(f"{name}: '{kind}'" for name, kind in TYPES.items() if name != "started")
            names = ", ".join("make_timestamp(started_ns // 1000) AS started" if n == "started" else n for n in TYPES)
            connection.execute(
                f"COPY (SELECT {names} FROM read_json(?, columns = {{{columns}}}, format = 'newline_delimited', "
                f"compression = 'zstd', maximum_object_size = {max(_LINE, longest + 1)})) "
                f"TO '{_quoted(part)}' {_AS_PARQUET}",
                [str(lines)],
            )
            _put(part, path)
        finally:
            lines.unlink(missing_ok=True)
            part.unlink(missing_ok=True)
        return Exported(day, path, written, path.stat().st_size)


def _write_lines(path: Path, records: Iterator[dict[str, Any]]) -> tuple[int, int]:
    """Records as lines of JSON, packed: how long the longest is, and how many there are."""
    longest = written = 0
    with path.open("wb") as file, zstandard.ZstdCompressor(level=1).stream_writer(file) as packed:
        for record in records:
            line = _encode(record) + b"\n"
            longest, written = max(longest, len(line)), written + 1
            packed.write(line)
    return longest, written


def _records(database: Database, start: int, said: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    """The traces that began in the day from `start` on, as they began."""
    sql = (
        f"SELECT n, id, {COLUMNS} FROM traces WHERE started_ns >= ? AND started_ns < ? AND (started_ns > ? OR n > ?) "
        "ORDER BY started_ns, n LIMIT ?"
    )
    began, n = start, 0
    while rows := database.query(sql, (began, start + DAY_NS, began, n, _ROWS)):
        for first in range(0, len(rows), _SOME):
            yield from _with_bodies(database, rows[first : first + _SOME], said)
        n, began = rows[-1][0], rows[-1][2 + _NAMES.index("started_ns")]


def _with_bodies(database: Database, rows: Sequence[Row], said: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    bodies = database.bodies.get(database, [row[0] for row in rows])
    for n, id, *columns in rows:
        body = bodies.get(n, NOTHING)
        texts = {"question": said(body.question), "answer": said(body.answer)}
        yield {"trace": bytes(id).hex(), **dict(zip(_NAMES, columns, strict=True)), **texts}


def _erase(paths: Sequence[Path], trace_ids: Sequence[str], tenant: str, users: Sequence[str]) -> int:
    if not paths:
        return 0
    gone, failed = 0, list[StoreError]()
    with _connection() as connection:
        connection.execute("CREATE TEMP TABLE gone (trace VARCHAR)")
        connection.execute("INSERT INTO gone SELECT unnest(?)", [[one.lower() for one in trace_ids]])
        connection.execute("CREATE TEMP TABLE forgotten (tenant VARCHAR, user_id VARCHAR)")
        connection.execute("INSERT INTO forgotten SELECT ?, unnest(?)", [tenant, list(users)])
        for path in paths:
            try:
                gone += _without(connection, path)
            except StoreError as error:
                failed.append(error)
    if failed:
        raise failed[0]
    return gone


def _without(connection: Any, path: Path) -> int:
    """Rewrite one file without what is gone, if any of it is in there; how much that was."""
    part = path.with_name(f".{path.stem}.part")
    with _explained(path):
        of = "coalesce(trace IN (FROM gone) OR (tenant, user_id) IN (FROM forgotten), false)"
        held = "FROM read_parquet(?) WHERE"
        found = int(connection.execute(f"SELECT count(*) {held} {of}", [str(path)]).fetchone()[0])
        if found:
            try:
                connection.execute(
                    f"COPY (SELECT * {held} NOT {of}) TO '{_quoted(part)}' {_AS_PARQUET}",
                    [str(path)],
                )
                _put(part, path)
            finally:
                part.unlink(missing_ok=True)
    return found


def _put(part: Path, path: Path) -> None:
    """Put a file in its place, when it is on the disk."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Be the only one that writes in a folder, which is made; what others left unfinished is taken away."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in folder.glob(".traces-*.part"):
                left.unlink(missing_ok=True)
            yield
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written: {error.strerror}. Name another folder, or free space."
        ) from error


@contextmanager
def _connection() -> Generator[Any]:
    connection = _duckdb().connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY,
            "temp_directory": "",  # what people said is left in no other file
            "threads": "1",  # of which the order of rows is kept all the same
            "preserve_insertion_order": "false",  # without which groups are not of so many bytes
        }
    )
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _explained(path: Path) -> Generator[None]:
    try:
        yield
    except _duckdb().Error as error:
        reason = str(error).strip().partition("\n")[0]
        raise StoreError(f"{path} cannot be read or written: {reason}") from error


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _duckdb() -> Any:
    try:
        return importlib.import_module("duckdb")
    except ModuleNotFoundError as error:
        raise MissingExtraError("Parquet", "duckdb", "sql") from error
