"""Closed days as files: whole, once, and without what is to be forgotten."""

import importlib
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.test_rollups import NOON, trace

from regista.core.errors import MissingExtraError, StoreError
from regista.core.nouns import Trace, Usage
from regista.store import Database, connect, parquet
from regista.store.parquet import DAY_NS, LATE_NS, TYPES, closed, count, erase, export, files
from regista.store.rollups import DAY_S, NANO
from regista.store.traces import write

MIDNIGHT = NOON // DAY_S * DAY_S
NEXT_DAY = (MIDNIGHT + 3 * DAY_S) * NANO + LATE_NS
"""When three days from `MIDNIGHT` on are closed."""


def put(database: Database, traces: Sequence[Trace]) -> None:
    with database.transaction() as transaction:
        write(transaction, traces)


def rows(path: Path) -> list[dict[str, Any]]:
    """What another reader than the one that wrote it finds in a file."""
    arrow: Any = importlib.import_module("pyarrow.parquet")
    return arrow.read_table(path).to_pylist()


def three_days(per_day: int = 4) -> list[Trace]:
    return [trace(n + 1, MIDNIGHT + n * DAY_S / per_day, question=f"Question {n}?") for n in range(3 * per_day)]


def test_each_closed_day_becomes_a_file_and_the_day_that_is_not_over_does_not(
    database: Database, tmp_path: Path
) -> None:
    put(database, three_days())
    made = list(export(database, tmp_path / "days", NEXT_DAY - 1))
    assert [one.day for one in made] == [date(2026, 11, 21), date(2026, 11, 22)]
    assert [one.path for one in made] == files(tmp_path / "days")
    assert [(one.traces, one.size) for one in made] == [(4, one.path.stat().st_size) for one in made]
    assert [row["question"] for row in rows(made[1].path)] == [f"Question {n}?" for n in range(4, 8)]
    assert [one.day for one in export(database, tmp_path / "days", NEXT_DAY)] == [date(2026, 11, 23)]


def test_a_row_has_all_there_is_of_a_trace(database: Database, tmp_path: Path) -> None:
    whole = trace(
        7,
        MIDNIGHT + 0.123456,
        usage=Usage(812, 96, 40, 3, 5),
        cost_nano=None,
        status="error",
        error="no_answer",
        key="ann",
        question="Où est \x00 «mon» colis 😀?\n",
        answer='{"a": "b"}',
    )
    put(database, [whole])
    (made,) = export(database, tmp_path, NEXT_DAY)
    (row,) = rows(made.path)
    assert list(row) == list(TYPES)
    assert row["started"].isoformat() == "2026-11-21T00:00:00.123456" and row["started_ns"] == whole.started_ns
    assert (row["trace"], row["cost_nano"], row["key"], row["error"]) == (whole.id, None, "ann", "no_answer")
    assert (row["input_tokens"], row["reasoning_tokens"], row["cache_write_tokens"]) == (812, 3, 5)
    assert (row["question"], row["answer"]) == (whole.question, whole.answer)


def test_a_day_is_written_once_and_anew_when_asked_for(sqlite: Database, tmp_path: Path) -> None:
    put(sqlite, three_days())
    first = [path.stat().st_mtime_ns for path in (one.path for one in export(sqlite, tmp_path, NEXT_DAY))]
    put(sqlite, [trace(99, MIDNIGHT + 5, question="late")])
    assert list(export(sqlite, tmp_path, NEXT_DAY)) == []
    assert [path.stat().st_mtime_ns for path in files(tmp_path)] == first
    again = list(export(sqlite, tmp_path, NEXT_DAY, again=True, said=lambda text: text.replace("late", "soon")))
    assert [one.traces for one in again] == [5, 4, 4]
    assert "soon" in {row["question"] for row in rows(again[0].path)}


def test_ten_megabytes_in_one_question_are_written(sqlite: Database, tmp_path: Path) -> None:
    long = 'a"\n' * 6_000_000
    put(sqlite, [trace(1, MIDNIGHT, question=long), trace(2, MIDNIGHT + 1)])
    (made,) = export(sqlite, tmp_path, NEXT_DAY)
    assert [row["question"] == long for row in rows(made.path)] == [True, False]


