"""The documents of an application, their chunks and vectors, under epochs. It knows no index and no file.

An epoch is one commit: what reads the tables sees the old one or the new one. Vectors are kept by
the text they are of, so that an unchanged chunk is never embedded again, and may be stored ahead of
their epoch, so that a long ingest that is interrupted goes on where it stopped.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from regista.core.digest import digest_bytes
from regista.core.nouns import Chunk, Document
from regista.store.database import Database, Row, Transaction

EPOCHS_KEPT = 64
"""How far back a derived index may lag and still catch up; beyond, it is made anew."""
_BATCH = 500


class Epoch(Struct, frozen=True):
    """A state of an application's documents. `embedder` made its vectors; empty: it has none."""

    number: int = 0
    mark: str = ""
    embedder: str = ""


class Known(Struct, frozen=True):
    """What is stored of a document: the digests of its source and of what read it."""

    digest: str
    form: str


class Parsed(Struct, frozen=True):
    """A document as it was read and cut."""

    document: Document
    chunks: tuple[Chunk, ...]


class Place(Struct, frozen=True):
    """A stored chunk: `text[start:end]` of its document. `n` is its key in every index of the epoch."""

    n: int
    document: str
    start: int
    end: int
    heading: str


class Contents(Struct, frozen=True):
    """All that one epoch holds. `vectors` are little-endian float16 bytes, one for each place, or none at all."""

    epoch: Epoch
    documents: dict[str, Document]
    places: list[Place]
    vectors: list[bytes]


class Passage(Struct, frozen=True):
    """The text that stands for a chunk in an embedder's eyes, and its digest."""

    key: str
    text: str


def passage(title: str, heading: str, text: str) -> Passage:
    """A chunk with what stands above it: title and headings say what a passage alone may leave out."""
    above = [] if heading.startswith(title) else [title]
    whole = "\n".join(line for line in [*above, heading, text] if line)
    return Passage(digest_bytes(whole.encode()), whole)


