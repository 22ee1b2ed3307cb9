"""Ids and numbers of OTLP, made sure of.

https://opentelemetry.io/docs/specs/otel/trace/api/#spancontext: an id is whole and is not all zeros.
"""

import re

from regista.observe.otel.bounds import INT64

_TRACE = re.compile("(?!0{32})[0-9a-f]{32}").fullmatch
_SPAN = re.compile("(?!0{16})[0-9a-f]{16}").fullmatch


def trace_id_of(id: str) -> str:
    """A trace's id in lower case. Raises `ValueError` where it is none."""
    lower = id.lower()
    if not _TRACE(lower):
        raise ValueError(f"a traceId is 32 hexadecimal digits, not all of them 0, and {id[:40]!r} is none")
    return lower


def span_id_of(id: str, *, required: bool = True) -> str:
    """A span's id in lower case. Raises `ValueError` where it is none; empty if it is not required and all zeros."""
    lower = id.lower()
    if _SPAN(lower):
        return lower
    if not required and not lower.strip("0"):
        return ""
    raise ValueError(f"a spanId is 16 hexadecimal digits, not all of them 0, and {id[:24]!r} is none")


def number(value: int | str | None) -> int:
    """A count or a time, 0 where there is none, at most what 63 bits hold. Raises `ValueError` where it is none."""
    return min(max(int(value), 0), INT64) if value else 0
