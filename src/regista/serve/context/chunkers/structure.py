"""Cuts along a document's own structure: sections, then blocks, then sentences or rows, then words.

It reads Markdown, which is what loaders give; a text without marks is paragraphs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from regista.core.errors import ConfigurationError
from regista.core.nouns import Chunk, Document
from regista.core.registry import option
from regista.serve.context.chunkers import chunkers
from regista.serve.context.markdown import Block, Kind, blocks
from regista.text.sentences import sentences

Path = tuple[str, ...]
PATH_SEPARATOR = " > "


@dataclass(frozen=True)
class _Piece:
    """Text that may become a chunk, or a part of one; `path` is the headings above it."""

    start: int
    end: int
    path: Path

    @property
    def size(self) -> int:
        return self.end - self.start

    def to(self, other: "_Piece") -> "_Piece":
        """This piece and the next ones up to `other`, under the headings that they share."""
        return _Piece(self.start, other.end, _shared(self.path, other.path))


@chunkers.add
@dataclass(frozen=True)
class Structure:
    """Sections, paragraphs, sentences: in this order."""

    target: int = option(900, "Characters a chunk should have.")
    max: int = option(1400, "Characters a chunk never exceeds.")

    def __post_init__(self) -> None:
        if not 0 < self.target <= self.max:
            raise ConfigurationError(
                f"The chunker 'structure' has target {self.target} and max {self.max}: "
                "set target to 1 or more and at most max."
            )

    def chunk(self, document: Document) -> list[Chunk]:
        text = document.text
        packed = [piece for section in _sections(text) for piece in self._pack(self._fit(text, section))]
        return [
            Chunk(document.id, p.start, p.end, text[p.start : p.end], document.title, PATH_SEPARATOR.join(p.path))
            for p in self._merge(packed)
        ]

    def _fit(self, text: str, section: Iterable[tuple[Block, Path]]) -> Iterator[_Piece]:
        """The blocks of a section, those too large cut to fit."""
        for block, path in section:
            if block.end - block.start <= self.max:
                yield _Piece(block.start, block.end, path)
            else:
                for start, end in _cut(text, block, self.max):
                    yield _Piece(start, end, path)

    def _pack(self, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
        """Join neighbours of one section up to the target; a chunk still below half of it may go up to the maximum."""
        chunk: _Piece | None = None
        for piece in pieces:
            joined = chunk.to(piece) if chunk else piece
            limit = self.max if chunk and chunk.size < self.target // 2 else self.target
            if chunk and joined.size > limit:
                yield chunk
                joined = piece
            chunk = joined
        if chunk:
            yield chunk

    def _merge(self, chunks: Iterable[_Piece]) -> Iterator[_Piece]:
        """Join a small chunk to the one before where both lie under one heading."""
        held: _Piece | None = None
        for chunk in chunks:
            if held and _related(held.path, chunk.path) and min(held.size, chunk.size) <= self.target // 4:
                joined = held.to(chunk)
                if joined.size <= self.target:
                    held = joined
                    continue
            if held:
                yield held
            held = chunk
        if held:
            yield held


def _sections(text: str) -> Iterator[list[tuple[Block, Path]]]:
    """Blocks by section, each with its headings. A heading belongs to what follows it, be it another heading."""
    section: list[tuple[Block, Path]] = []
    path: list[tuple[int, str]] = []
    lead: Block | None = None
    for block in blocks(text):
        if block.kind is Kind.HEADING:
            if lead is None and section:
                yield section
                section = []
            path = [*(item for item in path if item[0] < block.level), (block.level, block.title)]
            lead = Block(Kind.HEADING, lead.start if lead else block.start, block.end)
            continue
        names = tuple(name for _, name in path)
        if lead is not None:
            # The heading and the first block under it are one, so that no cut parts them needlessly.
            block, lead = Block(block.kind, lead.start, block.end), None
        section.append((block, names))
    if lead is not None:
        section.append((lead, tuple(name for _, name in path)))
    if section:
        yield section


def _related(first: Path, second: Path) -> bool:
    """Whether two sections are one, siblings under a heading, or one directly in the other."""
    shared = len(_shared(first, second))
    return (shared > 0 or first == second) and max(len(first), len(second)) - shared <= 1


def _shared(first: Path, second: Path) -> Path:
    both = takewhile(lambda names: names[0] == names[1], zip(first, second, strict=False))
    return tuple(name for name, _ in both)


def _cut(text: str, block: Block, limit: int) -> Iterator[tuple[int, int]]:
    """A block in pieces of at most `limit` characters that leave out only space: at rows or sentences, then words."""
    ends = _line_ends(text, block) if block.kind in (Kind.CODE, Kind.TABLE) else _sentence_ends(text, block)
    start = block.start
    for end in [*ends, block.end]:
        while end - start > limit:
            gap = max(text.rfind(space, start + 1, start + limit + 1) for space in " \n\t")
            stop = gap if gap > start else start + limit
            yield from _stripped(text, start, stop)
            start = stop
        yield from _stripped(text, start, end)
        start = max(start, end)


def _line_ends(text: str, block: Block) -> list[int]:
    return [at for at in range(block.start, block.end) if text[at] == "\n"]


def _sentence_ends(text: str, block: Block) -> list[int]:
    return [block.start + end for _, end in sentences(text[block.start : block.end])]


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    begin = start + len(piece) - len(piece.lstrip())
    if piece.strip():
        yield begin, begin + len(piece.strip())
