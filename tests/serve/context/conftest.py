"""An application's folder of documents, and its library."""

import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

# Child processes unpickle functions of context_standin.py by its name.
sys.path.insert(0, str(Path(__file__).parent))

from context_standin import Words, Write, library

from regista.serve.context.library import Library


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a document and returns its path."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return path

    (tmp_path / "documents").mkdir()
    return write


@pytest.fixture
def embedder() -> Words:
    return Words()


@pytest.fixture
async def club(tmp_path: Path, embedder: Words) -> AsyncGenerator[Library]:
    opened = library(tmp_path, embedder)
    await opened.open()
    yield opened
    await opened.close()
