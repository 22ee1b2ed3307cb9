"""Ingestion and retrieval on a real database, a real index and real child processes."""

import asyncio
import fcntl
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from context_standin import Words, Write, hostile, library
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import ConfigurationError, RequestError, StoreError
from regista.serve.context.library import Library
from regista.store import connect

SIX = "# The six\n\nThe deep midfielder drops between the centre-backs.\n"
EIGHT = "# The eight\n\nThe runner arrives late in the box.\n"


async def test_what_is_ingested_is_found_by_words_and_by_vectors_with_true_offsets(
    club: Library, write: Write, tmp_path: Path
) -> None:
    write("roles/six.md", SIX)
    write("roles/eight.md", EIGHT)
    report = await club.ingest(tmp_path / "documents")
    assert (report.epoch, report.added, report.chunks, report.failed) == (1, 2, 2, ())
    found = await club.retrieve("who drops between centre-backs?")
    assert found.reason == "" and found.hits[0].document == "roles/six.md"
    for hit in found.hits:
        text = club.text(hit.document)
        assert text is not None and text[hit.start : hit.end] == hit.text


async def test_a_changed_file_of_many_embeds_only_its_own_changed_chunks(
    club: Library, write: Write, embedder: Words, tmp_path: Path
) -> None:
    for n in range(20):
        write(f"{n}.md", f"# Drill {n}\n\nThe drill number {n} is run on the left.\n")
    await club.ingest(tmp_path / "documents")
    assert len(embedder.texts) == 20
    embedder.texts.clear()
    write("7.md", "# Drill 7\n\nThe drill is run on the right now.\n")
    report = await club.ingest(tmp_path / "documents")
    assert (report.epoch, report.changed, report.unchanged, report.embedded) == (2, 1, 19, 1)
    assert len(embedder.texts) == 1 and "right now" in embedder.texts[0]


async def test_an_ingest_that_changes_nothing_makes_no_epoch(club: Library, write: Write, tmp_path: Path) -> None:
    write("six.md", SIX)
    await club.ingest(tmp_path / "documents")
    report = await club.ingest(tmp_path / "documents")
    assert (report.epoch, report.unchanged, report.embedded) == (1, 1, 0)


async def test_a_moved_file_is_not_embedded_again(club: Library, write: Write, embedder: Words, tmp_path: Path) -> None:
    path = write("six.md", SIX)
    await club.ingest(tmp_path / "documents")
    path.rename(path.with_name("moved.md"))
    report = await club.ingest(tmp_path / "documents")
    assert (report.added, report.removed, report.embedded) == (1, 1, 0)
    assert [hit.document for hit in (await club.retrieve("midfielder")).hits] == ["moved.md"]


async def test_a_deleted_file_is_gone_from_every_index(tmp_path: Path, write: Write, embedder: Words) -> None:
    path = write("six.md", SIX)
    write("eight.md", EIGHT)
    opened = {
        retriever: library(tmp_path, embedder, retriever=retriever) for retriever in ("lexical", "vector", "hybrid")
    }
    for club in opened.values():
        await club.open()
    await opened["hybrid"].ingest(tmp_path / "documents")
    path.unlink()
    report = await opened["hybrid"].ingest(tmp_path / "documents")
    assert report.removed == 1
    for club in opened.values():
        await club.refresh()
        hits = (await club.retrieve("the deep midfielder drops between the centre-backs")).hits
        assert "six.md" not in [hit.document for hit in hits]
        assert club.text("six.md") is None
    assert len((await opened["vector"].retrieve("anything")).hits) == 1


async def test_a_document_that_breaks_leaves_its_old_version_served_and_is_reported(
    club: Library, write: Write, tmp_path: Path
) -> None:
    write("six.md", SIX)
    await club.ingest(tmp_path / "documents")
    write("six.md", "")
    write("new.xyz", "no loader reads this")
    report = await club.ingest(tmp_path / "documents")
    assert [document for document, _ in report.failed] == ["new.xyz", "six.md"]
    assert all(document in reason for document, reason in report.failed)
    assert (report.epoch, report.removed) == (1, 0)
    assert (await club.retrieve("midfielder")).hits[0].document == "six.md"


