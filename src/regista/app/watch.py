"""Tells when something of an application folder was saved. What to do about it is the caller's."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import cast

from msgspec import Struct
from watchfiles import Change, awatch  # pyright: ignore[reportUnknownVariableType] - one parameter names a package we lack

from regista.serve.routing import HEAD

QUIET_MS = 50
"""A burst of changes ends after so long without another: editors write, rename and touch in one save."""
LONGEST_MS = 500
"""A burst that goes on is told after so long."""
AGAIN_S = 0.5
"""How long after it failed watching begins again."""
_log = logging.getLogger(__name__)
_TEMPORARY = (".tmp", ".swp", ".swx", ".part", ".crdownload", "~")


class Saves(Struct, frozen=True):
    """What one save, or several at once, touched: changed, added and deleted files alike."""

    configuration: frozenset[Path] = frozenset()
    documents: frozenset[Path] = frozenset()


def saves(folder: Path, documents: str = "documents") -> AsyncGenerator[Saves]:
    """Yield what was saved, as it happens, until closed. Files that change nothing served are not told.

    Where watching failed for a moment, what was saved in it is not known: that is told as a save that touched nothing.
    `documents` is the folder's `[context] documents`.
    """
    return _saves(folder.resolve(), documents)


async def _saves(folder: Path, documents: str) -> AsyncGenerator[Saves]:
    def matters(change: Change, path: str) -> bool:
        return kind(Path(path).relative_to(folder), documents) is not None

    while True:
        watching = awatch(folder, watch_filter=matters, debounce=LONGEST_MS, step=QUIET_MS, recursive=True)
        try:
            async with aclosing(watching) as bursts:
                async for burst in bursts:
                    yield sort(folder, (Path(path) for _, path in burst), documents)
            return
        except (ExceptionGroup, OSError, RuntimeError) as error:
            # A file whose name is no text is enough.
            _log.warning("Watching %s failed, and begins again: %s", folder, _reason(error))
        await asyncio.sleep(AGAIN_S)
        yield Saves()


def sort(folder: Path, paths: Iterable[Path], documents: str = "documents") -> Saves:
    """Sort paths in a folder into what they belong to; those that matter to nothing served are left out."""
    by_kind: dict[str | None, set[Path]] = {}
    for path in paths:
        by_kind.setdefault(kind(path.relative_to(folder), documents), set()).add(path)
    return Saves(frozenset(by_kind.get("configuration", ())), frozenset(by_kind.get("documents", ())))


def kind(path: Path, documents: str = "documents") -> str | None:
    """What a path (relative to the folder) belongs to: configuration, documents, or nothing that is served.

    >>> kind(Path("prompts/answer.prompt")), kind(Path("documents/a.md")), kind(Path(".regista/regista.db"))
    ('configuration', 'documents', None)
    """
    if _is_passing(path):
        return None
    if path.is_relative_to(documents):
        return "documents"
    served = path.name == "regista.toml" or path.suffix in (".prompt", ".py") or path == Path(HEAD)
    return "configuration" if served and path.parts[0] not in ("data", "evals") else None


def _is_passing(path: Path) -> bool:
    """Hidden files, caches and what editors write beside a file while they save it."""
    name = path.name
    hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    return hidden or name.endswith(_TEMPORARY) or name.startswith(("#", "~$")) or name.isdecimal()


def _reason(error: BaseException) -> BaseException:
    """What went wrong first in a group of errors."""
    within = cast("tuple[BaseException, ...]", getattr(error, "exceptions", ()))
    return _reason(within[0]) if within else error
