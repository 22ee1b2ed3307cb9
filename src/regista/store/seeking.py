"""Looks for pieces of text in the bytes of a store's files, and in the rows that may rightly hold them.

It is how an erasure is checked: what no row says any more must be in no byte either. Calls block.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from regista.store.database import Database, Sought
from regista.text.words import phrases

BLOCK = 4 << 20
LONGEST = 48
"""Bytes of a piece, at most."""
SHORTEST = 12
"""The same at the least: fewer are in many texts by chance."""
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


class Found(NamedTuple):
    """Where pieces are still: in rows of tables, as others said the same, and in files where no row says it."""

    rows: dict[str, int]
    files: list[Path]


def piece_of(text: str) -> bytes:
    """Some bytes out of the middle of a text by which it is known again; none of one that is too short."""
    whole = text.strip().encode("utf-8", "replace")
    start = max(0, (len(whole) - LONGEST) // 2)
    piece = whole[start : start + LONGEST].decode("utf-8", "ignore").encode()
    return piece if len(piece) >= SHORTEST else b""


def look(database: Database, pieces: Sequence[bytes]) -> Found:
    """Look for pieces in all files of a database, once its logs are empty; nothing of one that is on a server.

    Raises `StoreError`, where a file cannot be read.
    """
    files = database.files()
    there = {file: [piece for piece in pieces if piece in found] for file, found in _in(files, pieces)}
    rows: dict[str, int] = {}
    said = {piece: _rows(database, piece) for piece in {piece for some in there.values() for piece in some}}
    for known in said.values():
        for table, count in known.items():
            rows[table] = rows.get(table, 0) + count
    return Found(rows, [file for file, some in there.items() if any(not said[piece] for piece in some)])


def _in(files: Iterable[Path], pieces: Sequence[bytes]) -> Iterable[tuple[Path, set[bytes]]]:
    for file in files:
        found, before = set[bytes](), b""
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                seen = before + block
                found |= {piece for piece in pieces if piece not in found and piece in seen}
                before = seen[-LONGEST:]
        yield file, found


def _rows(database: Database, piece: bytes) -> dict[str, int]:
    """In how many rows of which tables a piece is."""
    found: dict[str, int] = {}
    for (table,) in database.query(_TABLES):
        columns = [row[0] for row in database.query(f"SELECT name FROM pragma_table_info('{table}')")]
        anywhere = " OR ".join(f'instr(CAST("{column}" AS BLOB), ?) > 0' for column in columns)
        ((count,),) = database.query(f'SELECT count(*) FROM "{table}" WHERE {anywhere}', [piece] * len(columns))
        if count:
            found[table] = int(count)
    if not found and (sought := phrases(f'"{_words(piece)}"')):
        said = database.bodies.search(database, Sought(sought), 20)
        texts = [f"{body.question}\n{body.answer}".encode("utf-8", "replace") for _, body in said]
        if count := sum(piece in text for text in texts):
            found["bodies"] = count
    return found


def _words(piece: bytes) -> str:
    """The words of a piece that are whole: at both ends one may be cut."""
    return " ".join(piece.decode("utf-8", "ignore").replace('"', " ").split()[1:-1])
