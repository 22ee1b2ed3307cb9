"""What was said, in tables of PostgreSQL, with an index over its words. All of it is in the transaction of its trace.

Bodies come compressed, so the server is told not to try it again. One table holds all times: what is forgotten is
deleted by its numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from regista.store.bodies import Body, body_from, compressed, encoded, plain
from regista.store.database import Database, Sought, Transaction
from regista.text.words import MOST, held, words

_IDS = 400
_LAST = 2**63 - 1
_KEYS = "SELECT started_ns, n FROM traces WHERE 1 = 1"
_HELD = "SELECT trace FROM body_words WHERE words @@ ?::tsquery LIMIT ?"
FEW = 2_500
"""Traces that are all taken from the index and put in order. Of words that more have, the newest are soon come by."""
_LETTERS = 200
"""Of a word in the index; PostgreSQL takes 2 kB. What it finds is looked at for the whole word."""


class TableBodies:
    """Bodies in tables of the database itself."""

    def put(
        self, transaction: Transaction, said: Iterable[tuple[int, Body]], rest: Callable[[], object] = lambda: None
    ) -> None:
        kept = list(said)
        transaction.executemany(
            "INSERT INTO bodies VALUES (?, ?)", ((n, compressed(encoded(body))) for n, body in kept)
        )
        rest()
        transaction.executemany(
            "INSERT INTO body_words (trace, words) VALUES (?, ?)",
            ((n, _lexemes(words(f"{body.question[:MOST]}\n{body.answer[:MOST]}"), " ")) for n, body in kept),
        )

    def get(self, database: Database, numbers: Sequence[int]) -> dict[int, Body]:
        found: dict[int, Body] = {}
        for start in range(0, len(numbers), _IDS):
            some = numbers[start : start + _IDS]
            marks = ", ".join("?" * len(some))
            rows = database.query(f"SELECT trace, body FROM bodies WHERE trace IN ({marks})", some)
            found |= {n: body_from(plain(body)) for n, body in rows}
        return found

    def search(self, database: Database, sought: Sought, limit: int) -> list[tuple[int, Body]]:
        asked = _lexemes([word for phrase in sought.phrases for word in phrase], " & ")
        conditions, given = "", list[Any]()
        if sought.application:
            conditions += " AND application = ?"
            given.append(sought.application)
        if sought.before_ns is not None:
            conditions += " AND started_ns < ?"
            given.append(sought.before_ns)
        held_in = database.query(_HELD, (asked, FEW + 1))
        if len(held_in) > FEW:
            conditions += " AND EXISTS (SELECT 1 FROM body_words WHERE trace = n AND words @@ ?::tsquery)"
            pages = _walk(database, conditions, [*given, asked], 2 * limit)
        else:
            keys = database.query(f"{_KEYS}{conditions} AND n = ANY(?)", (*given, [n for (n,) in held_in]))
            pages = iter([sorted(keys, reverse=True)])
        return self._look_through(database, sought, limit, pages)

    def _look_through(
        self, database: Database, sought: Sought, limit: int, pages: Iterator[Sequence[tuple[int, int]]]
    ) -> list[tuple[int, Body]]:
        """Those of traces in the order they are in, newest first, that hold the phrases, and not only their words."""
        found: list[tuple[int, Body]] = []
        for page in pages:
            for start in range(0, len(page), limit):
                some = [n for _, n in page[start : start + limit]]
                bodies = self.get(database, some)
                for n in some:
                    body = bodies.get(n)
                    if body is not None and held(sought.phrases, (body.question, body.answer)):
                        found.append((n, body))
                if len(found) >= limit:
                    return found[:limit]
        return found

    def remove(self, transaction: Transaction, numbers: Sequence[int]) -> None:
        marks = ", ".join("?" * len(numbers))
        for table in ("bodies", "body_words"):
            transaction.execute(f"DELETE FROM {table} WHERE trace IN ({marks})", numbers)

    def purge(self, database: Database, before_ns: int, slack_ns: int = 0) -> None:
        """Nothing is left anywhere but in pages the server has freed."""

    def erase(self, numbers: Sequence[int]) -> None:
        """As `purge`."""

    def files(self) -> list[Path]:
        return []

    def close(self) -> None:
        """Nothing is open."""


def _walk(database: Database, conditions: str, given: Sequence[Any], size: int) -> Iterator[list[tuple[int, int]]]:
    """Pages of times and numbers of traces, the newest first."""
    at = (_LAST, _LAST)
    while True:
        rows = database.query(
            f"{_KEYS}{conditions} AND started_ns <= ? AND (started_ns < ? OR n < ?) "
            "ORDER BY started_ns DESC, n DESC LIMIT ?",
            (*given, at[0], *at, size),
        )
        yield [(started_ns, n) for started_ns, n in rows]
        if len(rows) < size:
            return
        at = rows[-1]


def _lexemes(found: Iterable[str], between: str) -> str:
    """Words as PostgreSQL reads a vector or a query: letters and digits only, and so in need of no escape."""
    return between.join(f"'{word}'" for word in dict.fromkeys(word[:_LETTERS] for word in found))
