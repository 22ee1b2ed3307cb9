"""HTML, PDF and Word: structure becomes lines, what cannot be read is told."""

import io
import zipfile
from collections.abc import Callable

import pytest

from regista.core.errors import DocumentError
from regista.serve.context.loaders import load

PAGE = """<!doctype html><html><head><title>The
 playbook</title><style>p {}</style></head><body><nav>Home</nav>
<h1>Roles <b>of</b><br>the six</h1><p>Receives   <i>half</i>-turned.<div hidden>x1</div>
<p style="display: none">x2</p><script>x3</script><template>x4</template><!-- x5 -->
<ul><li>one</li><li>two</li></ul>
<table><tr><th>Name</th><th>Goals</th></tr><tr><td><p>Salah</p></td><td>32</td></tr><tr><td></td><td>30</td></tr></table>
<pre>
# not a heading
  kept   as is
</pre>end&nbsp;&amp; done</body></html>"""

PAGE_TEXT = """# Roles of the six

Receives half-turned.

- one
- two

| Name | Goals |
| Salah | 32 |
| | 30 |

```
# not a heading
  kept   as is
```

end & done"""

WORD_TEXT = """# Rondo

Five against two.

- Two touches
- Then one

| Size | Minutes |
| 8 × 8 m | 4 |

## Variants

Grüße an Wijnaldum."""


def test_a_page_becomes_what_a_reader_sees():
    document = load("a.html", PAGE.encode())
    assert (document.title, document.text) == ("The playbook", PAGE_TEXT)


def test_a_page_declares_its_encoding():
    page = '<html><head><meta charset="windows-1251"></head><body>Привет</body></html>'
    assert load("a.html", page.encode("cp1251")).text == "Привет"


def test_a_table_that_lays_a_page_out_is_no_table():
    page = b"<table><tr><td><h2>Left</h2><p>one<p>two</td><td>three</td></tr></table>"
    assert load("a.html", page).text == "## Left\n\none\n\ntwo\n\nthree"


def test_a_page_may_nest_deeper_than_calls_do():
    assert load("a.html", b"<div>" * 5_000 + b"deep" + b"</div>" * 5_000).text == "deep"


def test_a_page_of_scripts_holds_no_text():
    with pytest.raises(DocumentError, match="holds no text"):
        load("a.html", b"<html><script>render()</script></html>")


def test_the_pages_of_a_pdf_stand_apart(make_pdf: Callable[..., bytes]):
    document = load("a.pdf", make_pdf(["The first page.", "", "The third."], title="Season review"))
    assert (document.title, document.text) == ("Season review", "The first page.\n\n\f\n\n\fThe third.")


def test_an_encrypted_pdf_says_so(make_pdf: Callable[..., bytes]):
    with pytest.raises(DocumentError, match=r"a\.pdf is encrypted\. Save it without a password"):
        load("a.pdf", make_pdf(["secret"], encrypted=True))


def test_a_scanned_pdf_says_that_it_has_no_text_layer(make_pdf: Callable[..., bytes]):
    with pytest.raises(DocumentError, match="no text layer: its pages are pictures"):
        load("a.pdf", make_pdf(["", ""]))


def test_a_cut_pdf_is_refused(make_pdf: Callable[..., bytes]):
    with pytest.raises(DocumentError, match="is no PDF, or is cut short"):
        load("a.pdf", make_pdf(["text"])[:60])


def test_a_word_document_keeps_headings_lists_and_tables(word_file: bytes):
    document = load("a.docx", word_file)
    assert (document.title, document.text) == ("Rondo", WORD_TEXT)


def test_tracked_changes_count_as_accepted(word_file: bytes):
    old = b"Five against</w:t>"
    new = b"<w:ins><w:r><w:t>Six against</w:t></w:r></w:ins><w:del><w:r><w:delText>Five</w:delText></w:r></w:del>"
    changed = _with_body(word_file, lambda xml: xml.replace(b"<w:r><w:t>" + old, new + b"<w:r><w:t></w:t>"))
    assert "Six against two." in load("a.docx", changed).text


def test_text_in_a_content_control_is_kept(word_file: bytes):
    control = b"<w:sdt><w:sdtContent><w:p><w:r><w:t>Controlled.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    changed = _with_body(word_file, lambda xml: xml.replace(b"<w:tbl>", control + b"<w:tbl>", 1))
    assert "\n\nControlled.\n\n| Size" in load("a.docx", changed).text


def test_an_encrypted_word_document_says_so():
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    with pytest.raises(DocumentError, match="is encrypted"):
        load("a.docx", ole + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(DocumentError, match="old format"):
        load("a.docx", ole)


def test_a_word_document_that_would_burst_is_not_unpacked():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(50_000_000))
    with pytest.raises(DocumentError, match="would unpack from"):
        load("a.docx", file.getvalue())


def test_an_archive_that_is_no_document_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes.txt", "text")
    with pytest.raises(DocumentError, match="is no Word document"):
        load("a.docx", file.getvalue())


def _with_body(word_file: bytes, change: Callable[[bytes], bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word_file)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            changed = change(data) if name == "word/document.xml" else data
            assert name != "word/document.xml" or changed != data
            new.writestr(name, changed)
    return file.getvalue()