def test_long_answers_are_written_and_rewritten_in_groups_that_fit_into_memory_in_their_order(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MEMORY", "250MB")
    put(sqlite, [trace(n + 1, MIDNIGHT + n, answer=f"{n} " * 20_000) for n in range(4_000)])
    (made,) = export(sqlite, tmp_path, NEXT_DAY)
    assert erase(tmp_path, [f"{7:032x}"]) == 1
    arrow: Any = importlib.import_module("pyarrow.parquet")
    assert arrow.read_metadata(made.path).num_row_groups > 3
    left = arrow.read_table(made.path, columns=["trace"])["trace"].to_pylist()
    assert left == [f"{n + 1:032x}" for n in range(4_000) if n != 6]


def test_more_traces_than_one_page_of_one_moment_are_each_there_once(sqlite: Database, tmp_path: Path) -> None:
    put(sqlite, [trace(n + 1, MIDNIGHT + n // 1_500) for n in range(3_100)])
    (made,) = export(sqlite, tmp_path, NEXT_DAY)
    assert sorted(row["trace"] for row in rows(made.path)) == [f"{n + 1:032x}" for n in range(3_100)]


def test_where_a_file_cannot_be_written_there_is_none_and_nothing_is_left(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sqlite, three_days())
    list(export(sqlite, tmp_path, NEXT_DAY))
    old = [path.read_bytes() for path in files(tmp_path)]

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        list(export(sqlite, tmp_path, NEXT_DAY, again=True))
    with pytest.raises(StoreError, match="No space left on device"):
        erase(tmp_path, [f"{1:032x}"])
    assert [path.read_bytes() for path in files(tmp_path)] == old
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) in ([".lock"], [".lock"])


def test_a_folder_that_cannot_be_made_is_told_by_its_name(sqlite: Database, tmp_path: Path) -> None:
    put(sqlite, three_days())
    (tmp_path / "days").write_text("a file")
    with pytest.raises(StoreError, match="days cannot be written"):
        list(export(sqlite, tmp_path / "days", NEXT_DAY))


def test_what_an_export_that_was_killed_left_is_taken_away(sqlite: Database, tmp_path: Path) -> None:
    (tmp_path / ".traces-2026-11-01.jsonl.part").write_text("what somebody said")
    put(sqlite, three_days())
    list(export(sqlite, tmp_path, NEXT_DAY))
    assert not list(tmp_path.glob(".*.part"))


def test_what_an_export_that_was_killed_left_is_taken_away_before_something_is_erased(tmp_path: Path) -> None:
    (tmp_path / ".traces-2026-11-01.jsonl.part").write_text("what somebody said")
    assert erase(tmp_path, ["0" * 32]) == 0
    assert not list(tmp_path.glob(".*.part"))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gone=st.sets(st.integers(1, 14)))
def test_erased_traces_are_in_no_file_and_all_others_still_are(
    gone: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("days")
    database = connect(f"sqlite://{folder / 'regista.db'}")
    put(database, three_days())
    list(export(database, folder, NEXT_DAY))
    database.close()
    assert erase(folder, [f"{n:032X}" for n in sorted(gone)]) == len(gone & set(range(1, 13)))
    left = [row["trace"] for path in files(folder) for row in rows(path)]
    assert left == [f"{n:032x}" for n in range(1, 13) if n not in gone]
    assert [count(path) for path in files(folder)] == [
        sum(n not in gone for n in day) for day in (range(1, 5), range(5, 9), range(9, 13))
    ]


def test_a_file_without_the_traces_is_left_alone(sqlite: Database, tmp_path: Path) -> None:
    put(sqlite, three_days())
    before = [path.stat().st_ino for path in (one.path for one in export(sqlite, tmp_path, NEXT_DAY))]
    assert erase(tmp_path, [f"{6:032x}"]) == 1
    after = [path.stat().st_ino for path in files(tmp_path)]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


def test_a_damaged_file_is_told_and_the_others_are_rewritten(sqlite: Database, tmp_path: Path) -> None:
    put(sqlite, three_days())
    made = [one.path for one in export(sqlite, tmp_path, NEXT_DAY)]
    made[0].write_bytes(b"no parquet")
    with pytest.raises(StoreError, match=r"traces-2026-11-21\.parquet cannot be read"):
        erase(tmp_path, [f"{6:032x}"])
    assert count(made[1]) == 3


def test_where_nothing_was_exported_nothing_is_needed_to_erase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert erase(tmp_path / "absent", ["0" * 32]) == 0
    (tmp_path / "traces-2026-11-21.parquet").write_bytes(b"")
    with pytest.raises(MissingExtraError, match=r"pip install 'regista\[sql\]'"):
        erase(tmp_path, ["0" * 32])


def test_what_is_written_is_compressed(sqlite: Database, tmp_path: Path) -> None:
    put(sqlite, [trace(n + 1, MIDNIGHT + n, answer="The same words again. " * 40) for n in range(200)])
    (made,) = export(sqlite, tmp_path, NEXT_DAY)
    arrow: Any = importlib.import_module("pyarrow.parquet")
    assert arrow.read_metadata(made.path).row_group(0).column(0).compression == "ZSTD" and made.size < 40_000


def test_days_without_traces_are_none(sqlite: Database) -> None:
    put(sqlite, [trace(1, 0), trace(2, MIDNIGHT)])
    assert list(closed(sqlite, NEXT_DAY)) == [date(1970, 1, 1), date(2026, 11, 21)]
    assert list(closed(sqlite, DAY_NS + LATE_NS)) == [date(1970, 1, 1)]
    assert list(closed(sqlite, DAY_NS + LATE_NS - 1)) == []
