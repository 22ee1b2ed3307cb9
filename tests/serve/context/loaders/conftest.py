"""Files to load, made byte by byte or by the library that Word users' programs are."""

import io
from collections.abc import Callable, Sequence

import docx
import pytest

SECRET = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<00> <00>]" % (b"1b" * 32, b"2c" * 32)


def pdf(pages: Sequence[str], title: str = "", encrypted: bool = False) -> bytes:
    """A PDF 1.4 whose pages show one line each; an empty one shows nothing, as a scan does to a program."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * at) for at in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for at, line in enumerate(pages):
        shown = b"BT /F1 12 Tf 50 100 Td (%s) Tj ET" % line.encode("latin-1")
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 500 200] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * at),
            b"<< /Length %d >> stream\n%s\nendstream" % (len(shown), shown),
        ]
    objects.append(b"<< /Title (%s) >>" % title.encode("latin-1"))
    body, offsets = b"%PDF-1.4\n", list[int]()
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj %s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"<< /Size %d /Root 1 0 R /Info %d 0 R %s >>" % (
        len(objects) + 1,
        len(objects),
        SECRET if encrypted else b"",
    )
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return body + head + table + b"trailer %s\nstartxref\n%d\n%%%%EOF" % (trailer, len(body))


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = ""
    document.add_heading("Rondo", 1)
    document.add_paragraph("Five against\ttwo.")
    document.add_paragraph("Two touches", style="List Bullet")
    document.add_paragraph("Then one", style="List Bullet")
    table = document.add_table(2, 2)
    for at, text in enumerate(("Size", "Minutes", "8 × 8 m", "4")):
        table.cell(at // 2, at % 2).text = text
    document.add_heading("Variants", 2)
    document.add_paragraph("Grüße an Wijnaldum.")
    return saved(document.save)


def saved(save: Callable[[io.BytesIO], None]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


@pytest.fixture
def make_pdf() -> Callable[..., bytes]:
    return pdf


@pytest.fixture
def word_file() -> bytes:
    return word()


@pytest.fixture
def examples(word_file: bytes) -> dict[str, bytes]:
    """A file for each loader, all of which say "Wijnaldum"."""
    return {
        "csv": b"player,role\r\nWijnaldum,midfielder\r\n",
        "docx": word_file,
        "html": b"<h1>Roles</h1><p>Wijnaldum</p>",
        "markdown": b"# Roles\r\n\r\nWijnaldum\r\n",
        "pdf": pdf(["Wijnaldum"]),
        "plain": b"Wijnaldum\r\n",
    }
