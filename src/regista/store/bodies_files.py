"""The files of weeks beside SQLite's: bodies, compressed with a dictionary made of some of them, and their words.

A dictionary holds pieces of what was said, so it lives and goes with the file it is of. Knows no trace: a body has a
number.
"""

import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import zstandard

from regista.store.bodies import dictionary_id, indexed, texts_from
from regista.store.sqlite import PATIENCE_S, compact, unusable, write_ahead

IDLE = 12
"""Connections kept for later."""
BUSY_S = 1.0
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS bodies (trace INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS dictionaries (id INTEGER PRIMARY KEY, dictionary BLOB NOT NULL)",
    # Text beyond ASCII comes as words already (see text/words.py): to this tokenizer all of it is letters.
    "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(said, content='', columnsize=0, tokenize='ascii')",
)
LEVEL = 3
DICTIONARY = 65_536
"""Bytes: on bodies of 1.5 kB of prose that does not repeat, 401 a body; 415 with half of it, 393 with 112,640."""
COUNTERS = 18
"""Two to this power count what stands in samples: as good a dictionary as with 20, made in a third of the memory."""
ENOUGH = 300
"""Bodies from which a dictionary is made, and how many are looked at, at most."""
SAMPLES = 1_000
SAMPLE = 32_768
"""Bytes of a body that are looked at."""
CHUNK = 500
"""Numbers in one query, and rows between two rests."""
DAMAGED = (sqlite3.DatabaseError, zstandard.ZstdError)
"""What comes out of a file that is missing or not what it was."""
_INSERT_BODY = "INSERT OR REPLACE INTO bodies VALUES (?, ?)"
_INSERT_WORDS = "INSERT INTO words (rowid, said) VALUES (?, ?)"
_REMOVE_WORDS = "INSERT INTO words (words, rowid, said) VALUES ('delete', ?, ?)"
Rest = Callable[[], object]


def busy(error: Exception) -> bool:
    """Whether another process is at the file, which passes."""
    return isinstance(error, sqlite3.OperationalError) and ("locked" in str(error) or "busy" in str(error))


