"""Watching a real folder: what a save is told as, and what is not told."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from regista.app.watch import Saves, kind, saves

NOT_TOLD = [
    ".regista/regista.db",
    "__pycache__/tools.pyc",
    "prompts/.answer.prompt.swp",
    "prompts/answer.prompt~",
    "prompts/#answer.prompt#",
    "prompts/.#answer.prompt",
    "prompts/4913",
    "documents/~$letter.docx",
    "documents/big.pdf.part",
    "data/rows.csv",
    "data/make.py",
    "evals/first.jsonl",
    "README.md",
]


@pytest.mark.parametrize("path", NOT_TOLD)
def test_what_changes_nothing_served_is_not_told(path: str) -> None:
    assert kind(Path(path)) is None


@pytest.mark.parametrize("path", ["regista.toml", "prompts/answer.prompt", "tools.py", "figures/roles.py"])
def test_settings_prompts_and_code_are_configuration(path: str) -> None:
    assert kind(Path(path)) == "configuration"


def test_the_documents_folder_may_have_another_name() -> None:
    assert kind(Path("texts/a.md"), "texts") == "documents"
    assert kind(Path("documents/a.md"), "texts") is None


@asynccontextmanager
async def watching(folder: Path) -> AsyncGenerator["asyncio.Queue[Saves]"]:
    """Saves as they are told, once the watch is known to run (it starts in a thread and does not say when)."""
    told: asyncio.Queue[Saves] = asyncio.Queue()

    async def listen() -> None:
        async with aclosing(saves(folder)) as stream:
            async for save in stream:
                told.put_nowait(save)

    task = asyncio.create_task(listen())
    while told.empty():
        (folder / "probe.py").write_text("")
        await asyncio.sleep(0.05)
    yield told
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(told: "asyncio.Queue[Saves]", path: Path) -> Saves:
    while True:
        save = await told.get()
        if path in save.configuration | save.documents:
            return save


async def test_a_save_is_told_with_what_it_touched(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    async with watching(tmp_path) as told:
        (tmp_path / "documents/a.md").write_text("A")
        assert tmp_path / "documents/a.md" in (await until(told, tmp_path / "documents/a.md")).documents
        (tmp_path / "regista.toml").write_text("")
        assert tmp_path / "regista.toml" in (await until(told, tmp_path / "regista.toml")).configuration


async def test_a_save_by_renaming_and_a_deletion_are_told(tmp_path: Path) -> None:
    async with watching(tmp_path) as told:
        (tmp_path / "regista.toml.tmp").write_text("x")
        (tmp_path / "regista.toml.tmp").rename(tmp_path / "regista.toml")
        await until(told, tmp_path / "regista.toml")
        (tmp_path / "regista.toml").unlink()
        save = await until(told, tmp_path / "regista.toml")
        assert not any(path.suffix == ".tmp" for path in save.configuration)


async def test_a_name_that_is_no_text_does_not_end_the_watch(tmp_path: Path) -> None:
    async with watching(tmp_path) as told:
        (tmp_path / os.fsdecode(b"old-\xe9.md")).write_text("x")
        async with asyncio.timeout(30):
            while await told.get() != Saves():
                pass
            while True:  # it begins in a thread and does not say when
                (tmp_path / "regista.toml").write_text("")
                await asyncio.sleep(0.05)
                if not told.empty():
                    await until(told, tmp_path / "regista.toml")
                    return


async def test_a_watch_can_be_closed_and_cancelled(tmp_path: Path) -> None:
    stream = saves(tmp_path)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises((asyncio.CancelledError, StopAsyncIteration)):
        await waiting
    await stream.aclose()
