"""The blocks of a Markdown text, with offsets: headings, paragraphs, lists, tables, code.

A reading for cutting, not for rendering: it knows no inline marks, and a text that is not Markdown
is a row of paragraphs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What a block is."""

    HEADING = auto()
    TEXT = auto()
    """A paragraph, or a list with its items' paragraphs."""
    TABLE = auto()
    CODE = auto()


@dataclass(frozen=True)
class Block:
    """`text[start:end]` has no space around it. `level` and `title` are those of a heading."""

    kind: Kind
    start: int
    end: int
    level: int = 0
    title: str = ""


_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*\r?$")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")


def blocks(text: str) -> Iterator[Block]:
    """The blocks of `text` in order; together they hold every character that is not space.

    >>> [(block.kind.name, block.title) for block in blocks("# Roles\\n\\nThe six drops.")]
    [('HEADING', 'Roles'), ('TEXT', '')]
    """
    block: Block | None = None
    fence = ""
    for start, line in _lines(text):
        end = start + len(line.rstrip())
        start += len(line) - len(line.lstrip())
        mark = _FENCE.match(line)
        heading = None if fence else _HEADING.match(line)
        kind = Kind.CODE if fence or mark else Kind.TABLE if line.lstrip().startswith("|") else Kind.TEXT
        if block and not fence and (not line.strip() or heading or mark or kind is not block.kind):
            yield block
            block = None
        if heading:
            yield Block(Kind.HEADING, start, end, len(heading[1]), (heading[2] or "").strip())
        elif line.strip():
            block = Block(kind, block.start if block else start, end)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
            if block:
                yield block
            block = None
    if block:
        yield block


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1