class Files:
    """Opens files by their names, and keeps some open. Threads may use it at once."""

    def __init__(self, folder: Path, cache_kb: int, *, read_only: bool) -> None:
        self.folder = folder
        self._cache_kb = cache_kb
        self._read_only = read_only
        self._lock = threading.Lock()
        self._idle: list[tuple[str, int, sqlite3.Connection]] = []
        self._dictionaries: dict[tuple[str, int], zstandard.ZstdCompressionDict] = {}

    @contextmanager
    def opened(self, name: str, *, make: bool = False) -> Generator[sqlite3.Connection]:
        """A connection nobody else uses. After an error it is not used again."""
        connection = self._kept(name) or self._connect(name, make=make)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append((name, self._inode(name), connection))
            dropped = self._idle.pop(0)[2] if len(self._idle) > IDLE else None
        if dropped is not None:
            dropped.close()

    def bodies(self, name: str, connection: sqlite3.Connection, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Those of these numbers that are there, as they were before they were compressed."""
        for start in range(0, len(numbers), CHUNK):
            some = numbers[start : start + CHUNK]
            marks = ", ".join("?" * len(some))
            rows = connection.execute(f"SELECT trace, body FROM bodies WHERE trace IN ({marks})", some).fetchall()
            yield from self._plain(name, connection, rows)

    def store(self, name: str, connection: sqlite3.Connection, said: Sequence[tuple[int, bytes]], rest: Rest) -> None:
        """Keep encoded bodies, which come in the order of their numbers, and their words; durable when it returns.

        Numbers that are there already, which a crash has left behind, hold what is given now.
        """
        with _written(connection):
            left = connection.execute(
                "SELECT trace, body FROM bodies WHERE trace BETWEEN ? AND ?", (said[0][0], said[-1][0])
            ).fetchall()
            connection.executemany(_REMOVE_WORDS, _words(self._plain(name, connection, left)))
            connection.executemany("DELETE FROM bodies WHERE trace = ?", [(n,) for n, _ in left])
            compress = _compressor(connection, [plain for _, plain in said])
            connection.executemany(_INSERT_BODY, _rested(((n, compress(plain)) for n, plain in said), rest))
            connection.executemany(_INSERT_WORDS, _rested(_words(said), rest))

    def take_out(self, name: str, connection: sqlite3.Connection, gone: Callable[[Sequence[int]], set[int]]) -> int:
        """Make the file anew without the bodies of some numbers: no dictionary, word or free page holds them.

        `gone` says which of the numbers that are there are to go; meanwhile nobody adds any. Returns how many went.
        """
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(f"PRAGMA busy_timeout={PATIENCE_S * 1000:.0f}")
        with _written(connection):
            numbers = [n for (n,) in connection.execute("SELECT trace FROM bodies")]
            leaving = gone(numbers)
            if not leaving:
                return 0
            connection.executemany("DELETE FROM bodies WHERE trace = ?", [(n,) for n in leaving])
            numbers = [n for n in numbers if n not in leaving]
            samples = [plain for _, plain in self.bodies(name, connection, numbers[-SAMPLES:])]
            dictionary = _trained(samples)
            compress = _compress(dictionary)
            connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
            for start in range(0, len(numbers), CHUNK):
                some = list(self.bodies(name, connection, numbers[start : start + CHUNK]))
                connection.executemany(_INSERT_BODY, [(n, compress(plain)) for n, plain in some])
                connection.executemany(_INSERT_WORDS, _words(some))
            connection.execute("DELETE FROM dictionaries")
            _keep(connection, dictionary)
        compact(connection)
        connection.execute(f"PRAGMA busy_timeout={BUSY_S * 1000:.0f}")
        return len(leaving)

    def holds(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> bool:
        """Whether one of these bodies is there."""
        for start in range(0, len(numbers), CHUNK):
            some = numbers[start : start + CHUNK]
            marks = ", ".join("?" * len(some))
            if connection.execute(f"SELECT 1 FROM bodies WHERE trace IN ({marks}) LIMIT 1", some).fetchone():
                return True
        return False

    def delete(self, name: str) -> None:
        """Take a file away; whoever has it open notices before the next use. Raises `StoreError` where it cannot be."""
        with self._lock:
            mine = [connection for known, _, connection in self._idle if known == name]
            self._idle = [one for one in self._idle if one[0] != name]
        for connection in mine:
            connection.close()
        try:
            for suffix in ("", "-wal", "-shm"):
                (self.folder / f"{name}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            raise unusable(self.folder / name, f"it cannot be taken away: {error.strerror}") from error

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for _, _, connection in idle:
            connection.close()

    def _inode(self, name: str) -> int:
        try:
            return (self.folder / name).stat().st_ino
        except OSError:
            return 0

    def _kept(self, name: str) -> sqlite3.Connection | None:
        inode, stale = self._inode(name), list[sqlite3.Connection]()
        found: sqlite3.Connection | None = None
        with self._lock:
            for at in range(len(self._idle) - 1, -1, -1):
                if self._idle[at][0] == name and found is None:
                    _, known, connection = self._idle.pop(at)
                    if known == inode != 0:
                        found = connection
                    else:
                        stale.append(connection)
        for connection in stale:
            connection.close()
        return found

    def _connect(self, name: str, *, make: bool) -> sqlite3.Connection:
        mode = "ro" if self._read_only else "rwc" if make else "rw"
        uri = f"{(self.folder / name).absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA cache_size=-{self._cache_kb}")
            if not self._read_only:
                connection.execute("PRAGMA synchronous=NORMAL")
            if make:
                write_ahead(connection)
                with _written(connection):
                    for words in SCHEMA:
                        connection.execute(words)
        except BaseException:
            connection.close()
            raise
        return connection

    def _plain(
        self, name: str, connection: sqlite3.Connection, rows: Iterable[tuple[int, bytes]]
    ) -> Iterator[tuple[int, bytes]]:
        decompressors: dict[int, zstandard.ZstdDecompressor] = {0: zstandard.ZstdDecompressor()}
        for n, body in rows:
            with suppress(zstandard.ZstdError):  # one that is damaged is as one that is missing
                number = dictionary_id(body)
                if number not in decompressors:
                    dictionary = self._dictionary(name, connection, number)
                    decompressors[number] = zstandard.ZstdDecompressor(dict_data=dictionary)
                yield n, decompressors[number].decompress(body)

    def _dictionary(self, name: str, connection: sqlite3.Connection, number: int) -> zstandard.ZstdCompressionDict:
        known = self._dictionaries.get((name, number))
        if known is None:
            row = connection.execute("SELECT dictionary FROM dictionaries WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise zstandard.ZstdError(f"dictionary {number} is missing")
            if len(self._dictionaries) >= 4 * IDLE:
                self._dictionaries.clear()
            known = self._dictionaries[name, number] = zstandard.ZstdCompressionDict(row[0])
        return known


@contextmanager
def _written(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _rested(rows: Iterable[tuple[int, object]], rest: Rest) -> Iterator[tuple[int, object]]:
    for at, row in enumerate(rows, 1):
        yield row
        if not at % (CHUNK // 10):
            rest()


def _words(said: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, str]]:
    return ((n, indexed(texts_from(plain))) for n, plain in said)


def _compressor(connection: sqlite3.Connection, plains: Sequence[bytes]) -> Callable[[bytes], bytes]:
    """With the file's dictionary, which is made now if there is none and there is enough to make it of."""
    row = connection.execute("SELECT dictionary FROM dictionaries LIMIT 1").fetchone()
    if row is not None:
        return _compress(zstandard.ZstdCompressionDict(row[0]))
    dictionary = _trained(plains)
    _keep(connection, dictionary)
    return _compress(dictionary)


def _trained(plains: Sequence[bytes]) -> zstandard.ZstdCompressionDict | None:
    samples: list[Any] = [plain[:SAMPLE] for plain in plains[-SAMPLES:] if len(plain) >= 8]
    if len(samples) < ENOUGH:
        return None
    try:
        return zstandard.train_dictionary(DICTIONARY, samples, f=COUNTERS)
    except zstandard.ZstdError:  # too little in them, or all the same
        return None


def _keep(connection: sqlite3.Connection, dictionary: zstandard.ZstdCompressionDict | None) -> None:
    if dictionary is not None:
        row = (dictionary.dict_id(), dictionary.as_bytes())
        connection.execute("INSERT OR REPLACE INTO dictionaries VALUES (?, ?)", row)


def _compress(dictionary: zstandard.ZstdCompressionDict | None) -> Callable[[bytes], bytes]:
    if dictionary is None:
        return zstandard.ZstdCompressor(level=LEVEL).compress
    made: Any = dictionary
    made.precompute_compress(level=LEVEL)
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary).compress
