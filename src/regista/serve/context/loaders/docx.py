"""Word documents: paragraphs, headings as `# …` lines, lists as `- …`, tables as rows, in the order of the body.

Text that was inserted or deleted under tracked changes counts as accepted. Headers, footers,
footnotes and comments are left out.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Protocol, cast

from regista.core.digest import digest_bytes
from regista.core.errors import DocumentError, MissingExtraError
from regista.core.nouns import Document
from regista.serve.context.decoding import clean, title_of
from regista.serve.context.loaders import loaders
from regista.serve.context.writer import Writer

try:
    import docx
    from docx.document import Document as WordDocument
    from docx.opc.exceptions import OpcError
except ImportError as error:
    raise MissingExtraError("The loader 'docx'", "python-docx", "rag") from error

MAX_UNPACKED_BYTES = 200_000_000
MAX_RATIO = 200
UNTITLED = "Word Document"
"""The title python-docx gives to what has none."""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LEFT_OUT = frozenset(
    (W + "del", W + "moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback")
)
"""Deleted text, the old place of moved text, and what repeats a drawing for old programs."""
SPACES = frozenset((W + "tab", W + "br", W + "cr"))


class _Element(Protocol):
    """What is used of an lxml element, which has no types of its own."""

    tag: str
    text: str | None

    def iterchildren(self) -> "Iterator[_Element]": ...

    def find(self, path: str) -> "_Element | None": ...

    def get(self, name: str) -> str | None: ...


@loaders.add
class Docx:
    """Its title is that of its properties, else its first title or heading, else the file's name."""

    suffixes = (".docx",)

    def load(self, id: str, data: bytes) -> Document:
        _check(id, data)
        try:
            word = docx.Document(io.BytesIO(data))
        except (OpcError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise DocumentError(f"{id} is no Word document, or is damaged. Save it again as .docx.") from error
        writer = Writer()
        _write(writer, cast("_Element", word.element), _levels(word))
        text = clean(writer.text())
        headed = re.search(r"^#+ (.+)", text, re.MULTILINE)
        title = "" if word.core_properties.title == UNTITLED else word.core_properties.title.strip()
        title = title or (headed[1] if headed else title_of(id))
        media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        return Document(id, clean(title), text, media_type, digest_bytes(data))


def _check(id: str, data: bytes) -> None:
    """Refuse what is no archive, is encrypted, or would unpack beyond reason, before anything is unpacked."""
    if data.startswith(OLE):
        encrypted = ENCRYPTED in data
        raise DocumentError(
            f"{id} is encrypted. Save it without a password."
            if encrypted
            else f"{id} is of Word's old format. Save it as .docx."
        )
    try:
        entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DocumentError(
            f"{id} is no Word document, or is cut short. Fetch it again, or save it again as .docx."
        ) from error
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > MAX_RATIO * len(data):
        raise DocumentError(
            f"{id} would unpack from {len(data)} to {unpacked} bytes, more than any document needs."
            " If it is sound, save its text as .txt."
        )


def _levels(word: WordDocument) -> dict[str, int]:
    """The heading level of each paragraph style, by the style's id; a list's is 0. Names are English in any Word."""
    levels: dict[str, int] = {}
    for style in word.styles:
        name = style.name or ""
        heading = HEADING.match(name)
        if heading or name == "Title":
            levels[style.style_id] = min(int(heading[1]), 6) if heading else 1
        elif name.startswith("List"):
            levels[style.style_id] = 0
    return levels


def _write(writer: Writer, container: _Element, levels: dict[str, int]) -> None:
    for element in container.iterchildren():
        if element.tag == W + "p":
            _write_paragraph(writer, element, levels)
        elif element.tag == W + "tbl":
            _write_table(writer, element)
        elif element.tag not in LEFT_OUT:
            # A content control, an insertion: transparent wrappers around paragraphs.
            _write(writer, element, levels)


def _write_paragraph(writer: Writer, paragraph: _Element, levels: dict[str, int]) -> None:
    style = paragraph.find(f"{W}pPr/{W}pStyle")
    level = levels.get(style.get(W + "val") or "") if style is not None else None
    listed = level == 0 or paragraph.find(f"{W}pPr/{W}numPr") is not None
    if level:
        writer.heading(level)
    else:
        writer.gap(blank=not listed)
        if listed:
            writer.item()
    for piece in _pieces(paragraph):
        writer.write(piece)
    writer.end_line(blank=not listed)


def _write_table(writer: Writer, table: _Element) -> None:
    writer.gap(blank=True)
    for row in _inside(table, W + "tr"):
        writer.begin_row()
        for cell in _inside(row, W + "tc"):
            for piece in _pieces(cell):
                writer.write(piece)
            writer.end_cell()
        writer.end_line()
    writer.gap(blank=True)


def _inside(parent: _Element, tag: str) -> Iterator[_Element]:
    """Rows of a table or cells of a row, through the wrappers around them."""
    for child in parent.iterchildren():
        if child.tag == tag:
            yield child
        elif child.tag not in LEFT_OUT:
            yield from _inside(child, tag)


def _pieces(element: _Element) -> Iterator[str]:
    """The text below an element; tabs, breaks and the ends of paragraphs are spaces."""
    for child in element.iterchildren():
        if child.tag == W + "t":
            yield child.text or ""
        elif child.tag in SPACES:
            yield " "
        elif child.tag not in LEFT_OUT:
            yield from _pieces(child)
    if element.tag == W + "p":
        yield " "
