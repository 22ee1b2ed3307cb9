"""Files of clients and of batches, in parts: what is written is seen only when it is whole. Knows nothing of lines.

A file belongs to a tenant; to any other it is not there. Parts are compressed one by one, so that a file of any
size is written and read in a few hundred kilobytes of memory. Calls block.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import zstandard
from msgspec import Struct

from regista.core.errors import NotFoundError
from regista.store.database import Database, Row, Transaction

PART = 64 * 1024
"""Bytes of a part of an upload."""
ABANDONED_NS = 86_400 * 10**9
"""How long an upload may take: what is not whole by then was given up."""
_PAGE = 32
_ANY = 1 << 40
"""Bytes of a line of any length."""
_PARTS = "SELECT n, body FROM file_parts WHERE file = ? AND n > ? ORDER BY n LIMIT ?"
_STATE = (
    "SELECT count(*), sum(p.size) FROM files f JOIN file_parts p ON p.file = f.id "
    "WHERE f.id = ? AND f.bytes IS NOT NULL GROUP BY f.id"
)
_WHOLE = "SELECT 1 FROM files WHERE id = ? AND bytes IS NOT NULL"
_RESIZE = (
    "UPDATE files SET bytes = (SELECT coalesce(sum(size), 0) FROM file_parts WHERE file = ?) "
    "WHERE id = ? AND bytes IS NOT NULL"
)
_SMALL = 512
"""Bytes below which a part is stored as it is."""
_MAGIC = b"\x28\xb5\x2f\xfd"
_COLUMNS = "id, tenant, name, purpose, bytes, created_ns, expires_ns"


class File(Struct, frozen=True):
    """What is known of a file. Times are nanoseconds since 1970; `expires_ns` is None for one that stays."""

    id: str
    tenant: str
    name: str
    purpose: str
    bytes: int
    created_ns: int
    expires_ns: int | None = None


def begin(database: Database, tenant: str, name: str, purpose: str) -> str:
    """Make a file that nobody sees before `finish`. Its id."""
    with database.transaction() as transaction:
        return enter(transaction, tenant, name, purpose)


def enter(transaction: Transaction, tenant: str, name: str, purpose: str) -> str:
    """As `begin`, together with other writes."""
    file = f"file-{secrets.token_hex(12)}"
    transaction.execute(
        f"INSERT INTO files ({_COLUMNS}) VALUES (?, ?, ?, ?, NULL, ?, NULL)",
        (file, tenant, name, purpose, time.time_ns()),
    )
    return file


def append(database: Database, file: str, n: int, block: bytes) -> None:
    """Write one part of a file."""
    with database.transaction() as transaction:
        write(transaction, file, [(n, block)])


def write(transaction: Transaction, file: str, parts: Iterable[tuple[int, bytes]]) -> None:
    """Write parts of a file, each with its place in it, together with other writes."""
    transaction.executemany(
        "INSERT INTO file_parts (file, n, size, body) VALUES (?, ?, ?, ?)",
        ((file, n, len(block), _pack(block)) for n, block in parts),
    )


def finish(database: Database, file: str, purpose: str, name: str, kept_ns: int | None) -> File:
    """The file is whole: from now on it is there, for so many nanoseconds after it was begun, or for good."""
    with database.transaction() as transaction:
        named = "UPDATE files SET purpose = ?, name = ? WHERE id = ? RETURNING created_ns"
        rows = transaction.execute(named, (purpose, name, file))
        until = rows[0][0] + kept_ns if rows and kept_ns is not None else None
        whole = close(transaction, file, until)
    assert whole is not None, "a file is finished once"  # noqa: S101
    return whole


def close(transaction: Transaction, file: str, expires_ns: int | None) -> File | None:
    """As `finish`, together with other writes; None where there is no such file to be finished."""
    size = "(SELECT coalesce(sum(size), 0) FROM file_parts WHERE file = ?)"
    rows = transaction.execute(
        f"UPDATE files SET bytes = {size}, expires_ns = ? WHERE id = ? AND bytes IS NULL RETURNING {_COLUMNS}",
        (file, expires_ns, file),
    )
    return File(*rows[0]) if rows else None


def reopen(transaction: Transaction, file: str) -> bool:
    """A file that was whole is to be written on, together with other writes; whether it is there."""
    sql = "UPDATE files SET bytes = NULL, expires_ns = NULL WHERE id = ? RETURNING id"
    return bool(transaction.execute(sql, (file,)))


def stay(transaction: Transaction, file: str, until_ns: int) -> None:
    """A file is not to go before then."""
    sql = "UPDATE files SET expires_ns = ? WHERE id = ? AND expires_ns < ?"
    transaction.execute(sql, (until_ns, file, until_ns))


def remove(database: Database, file: str) -> None:
    """Take a file away with its parts, whole or not."""
    with database.transaction() as transaction:
        erase(transaction, [file])


def erase(transaction: Transaction, files: Sequence[str]) -> None:
    """As `remove`, of several and together with other writes."""
    transaction.executemany("DELETE FROM file_parts WHERE file = ?", ((file,) for file in files))
    transaction.executemany("DELETE FROM files WHERE id = ?", ((file,) for file in files))


def find(database: Database, tenant: str, file: str) -> File:
    """A tenant's file.

    Raises:
        NotFoundError: it has no such file.
    """
    rows = database.query(
        f"SELECT {_COLUMNS} FROM files WHERE id = ? AND tenant = ? AND bytes IS NOT NULL {_LIVE}",
        (file, tenant, time.time_ns()),
    )
    if not rows:
        raise NotFoundError(f"There is no file {file!r}.", param="file_id")
    return File(*rows[0])


def listing(
    database: Database, tenant: str, *, purpose: str = "", after: str = "", limit: int = 20, oldest: bool = False
) -> list[File]:
    """A tenant's files, the newest first; of one purpose, and those that follow the file `after`."""
    narrowed, parameters = "", [tenant, time.time_ns()]
    if purpose:
        narrowed, parameters = " AND purpose = ?", [*parameters, purpose]
    order, follows = ("ASC", ">") if oldest else ("DESC", "<")
    if after:
        last = find(database, tenant, after)
        narrowed += f" AND (created_ns {follows} ? OR (created_ns = ? AND id {follows} ?))"
        parameters = [*parameters, last.created_ns, last.created_ns, last.id]
    rows: list[Row] = database.query(
        f"SELECT {_COLUMNS} FROM files WHERE tenant = ? AND bytes IS NOT NULL {_LIVE}{narrowed} "
        f"ORDER BY created_ns {order}, id {order} LIMIT ?",
        (*parameters, limit),
    )
    return [File(*row) for row in rows]