async def test_a_loader_that_hangs_dies_or_returns_no_text_costs_only_its_document(
    tmp_path: Path, write: Write
) -> None:
    write("a.txt", "hang")
    write("b.txt", "die")
    write("c.txt", "lone \ud800 surrogate")
    write("d.txt", "The deep midfielder.")
    club = library(tmp_path, load=hostile, limit=2.0)
    await club.open()
    report = await club.ingest(tmp_path / "documents")
    assert report.added == 1 and club.text("d.txt") == "The deep midfielder."
    reasons = dict(report.failed)
    assert "took more than 2 s" in reasons["a.txt"]
    assert "crash" in reasons["b.txt"]
    assert "surrogates" in reasons["c.txt"]


async def test_an_embedder_that_fails_leaves_the_old_epoch(
    club: Library, write: Write, embedder: Words, tmp_path: Path
) -> None:
    write("six.md", SIX)
    await club.ingest(tmp_path / "documents")
    write("eight.md", EIGHT)
    embedder.broken = True
    with pytest.raises(RuntimeError, match="broke"):
        await club.ingest(tmp_path / "documents")
    assert club.epoch == 1 and club.text("eight.md") is None
    embedder.broken = False
    assert (await club.ingest(tmp_path / "documents")).epoch == 2


async def test_hybrid_searches_by_words_and_says_so_when_the_query_cannot_be_embedded(
    club: Library, write: Write, embedder: Words, tmp_path: Path
) -> None:
    write("six.md", SIX)
    await club.ingest(tmp_path / "documents")
    embedder.broken = True
    found = await club.retrieve("midfielder")
    assert found.hits[0].document == "six.md"
    assert found.reason == "searched by words alone: the embedder broke"


async def test_vectors_of_another_embedder_are_not_searched_until_all_are_made_anew(
    club: Library, write: Write, tmp_path: Path
) -> None:
    write("six.md", SIX)
    await club.ingest(tmp_path / "documents")
    other = library(tmp_path, Words("other"))
    await other.open()
    assert "ingest again" in (await other.retrieve("midfielder")).reason
    report = await other.ingest(tmp_path / "documents")
    assert (report.epoch, report.unchanged, report.embedded) == (2, 1, 1)
    assert (await other.retrieve("midfielder")).reason == ""


async def test_without_an_embedder_retrieval_is_lexical_and_vector_says_why_not(tmp_path: Path, write: Write) -> None:
    write("six.md", SIX)
    club, vector = library(tmp_path), library(tmp_path, retriever="vector")
    await club.open()
    await club.ingest(tmp_path / "documents")
    found = await club.retrieve("midfielder")
    assert len(found.hits) == 1 and "no embedder" in found.reason
    await vector.open()
    with pytest.raises(ConfigurationError, match="no embedder"):
        await vector.retrieve("midfielder")


async def test_a_search_under_way_ends_on_the_epoch_it_began_on(tmp_path: Path, write: Write, embedder: Words) -> None:
    path = write("six.md", SIX)
    club = library(tmp_path, embedder)
    await club.open()
    await club.ingest(tmp_path / "documents")
    _, retriever = club._served()  # pyright: ignore[reportPrivateUsage] - what a search under way holds
    path.unlink()
    write("eight.md", EIGHT)
    await club.ingest(tmp_path / "documents")
    assert [hit.document for hit in (await retriever.retrieve("the", 10)).hits] == ["six.md"]
    assert [hit.document for hit in (await club.retrieve("the")).hits] == ["eight.md"]


async def test_an_epoch_made_elsewhere_is_taken_up_on_refresh(club: Library, write: Write, tmp_path: Path) -> None:
    write("six.md", SIX)
    elsewhere = library(tmp_path, Words())
    await elsewhere.open()
    await elsewhere.ingest(tmp_path / "documents")
    assert club.epoch == 0 and await club.refresh() and club.epoch == 1
    assert not await club.refresh()
    assert (await club.retrieve("midfielder")).hits


async def test_a_lexical_index_that_lags_breaks_or_is_of_another_database_is_made_to_fit(
    club: Library, write: Write, embedder: Words, tmp_path: Path
) -> None:
    state = tmp_path / ".regista"
    path = write("six.md", SIX)
    await club.ingest(tmp_path / "documents")
    shutil.copytree(state / "index", tmp_path / "old")
    path.unlink()
    write("eight.md", EIGHT)
    await club.ingest(tmp_path / "documents")

    async def found() -> list[str]:
        opened = library(tmp_path, embedder, retriever="lexical")
        await opened.open()
        return [hit.document for query in ("midfielder", "runner") for hit in (await opened.retrieve(query)).hits]

    shutil.rmtree(state / "index")
    shutil.copytree(tmp_path / "old", state / "index")
    assert await found() == ["eight.md"]
    for file in (state / "index").glob("*/*.json"):
        file.write_text("broken")
    assert await found() == ["eight.md"]
    for file in state.glob("regista.db*"):
        file.unlink()
    assert await found() == []


