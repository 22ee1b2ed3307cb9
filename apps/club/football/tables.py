"""The figures as tables: their columns, their shipped files, and the SQLite database that tools read.

Knows how figures are kept, not how they are counted. A database is built beside its place and put
there whole, so a reader sees the old one or the new one.
"""

import csv
import gzip
import hashlib
import io
import os
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from .measure import COUNTS

APPLICATION = Path(__file__).parents[1]
DATA = APPLICATION / "data"
DATABASE = APPLICATION / ".regista" / "club.db"

Row = tuple[int | str, ...]
Figures = Mapping[str, list[Row]]
"""Rows by table, in the order of `COLUMNS`."""

INTEGER, TEXT = "INTEGER NOT NULL", "TEXT NOT NULL"
COLUMNS: dict[str, dict[str, str]] = {
    "season": {"name": TEXT},
    "team": {"id": INTEGER, "name": TEXT},
    "player": {"id": INTEGER, "name": TEXT, "full_name": TEXT, "position": TEXT, "born": TEXT, "foot": TEXT},
    "game": {
        "id": INTEGER,
        "round": INTEGER,
        "date": TEXT,
        "home": INTEGER,
        "away": INTEGER,
        "home_score": INTEGER,
        "away_score": INTEGER,
    },
    "appearance": {
        "game": INTEGER,
        "player": INTEGER,
        "team": INTEGER,
        "started": INTEGER,
        "minutes": INTEGER,
        "places": INTEGER,
        "x10": INTEGER,
        "width10": INTEGER,
    },
    "player_match": {
        "game": INTEGER,
        "player": INTEGER,
        **dict.fromkeys(COUNTS, INTEGER),
        "opponent_touches": INTEGER,
        "threat": INTEGER,
    },
    "threat_grid": {"cell": INTEGER, "value": INTEGER},
}
"""Shipped tables. In `appearance`, `x10` and `width10` are tenths of a percent of the pitch: the mean height of a
player's open-play touches and their mean distance from the centre line; `places` says how many. In `player_match`,
`threat` is in thousandths of a goal."""
KEYS = {
    "team": "id",
    "player": "id",
    "game": "id",
    "appearance": "player, game",
    "player_match": "player, game",
    "threat_grid": "cell",
}
DERIVED = """
CREATE TABLE role (player INTEGER, game INTEGER, role TEXT, probability REAL, second TEXT, second_probability REAL,
  PRIMARY KEY (player, game)) WITHOUT ROWID;
CREATE INDEX role_by_name ON role (role);
CREATE TABLE reliability (metric TEXT PRIMARY KEY, noise REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


def write(figures: Figures, folder: Path) -> int:
    """Write every table as `<table>.csv.gz`, the same bytes for the same figures; the sum of their sizes in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    size = 0
    for table, columns in COLUMNS.items():
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(columns)
        lines.writerows(figures[table])
        packed = gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)
        (folder / f"{table}.csv.gz").write_bytes(packed)
        size += len(packed)
    return size


def read(folder: Path) -> Figures:
    """The figures that `write` wrote."""
    figures: dict[str, list[Row]] = {}
    for table, columns in COLUMNS.items():
        with gzip.open(folder / f"{table}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            if next(lines) != list(columns):
                raise ValueError(
                    f"{table}.csv.gz has other columns than this version writes. Export the figures again."
                )
            whole = [kind == INTEGER for kind in columns.values()]
            figures[table] = [tuple(int(v) if n else v for v, n in zip(line, whole, strict=True)) for line in lines]
    return figures


def digest(folder: Path) -> str:
    """Hash of the shipped files and of the code that reads them: another one means the database is out of date."""
    files = sorted([*folder.glob("*.csv.gz"), *Path(__file__).parent.glob("*.py")], key=lambda file: file.name)
    parts = (file.name.encode() + hashlib.sha256(file.read_bytes()).digest() for file in files)
    return hashlib.sha256(b"".join(parts)).hexdigest()


@contextmanager
def building(figures: Figures, path: Path) -> Generator[sqlite3.Connection]:
    """A new database with the figures in it, for the caller to complete; it takes its place when he is done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.new")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(unfinished)) as database:
            database.execute("PRAGMA synchronous = OFF")  # a build that dies is thrown away whole
            for table, columns in COLUMNS.items():
                fields = ", ".join(f"{column} {kind}" for column, kind in columns.items())
                key = f", PRIMARY KEY ({KEYS[table]})) WITHOUT ROWID" if table in KEYS else ")"
                database.execute(f"CREATE TABLE {table} ({fields}{key}")
                slots = ", ".join("?" * len(columns))
                database.executemany(f"INSERT INTO {table} VALUES ({slots})", figures[table])
            database.executescript(DERIVED)
            yield database
            database.commit()
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def connect(path: Path) -> sqlite3.Connection:
    """The database, for reading only; rows are read by column name."""
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    return database


def about(path: Path) -> dict[str, str]:
    """What a database says of itself (`digest`, `source`); nothing where there is none, or none of ours."""
    try:
        with closing(connect(path)) as database:
            return {row["key"]: row["value"] for row in database.execute("SELECT key, value FROM about")}
    except sqlite3.Error:
        return {}
