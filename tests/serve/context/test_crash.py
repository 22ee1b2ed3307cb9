"""`kill -9` of an ingest at any moment: what is served afterwards is one epoch, whole."""

import asyncio
import os
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import context_standin as standin
import pytest
from context_standin import Write

from regista.serve.context.library import Library

COUNT = 30
QUERY = "everything of version stands in document"


def write_version(write: Write, version: str) -> None:
    for n in range(COUNT):
        write(f"{n}.md", f"# Document {n}\n\nEverything of version {version} stands in document {n}.\n" * 3)


async def served(folder: Path, retriever: str) -> tuple[int, set[str]]:
    """The epoch, and the versions found by the retriever and in the texts."""
    library: Library = standin.library(folder, standin.Words(), retriever=retriever)
    await library.open()
    hits = (await library.retrieve(QUERY, 1000)).hits
    texts = [library.text(f"{n}.md") or "" for n in range(COUNT)]
    assert all((library.text(hit.document) or "")[hit.start : hit.end] == hit.text for hit in hits)
    assert len({hit.document for hit in hits}) == COUNT
    return library.epoch, {version for version in ("alpha", "beta") for text in texts if version in text}


async def started(folder: Path, *moment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, standin.__file__, str(folder), *moment)


async def test_an_ingest_killed_at_any_moment_leaves_the_old_epoch_or_the_new_one_whole(
    write: Write, tmp_path: Path
) -> None:
    write_version(write, "alpha")
    began = time.monotonic()
    assert await (await started(tmp_path)).wait() == 0
    whole = time.monotonic() - began
    versions = ["beta", "alpha"]
    epoch, now = 1, "alpha"
    moments = random.Random(os.urandom(8))
    for _ in range(8):
        following = versions[epoch % 2 == 0]
        write_version(write, following)
        child = await started(tmp_path)
        await asyncio.sleep(moments.uniform(0.4, 1.1) * whole)
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        for retriever in ("lexical", "vector"):
            reached, found = await served(tmp_path, retriever)
            assert reached in (epoch, epoch + 1)
            assert found == {following if reached > epoch else now}
        epoch, now = reached, found.pop()


@pytest.mark.parametrize(
    ("moment", "expected"), list(zip(standin.MOMENTS, [(1, {"alpha"}), (2, {"beta"})], strict=True))
)
async def test_an_ingest_killed_about_its_commit_is_in_it_or_not(
    write: Write, tmp_path: Path, moment: str, expected: tuple[int, set[str]]
) -> None:
    write_version(write, "alpha")
    await standin.ingest(tmp_path)
    write_version(write, "beta")
    assert await (await started(tmp_path, moment)).wait() == -signal.SIGKILL
    assert await served(tmp_path, "lexical") == await served(tmp_path, "vector") == expected
