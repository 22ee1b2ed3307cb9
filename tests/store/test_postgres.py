"""A PostgreSQL that is killed, frozen, full or of another version, and many processes that write to it at once."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from tests._postgres import Server

from regista.core.errors import ConfigurationError, MissingExtraError, StoreError
from regista.store import connect, postgres
from regista.store.keys import add
from regista.store.postgres import CONNECTIONS
from regista.store.schema import steps

INSERT = "INSERT INTO bodies VALUES (?, ?)"
PASSWORD = "hunter2" + "secret"
WRITE = """
import sys
from msgspec.structs import replace
from regista.core.nouns import Call, Span, Trace, Usage
from regista.store import connect
from regista.store.traces import write

url, first = sys.argv[1], int(sys.argv[2])
span = Span("generate", "m", -1, 0, 1, "stop", "", {})
call = Call("openai", "m", "answer", "ok", Usage(1, 2), True, 5, 0, 1, 1, "")
empty = Trace("0" * 32, "a", "", "", "", 0, 0, 0, "ok", "", "", Usage(), 0, "", "", "", (), (span, span), (call,))
database = connect(url)
for start in range(first, first + 400, 20):
    # Half of them are written by the next process too.
    some = [replace(empty, id=f"{n:032x}", started_ns=n) for n in range(start, start + 20)]
    with database.transaction() as transaction:
        write(transaction, some)
