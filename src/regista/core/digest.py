"""Content hashes that are the same on every machine."""

import hashlib
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
