"""The newest traces whose texts hold all phrases, out of bodies that stand in order of arrival, not of their beginning.

Knows which bodies moved together and when the first and the last of them began; not how an index is asked.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from heapq import nlargest
from typing import Any, NamedTuple, Protocol

from regista.store.bodies import Body, body_from, plain, texts_from
from regista.store.database import Database, Row, Sought
from regista.text.words import held

_MOST = 2_000
"""Candidates asked for at once."""
_IDS = 400
_NEWEST = "SELECT started_ns, n, body FROM bodies CROSS JOIN traces ON traces.n = bodies.trace"
_BEGUN = "SELECT started_ns, n FROM traces"


class Step(NamedTuple):
    """Bodies that moved together: the numbers and the times of the first and the last."""

    first: int
    last: int
    file: str
    low_ns: int
    high_ns: int


def steps(run: Callable[[str, Sequence[Any]], list[Row]], where: str, *given: int) -> list[Step]:
    """Those of a condition, in the order of their numbers."""
    rows = run(f"SELECT first, last, file, low_ns, high_ns FROM body_steps WHERE {where} ORDER BY first", given)
    return list(map(Step._make, rows))


def by_file(of: Iterable[Step]) -> dict[str, list[Step]]:
    """The steps of each file, in their order."""
    found: dict[str, list[Step]] = {}
    for step in of:
        found.setdefault(step.file, []).append(step)
    return found


def within(ordered: Sequence[Step], n: int) -> Step | None:
    """The step that a number is of."""
    at = bisect_right(ordered, n, key=lambda step: step.first) - 1
    return ordered[at] if at >= 0 and n <= ordered[at].last else None


class Index(Protocol):
    """The files, and what they say."""

    def candidates(self, file: str, sought: Sought, first: int, last: int, limit: int) -> list[int]:
        """The last numbers from `first` to `last` in which a file's index has all phrases, the greatest first."""
        ...

    def read(self, file: str, numbers: Sequence[int]) -> dict[int, Body]:
        """The bodies a file has of these."""
        ...


class Search:
    """One search. What an index says is believed only of bodies that are seen to hold the words."""

    def __init__(self, index: Index, database: Database, sought: Sought, limit: int) -> None:
        self._index = index
        self._database = database
        self._sought = sought
        self._limit = limit
        self._found: dict[tuple[int, int], Body] = {}
        self._where, self._given = " WHERE 1 = 1", list[Any]()
        for condition, value in (("application = ?", sought.application or None), ("started_ns < ?", sought.before_ns)):
            if value is not None:
                self._where += f" AND {condition}"
                self._given.append(value)

    def run(self) -> list[tuple[int, Body]]:
        """The newest, at most the limit, each with its number."""
        self._look_through_newest()
        before = () if self._sought.before_ns is None else (self._sought.before_ns,)
        files = by_file(steps(self._database.query, "low_ns < ?" if before else "1 = 1", *before))
        newest = sorted(((max(step.high_ns for step in some), file) for file, some in files.items()), reverse=True)
        for high_ns, file in newest:
            if high_ns >= self._least()[0]:
                self._look_into(file, files[file])
        return [(key[1], self._found[key]) for key in nlargest(self._limit, self._found)]

    def _least(self) -> tuple[int, int]:
        """What a trace must come after to be among the newest."""
        found = self._found
        return nlargest(self._limit, found)[-1] if len(found) >= self._limit else (-(2**63), 0)

    def _look_through_newest(self) -> None:
        rows = self._database.query(_NEWEST + self._where, self._given)
        for started_ns, n, body in sorted(rows, reverse=True):
            whole = plain(body)
            if held(self._sought.phrases, texts_from(whole)):
                self._found[started_ns, n] = body_from(whole)
                if len(self._found) == self._limit:
                    return

    def _look_into(self, file: str, ordered: Sequence[Step]) -> None:
        last = self._down(file, ordered, 0, ordered[-1].last, whole=False)
        # What arrived earlier than all those may have begun later than some.
        for step in sorted(ordered, key=lambda step: -step.high_ns):
            if step.high_ns < self._least()[0]:
                return
            if step.first <= last:
                self._down(file, ordered, step.first, min(last, step.last), whole=True)

    def _down(self, file: str, ordered: Sequence[Step], first: int, last: int, *, whole: bool) -> int:
        """Take what is found from `last` down, to `first` or, if that is not asked for, until there is enough.

        Returns the number below which nothing was looked at.
        """
        size = 2 * self._limit
        while last >= first:
            numbers = self._index.candidates(file, self._sought, first, last, size)
            self._take(file, [n for n in numbers if within(ordered, n)])
            if len(numbers) < size:
                return first - 1
            last, size = numbers[-1] - 1, min(4 * size, _MOST)
            if not whole and len(self._found) >= self._limit:
                break
        return last

    def _take(self, file: str, numbers: Sequence[int]) -> None:
        keys = sorted(self._keys(numbers), reverse=True)
        for start in range(0, len(keys), self._limit):
            least, lot = self._least(), keys[start : start + self._limit]
            if lot[0] <= least:
                return
            some = [key for key in lot if key > least and key not in self._found]
            bodies = self._index.read(file, [n for _, n in some])
            for key in some:
                body = bodies.get(key[1])
                if body is not None and held(self._sought.phrases, (body.question, body.answer)):
                    self._found[key] = body

    def _keys(self, numbers: Sequence[int]) -> list[tuple[int, int]]:
        keys: list[tuple[int, int]] = []
        for start in range(0, len(numbers), _IDS):
            some = numbers[start : start + _IDS]
            marks = ", ".join("?" * len(some))
            rows = self._database.query(f"{_BEGUN}{self._where} AND n IN ({marks})", (*self._given, *some))
            keys += [(int(started_ns), int(n)) for started_ns, n in rows]
        return keys
