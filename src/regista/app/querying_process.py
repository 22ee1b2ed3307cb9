"""Answers one question in SQL over closed days, and ends: what it may do is taken from it first.

`python -m regista.app.querying_process`: a `Query` comes in on stdin, an `Answer` goes out on stdout. It reads the
files of the days and nothing else, writes no file, and has so much memory; who started it ends it when its time is up.
Needs the extra `sql`.
"""

import importlib
import re
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from regista.store.parquet import files

MEMORY_MB = 512
"""What the engine may hold; the process may have four times as much."""
CELL = 2_000
"""Characters of a cell, and of a column's name and type."""
COLUMNS = 100
PAGE = 5_000_000
"""Characters of all cells together: of many columns each has less."""
THREADS = 2
ALONE_S = 30
"""After so long it ends by itself: who started it may be gone."""


class Query(Struct, frozen=True):
    """One statement over the days in a folder; `count` rows of it, from the `first` on."""

    folder: str
    sql: str
    first: int
    count: int


class Answer(Struct, frozen=True):
    """Columns as (name, type), rows as text (None where there is no value), and whether there are more of them.

    Where it could not be answered, `error` says why in the engine's words.
    """

    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str | None, ...], ...] = ()
    more: bool = False
    took_ns: int = 0
    error: str = ""


_WORD = re.compile(rb"with\b", re.IGNORECASE)
# A WITH may hold a COPY or an INSERT. The engine allows that at the top of a statement alone, where no query here
# stands; but of a PIVOT's values it makes a statement of their own, which begins with the same WITH.
_WITH = "A PIVOT is answered without WITH: write what it names as a subquery, or the values after IN (…)."
encode = msgspec.json.Encoder().encode
decode_query = msgspec.json.Decoder(Query).decode
decode_answer = msgspec.json.Decoder(Answer).decode


def bare() -> None:
    """Give up writing files, and more memory and time than are needed. What is open stays open; pipes are no files."""
    signal.alarm(ALONE_S)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = 4 * MEMORY_MB << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def answer(query: Query) -> Answer:
    """The rows that were asked for, or why there are none."""
    duckdb: Any = importlib.import_module("duckdb")
    started = time.perf_counter_ns()
    connection = _opened(duckdb, Path(query.folder))
    try:
        statements = connection.extract_statements(query.sql)
        kinds = [one.type for one in statements]
        # A PIVOT is several statements in one, and so is all that has one in it: also a COPY, which no query can hold.
        if kinds not in ([duckdb.StatementType.SELECT], [duckdb.StatementType.MULTI]):
            return Answer(error=_refusal(kinds))
        body, has_with = _body(duckdb, statements[0].query)
        if has_with and kinds != [duckdb.StatementType.SELECT]:
            return Answer(error=_WITH)
        head = connection.execute(f"SELECT * FROM ({body}\n) LIMIT 0").description
        if len(head) > COLUMNS:
            return Answer(error=f"These are {len(head):,} columns: ask for {COLUMNS} at most.")
        length = min(CELL, PAGE // (len(head) * (query.count + 1)))
        cells = f"SELECT left(COLUMNS(*)::VARCHAR, {length + 1}) FROM ({body}\n)"
        rows = connection.execute(f"{cells} LIMIT {query.count + 1} OFFSET {query.first}").fetchall()
    except duckdb.Error as error:
        return Answer(error=str(error).strip()[:CELL])
    except MemoryError:
        return Answer(error=f"It needs more than {4 * MEMORY_MB:,} MB of memory.")
    shown = tuple(tuple(None if cell is None else _cut(cell, length) for cell in row) for row in rows[: query.count])
    columns = tuple((_cut(str(name), CELL), _cut(str(kind), CELL)) for name, kind, *_ in head)
    return Answer(columns, shown, len(rows) > query.count, time.perf_counter_ns() - started)


def _opened(duckdb: Any, folder: Path) -> Any:
    """The days as the table `traces`, after which no other file can be named and nothing can be set any more."""
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"{MEMORY_MB}MB",
            "threads": str(THREADS),
            "temp_directory": "",
        }
    )
    paths = ", ".join(_text(str(path)) for path in files(folder))
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute(f"CREATE VIEW traces AS SELECT * FROM read_parquet([{paths}], union_by_name = true)")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _body(duckdb: Any, sql: str) -> tuple[str, bool]:
    """A statement without the semicolons and comments at its end, and whether the word WITH is in it."""
    written = sql.encode()
    tokens = [(start, written[start:]) for start, kind in duckdb.tokenize(sql) if kind != duckdb.token_type.comment]
    ends = [start for start, rest in tokens if rest.startswith(b";")]
    return written[: ends[0] if ends else len(written)].decode(), any(_WORD.match(rest) for _, rest in tokens)


def _refusal(kinds: list[Any]) -> str:
    if len(kinds) != 1:
        return f"These are {len(kinds)} statements: write one." if kinds else "There is no statement: write one."
    return f"This is a {kinds[0].name} statement: only what reads is answered, such as SELECT."


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"


def run() -> None:
    """Answer what comes in."""
    importlib.import_module("duckdb")  # a large library, which is mapped before there is less room
    asked = decode_query(sys.stdin.buffer.read())
    bare()
    sys.stdout.buffer.write(encode(answer(asked)))


if __name__ == "__main__":
    run()
