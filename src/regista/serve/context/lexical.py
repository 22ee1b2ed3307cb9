"""The lexical index: tantivy, BM25. Derived from the store: it may lag, break or vanish, and is made again.

Each commit carries the epoch that it shows, in a document of its own, so the two change together.
"""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

import tantivy

from regista.core.errors import StoreError
from regista.serve.context.analysis import analyzer, terms
from regista.store.documents import Contents, Documents, Epoch, Place

FORMAT = 1
"""Part of the folder's name: an index of another format is another folder."""
TITLE_WEIGHT = 3
"""How often a title's words count beside each chunk's own."""
MAX_TERMS = 128
"""Words of a query that count; a pasted page is not searched for word by word."""
_HEAP_BYTES = 32 << 20
_log = logging.getLogger(__name__)


class Lexical:
    """One epoch's index. It goes on showing that epoch whatever is committed later."""

    def __init__(self, index: tantivy.Index) -> None:
        self._schema = index.schema
        self._searcher = index.searcher()

    def search(self, query: str, k: int) -> list[tuple[int, float]]:
        """The best `k` chunks as (key, BM25 score). `query` is text: nothing in it is an operator."""
        words = list(dict.fromkeys(terms(query)))[:MAX_TERMS]
        if not words:
            return []
        any_of = [
            (tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "words", word, "freq")) for word in words
        ]
        found = self._searcher.search(tantivy.Query.boolean_query(any_of), k, count=False).hits
        keys = self._searcher.fast_field_values("chunk", [address for _, address in found])
        return [(int(key), float(score)) for key, (score, _) in zip(keys, found, strict=True) if key is not None]


def bring_up(folder: Path, documents: Documents, contents: Contents) -> Lexical:
    """The index below `folder`, changed where it differs from `contents`. The caller holds the index's lock.

    Raises `StoreError` where it can neither be opened nor made.
    """
    path = folder / f"lexical-{FORMAT}"
    try:
        index = _open(path)
        _catch_up(index, documents, contents)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a derived index, the cure is to make it again
        _log.warning("The lexical index %s is made again: %s", path, error)
        shutil.rmtree(path, ignore_errors=True)
        try:
            index = _open(path)
            _catch_up(index, documents, contents)
        except (OSError, ValueError) as last:
            raise StoreError(
                f"The lexical index {path} cannot be written: {last}. Make it writable and free some disk space."
            ) from last
    return Lexical(index)


def _open(path: Path) -> tantivy.Index:
    path.mkdir(parents=True, exist_ok=True)
    index = tantivy.Index(_schema(), str(path))
    index.register_tokenizer("words", analyzer())
    index.reload()
    return index


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("chunk", fast=True)
    builder.add_text_field("document", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("epoch", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", tokenizer_name="words", index_option="freq")
    return builder.build()


def _catch_up(index: tantivy.Index, documents: Documents, contents: Contents) -> None:
    """Write what changed between the epoch the index shows and that of `contents`; everything, if that is unknown."""
    shown = _shown(index)
    current = shown is not None and _written(shown) == _written(contents.epoch)
    if current and index.searcher().num_docs == len(contents.places) + 1:
        return
    touched = documents.touched_since(shown) if shown and not current else None
    writer = index.writer(_HEAP_BYTES, 1)
    if touched is None:
        writer.delete_all_documents()
        _add(writer, contents, contents.places)
    else:
        for document in touched:
            writer.delete_documents_by_term("document", document)
        _add(writer, contents, (place for place in contents.places if place.document in touched))
        writer.delete_documents_by_term("document", _MARK)
    writer.add_document(tantivy.Document(epoch=_written(contents.epoch), document=_MARK))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    if index.searcher().num_docs != len(contents.places) + 1:
        raise ValueError(f"it holds {index.searcher().num_docs - 1} chunks, the store {len(contents.places)}")


_MARK = "\0epoch"
"""Stands where other rows have their document; no file name can hold a NUL."""


def _shown(index: tantivy.Index) -> Epoch | None:
    searcher = index.searcher()
    found = searcher.search(tantivy.Query.term_query(index.schema, "document", _MARK, "basic"), 1).hits
    if not found:
        return None
    number, _, mark = str(searcher.doc(found[0][1]).get_first("epoch")).partition(" ")
    return Epoch(int(number), mark)


def _written(epoch: Epoch) -> str:
    return f"{epoch.number} {epoch.mark}"


def _add(writer: tantivy.IndexWriter, contents: Contents, places: Iterable[Place]) -> None:
    for place in places:
        source = contents.documents[place.document]
        text = source.text[place.start : place.end]
        # Weights go into the word counts, before BM25 saturates them: one field for all, not a sum of
        # scores (Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields", 2004).
        words = "\n".join((*[source.title] * TITLE_WEIGHT, place.heading, text))
        writer.add_document(tantivy.Document(chunk=place.n, document=place.document, words=words))
