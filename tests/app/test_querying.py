"""Questions in SQL over exported days: what they may not do, and when they are ended."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.store.test_parquet import NEXT_DAY, put, three_days

from regista.app.querying import AT_ONCE, LONGEST, Querying
from regista.app.querying_process import CELL, COLUMNS, PAGE, Answer, Query, encode
from regista.core.errors import MissingExtraError, NotFoundError, OverloadedError
from regista.store import connect
from regista.store.parquet import export, files


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("it's days")
    database = connect(f"sqlite://{folder / 'regista.db'}")
    put(database, three_days(100))
    list(export(database, folder / "days", NEXT_DAY))
    database.close()
    (folder / "days" / "note.txt").write_text("not for everybody")
    return folder / "days"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


OVER = "COPY (SELECT 1) TO '{day}' (FORMAT parquet, USE_TMP_FILE false)"
ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = -1"


async def asked(days: Path, sql: str, first: int = 0, count: int = 100) -> Answer:
    return await Querying().ask(days, sql, first, count)


async def test_rows_are_told_by_the_page_in_their_order_with_columns_and_types(days: Path) -> None:
    sql = "SELECT question, cost_nano FROM traces ORDER BY started_ns DESC; "
    page = await asked(days, sql, 10, 5)
    assert page.columns == (("question", "VARCHAR"), ("cost_nano", "BIGINT")) and page.error == ""
    assert [row[0] for row in page.rows] == [f"Question {n}?" for n in range(289, 284, -1)] and page.more
    last = await asked(days, sql, 298, 5)
    assert len(last.rows) == 2 and not last.more


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (SELECT 1 AS n) SELECT * FROM a -- and a note",
        "FROM traces SELECT count(*)",
        "DESCRIBE traces",
        "SHOW TABLES",
        "SELECT ';' AS \"ä;\"; -- and; a note",
        "; SELECT 1;; /* a; note */ ; --",
        "PIVOT traces ON status USING count(*)",
        "PIVOT (SELECT model, status FROM traces) ON status USING count(*) GROUP BY model; -- a note",
        "SELECT * FROM (PIVOT traces ON status USING count(*) GROUP BY model) AS with_all -- with a note",
        "WITH a AS (SELECT model, status FROM traces) PIVOT a ON status IN ('ok') USING count(*)",
        "SELECT * FROM (UNPIVOT (SELECT input_tokens, output_tokens FROM traces) ON input_tokens, output_tokens)",
        "SELECT now(), INTERVAL 1 DAY, [1, 2], {'a': 1}, 'x'::BLOB, 1::DECIMAL(9, 2), NULL, uuid()",
    ],
)
async def test_whatever_reads_is_answered(days: Path, sql: str) -> None:
    found = await asked(days, sql)
    assert found.error == "" and found.rows and len(found.columns) == len(found.rows[0])


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT * FROM read_text('/etc/passwd')", "disabled by configuration"),
        ("SELECT * FROM read_text('{days}/note.txt')", "disabled by configuration"),
        ("SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')", ""),
        ("SELECT * FROM glob('/*')", "disabled by configuration"),
        ("SELECT * FROM '{days}/../regista.db'", ""),
        ("COPY (SELECT 1) TO '{days}/made.csv'", "COPY statement"),
        ("CREATE TABLE t (n INTEGER)", "CREATE statement"),
        ("ATTACH '{days}/made.db'", "ATTACH statement"),
        ("INSTALL httpfs", "LOAD statement"),
        ("SET memory_limit = '90GB'", "SET statement"),
        ("SELECT * FROM query('COPY (SELECT 1) TO ''/tmp/made.csv''')", "SELECT statement"),
        ("SELECT * FROM enable_logging()", "locked"),
        ("SELECT 1; DROP VIEW traces", "2 statements"),
        ("SELECT 1; -- a note\nDROP VIEW traces; -- x", "2 statements"),
        ("PIVOT traces ON status USING count(*); SELECT 1", "2 statements"),
        ("COPY (PIVOT traces ON status USING count(*)) TO '{day}'", "syntax error"),
        ("COPY (SELECT 1) TO '{day}'", "COPY statement"),
        ("CREATE TABLE t AS PIVOT traces ON status USING count(*)", "syntax error"),
        ("EXPLAIN ANALYZE PIVOT traces ON status USING count(*)", "syntax error"),
        ("PIVOT traces ON status) TO '{day}' --", "syntax error"),
        ("WITH a AS (COPY (SELECT 1) TO '{day}') SELECT 1", "top level"),
        (f"WITH a AS ({OVER}) PIVOT traces ON status USING count(*)", "without WITH"),
        (f"/* */with/**/a AS ({OVER}) SELECT * FROM (PIVOT traces ON status USING count(*))", "without WITH"),
        (f"PIVOT (WITH a AS ({OVER}) FROM traces) ON status USING count(*)", "without WITH"),
        (f"WITH a AS ({OVER}) PIVOT traces ON status IN ('ok') USING count(*)", "top level"),
        (f"PIVOT query($$WITH a AS ({OVER}) FROM traces$$) ON status", "top level"),
        ("PIVOT read_text('{days}/note.txt') ON filename", "disabled by configuration"),
        ("EXPORT DATABASE '{days}/made'", "EXPORT statement"),
        ("IMPORT DATABASE '{days}'", "PRAGMA statement"),
        ("PRAGMA enable_profiling", "PRAGMA statement"),
        ("SELECT 1) TO '{days}/made.csv' --", "syntax error"),
        ("SELEC 1", "syntax error"),
        ("-- nothing", "no statement"),
        ("SELECT nothing FROM traces", "nothing"),
        ("SELECT list(range) FROM range(1000000000)", "emory"),
    ],
)
async def test_nothing_else_is_and_it_is_said_why(days: Path, sql: str, why: str) -> None:
    before = contents(days)
    quoted, day = (str(path).replace("'", "''") for path in (days, files(days)[0]))
    found = await asked(days, sql.replace("{days}", quoted).replace("{day}", day))
    assert found.error and why in found.error and found.rows == ()
    assert contents(days) == before


async def test_a_secret_of_the_environment_is_not_there(days: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    found = await asked(days, "SELECT * FROM read_text('/proc/self/environ')")
    assert "disabled by configuration" in found.error and "sk-secret" not in found.error


async def test_what_takes_too_long_is_ended(days: Path) -> None:
    started = time.monotonic()
    found = await Querying(time_s=1.0).ask(days, ENDLESS)
    assert "took longer than 1 s" in found.error and time.monotonic() - started < 20


async def test_who_goes_away_leaves_nothing_running_and_too_many_at_once_are_refused(days: Path) -> None:
    querying = Querying()
    asking = [asyncio.create_task(querying.ask(days, ENDLESS)) for _ in range(AT_ONCE)]
    await asyncio.sleep(0.5)
    with pytest.raises(OverloadedError, match="being answered"):
        await querying.ask(days, "SELECT 1")
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert (await querying.ask(days, "SELECT 1")).rows == (("1",),)


def test_who_is_killed_leaves_none_that_goes_on_for_ever(days: Path) -> None:
    """As when the server is: nobody is there who would end it."""
    alone = subprocess.run(
        [sys.executable, "-c", "from regista.app import querying_process as it; it.ALONE_S = 1; it.run()"],
        input=encode(Query(str(days), ENDLESS, 0, 100)),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert alone.returncode == -signal.SIGALRM, alone.stderr


async def test_a_page_of_many_columns_is_of_a_bounded_size(days: Path) -> None:
    wide = "SELECT {} FROM (SELECT repeat('x', 2000) AS t FROM range(100))"
    found = await asked(days, wide.format(", ".join(["t"] * COLUMNS)))
    assert len(found.rows) == 100 and sum(len(cell or "") for row in found.rows for cell in row) <= PAGE
    assert "ask for" in (await asked(days, wide.format(", ".join(["t"] * (COLUMNS + 1))))).error
    named = await asked(days, f'SELECT 1 AS "{"x" * 10_000}"')
    assert len(named.columns[0][0]) == CELL + 1


async def test_long_cells_are_cut_and_long_statements_refused(days: Path) -> None:
    found = await asked(days, "SELECT repeat('ab', 50000)")
    assert found.rows[0][0] == "ab" * (CELL // 2) + "…"
    assert "longer than" in (await asked(days, "SELECT 1" + " " * LONGEST)).error


async def test_without_days_or_without_the_extra_there_is_no_answer(
    days: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFoundError, match="No day is in"):
        await asked(tmp_path, "SELECT 1")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtraError, match=r"regista\[sql\]"):
        await asked(days, "SELECT 1")
