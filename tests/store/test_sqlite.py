import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from regista.core.errors import StoreError
from regista.store import connect

OPEN = "import sys; from regista.store import connect; connect(sys.argv[1]).query('SELECT count(*) FROM traces')"


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'new' / 'regista.db'}"
    opening = [subprocess.Popen([sys.executable, "-c", OPEN, url]) for _ in range(6)]
    assert [process.wait() for process in opening] == [0] * 6


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "regista.db"
    connect(f"sqlite://{path}").close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version=999")
    newer.close()
    with pytest.raises(StoreError, match=r"newer Regista \(schema 999.*Upgrade"):
        connect(f"sqlite://{path}")


def test_a_file_of_an_older_version_is_not_read_without_bringing_it_up(tmp_path: Path) -> None:
    path = tmp_path / "regista.db"
    sqlite3.connect(path).execute("PRAGMA journal_mode=WAL").connection.close()
    with pytest.raises(StoreError, match="older Regista"):
        connect(f"sqlite://{path}", read_only=True)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path / 'regista.db'}"
    connect(url).close()
    reader = connect(url, read_only=True)
    with pytest.raises(StoreError, match="readonly"), reader.transaction() as transaction:
        transaction.execute("DELETE FROM bodies")
    reader.close()


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "regista.db"
    path.write_text("not a database, but long enough to be looked at as one" * 10)
    with pytest.raises(StoreError, match="move it away"):
        connect(f"sqlite://{path}")


def test_a_folder_in_the_way_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="REGISTA_STORE"):
        connect(f"sqlite://{tmp_path}")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="REGISTA_STORE"):
        connect(f"sqlite://{tmp_path / 'file' / 'regista.db'}")


def test_reading_where_nothing_is_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open"):
        connect(f"sqlite://{tmp_path / 'none.db'}", read_only=True)
    assert not list(tmp_path.iterdir())