_LIVE = "AND (expires_ns IS NULL OR expires_ns > ?)"


def blocks(database: Database, file: str) -> Iterator[bytes]:
    """A file's content from its beginning, in blocks of its parts."""
    last = -1
    while rows := database.query(_PARTS, (file, last, _PAGE)):
        last = int(rows[-1][0])
        yield b"".join(_unpack(row[1]) for row in rows)


def lines(database: Database, file: str, longest: int) -> Iterator[tuple[int, bytes]]:
    """A file's lines: see `cut`."""
    return cut(blocks(database, file), longest)


def cut(blocks: Iterable[bytes], longest: int) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers from 1, without what ends them; of one over `longest` bytes, a byte more."""
    rest, n = b"", 0
    for block in blocks:
        first, *others = block.split(b"\n")
        rest = rest if len(rest) > longest else rest + first
        for line in others:
            n += 1
            yield n, rest[: longest + 1].removesuffix(b"\r")
            rest = line
    if rest:
        yield n + 1, rest[: longest + 1]


def numbers(database: Database, files: Sequence[str], first: int = 0, last: int = 1 << 62) -> list[int]:
    """The places in these files where something was written, from `first` to `last`."""
    marks = ", ".join("?" * len(files))
    sql = f"SELECT n FROM file_parts WHERE file IN ({marks}) AND n >= ? AND n <= ?"
    return [int(row[0]) for row in database.query(sql, [*files, first, last])]


def of_purpose(database: Database, tenant: str, purpose: str) -> list[str]:
    """The ids of a tenant's files of a purpose, also of those that are being written."""
    sql = "SELECT id FROM files WHERE tenant = ? AND purpose = ? ORDER BY created_ns, id"
    return [str(id) for (id,) in database.query(sql, (tenant, purpose))]