"""


def test_processes_that_write_the_same_traces_at_once_store_each_once_and_in_order(postgres: str) -> None:
    connect(postgres).close()
    writing = [subprocess.Popen([sys.executable, "-c", WRITE, postgres, str(200 * n)]) for n in range(4)]
    assert [process.wait() for process in writing] == [0] * 4
    with closing(connect(postgres)) as database:
        rows = database.query("SELECT n, id, started_ns FROM traces ORDER BY n")
        assert [row[0] for row in rows] == list(range(1, 1_001))
        assert sorted(row[2] for row in rows) == list(range(1_000))
        for first in range(0, 1_000, 20):
            at = [n for n, _, started in rows if first <= started < first + 20]
            assert at == list(range(at[0], at[0] + 20))
        counts = [database.query(f"SELECT count(*) FROM {table}")[0][0] for table in ("spans", "bodies", "ledger")]
        assert counts == [2_000, 1_000, 1_000]


def test_a_server_that_was_stopped_or_killed_and_is_back_is_used_again_at_once() -> None:
    server = Server()
    database = connect(server.url)
    try:
        for end in (server.stop, server.kill):
            with database.transaction() as transaction:
                transaction.execute("DELETE FROM bodies")
                transaction.execute(INSERT, (1, b"kept"))
            end()
            for use in (database.version, lambda: add(database, "web"), lambda: database.query("SELECT 1")):
                with pytest.raises(StoreError, match=r"cannot be used.*Is it running"):
                    use()
            server.start()
            assert database.query("SELECT body FROM bodies") == [(b"kept",)]
    finally:
        database.close()
        server.close()


def test_what_was_not_committed_when_the_server_died_is_not_there() -> None:
    server = Server()
    try:
        with closing(connect(server.url)) as database:
            with pytest.raises(StoreError), database.transaction() as transaction:
                transaction.execute(INSERT, (1, b""))
                server.kill()
                transaction.execute(INSERT, (2, b""))
            server.start()
            assert database.query("SELECT * FROM bodies") == []
    finally:
        server.close()


def test_a_server_that_says_nothing_any_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_SESSION", {**postgres._SESSION, "statement_timeout": 1})  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(postgres, "LOCK_S", 1)
    monkeypatch.setitem(postgres._DEFAULTS, "connect_timeout", 2)  # pyright: ignore[reportPrivateUsage]
    server = Server()
    try:
        with closing(connect(server.url)) as database:
            database.query("SELECT 1")
            server.freeze()
            with pytest.raises(StoreError, match="did not answer in 2 s"):
                database.query("SELECT 1")
            with pytest.raises(StoreError, match="cannot be used"):
                database.query("SELECT 1")
            server.thaw()
            assert database.query("SELECT 1") == [(1,)]
    finally:
        server.thaw()
        server.close()


def test_a_statement_that_takes_too_long_is_ended_and_what_waits_for_a_lock_is_told(postgres: str) -> None:
    hurried = f"{postgres}%20-cstatement_timeout%3D500ms%20-clock_timeout%3D200ms"
    with closing(connect(postgres)) as database, closing(connect(hurried)) as other:
        with pytest.raises(StoreError, match="took too long"):
            other.query("SELECT pg_sleep(10)")
        with database.transaction(), pytest.raises(StoreError, match="Another process"), other.transaction():
            pass
        assert other.query("SELECT 1") == [(1,)]


def test_a_process_that_froze_in_a_transaction_holds_the_others_up_for_a_while_only(postgres: str) -> None:
    stuck = f"{postgres}%20-cidle_in_transaction_session_timeout%3D300ms"
    with closing(connect(postgres)) as database, closing(connect(stuck)) as other:
        with pytest.raises(StoreError, match="idle-in-transaction"), other.transaction() as transaction:
            transaction.execute(INSERT, (1, b"never"))
            with database.transaction() as waited:
                waited.execute(INSERT, (1, b"written"))
            transaction.execute(INSERT, (2, b"never"))
        assert database.query("SELECT body FROM bodies") == [(b"written",)]


def test_a_process_keeps_few_connections_however_many_threads_ask(postgres: str) -> None:
    with closing(connect(postgres)) as database, ThreadPoolExecutor(40) as pool:
        list(pool.map(database.query, ["SELECT pg_sleep(0.01)"] * 200))
        count = database.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'regista'")[0][0]
        assert 1 < count <= CONNECTIONS


def test_a_connection_that_broke_is_not_kept(postgres: str) -> None:
    with closing(connect(postgres)) as database:
        with pytest.raises(StoreError), database.transaction() as transaction:
            transaction.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        with database.transaction() as transaction:
            transaction.execute(INSERT, (1, b""))
        assert database.query("SELECT trace FROM bodies") == [(1,)]


def test_nothing_is_held_after_closing(postgres: str) -> None:
    database = connect(postgres)
    held, let_go = threading.Event(), threading.Event()

    def slow() -> None:
        with database.transaction():
            held.set()
            let_go.wait()

    thread = threading.Thread(target=slow)
    thread.start()
    held.wait()
    database.close()
    let_go.set()
    thread.join()
    with closing(psycopg.connect(postgres)) as other:
        while other.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'regista'").fetchone() != (
            0,
        ):
            time.sleep(0.01)
            other.rollback()


def test_a_database_of_a_newer_version_is_left_alone_and_one_of_an_older_not_read(postgres: str) -> None:
    with pytest.raises(StoreError, match="older Regista"):
        connect(postgres, read_only=True)
    with closing(connect(postgres)) as database, database.transaction() as transaction:
        transaction.execute("UPDATE regista_schema SET version = 999")
    with pytest.raises(StoreError, match=rf"newer Regista \(schema 999, this one knows {len(steps())}\)\. Upgrade"):
        connect(postgres)


def test_a_reader_cannot_write(postgres: str) -> None:
    connect(postgres).close()
    with (
        closing(connect(postgres, read_only=True)) as reader,
        pytest.raises(StoreError, match=r"read-only transaction.*primary"),
        reader.transaction() as transaction,
    ):
        transaction.execute("DELETE FROM bodies")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{PASSWORD}@127.0.0.1:1/none",
        f"postgresql://ann:{PASSWORD}@[127.0.0.1/none",
        f"postgresql://ann:{PASSWORD}@host:port:5/none",
        f"postgresql://ann:{PASSWORD}@/none?nonsense=1",
        f"postgres://ann:{PASSWORD}@127.0.0.1:1/none?password={PASSWORD}",
        f"host=127.0.0.1 password={PASSWORD}",
    ],
)
def test_a_password_is_never_shown(url: str) -> None:
    with pytest.raises((StoreError, ConfigurationError)) as caught:
        connect(url)
    assert PASSWORD not in caught.value.message
    assert "REGISTA_STORE" in caught.value.message or "Known: sqlite://path" in caught.value.message


def test_without_the_package_the_command_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "psycopg" or "store.postgres" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'regista\[postgres\]'"):
        connect("postgresql://localhost/shop")


def test_a_database_that_is_not_there_says_how_to_make_it(running_postgres: Server) -> None:
    with pytest.raises(StoreError, match=r'database "none" does not exist.*createdb'):
        connect(running_postgres.url.replace("/postgres?", "/none?"))


def test_who_may_not_make_tables_is_told(running_postgres: Server, postgres: str) -> None:
    schema = postgres.rpartition("%3D")[2]
    running_postgres.run(f"CREATE ROLE guest LOGIN; GRANT USAGE ON SCHEMA {schema} TO guest")
    with pytest.raises(StoreError, match="own its schema"):
        connect(postgres.replace("//postgres@", "//guest@"))


def test_the_name_shown_is_that_of_the_place() -> None:
    with pytest.raises(StoreError, match=r"PostgreSQL at 127\.0\.0\.1:1/shop cannot be used: .*refused"):
        connect("postgresql://ann@127.0.0.1:1/shop")


def test_text_is_compared_by_its_bytes_whatever_the_databases_collation(postgres: str) -> None:
    with closing(connect(postgres)) as database:
        found = database.query(
            "SELECT DISTINCT collation_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND data_type = 'text'"
        )
    assert found == [("C",)]
