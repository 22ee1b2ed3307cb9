"""What both engines promise, whatever the tables are."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from regista.core.errors import StoreError
from regista.store import Database, connect
from regista.store.schema import steps

OPEN = "import sys; from regista.store import connect; connect(sys.argv[1]).query('SELECT count(*) FROM traces')"
INSERT = "INSERT INTO bodies VALUES (?, ?)"


def test_processes_that_open_a_new_database_at_once_all_succeed(url: str) -> None:
    opening = [subprocess.Popen([sys.executable, "-c", OPEN, url]) for _ in range(6)]
    assert [process.wait() for process in opening] == [0] * 6


def test_every_step_of_the_schema_is_applied_once(database: Database, url: str) -> None:
    connect(url).close()
    tables = {
        words.split("CREATE TABLE ")[1].split()[0] for step in steps() for words in step if "CREATE TABLE" in words
    }
    assert len(tables) > 10
    for table in tables:
        database.query(f"SELECT * FROM {table}")


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(KeyError), database.transaction() as transaction:
        transaction.execute(INSERT, (1, b"\0"))
        raise KeyError
    assert database.query("SELECT * FROM bodies") == []
    with database.transaction() as transaction:
        transaction.execute(INSERT, (2, b"\0"))
    assert database.query("SELECT * FROM bodies") == [(2, b"\0")]


def test_a_mistake_in_the_program_is_not_told_as_a_broken_database(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)unique") as caught, database.transaction() as transaction:
        transaction.executemany(INSERT, [(1, b""), (1, b"")])
    assert not isinstance(caught.value, StoreError)
    assert database.query("SELECT * FROM bodies") == []


def test_the_version_changes_with_any_commit_and_with_nothing_else(database: Database, url: str) -> None:
    before = database.version()
    database.query("SELECT * FROM bodies")
    assert database.version() == before
    with database.transaction() as transaction:
        transaction.execute(INSERT, (1, b"\0"))
    own = database.version()
    other = connect(url)
    with other.transaction() as transaction:
        transaction.execute("DELETE FROM bodies")
    other.close()
    assert len({before, own, database.version()}) == 3


def test_transactions_go_one_after_the_other(database: Database) -> None:
    """What was read in a transaction holds when it writes: no number is given twice, and none left out."""

    def take(_: int) -> None:
        for _ in range(20):
            with database.transaction() as transaction:
                n = transaction.execute("SELECT coalesce(max(trace), 0) + 1 FROM bodies")[0][0]
                transaction.execute(INSERT, (n, b""))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(take, range(6)))
    assert [row[0] for row in database.query("SELECT trace FROM bodies ORDER BY trace")] == list(range(1, 121))


def test_what_is_read_in_a_transaction_is_what_it_wrote_and_others_do_not_see_it_yet(database: Database) -> None:
    with ThreadPoolExecutor(1) as elsewhere, database.transaction() as transaction:
        transaction.execute(INSERT, (1, b""))
        assert transaction.execute("SELECT trace FROM bodies") == [(1,)]
        assert elsewhere.submit(database.query, "SELECT trace FROM bodies").result() == []
    assert database.query("SELECT trace FROM bodies") == [(1,)]


def test_values_come_back_as_they_were_and_text_is_ordered_by_code_points(database: Database) -> None:
    names = ["Z", "a", "Ä", "b\0c", "b\x1a0c", "é", "\x1a", "😀", ""]
    with database.transaction() as transaction:
        transaction.executemany(
            "INSERT INTO evaluation_cases VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(bytes([n]), name, "", "", n / 3, n % 2 == 0, b"\0\xff") for n, name in enumerate(names)],
        )
    rows = database.query("SELECT id, weight, critical, body FROM evaluation_cases ORDER BY digest")
    assert rows == [(name, n / 3, int(n % 2 == 0), b"\0\xff") for n, name in enumerate(names)]
    plain = [name for name in names if "\0" not in name and "\x1a" not in name]
    ordered = [row[0] for row in database.query("SELECT id FROM evaluation_cases ORDER BY id")]
    assert [name for name in ordered if name in plain] == sorted(plain)
    for n, name in enumerate(names):
        assert database.query("SELECT digest FROM evaluation_cases WHERE id = ?", (name,)) == [(bytes([n]),)]


def test_sums_over_integers_are_integers(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.executemany(INSERT, [(2**62, b""), (5, b"")])
    ((total, mean, count),) = database.query("SELECT sum(trace), avg(trace), count(*) FROM bodies WHERE trace < 6")
    assert (total, mean, count) == (5, 5, 1)
    assert type(total) is int


@pytest.mark.parametrize("known", [1, 3, 5])
def test_a_database_of_an_older_version_is_brought_up_with_what_is_in_it(
    url: str, known: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = f"regista.store.{'sqlite' if url.startswith('sqlite') else 'postgres'}.steps"
    with monkeypatch.context() as older:
        older.setattr(engine, lambda: steps()[:known])
        before = connect(url)
        with before.transaction() as transaction:
            transaction.execute(INSERT, (7, b"kept"))
        before.close()
    with pytest.raises(StoreError, match="older Regista"):
        connect(url, read_only=True)
    after = connect(url)
    assert after.query("SELECT trace, body FROM bodies") == [(7, b"kept")]
    assert after.query("SELECT * FROM router_heads") == []
    after.close()
    connect(url, read_only=True).close()
