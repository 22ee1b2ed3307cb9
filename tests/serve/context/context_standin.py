"""What the tests of the library stand on: an embedder without a model, loaders that misbehave, an ingest to kill.

Child processes import this file by its name, so the tests put its folder on the path.
"""

import asyncio
import os
import signal
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regista.core.nouns import Document
from regista.serve.context import index
from regista.serve.context.chunkers import chunkers
from regista.serve.context.library import Library
from regista.serve.context.loaders import load
from regista.store import connect
from regista.store.documents import Documents

Write = Callable[[str, str], Path]
CHUNKER = {"target": 200, "max": 300}


class Words:
    """Hashes words into 64 dimensions; keeps the texts it was given."""

    def __init__(self, name: str = "words") -> None:
        self.name = name
        self.texts: list[str] = []
        self.broken = False

    async def start(self) -> None: ...

    async def embed(self, texts: Sequence[str], bulk: bool = False) -> NDArray[np.float32]:
        if self.broken:
            raise RuntimeError("the embedder broke")
        if bulk:
            self.texts += texts
        vectors = np.zeros((len(texts), 64), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, zlib.crc32(word.encode()) % 64] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def hostile(id: str, data: bytes) -> Document:
    """Loads a file, unless its text says to hang, to die or to print."""
    text = data.decode("utf-8", "surrogatepass")
    if text == "hang":
        time.sleep(600)
    if text == "die":
        os._exit(9)
    print("what a parser prints must not reach the parent")
    return Document(id, id, text, "text/plain", "")


def library(folder: Path, embedder: Words | None = None, **options: Any) -> Library:
    """The library of an application in `folder`, opened by the caller."""
    state = folder / ".regista"
    options = {"load": load, "chunker": chunkers.build("structure", None, **CHUNKER)} | options
    return Library(connect(f"sqlite://{state / 'regista.db'}"), state, "club", embedder=embedder, **options)


def killed(*_: object) -> None:
    """Ends the process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


async def ingest(folder: Path, moment: str = "") -> None:
    """What is run to be killed: by others at any time, or by itself at a `moment`."""
    opened = library(folder, Words())
    await opened.open()
    owner, name = MOMENTS.get(moment, (None, ""))
    if owner is not None:
        setattr(owner, name, killed)
    await opened.ingest(folder / "documents")


MOMENTS: dict[str, tuple[object, str]] = {
    "rows are written, not committed": (Documents, "_forget"),
    "the store is ahead of the index": (index, "bring_up"),
}
"""What is replaced by `kill -9` once the library is open."""


if __name__ == "__main__":
    asyncio.run(ingest(Path(sys.argv[1]), *sys.argv[2:]))
