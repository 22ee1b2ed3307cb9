"""The tables of documents on a real database: one epoch a commit, vectors by what they are of."""

import pytest

from regista.core.digest import digest
from regista.core.nouns import Chunk, Document
from regista.store import Database
from regista.store.documents import EPOCHS_KEPT, Documents, Epoch, Parsed, passage


@pytest.fixture
def documents(database: Database) -> Documents:
    return Documents(database, "club")


def parsed(id: str, *texts: str) -> tuple[Parsed, str]:
    whole = "\n".join(texts)
    starts = [whole.index(text) for text in texts]
    chunks = tuple(Chunk(id, at, at + len(text), text, "T", "H") for at, text in zip(starts, texts, strict=True))
    return Parsed(Document(id, "T", whole, "text/plain", digest(whole)), chunks), "form"


def keys(*texts: str) -> list[str]:
    return [passage("T", "H", text).key for text in texts]


def test_a_commit_is_the_next_epoch_and_holds_what_was_given(documents: Documents) -> None:
    assert documents.epoch() == Epoch()
    epoch = documents.commit([parsed("a.md", "one", "two\0 é"), parsed("b.md", "three")], [], "")
    contents = documents.read()
    assert contents.epoch == epoch and epoch.number == 1
    texts = [contents.documents[place.document].text[place.start : place.end] for place in contents.places]
    assert texts == ["one", "two\0 é", "three"]


def test_a_commit_that_fails_changes_nothing(documents: Documents) -> None:
    documents.commit([parsed("a.md", "one")], [], "")
    before = documents.read()
    with pytest.raises(UnicodeEncodeError):
        documents.commit([parsed("b.md", "two"), parsed("c.md", "\ud800")], ["a.md"], "")
    assert documents.read() == before


def test_a_replaced_or_removed_document_leaves_no_chunk_and_no_vector(documents: Documents, database: Database) -> None:
    documents.keep_vectors("m", [(key, b"00") for key in keys("one", "two")])
    documents.commit([parsed("a.md", "one"), parsed("b.md", "two")], [], "m")
    documents.keep_vectors("m", [(keys("new")[0], b"11")])
    documents.commit([parsed("a.md", "new")], ["b.md"], "m")
    contents = documents.read()
    assert list(contents.documents) == ["a.md"]
    assert len(contents.places) == len(contents.vectors) == 1
    assert database.query("SELECT passage FROM vectors") == [(keys("new")[0],)]


def test_vectors_are_those_of_the_epochs_embedder_and_for_all_chunks_or_none(documents: Documents) -> None:
    documents.keep_vectors("m", [(keys("one")[0], b"00")])
    documents.commit([parsed("a.md", "one", "two")], [], "m")
    assert documents.read().vectors == []
    assert list(documents.passages("m")) == keys("two")
    assert documents.embedded("m", keys("one", "two")) == set(keys("one"))
    documents.keep_vectors("m", [(keys("two")[0], b"11")])
    assert documents.read().vectors == [b"00", b"11"]


def test_what_was_touched_since_an_epoch_is_known_while_the_tables_know_the_epoch(documents: Documents) -> None:
    first = documents.commit([parsed("a.md", "one"), parsed("b.md", "two")], [], "")
    assert documents.touched_since(first) == set()
    documents.commit([parsed("a.md", "new")], [], "")
    documents.commit([], ["b.md"], "")
    assert documents.touched_since(first) == {"a.md", "b.md"}
    assert documents.touched_since(Epoch(first.number, "of another life")) is None
    for _ in range(EPOCHS_KEPT):
        documents.commit([], [], "")
    assert documents.touched_since(first) is None


def test_applications_in_one_database_do_not_see_each_other(documents: Documents, database: Database) -> None:
    other = Documents(database, "other")
    documents.commit([parsed("a.md", "one")], [], "")
    assert other.epoch() == Epoch() and other.known() == {}
    other.commit([parsed("a.md", "two")], [], "")
    other.commit([], ["a.md"], "")
    assert list(documents.known()) == ["a.md"]
