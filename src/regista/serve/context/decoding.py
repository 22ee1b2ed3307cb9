"""Bytes to text for the loaders: what a file is, how it is encoded, where its lines end."""

import codecs
import re
import unicodedata
from pathlib import PurePosixPath

from regista.core.errors import DocumentError, MissingExtraError

try:
    from charset_normalizer import from_bytes
except ImportError:
    # UTF-8 needs no detection: only a file in another encoding asks for the package.
    from_bytes = None

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, the longer before those they begin with."""

SIGNATURES = (
    (b"%PDF-", "a PDF: name it .pdf"),
    (b"PK\x03\x04", "a ZIP archive or an Office file: unpack it, or name it .docx"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted Office file: save it as .docx without a password"),
    (b"\x89PNG\r\n", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    (b"7z\xbc\xaf", "a 7-Zip archive: unpack it"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"\x7fELF", "a program"),
)

COMMONEST = "cp1252"
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
MAX_CONTROL_SHARE = 0.001
SAMPLE = 100_000


def decode(id: str, data: bytes, declared: str = "") -> str:
    """Text of a text file, lines ending in `\\n`, without its byte order mark.

    The encoding is that of the mark; else UTF-8, if the bytes are; else the one the file declares; else
    the most likely one. Raises `DocumentError` for bytes that are no text.
    """
    for signature, kind in SIGNATURES:
        if data.startswith(signature):
            raise DocumentError(f"{id} is not text but {kind}.")
    text = _marked(id, data)
    for encoding in ("utf-8", declared):
        text = text if text is not None or not encoding else _strict(data, encoding)
    if text is None or _is_binary(text):
        text = _detected(id, data)
    if _is_binary(text):
        raise DocumentError(f"{id} is not text but binary data. Export it as text, or take it out of the documents.")
    return clean(text)


def clean(text: str) -> str:
    """Lines end in `\\n`; there are no NULs, and no lone surrogates, which UTF-8 cannot carry."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode("utf-8", "replace").decode()


def title_of(id: str) -> str:
    """The title of a document that names none: its file's name, words apart."""
    return unicodedata.normalize("NFC", re.sub(r"[-_\s]+", " ", PurePosixPath(id).stem)).strip()


def _marked(id: str, data: bytes) -> str | None:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            text = _strict(data[len(mark) :], encoding)
            if text is None:
                raise DocumentError(f"{id} begins as {encoding} text but does not go on as such. Save it as UTF-8.")
            return text
    return None


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _detected(id: str, data: bytes) -> str:
    if from_bytes is None:
        raise MissingExtraError(f"{id} is not UTF-8; reading it", "charset-normalizer", "rag")
    matches = list(from_bytes(data))
    if not matches:
        raise DocumentError(f"{id} is in no known encoding, or no text at all. Save it as UTF-8.")
    best = matches[0]
    likely = [match for match in matches if (match.chaos, match.coherence) == (best.chaos, best.coherence)]
    # A short text fits many encodings equally well; of these the commonest is likeliest.
    if any(COMMONEST in match.could_be_from_charset for match in likely):
        return data.decode(COMMONEST, "replace")
    return str(best)


def _is_binary(text: str) -> bool:
    """Whether a text holds more control characters than a stray one or two."""
    sample = text[:SAMPLE]
    return len(CONTROL.findall(sample)) > 2 + MAX_CONTROL_SHARE * len(sample)
