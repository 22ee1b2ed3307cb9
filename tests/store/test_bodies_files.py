"""The files of weeks: what they hold, and what becomes of the rest when they do not."""

import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from regista.core.errors import StoreError
from regista.core.nouns import Trace, Usage
from regista.store import Database, bodies_sqlite, connect
from regista.store.bodies import Body, compressed, dictionary_id, encoded
from regista.store.forgetting import forget
from regista.store.traces import GONE, TraceRow, find, recent, search, write

EMPTY = Trace("0" * 32, "club", "", "", "", 0, 0, 0, "ok", "", "", Usage(), 0, "", "", "", (), ())
STEP = 3


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies_sqlite, "STEP", STEP)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path / 'regista.db'}"


def keep(database: Database, first: int, last: int, **changes: Any) -> None:
    """Traces of these numbers, each in a transaction of its own."""
    for n in range(first, last + 1):
        fields = {"started_ns": n, "question": f"word{n} all", "answer": "yes"} | changes
        with database.transaction() as transaction:
            write(transaction, [replace(EMPTY, id=f"{n:032x}", **fields)])


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("regista-*-W*.db"))


def questions(rows: list[TraceRow]) -> list[str]:
    return [row.question for row in rows]


def test_older_bodies_are_in_the_file_of_the_week(database: Database, tmp_path: Path) -> None:
    keep(database, 1, 8)
    year, week, _ = time.strftime("%G %V %u", time.gmtime()).split()
    (file,) = files(tmp_path)
    assert file.name == f"regista-{year}-W{week}.db"
    with closing(sqlite3.connect(file)) as opened:
        assert [n for (n,) in opened.execute("SELECT trace FROM bodies")] == [1, 2, 3, 4, 5, 6]
    assert database.query("SELECT trace FROM bodies") == [(7,), (8,)]


def test_bodies_are_smaller_with_a_dictionary_made_of_them(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies_sqlite, "STEP", 1_000)
    texts = [
        f"The member {n} of the sailing club asks for {n * 7919 % 1000} new sails and a boat." for n in range(1_200)
    ]
    for start in range(0, 1_200, 400):
        with database.transaction() as transaction:
            write(
                transaction,
                [
                    replace(EMPTY, id=f"{n + 1:032x}", started_ns=n + 1, question=texts[n], answer=texts[-n])
                    for n in range(start, start + 400)
                ],
            )
    keep(database, 1_201, 1_201)
    with closing(sqlite3.connect(files(tmp_path)[0])) as opened:
        bodies = [body for (body,) in opened.execute("SELECT body FROM bodies")]
    assert len(bodies) == 1_000 and all(dictionary_id(body) for body in bodies)
    plain = sum(len(encoded(Body(texts[n], texts[-n]))) for n in range(1_000))
    assert sum(map(len, bodies)) < plain / 3
    assert find(database, f"{700:032x}").question == texts[699]


def test_bodies_of_an_earlier_version_stay_readable_and_are_found(database: Database) -> None:
    """Those were compressed, and all in one table."""
    keep(database, 1, 2)
    with database.transaction() as transaction:
        transaction.execute("UPDATE bodies SET body = ? WHERE trace = 1", (compressed(encoded(Body("old", "body"))),))
    assert questions(recent(database)) == ["word2 all", "old"]
    assert questions(search(database, "body")) == ["old"]
    keep(database, 3, 9)
    assert database.query("SELECT min(trace) FROM bodies") == [(7,)]
    assert questions(search(database, "body")) == ["old"]


@pytest.mark.parametrize("harm", ["gone", "empty", "garbage", "torn", "dictionary"])
def test_a_file_that_is_gone_or_damaged_takes_nothing_else_with_it(url: str, tmp_path: Path, harm: str) -> None:
    with closing(connect(url)) as database:
        keep(database, 1, 8)
    (file,) = files(tmp_path)
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    whole = file.read_bytes()
    if harm == "gone":
        file.unlink()
    elif harm == "dictionary":
        with closing(sqlite3.connect(file)) as opened, opened:
            opened.execute("UPDATE bodies SET body = x'28b52ffd23ffffffff0100'")
    else:
        pages = {"empty": b"", "garbage": b"no database" * 999, "torn": whole[:4096] + b"\xff" * (len(whole) - 4096)}
        file.write_bytes(pages[harm])
    with closing(connect(url)) as database:
        assert questions(recent(database)) == ["word8 all", "word7 all", *[GONE] * 6]
        assert find(database, f"{3:032x}").question == GONE
        assert questions(search(database, "all")) == ["word8 all", "word7 all"]
        # What comes next is kept all the same, in another file where it must.
        keep(database, 9, 20)
        found = questions(search(database, "all"))
        assert found == [f"word{n} all" for n in range(20, 6, -1)]
        assert questions(recent(database, limit=14)) == found
        assert database.query("SELECT count(*) < 6 FROM bodies") == [(1,)]


