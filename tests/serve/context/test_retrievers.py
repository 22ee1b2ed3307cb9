"""Retrievers: fusion by rank, options that cannot work, and what is left without numpy."""

import subprocess
import sys
from pathlib import Path

import pytest
from context_standin import Words, Write, library

from regista.core.errors import ConfigurationError
from regista.serve.context.retrievers import retrievers


async def test_every_retriever_finds_the_passage_and_keeps_to_k(tmp_path: Path, write: Write) -> None:
    for n in range(12):
        write(f"{n}.md", f"# Drill {n}\n\nPassing drill with {'rondo' if n == 5 else 'cones'} on the pitch.\n")
    for name in retrievers.names():
        club = library(tmp_path, Words(), retriever=name)
        await club.open()
        await club.ingest(tmp_path / "documents")
        found = await club.retrieve("rondo passing drill", 3)
        assert found.hits[0].document == "5.md"
        assert len(found.hits) == 3
        scores = [hit.score for hit in found.hits]
        assert scores == sorted(scores, reverse=True)


async def test_fusion_adds_reciprocal_ranks(tmp_path: Path, write: Write) -> None:
    write("both.md", "rondo")
    write("words.md", "rondo far from it in a text of many words that all say something else")
    club = library(tmp_path, Words(), retriever_options={"c": 9})
    await club.open()
    await club.ingest(tmp_path / "documents")
    first, second = (await club.retrieve("rondo")).hits
    assert (first.document, second.document) == ("both.md", "words.md")
    assert (first.score, second.score) == pytest.approx((1 / 10 + 1 / 10, 1 / 11 + 1 / 11))


@pytest.mark.parametrize("options", [{"depth": 0}, {"c": -1}])
def test_options_that_cannot_work_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="set depth"):
        retrievers.build("hybrid", None, **options)


def test_without_numpy_words_are_still_searched(tmp_path: Path, write: Write) -> None:
    write("six.md", "The deep midfielder.")
    program = """
import asyncio, sys
from pathlib import Path
sys.modules["numpy"] = None
from regista.serve.context.chunkers import chunkers
from regista.serve.context.library import Library
from regista.store import connect

async def main(folder):
    state = folder / ".regista"
    library = Library(connect(f"sqlite://{state}/r.db"), state, "club", chunker=chunkers.build("structure"))
    await library.open()
    await library.ingest(folder / "documents")
    found = await library.retrieve("midfielders")
    print([hit.document for hit in found.hits], found.reason)

asyncio.run(main(Path(sys.argv[1])))
"""
    ran = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert ran.stdout == "['six.md'] searched by words alone: there is no embedder\n"