def empty_lines(database: Database, file: str, goes: Callable[[bytes], bool]) -> int:
    """Leave an empty line in the place of each that goes; how many those were. The file is whole all the time.

    One that is being uploaded is left as it is: its next part would find no place.
    """
    while rows := database.query(_STATE, (file,)):
        gone = {n for n, line in lines(database, file, _ANY) if goes(line)}
        if not gone:
            return 0
        kept = (b"\n" if n in gone else line + b"\n" for n, line in lines(database, file, _ANY))
        if _exchange(database, file, kept, rows):
            return len(gone)
    return 0


def _exchange(database: Database, file: str, kept: Iterable[bytes], known: Sequence[Row]) -> bool:
    """Put these lines in the place of a file's, unless it is no longer as it was known: others may be at it too."""
    beside = f"{file}.{secrets.token_hex(4)}"
    erase_parts = "DELETE FROM file_parts WHERE file = ?"
    try:
        for n, block in enumerate(_blocks(kept)):
            append(database, beside, n, block)
        with database.transaction() as transaction:
            if transaction.execute(_STATE, (file,)) != known:
                return False
            transaction.execute(erase_parts, (file,))
            transaction.execute("UPDATE file_parts SET file = ? WHERE file = ?", (file, beside))
            transaction.execute(_RESIZE, (file, file))
            return True
    finally:
        with database.transaction() as transaction:
            transaction.execute(erase_parts, (beside,))


def drop_parts(database: Database, file: str, goes: Callable[[bytes], bool]) -> int:
    """Take away the parts that go of a file that was written line by line; how many those were.

    While it is being written, they stay as empty lines: what is there is done.
    """
    gone, last = list[int](), -1
    while rows := database.query(_PARTS, (file, last, _PAGE)):
        last = int(rows[-1][0])
        gone += [int(n) for n, body in rows if goes(_unpack(body))]
    for start in range(0, len(gone), _PAGE):
        some = gone[start : start + _PAGE]
        marks = ", ".join("?" * len(some))
        with database.transaction() as transaction:
            whole = transaction.execute(_WHOLE, (file,))
            change = "DELETE FROM file_parts" if whole else "UPDATE file_parts SET size = 1, body = ?"
            given = [] if whole else [b"\n"]
            transaction.execute(f"{change} WHERE file = ? AND n IN ({marks})", [*given, file, *some])
            transaction.execute(_RESIZE, (file, file))
    return len(gone)


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for line in lines:
        held += line
        if len(held) >= PART:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def sweep(database: Database, now_ns: int) -> None:
    """Take away what has expired, and uploads that were never finished."""
    rows = database.query(
        "SELECT id FROM files WHERE expires_ns <= ? OR (bytes IS NULL AND purpose = 'batch' AND created_ns < ?) "
        "LIMIT 100",
        (now_ns, now_ns - ABANDONED_NS),
    )
    for (file,) in rows:
        remove(database, file)


def _pack(body: bytes) -> bytes:
    """Compressed, if that pays or if it would be taken for something compressed."""
    return body if len(body) < _SMALL and not body.startswith(_MAGIC) else zstandard.compress(body, 3)


def _unpack(body: bytes) -> bytes:
    return zstandard.decompress(body) if body.startswith(_MAGIC) else bytes(body)
