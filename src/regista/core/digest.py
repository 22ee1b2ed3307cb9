"""Content hashes that are the same on every machine."""

import hashlib
from hashlib import blake2b
from typing import Any

import msgspec


def digest(value: Any) -> str:
    """Hash plain data (mappings in any order, lists, text, numbers) to 16 hexadecimal digits.

    >>> digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    True
    """
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]


def digest_bytes(data: bytes) -> str:
    """Hash bytes to 16 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()[:16]


def content_key(*parts: bytes) -> bytes:
    """What is made of these parts, in this order, is kept under this: 16 bytes.

    >>> content_key(b"a", b"bc") == content_key(b"ab", b"c")
    False
    """
    hashed = blake2b(digest_size=16)
    for part in parts:
        hashed.update(len(part).to_bytes(8, "little"))
        hashed.update(part)
    return hashed.digest()


def score_key(output: bytes, case: bytes, scorer: bytes) -> bytes:
    """The key of a score: of an output's content, a case with its references, and a scorer's digest."""
    return content_key(output, case, scorer)
