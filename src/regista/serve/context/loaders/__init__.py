"""Files to documents: one file per format. A loader does not know where its bytes come from or where its text goes.

Offsets into a document are offsets into the text a loader makes, whose lines end in `\\n` whatever
the file's end in. Headings stand as Markdown's `# …` lines, whatever the format.
"""

from pathlib import PurePosixPath
from typing import Protocol

from regista.core.errors import DocumentError, RegistaError
from regista.core.nouns import Document
from regista.core.registry import Registry


class Loader(Protocol):
    """Reads files whose names end in one of `suffixes` (lower case, with the dot)."""

    suffixes: tuple[str, ...]

    def load(self, id: str, data: bytes) -> Document:
        """The document in `data`. Raises `DocumentError`, saying what is wrong with the file and what to do."""
        ...


loaders = Registry[Loader](__name__, "loader")

SUFFIXES = {
    "csv": (".csv", ".tsv"),
    "docx": (".docx",),
    "html": (".html", ".htm", ".xhtml"),
    "markdown": (".md", ".markdown"),
    "pdf": (".pdf",),
    "plain": (".txt", ".text"),
}
"""Which loader reads what, so that no other need be imported. A loader not listed is asked for its `suffixes`."""

MAX_FILE_BYTES = 100_000_000
MAX_TEXT_LENGTH = 20_000_000


def load(id: str, data: bytes) -> Document:
    """Load the file `id` (its path below `documents/`) with the loader of its suffix.

    Raises `DocumentError` for everything that can be wrong with a file, and `MissingExtraError` where
    its loader's package is not installed.
    """
    name = loader_of(id)
    if not data:
        raise DocumentError(f"{id} is empty. Write into it, or take it out of the documents.")
    if len(data) > MAX_FILE_BYTES:
        raise DocumentError(f"{id} has {_megabytes(len(data))}; {_megabytes(MAX_FILE_BYTES)} is the most. Split it.")
    try:
        document = loaders.build(name).load(id, data)
    except (RegistaError, MemoryError):
        raise
    except Exception as error:
        # Parsers of foreign formats raise whatever comes to hand.
        raise DocumentError(
            f"{id} could not be read as {name} ({type(error).__name__}: {error})."
            " Does its own program open it? If so, save it again from there."
        ) from error
    if not document.text.strip():
        raise DocumentError(f"{id} holds no text. Write into it, or take it out of the documents.")
    if len(document.text) > MAX_TEXT_LENGTH:
        raise DocumentError(f"{id} holds {len(document.text)} characters; {MAX_TEXT_LENGTH} is the most. Split it.")
    return document


def loader_of(id: str) -> str:
    """The name of the loader for a file name. Raises `DocumentError` where there is none."""
    suffix = PurePosixPath(id).suffix.lower()
    for name, suffixes in SUFFIXES.items():
        if suffix in suffixes:
            return name
    others = {name: loaders.build(name).suffixes for name in loaders.names() if name not in SUFFIXES}
    for name, suffixes in others.items():
        if suffix in suffixes:
            return name
    known = sorted(suffix for suffixes in (*SUFFIXES.values(), *others.values()) for suffix in suffixes)
    raise DocumentError(
        f"{id}: no loader reads files that end in {suffix or 'no suffix'}. Convert it to one of: {', '.join(known)}."
    )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.0f} MB"
