"""Ids and numbers of OTLP, made sure of, and the ids our own spans have.

https://opentelemetry.io/docs/specs/otel/trace/api/#spancontext: an id is whole and is not all zeros.
"""

import re

from regista.observe.otel.bounds import INT64

ROOT = -1
"""Where the spans of a request that are its stages have their index."""
_BITS = (1 << 64) - 1
_OF_START, _OF_INDEX = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03
"""Odd numbers with no pattern in their bits: what is multiplied by one stays apart."""
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


def span_id(trace_id: str, started_ns: int, index: int = ROOT) -> str:
    """The id of the root of a request of ours, or of its stage of that index. On the hot path: a microsecond.

    It is known before the span is: a call made in a stage names it in its `traceparent`, and scores that come later do.
    Several requests may share a trace, but they do not start at once.
    """
    mixed = int(trace_id[16:], 16) ^ (started_ns * _OF_START + index * _OF_INDEX)
    return f"{mixed & _BITS or 1:016x}"