def test_a_body_left_behind_by_a_crash_is_replaced(url: str, tmp_path: Path) -> None:
    """The file of the week is durable before the tables: after a loss of power those may know less than it."""
    with closing(connect(url)) as database:
        keep(database, 1, 5)
    shutil.copy(tmp_path / "regista.db", tmp_path / "before.db")
    with closing(connect(url)) as database:
        keep(database, 6, 14)
    shutil.move(tmp_path / "before.db", tmp_path / "regista.db")
    with closing(connect(url)) as database:
        assert questions(recent(database)) == [f"word{n} all" for n in range(5, 0, -1)]
        assert questions(search(database, "word7")) == []
        for n in range(6, 20):
            keep(database, n, n, question=f"other{n} all")
            assert questions(search(database, "all", limit=3))[0] == f"other{n} all"
            assert search(database, f"word{n}") == []
        assert questions(search(database, "other7")) == ["other7 all"]
        assert questions(recent(database)) == [f"other{n} all" for n in range(19, 5, -1)] + [
            f"word{n} all" for n in range(5, 0, -1)
        ]
    (file,) = files(tmp_path)
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        assert opened.execute("SELECT count(*) FROM words WHERE words MATCH 'word7'").fetchone() == (0,)


def test_what_a_crash_left_in_another_week_is_not_found(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers 6 to 8 are in the files of two weeks, of traces that were lost in the first of them."""

    class Clock:
        day = 2

        @classmethod
        def now(cls, zone: object) -> datetime:
            return datetime(2026, 11, cls.day, tzinfo=UTC)

    monkeypatch.setattr(bodies_sqlite, "datetime", Clock)
    with closing(connect(url)) as database:
        keep(database, 1, 5)
    shutil.copy(tmp_path / "regista.db", tmp_path / "before.db")
    with closing(connect(url)) as database:
        keep(database, 6, 14)
    shutil.move(tmp_path / "before.db", tmp_path / "regista.db")
    Clock.day = 9
    with closing(connect(url)) as database:
        keep(database, 6, 14, question="other all")
        Clock.day = 2
        keep(database, 15, 20)
        assert len(files(tmp_path)) == 2
        assert [questions(search(database, f"word{n}")) for n in (5, 6, 7, 8, 16)] == [
            ["word5 all"],
            [],
            [],
            [],
            ["word16 all"],
        ]
        assert len(search(database, "other")) == 9


def test_a_transaction_that_fails_after_bodies_moved_leaves_them_where_they_were(database: Database) -> None:
    keep(database, 1, 3)
    with pytest.raises(KeyError), database.transaction() as transaction:
        write(transaction, [replace(EMPTY, id=f"{4:032x}", started_ns=4, question="lost all")])
        raise KeyError
    assert questions(recent(database)) == ["word3 all", "word2 all", "word1 all"] == questions(search(database, "all"))
    keep(database, 4, 8)
    assert questions(search(database, "all")) == [f"word{n} all" for n in range(8, 0, -1)]


WRITER = """
import sys, time
from msgspec.structs import replace
from regista.core.nouns import Trace, Usage
from regista.store import bodies_sqlite, connect
from regista.store.forgetting import forget
from regista.store.traces import write

bodies_sqlite.STEP = 20
empty = Trace("0" * 32, "club", "", "", "", 0, 0, 0, "ok", "", "", Usage(), 0, "", "", "", (), ())
database = connect(sys.argv[1])
n = database.query("SELECT coalesce(max(started_ns), 0) FROM traces")[0][0]
print("ready", flush=True)
while True:
    some = [replace(empty, id=f"{n + i:032x}", started_ns=n + i, question=f"word{n + i} all") for i in range(1, 8)]
    with database.transaction() as transaction:
        write(transaction, some)
    n += len(some)
    print(n, flush=True)
"""


def test_writers_that_are_killed_lose_no_body_and_no_search(url: str, tmp_path: Path) -> None:
    known, rows = 0, list[TraceRow]()
    for turn in range(25):
        with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            for _ in range(turn % 5):
                known = int(process.stdout.readline())
            time.sleep(turn % 7 * 0.0009)
            process.kill()
            known = max([known, *(int(line) for line in process.stdout.read().split("\n")[:-1])])
        with closing(connect(url)) as database:
            rows = recent(database, limit=10_000)
            assert questions(rows) == [f"word{n} all" for n in range(len(rows), 0, -1)]
            assert len(rows) >= known
            assert questions(search(database, "all", limit=10_000)) == questions(rows)
            for n in range(1, len(rows), 11):
                assert questions(search(database, f"word{n}")) == [f"word{n} all"]
    for path in (tmp_path / "regista.db", *files(tmp_path)):
        with closing(sqlite3.connect(path)) as opened:
            assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(sqlite3.connect(files(tmp_path)[0])) as opened:
        opened.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    assert len(rows) > 300


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_a_week_that_is_forgotten_is_deleted(database: Database, tmp_path: Path) -> None:
    keep(database, 1, 8)
    reader = connect(f"sqlite://{tmp_path / 'regista.db'}")
    assert len(search(reader, "all")) == 8
    (file,) = files(tmp_path)
    assert forget(database, 7) == 6
    assert not file.exists() and not file.with_name(file.name + "-wal").exists()
    assert questions(search(reader, "all")) == ["word8 all", "word7 all"]
    keep(reader, 9, 14)  # who had the old file open writes to a new one
    assert questions(search(database, "all")) == [f"word{n} all" for n in range(14, 6, -1)]
    assert file.exists()
    reader.close()


def test_of_a_week_forgotten_in_part_no_byte_is_left(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies_sqlite, "STEP", 1_000)
    texts = {n: f"{'hushed' if n < 500 else 'open'}{n} of the club, all" for n in range(1, 1_101)}
    with closing(connect(url)) as database:
        for start in range(1, 1_101, 550):
            some = [
                replace(EMPTY, id=f"{n:032x}", started_ns=n, question=texts[n], answer=texts[n])
                for n in range(start, start + 550)
            ]
            with database.transaction() as transaction:
                write(transaction, some)
        keep(database, 1_101, 1_101)
        assert forget(database, 500) == 499
        assert questions(search(database, "open700")) == [texts[700]]
        assert search(database, "hushed7") == []
        assert questions(recent(database, limit=602)) == ["word1101 all"] + [texts[n] for n in range(1_100, 499, -1)]
        assert database.query("SELECT low_ns FROM body_steps") == [(500,)]
    (file,) = files(tmp_path)
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        assert opened.execute("SELECT count(*) FROM bodies").fetchone() == (501,)
        assert opened.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert b"hushed" not in everything(tmp_path)
    assert b"open" in everything(tmp_path)


def test_a_file_that_no_table_names_goes_too(url: str, tmp_path: Path) -> None:
    with closing(connect(url)) as database:
        keep(database, 1, 8)
        left = tmp_path / "regista-2020-W07.db"
        shutil.copy(files(tmp_path)[-1], left)
        other = tmp_path / "regista-2020-W07.db.copy"
        other.write_text("not ours")
        forget(database, 1)
        assert not left.exists() and other.exists()
        assert len(search(database, "all")) == 8


def test_a_full_disk_is_told_and_passes(url: str, tmp_path: Path) -> None:
    with closing(connect(url)) as database:
        keep(database, 1, 3)
        # A limit on the size of files is a disk that is full at the file of the week, and has room elsewhere.
        full = subprocess.run(
            [
                *("bash", "-c", 'ulimit -f 40; trap "" XFSZ; exec "$@"', "-", sys.executable, "-c"),
                FULL,
                url,
            ],
            capture_output=True,
            text=True,
        )
        assert "disk" in full.stdout and "StoreError" in full.stdout, full
        assert questions(recent(database)) == [f"word{n} all" for n in (3, 2, 1)]
        keep(database, 4, 8)
        assert questions(search(database, "all")) == [f"word{n} all" for n in range(8, 0, -1)]


FULL = """
import sys
from msgspec.structs import replace
from regista.core.nouns import Trace, Usage
from regista.store import bodies_sqlite, connect
from regista.store.forgetting import forget
from regista.store.traces import write

bodies_sqlite.STEP = 1
empty = Trace("0" * 32, "club", "", "", "", 0, 0, 0, "ok", "", "", Usage(), 0, "", "", "", (), ())
database = connect(sys.argv[1])
try:
    with database.transaction() as transaction:
        write(transaction, [replace(empty, id=f"{4:032x}", started_ns=4, question="lost")])
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_file_another_process_holds_is_waited_for_by_nobody(url: str, tmp_path: Path) -> None:
    with closing(connect(url)) as database:
        keep(database, 1, 8)
        with closing(sqlite3.connect(files(tmp_path)[0], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            keep(database, 9, 10)
            assert questions(search(database, "all")) == [f"word{n} all" for n in range(10, 0, -1)]
        keep(database, 11, 14)
        assert questions(search(database, "all")) == [f"word{n} all" for n in range(14, 0, -1)]
        assert database.query("SELECT min(trace) FROM bodies") == [(13,)]


def test_reading_alone_makes_no_file(url: str, tmp_path: Path) -> None:
    with closing(connect(url)) as database:
        keep(database, 1, 8)
    (file,) = files(tmp_path)
    with closing(connect(url, read_only=True)) as reader:
        assert len(search(reader, "all")) == 8
        file.rename(tmp_path / "elsewhere")
        assert len(search(reader, "all")) == 2
    assert files(tmp_path) == []


def test_what_cannot_be_forgotten_is_told(url: str, tmp_path: Path) -> None:
    with closing(connect(url)) as database:
        keep(database, 1, 8)
    (file,) = files(tmp_path)
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    file.write_bytes(b"no database" * 999)
    with closing(connect(url)) as database, pytest.raises(StoreError, match="may still be in it"):
        forget(database, 3)
