"""What is searched: one epoch of an application's documents, in memory and never changed.

A query that began on a snapshot ends on it, whatever is ingested meanwhile. It does not know how
searches are combined; that is what retrievers are for.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from regista.core.errors import MissingExtraError
from regista.core.nouns import Document, Hit
from regista.serve.context.lexical import Lexical, bring_up
from regista.store.documents import Contents, Documents
from regista.store.locks import held

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regista.serve.context.vectors import Matrix

Ranking = list[tuple[int, float]]
"""Rows of the snapshot's chunks with their scores, best first."""


class Snapshot:
    """An epoch. `unembedded` says why it has no vectors; empty where it has them."""

    def __init__(self, contents: Contents, lexical: Lexical, matrix: "Matrix | None", unembedded: str) -> None:
        self.epoch = contents.epoch
        self.documents = contents.documents
        self.unembedded = unembedded
        self._places = contents.places
        self._rows = {place.n: row for row, place in enumerate(contents.places)}
        self._lexical = lexical
        self._matrix = matrix

    def __len__(self) -> int:
        """How many chunks it has."""
        return len(self._places)

    def match(self, query: str, k: int) -> Ranking:
        """The best chunks by the words of `query`: BM25 over title, headings and text. Blocks."""
        return [(self._rows[key], score) for key, score in self._lexical.search(query, k)]

    def nearest(self, vector: "NDArray[np.float32]", k: int) -> Ranking:
        """The best chunks by cosine to `vector` (of unit length); none where there are no vectors. Blocks."""
        return self._matrix.nearest(vector, k) if self._matrix else []

    def hits(self, ranking: Iterable[tuple[int, float]]) -> list[Hit]:
        """The passages of a ranking."""
        return [self._hit(row, score) for row, score in ranking]

    def _hit(self, row: int, score: float) -> Hit:
        place = self._places[row]
        source: Document = self.documents[place.document]
        text = source.text[place.start : place.end]
        return Hit(place.document, place.start, place.end, text, score, source.title, place.heading)


def take(documents: Documents, folder: Path, embedder: str) -> Snapshot:
    """The newest epoch, its derived index below `folder` brought up to it. Blocks.

    `embedder` is the name of what will embed queries; empty: nothing will.
    """
    # Under the lock nobody else moves the index, so it shows the epoch that was read here.
    with held(folder / "index.lock"):
        contents = documents.read()
        lexical = bring_up(folder, documents, contents)
    matrix, unembedded = _matrix(contents, embedder)
    return Snapshot(contents, lexical, matrix, unembedded)


def _matrix(contents: Contents, embedder: str) -> tuple["Matrix | None", str]:
    if not contents.places:
        return None, ""
    if not embedder:
        return None, "there is no embedder"
    if contents.epoch.embedder != embedder:
        made_by = contents.epoch.embedder or "no embedder"
        return None, f"the documents were ingested with {made_by}, queries are embedded by {embedder}: ingest again"
    if not contents.vectors:
        return None, "vectors are missing: ingest again"
    return _numpy_matrix(contents.vectors)


def _numpy_matrix(vectors: Sequence[bytes]) -> tuple["Matrix | None", str]:
    try:
        from regista.serve.context.vectors import Matrix  # noqa: PLC0415 - numpy is optional
    except MissingExtraError as error:
        return None, error.message
    return Matrix(vectors), ""
