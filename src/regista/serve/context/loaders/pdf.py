"""PDF: the text of its pages. A page after the first begins with a form feed, after a blank line.

It reads the text layer in the order the file gives it; it does not know columns, headings or pictures.
"""

# pypdfium2 ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

import re
from threading import Lock

from regista.core.digest import digest_bytes
from regista.core.errors import DocumentError, MissingExtraError
from regista.core.nouns import Document
from regista.serve.context.decoding import clean, title_of
from regista.serve.context.loaders import MAX_TEXT_LENGTH, loaders

try:
    import pypdfium2
except ImportError as error:
    raise MissingExtraError("The loader 'pdf'", "pypdfium2", "rag") from error

PAGE_BREAK = "\n\n\f"
HYPHEN = re.compile("[\ufffe\x02]\\s*\n?")
"""What PDFium writes for a hyphen that only broke a line."""
PDFIUM = Lock()
"""PDFium is not safe in threads: one document at a time."""


@loaders.add
class Pdf:
    """Its title is that of its metadata, else the file's name."""

    suffixes = (".pdf",)

    def load(self, id: str, data: bytes) -> Document:
        with PDFIUM:
            title, text = self._read(id, data)
        if not text.strip():
            raise DocumentError(
                f"{id} has no text layer: its pages are pictures. Recognise its text first (for example with ocrmypdf)."
            )
        return Document(id, title or title_of(id), text, "application/pdf", digest_bytes(data))

    def _read(self, id: str, data: bytes) -> tuple[str, str]:
        try:
            pdf = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            raise DocumentError(f"{id} {_trouble(error.err_code)}") from error
        with pdf:
            pages: list[str] = []
            for number in range(len(pdf)):
                pages.append(self._page(id, pdf, number))
                if sum(map(len, pages)) > MAX_TEXT_LENGTH:
                    break
            title = str(pdf.get_metadata_value("Title") or "")
        return " ".join(clean(title).split()), PAGE_BREAK.join(pages)

    def _page(self, id: str, pdf: pypdfium2.PdfDocument, number: int) -> str:
        try:
            page = pdf[number]
            text = page.get_textpage().get_text_bounded()
        except pypdfium2.PdfiumError as error:
            raise DocumentError(
                f"{id}: its page {number + 1} cannot be read. Save the file again from the program that made it."
            ) from error
        return HYPHEN.sub("", clean(text)).strip()


def _trouble(code: int | None) -> str:
    if code == pypdfium2.raw.FPDF_ERR_PASSWORD:
        return "is encrypted. Save it without a password."
    return "is no PDF, or is cut short. Fetch it again, or save it again from the program that made it."
