"""A platform whose folder is saved while it is at it: what is served in the end, and what runs beside."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.surfaces.workers.conftest import children

import regista
from regista.app.platform import Platform
from regista.core.errors import ConfigurationError

PROMPT = '{{role "system"}}\nAnswer.\n{{role "user"}}\n{{question}}\n'
ECHO = '[app]\nname = "shop"\n[models.default]\nmodel = "echo/any"\n'
TOOL = """
from regista import tool


@tool()
def double(n: int) -> int:
    'Twice n.'
    return 2 * n
"""
READS = ECHO + '[context]\nembedder = "none"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shop"
    (made / "prompts").mkdir(parents=True)
    (made / "prompts" / "answer.prompt").write_text(PROMPT)
    (made / "regista.toml").write_text(ECHO)
    return made


@pytest.fixture
async def platform(folder: Path) -> AsyncIterator[Platform]:
    async with regista.open(folder, models=str(folder.parent)) as app:
        yield app._platform  # pyright: ignore[reportPrivateUsage]


async def test_of_two_saves_the_last_is_served_however_long_the_first_takes(folder: Path, platform: Platform) -> None:
    before = platform.application.variant.digest
    (folder / "documents").mkdir()
    for n in range(200):
        (folder / "documents" / f"{n}.md").write_text(f"# Number {n}\n\n" + f"The number {n} is a number. " * 50)
    (folder / "regista.toml").write_text(READS)
    first = asyncio.create_task(platform.reload())
    while not list((folder / ".regista").glob("ingest.lock")):  # noqa: ASYNC110 - it tells nobody that it has read
        await asyncio.sleep(0.001)
    (folder / "regista.toml").write_text(ECHO)
    await platform.reload()
    await first
    assert platform.application.variant.digest == before


async def test_an_embedder_that_is_opened_while_a_save_is_read_is_kept(folder: Path, platform: Platform) -> None:
    (folder / "regista.toml").write_text(ECHO + "[feedback]\n")
    reading = asyncio.create_task(platform.reload())
    await asyncio.sleep(0)
    assert (await platform.embed("default", ["a text"]))[0] == "hashed"
    await reading
    assert platform.embedding.startswith("hashed")


async def test_who_waits_for_an_embedder_gets_its_vectors_through_a_save_that_leaves_it(
    folder: Path, platform: Platform
) -> None:
    for context in ("", '[context]\nembedder = "hashed"\n', '[context]\nembedder = "hashed"\nk = 3\n'):
        (folder / "documents").mkdir(exist_ok=True)
        (folder / "regista.toml").write_text(ECHO + context)
        await platform.reload()
        await platform.embed("default", ["a text"])
        waiting = asyncio.create_task(platform.embed("default", ["a long text " * 1_000] * 400))
        await asyncio.sleep(0.01)
        (folder / "regista.toml").write_text(ECHO + context.replace("k = 3", "k = 4") + "[feedback]\n")
        await platform.reload()
        assert not waiting.done()
        assert len((await waiting)[1]) == 400


async def test_code_that_ends_the_process_ends_no_server(folder: Path, platform: Platform) -> None:
    (folder / "tools.py").write_text("import sys\n\nsys.exit(1)\n" + TOOL)
    (folder / "regista.toml").write_text(ECHO + '[agents]\ntools = "tools.py"\n')
    await platform.reload()
    assert "tools.py:3: SystemExit" in platform.problem


async def test_after_a_save_that_fails_in_a_way_nobody_foresaw_the_next_is_served(
    folder: Path, platform: Platform
) -> None:
    before = platform.application.variant.digest
    platform.watch()
    unnamed = folder / "prompts" / os.fsdecode(b"of-no-text-\xff.prompt")
    unnamed.write_text(PROMPT)
    await saved_until(lambda: "not served" in platform.problem, folder)
    unnamed.unlink()
    (folder / "prompts" / "answer.prompt").write_text(PROMPT.replace("Answer.", "Answer briefly."))
    await saved_until(lambda: platform.application.variant.digest != before and not platform.problem, folder)


async def test_documents_that_come_while_a_save_is_read_are_of_the_epoch_that_is_served(
    folder: Path, platform: Platform
) -> None:
    (folder / "documents").mkdir()
    (folder / "regista.toml").write_text(READS)
    await platform.reload()
    late = Late("_keep_prompts")
    asyncio.get_running_loop().set_default_executor(late)
    (folder / "regista.toml").write_text(READS + "[feedback]\n")
    reading = asyncio.create_task(platform.reload())
    await until(late.reached.is_set)
    before = platform.library.epoch
    (folder / "documents" / "a.md").write_text("# A\n\nA text.\n")
    await platform.ingest()
    late.free.set()
    await reading
    assert platform.application.variant.epoch == platform.library.epoch == before + 1


async def test_what_cannot_be_opened_leaves_nothing_that_runs(folder: Path) -> None:
    (folder / "regista.toml").write_text(ECHO + "[cache]\nsemantic = true\n")
    before = asyncio.all_tasks()
    with pytest.raises(ConfigurationError, match="neither"):
        async with regista.open(folder, models=str(folder.parent), limits_without_redis="perhaps"):
            pass
    assert children(os.getpid(), "worker_process") == [] and asyncio.all_tasks() == before


class Late(ThreadPoolExecutor):
    """Threads in which a function of this name has to wait until it is free to begin."""

    def __init__(self, name: str) -> None:
        super().__init__(8)
        self._name = name
        self.reached, self.free = threading.Event(), threading.Event()

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        if self._name in repr(fn):
            return super().submit(self._wait, fn, *args, **kwargs)
        return super().submit(fn, *args, **kwargs)

    def _wait(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        self.reached.set()
        self.free.wait(30)
        return fn(*args, **kwargs)


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not met():  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.02)


async def saved_until(met: Callable[[], bool], folder: Path) -> None:
    """Save the configuration as it is again and again: the watch may not have begun yet."""
    async with asyncio.timeout(30):
        while not met():
            (folder / "regista.toml").write_text(ECHO)
            await asyncio.sleep(0.2)