async def test_links_out_of_the_documents_are_reported_and_not_followed(
    club: Library, write: Write, tmp_path: Path
) -> None:
    inside = write("six.md", SIX)
    (tmp_path / "secret.md").write_text("The secret.")
    (tmp_path / "documents" / "out.md").symlink_to(tmp_path / "secret.md")
    (tmp_path / "documents" / "loop").symlink_to(tmp_path / "documents")
    (tmp_path / "documents" / "in.md").symlink_to(inside)
    os.mkfifo(tmp_path / "documents" / "pipe.md")
    write(".hidden.md", "Hidden.")
    report = await club.ingest(tmp_path / "documents")
    assert [document for document, _ in report.failed] == ["loop", "out.md", "pipe.md"]
    assert report.added == 2 and not [h for h in (await club.retrieve("secret")).hits if "secret" in h.text]


async def test_a_folder_that_is_missing_removes_nothing(club: Library, write: Write, tmp_path: Path) -> None:
    write("six.md", SIX)
    await club.ingest(tmp_path / "documents")
    (tmp_path / "documents").rename(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="no folder"):
        await club.ingest(tmp_path / "documents")
    assert club.epoch == 1 and club.text("six.md")


async def test_two_ingests_at_once_come_one_after_the_other(club: Library, write: Write, tmp_path: Path) -> None:
    write("six.md", SIX)
    other = library(tmp_path, Words())
    await other.open()
    reports = await asyncio.gather(club.ingest(tmp_path / "documents"), other.ingest(tmp_path / "documents"))
    assert sorted(report.added for report in reports) == [0, 1]
    assert {report.epoch for report in reports} == {1}


async def test_an_ingest_that_waits_too_long_says_who_holds_the_lock(
    club: Library, write: Write, tmp_path: Path
) -> None:
    write("six.md", SIX)
    await club.ingest(tmp_path / "documents")
    with (tmp_path / ".regista" / "ingest.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match=f"process {os.getpid()}"):
            await club.ingest(tmp_path / "documents", wait=0)


async def test_an_ingest_that_is_cancelled_keeps_others_out_until_its_commit_has_ended(
    club: Library, write: Write, tmp_path: Path
) -> None:
    write("six.md", SIX)
    database = connect(f"sqlite://{tmp_path / '.regista' / 'regista.db'}")
    commits = asyncio.Event()
    with ExitStack() as busy:

        def told(done: int, total: int, what: str) -> None:
            if (done, what) == (total, "vectors"):
                busy.enter_context(database.transaction())  # what follows is the commit, which waits for this
                commits.set()

        ingesting = asyncio.create_task(club.ingest(tmp_path / "documents", told))
        await commits.wait()
        await asyncio.sleep(0.2)
        ingesting.cancel()
        await asyncio.sleep(0.2)
        with pytest.raises(StoreError, match=f"process {os.getpid()}"):
            await library(tmp_path).ingest(tmp_path / "documents", wait=0)
    with pytest.raises(asyncio.CancelledError):
        await ingesting
    database.close()
    report = await club.ingest(tmp_path / "documents", wait=0)
    assert (report.added, report.unchanged) == (0, 1)


async def test_progress_counts_documents_then_vectors(club: Library, write: Write, tmp_path: Path) -> None:
    write("six.md", SIX)
    steps: list[tuple[int, int, str]] = []
    await club.ingest(tmp_path / "documents", lambda done, total, what: steps.append((done, total, what)))
    assert steps == [(0, 1, "six.md"), (1, 1, ""), (0, 1, "vectors"), (1, 1, "vectors")]


async def test_a_query_is_text_and_nothing_in_it_an_operator(club: Library, write: Write, tmp_path: Path) -> None:
    write("six.md", SIX)
    await club.ingest(tmp_path / "documents")
    assert (await club.retrieve("   ")).hits == ()
    with pytest.raises(RequestError):
        await club.retrieve("midfielder", 0)

    @given(st.text() | st.text(alphabet='AND OR NOT midfielder:"*+-^~()[]{}\\/', max_size=40))
    def harmless(query: str) -> None:
        asyncio.run(club.retrieve(query))

    await asyncio.to_thread(harmless)
