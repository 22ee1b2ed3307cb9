"""What was said in a trace, packed. Knows no engine and no table: where it is kept is the business of `Bodies`."""

import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import zstandard
from msgspec import Struct

from regista.core.nouns import Citation, Json, Trace
from regista.text.words import MOST, words

PART = 200
"""Spans whose attributes are in the body, and in each further part of it."""
_MAGIC = b"\x28\xb5\x2f\xfd"
"""How what zstd made begins: https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1."""


class Body(Struct, frozen=True, array_like=True):
    """What was said, and the attributes of the first spans in their order."""

    question: str
    answer: str
    citations: tuple[Citation, ...] = ()
    attributes: tuple[Json, ...] = ()


class _Texts(Struct, frozen=True, array_like=True):
    """The beginning of a body, which is read without the rest of it."""

    question: str
    answer: str


class _Codec(threading.local):
    """One compressor a thread: making one costs more than compressing a body, and sharing one is not safe."""

    def __init__(self) -> None:
        # Level 3 makes bodies of one or two kilobytes 1 % smaller and takes a quarter longer.
        self.compress = zstandard.ZstdCompressor(level=1).compress
        self.decompress = zstandard.ZstdDecompressor().decompress
        self.encode = msgspec.msgpack.Encoder().encode
        self.body = msgspec.msgpack.Decoder(Body).decode
        self.texts = msgspec.msgpack.Decoder(_Texts).decode
        self.part = msgspec.msgpack.Decoder(tuple[Json, ...]).decode


_codec = _Codec()


def body_of(trace: Trace) -> Body:
    """What a trace's body holds."""
    attributes = tuple([span.attributes for span in trace.spans[:PART]])
    return Body(trace.question, trace.answer, trace.citations, attributes)


def parts_of(trace: Trace) -> list[tuple[int, bytes]]:
    """The attributes of the spans that have no place in the body, packed, each part with its number, from 1 on."""
    starts = range(PART, len(trace.spans), PART)
    found = ([span.attributes for span in trace.spans[start : start + PART]] for start in starts)
    return [(number, _codec.compress(_codec.encode(part))) for number, part in enumerate(found, 1)]


def part_from(packed: bytes) -> tuple[Json, ...]:
    """What such a part holds."""
    return _codec.part(_codec.decompress(packed))


def encoded(body: Body) -> bytes:
    """A body as it is before it is compressed."""
    return _codec.encode(body)


def compressed(plain: bytes) -> bytes:
    """Made smaller without a dictionary."""
    return _codec.compress(plain)


def plain(packed: bytes) -> bytes:
    """A body as `encoded` made it, of one that may be compressed, if without a dictionary."""
    return _codec.decompress(packed) if packed[:4] == _MAGIC else packed


def body_from(plain: bytes) -> Body:
    """The body that was encoded."""
    return _codec.body(plain)


def texts_from(plain: bytes) -> tuple[str, str]:
    """Its question and its answer alone."""
    texts = _codec.texts(plain)
    return texts.question, texts.answer


def indexed(texts: Sequence[str]) -> str:
    """The words of texts as an index is given them: ASCII as it is, whose words any index knows."""
    return "\n".join(text[:MOST] if text.isascii() else " ".join(words(text[:MOST])) for text in texts)


def dictionary_id(packed: bytes) -> int:
    """The number of the dictionary that a body was compressed with; 0 for none."""
    parameters: Any = zstandard.get_frame_parameters(packed)
    return int(parameters.dict_id)