class Documents:
    """The tables of one application. All methods block."""

    def __init__(self, database: Database, application: str) -> None:
        self._database = database
        self._application = application

    def epoch(self) -> Epoch:
        """The newest epoch; number 0 if there was none."""
        return self._epoch(self._database.query)

    def known(self) -> dict[str, Known]:
        """What is stored, by document id."""
        rows = self._database.query(
            "SELECT id, digest, form FROM documents WHERE application = ?", (self._application,)
        )
        return {row[0]: Known(row[1], row[2]) for row in rows}

    def read(self) -> Contents:
        """The newest epoch whole. Reads again if another process commits in the middle."""
        while True:
            before = self.epoch()
            contents = Contents(before, self._documents(), *self._places(before.embedder))
            if self.epoch() == before:
                return contents

    def touched_since(self, epoch: Epoch) -> set[str] | None:
        """Documents added, changed or removed since `epoch`; None if the tables do not know that epoch."""
        rows = self._database.query(
            "SELECT mark, touched FROM epochs WHERE application = ? AND number >= ? ORDER BY number",
            (self._application, epoch.number),
        )
        if not rows or rows[0][0] != epoch.mark:
            return None
        return {document for _, touched in rows[1:] for document in msgspec.json.decode(touched, type=list[str])}

    def passages(self, without: str) -> dict[str, str]:
        """Texts by passage key of the stored chunks that have no vector of the embedder `without`."""
        rows = self._database.query(
            "SELECT c.document, c.first, c.last, c.heading FROM chunks c LEFT JOIN vectors v "
            "ON v.application = c.application AND v.passage = c.passage AND v.embedder = ? "
            "WHERE c.application = ? AND v.passage IS NULL",
            (without, self._application),
        )
        documents = self._documents() if rows else {}
        sources = [(documents[id], heading, first, last) for id, first, last, heading in rows]
        found = [passage(source.title, heading, source.text[a:b]) for source, heading, a, b in sources]
        return {one.key: one.text for one in found}

    def embedded(self, embedder: str, keys: Iterable[str]) -> set[str]:
        """Those of `keys` that have a vector of `embedder`."""
        wanted, found = list(keys), set[str]()
        for start in range(0, len(wanted), _BATCH):
            some = wanted[start : start + _BATCH]
            rows = self._database.query(
                "SELECT passage FROM vectors WHERE application = ? AND embedder = ? "
                f"AND passage IN ({','.join('?' * len(some))})",
                (self._application, embedder, *some),
            )
            found.update(row[0] for row in rows)
        return found

    def keep_vectors(self, embedder: str, vectors: Iterable[tuple[str, bytes]]) -> None:
        """Store vectors (float16 bytes) by passage key. They show nothing until an epoch has chunks of those keys."""
        with self._database.transaction() as transaction:
            transaction.executemany(
                "INSERT INTO vectors (application, embedder, passage, vector) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                [(self._application, embedder, key, vector) for key, vector in vectors],
            )

    def commit(self, changed: Sequence[tuple[Parsed, str]], removed: Sequence[str], embedder: str) -> Epoch:
        """Make an epoch: replace `changed` documents (each with its form), drop `removed` ones, all at once."""
        touched = sorted({*removed, *(parsed.document.id for parsed, _ in changed)})
        with self._database.transaction() as transaction:
            epoch = Epoch(self._epoch(transaction.execute).number + 1, secrets.token_hex(8), embedder)
            transaction.executemany(
                "DELETE FROM documents WHERE application = ? AND id = ?", [(self._application, id) for id in touched]
            )
            self._insert(transaction, changed)
            transaction.execute(
                "INSERT INTO epochs (application, number, mark, embedder, made_ns, touched) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(self._application, epoch.number, epoch.mark, embedder),
                    *(time.time_ns(), msgspec.json.encode(touched).decode()),
                ),
            )
            self._forget(transaction, epoch)
        return epoch

    def _insert(self, transaction: Transaction, changed: Sequence[tuple[Parsed, str]]) -> None:
        transaction.executemany(
            "INSERT INTO documents (application, id, title, text, media_type, digest, form) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (self._application, d.id, d.title, d.text, d.media_type, d.digest, form)
                for d, form in ((parsed.document, form) for parsed, form in changed)
            ),
        )
        transaction.executemany(
            "INSERT INTO chunks (application, document, first, last, heading, passage) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (self._application, d.id, c.start, c.end, c.heading, passage(d.title, c.heading, c.text).key)
                for d, chunks in ((parsed.document, parsed.chunks) for parsed, _ in changed)
                for c in chunks
            ),
        )

    def _forget(self, transaction: Transaction, epoch: Epoch) -> None:
        """Drop vectors that no chunk needs, and epochs too old to catch up from."""
        transaction.execute(
            "DELETE FROM vectors WHERE application = ? AND passage IN ("
            "SELECT v.passage FROM vectors v LEFT JOIN chunks c "
            "ON c.application = v.application AND c.passage = v.passage "
            "WHERE v.application = ? AND c.passage IS NULL)",
            (self._application, self._application),
        )
        if epoch.embedder:
            # An epoch without an embedder keeps the vectors of the one before: it may come back.
            transaction.execute(
                "DELETE FROM vectors WHERE application = ? AND embedder <> ?", (self._application, epoch.embedder)
            )
        transaction.execute(
            "DELETE FROM epochs WHERE application = ? AND number <= ?",
            (self._application, epoch.number - EPOCHS_KEPT),
        )

    def _epoch(self, run: Callable[[str, Sequence[Any]], list[Row]]) -> Epoch:
        rows = run(
            "SELECT number, mark, embedder FROM epochs WHERE application = ? ORDER BY number DESC LIMIT 1",
            (self._application,),
        )
        return Epoch(*rows[0]) if rows else Epoch()

    def _documents(self) -> dict[str, Document]:
        rows = self._database.query(
            "SELECT id, title, text, media_type, digest FROM documents WHERE application = ? ORDER BY id",
            (self._application,),
        )
        return {row[0]: Document(*row) for row in rows}

    def _places(self, embedder: str) -> tuple[list[Place], list[bytes]]:
        rows = self._database.query(
            "SELECT c.n, c.document, c.first, c.last, c.heading, v.vector FROM chunks c LEFT JOIN vectors v "
            "ON v.application = c.application AND v.passage = c.passage AND v.embedder = ? "
            "WHERE c.application = ? ORDER BY c.n",
            (embedder, self._application),
        )
        vectors = [row[5] for row in rows if row[5] is not None]
        return [Place(*row[:5]) for row in rows], vectors if len(vectors) == len(rows) else []
