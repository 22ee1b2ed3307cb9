"""What was said, beside SQLite's tables: the newest bodies in one of them, the others in a file a week, with an index.

A body is written with its trace, in one transaction. Once `STEP` of them are there, those of earlier transactions move
to the file of the week in which that happens, where they are compressed with a dictionary and their words are indexed.
The file is durable before the tables say so: after a crash in between, a body is in both, the table's holds, and it
moves again. A file that is missing or damaged takes what it held with it and nothing else.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from regista.core.errors import StoreError
from regista.store.bodies import Body, body_from, compressed, encoded, plain
from regista.store.bodies_files import DAMAGED, Files, Rest, busy
from regista.store.bodies_search import Search, Step, by_file, steps, within
from regista.store.database import Database, Sought, Transaction
from regista.store.sqlite import settle, unusable

STEP = 1_000
"""Bodies that move together: the more, the cheaper is each of them in the index, and the more are looked through
in every search because they are not in it yet."""
STEPS = 2
"""How often they move in one transaction, at most."""
LARGE, MUCH = 16_384, 4_000_000
"""Bytes: of a body that is compressed at once; of bodies in one transaction, after which they move, few or many."""
PHRASE = 16
"""Words of a phrase that the index is asked for; what it finds is looked at for all of them."""
_IDS = 400
_GONE = (*DAMAGED, msgspec.MsgspecError)
_DAMAGE = ("malformed", "not a database", "no such table", "no such column", "vtable", "ictionary", "decompress")
"""What is said of a file to which nothing can be added, whatever is done; a full disk is none of it."""
_FILES = 9
"""Files of one week, of which all but the last are damaged."""


class WeekFiles:
    """The bodies of the database at `path`; its files are beside it, `regista-2026-W47.db` for `regista.db`."""

    def __init__(self, path: Path, cache_kb: int, *, read_only: bool = False) -> None:
        self._stem = path.stem
        self._files = Files(path.absolute().parent, cache_kb, read_only=read_only)

    def put(self, transaction: Transaction, said: Iterable[tuple[int, Body]], rest: Rest = lambda: None) -> None:
        first, size = 0, 0

        def rows() -> Iterator[tuple[int, bytes]]:
            nonlocal first, size
            for n, body in said:
                whole = encoded(body)
                first, size = first or n, size + len(whole)
                yield n, compressed(whole) if len(whole) > LARGE else whole

        transaction.executemany("INSERT INTO bodies VALUES (?, ?)", rows())
        for _ in range(STEPS):
            ((oldest,),) = transaction.execute("SELECT min(trace) FROM bodies")
            waiting = first - oldest if first else 0
            if waiting < STEP and not (size > MUCH and waiting > 0):
                break
            if not self._move(transaction, first, rest):
                break

    def get(self, database: Database, numbers: Sequence[int]) -> dict[int, Body]:
        # The table first: what moves between the two queries is then found in its file.
        found: dict[int, Body] = {}
        for start in range(0, len(numbers), _IDS):
            some = numbers[start : start + _IDS]
            marks = ", ".join("?" * len(some))
            rows = database.query(f"SELECT trace, body FROM bodies WHERE trace IN ({marks})", some)
            found |= {n: body_from(plain(body)) for n, body in rows}
        moved = sorted({n for n in numbers if n not in found})
        if moved:
            of = steps(database.query, "last >= ? AND first <= ?", moved[0], moved[-1])
            files: dict[str, list[int]] = {}
            for n in moved:
                if step := within(of, n):
                    files.setdefault(step.file, []).append(n)
            for file, some in files.items():
                found |= self.read(file, some)
        return found

    def search(self, database: Database, sought: Sought, limit: int) -> list[tuple[int, Body]]:
        return Search(self, database, sought, limit).run()

    def remove(self, transaction: Transaction, numbers: Sequence[int]) -> None:
        marks = ", ".join("?" * len(numbers))
        transaction.execute(f"DELETE FROM bodies WHERE trace IN ({marks})", numbers)

    def purge(self, database: Database, before_ns: int, slack_ns: int = 0) -> None:
        with database.transaction() as transaction:
            # No body moves meanwhile. What no step names, a crash has left behind.
            files = by_file(steps(transaction.execute, "1 = 1"))
            highs = {file: max(step.high_ns for step in some) for file, some in files.items()}
            for file in self._names():
                if highs.get(file, before_ns - 1) < before_ns:
                    self._files.delete(file)
            for file, high in highs.items():
                if high < before_ns:
                    transaction.execute("DELETE FROM body_steps WHERE file = ?", (file,))
        for file, some in files.items():
            if highs[file] >= before_ns > min(step.low_ns for step in some) + slack_ns:
                self._purge_file(database, file, before_ns)

    def erase(self, numbers: Sequence[int]) -> None:
        wanted = set(numbers)
        for file in self._names():
            try:
                with self._files.opened(file) as connection:
                    if self._files.holds(connection, numbers):
                        self._files.take_out(file, connection, wanted.intersection)
                    else:
                        settle(connection)
            except _GONE as error:
                raise self._unsure(file, error) from error

    def files(self) -> list[Path]:
        return [self._files.folder / name for name in self._names()]

    def close(self) -> None:
        self._files.close()

    def candidates(self, file: str, sought: Sought, first: int, last: int, limit: int) -> list[int]:
        asked = " AND ".join(f'"{" ".join(phrase[:PHRASE])}"' for phrase in sought.phrases)
        sql = "SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?"
        try:
            with self._files.opened(file) as connection:
                return [n for (n,) in connection.execute(sql, (asked, first, last, limit))]
        except _GONE as error:
            self._pass_over(file, error)
            return []

    def read(self, file: str, numbers: Sequence[int]) -> dict[int, Body]:
        found: dict[int, Body] = {}
        try:
            with self._files.opened(file) as connection:
                for n, whole in self._files.bodies(file, connection, numbers):
                    with suppress(msgspec.MsgspecError):
                        found[n] = body_from(whole)
        except _GONE as error:
            self._pass_over(file, error)
        return found

    def _pass_over(self, file: str, error: Exception) -> None:
        """What cannot be read is gone, unless it can be read in a moment."""
        if busy(error):
            raise unusable(self._files.folder / file, str(error)) from error

    def _move(self, transaction: Transaction, before: int, rest: Rest) -> bool:
        """Move the oldest bodies, of numbers below `before`, to the week's file. False where there is nothing to move
        or another process is at the file: then they move later."""
        rows = transaction.execute(
            "SELECT trace, body, started_ns FROM bodies CROSS JOIN traces ON traces.n = bodies.trace "
            "WHERE trace < ? ORDER BY trace LIMIT ?",
            (before, STEP),
        )
        if not rows:
            return False
        said = [(int(n), plain(body)) for n, body, _ in rows]
        file = self._stored(said, rest)
        if file is None:
            return False
        times = [int(row[2]) for row in rows]
        first, last = said[0][0], said[-1][0]
        step = Step(first, last, file, min(times), max(times))
        transaction.execute("INSERT INTO body_steps VALUES (?, ?, ?, ?, ?)", step)
        transaction.execute("DELETE FROM bodies WHERE trace BETWEEN ? AND ?", (first, last))
        return True

    def _stored(self, said: Sequence[tuple[int, bytes]], rest: Rest) -> str | None:
        """The name of the file that keeps them: the first of this week's that is not damaged."""
        now = datetime.now(UTC).isocalendar()
        week = f"{self._stem}-{now.year}-W{now.week:02}"
        for number in ("", *(f"-{number}" for number in range(2, _FILES + 1))):
            file = f"{week}{number}.db"
            try:
                with self._files.opened(file, make=True) as connection:
                    self._files.store(file, connection, said, rest)
                return file
            except DAMAGED as error:
                if busy(error):
                    return None
                if not any(words in str(error) for words in _DAMAGE):
                    raise unusable(self._files.folder / file, str(error)) from error
        raise unusable(self._files.folder / f"{week}.db", "malformed, as are the others of its week")

    def _unsure(self, file: str, error: Exception) -> StoreError:
        return unusable(self._files.folder / file, f"what is to be forgotten may still be in it: {error}")

    def _names(self) -> list[str]:
        pattern = re.compile(re.escape(self._stem) + r"-\d{4}-W\d\d(?:-\d)?\.db")
        return [path.name for path in self._files.folder.iterdir() if pattern.fullmatch(path.name)]

    def _purge_file(self, database: Database, file: str, before_ns: int) -> None:
        def gone(numbers: Sequence[int]) -> set[int]:
            # What moves into the file meanwhile is of traces that are there: so it is asked for what is in it now.
            left = set(numbers)
            for start in range(0, len(numbers), _IDS):
                some = numbers[start : start + _IDS]
                marks = ", ".join("?" * len(some))
                left -= {n for (n,) in database.query(f"SELECT n FROM traces WHERE n IN ({marks})", some)}
            return left

        try:
            with self._files.opened(file) as connection:
                self._files.take_out(file, connection, gone)
        except _GONE as error:
            raise self._unsure(file, error) from error
        with database.transaction() as transaction:
            transaction.execute(
                "UPDATE body_steps SET low_ns = ? WHERE file = ? AND low_ns < ?", (before_ns, file, before_ns)
            )
