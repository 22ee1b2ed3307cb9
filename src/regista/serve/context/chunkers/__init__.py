"""Where documents are cut: one file per chunker. A chunker knows neither files nor indexes."""

from typing import Protocol

from regista.core.nouns import Chunk, Document
from regista.core.registry import Registry


class Chunker(Protocol):
    """Cuts a document into passages. Runs in a worker process, so it must be picklable."""

    def chunk(self, document: Document) -> list[Chunk]:
        """Passages in the order of their starts; none is blank, and every character that is not space is in one.

        `chunk.text == document.text[chunk.start:chunk.end]` for each. They may overlap.
        """
        ...


chunkers = Registry[Chunker](__name__, "chunker")
