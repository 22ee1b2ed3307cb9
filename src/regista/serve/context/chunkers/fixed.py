"""Windows of one size, whatever the text says; cut between words where there is a gap."""

import re
from dataclasses import dataclass

from regista.core.errors import ConfigurationError
from regista.core.nouns import Chunk, Document
from regista.core.registry import option
from regista.serve.context.chunkers import chunkers

_GAP = re.compile(r"\s+")


@chunkers.add
@dataclass(frozen=True)
class Fixed:
    """Equal windows that overlap."""

    size: int = option(900, "Characters in a chunk.")
    overlap: int = option(150, "Characters that a chunk repeats of the one before.")

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.size:
            raise ConfigurationError(
                f"The chunker 'fixed' has size {self.size} and overlap {self.overlap}: "
                "set overlap to 0 or more and less than size."
            )

    def chunk(self, document: Document) -> list[Chunk]:
        text, chunks, start = document.text, list[Chunk](), 0
        while start < len(text):
            end = self._end(text, start)
            piece = text[start:end]
            begin = start + len(piece) - len(piece.lstrip())
            if piece.strip():
                last = begin + len(piece.strip())
                chunks.append(Chunk(document.id, begin, last, text[begin:last], document.title))
            if end == len(text):
                break
            start = self._start(text, start, end)
        return chunks

    def _end(self, text: str, start: int) -> int:
        """The last gap in the second half of the window, or the window's end."""
        end = start + self.size
        if end >= len(text):
            return len(text)
        gaps = [gap.start() for gap in _GAP.finditer(text, start + self.size // 2, end + 1) if gap.start() > start]
        return gaps[-1] if gaps else end

    def _start(self, text: str, start: int, end: int) -> int:
        """The first word within the overlap, or where the overlap begins; always after `start`."""
        begin = max(end - self.overlap, start + 1)
        gap = _GAP.search(text, begin, end)
        return gap.end() if gap else begin
