"""Values as the pages show them. Every function takes a value of a view and gives text; templates escape it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from regista.core.nouns import Json
from regista.evaluate.report.figures import between, number, p_value, share
from regista.text.shown import duration, line, lines, money

NONE = "–"
_NANO = 10**9


def preview(text: str, most: int = 160) -> str:
    """The beginning of a text on one line, its spaces joined."""
    shown = line(text[: most * 2])
    return shown if len(shown) <= most else shown[: most - 1].rstrip() + "…"


def compact(count: float | None) -> str:
    """A number in three digits.

    >>> compact(999), compact(18_240), compact(2_500_000), compact(None)
    ('999', '18.2k', '2.50M', '–')
    """
    if count is None:
        return NONE
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(count) >= size:
            value = count / size
            return f"{value:.{2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0}f}{unit}"
    return f"{count:g}"


def whole(count: int) -> str:
    """A number with its thousands told apart."""
    return f"{count:,}"


def took(ns: int | None) -> str:
    """A time that something took; none where it is 0 or missing."""
    return duration(ns) if ns else NONE


def part_of(part: float, of: float) -> str:
    """A share in per cent; small ones are not shown as none.

    >>> part_of(0, 9), part_of(1, 4), part_of(1, 100_000), part_of(1, 0)
    ('0 %', '25 %', '<0.1 %', '–')
    """
    if not of:
        return NONE
    return "<0.1 %" if 0 < part / of < 0.0005 else share(part / of)


def iso(ns: int) -> str:
    """A moment for machines: RFC 3339, to the millisecond, in UTC."""
    return datetime.fromtimestamp(ns // _NANO, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ns % _NANO // 10**6:03d}Z"


def minute(seconds: int) -> str:
    """When a step of time begins, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def clock(ns: int) -> str:
    """A moment for people, in UTC, which the page turns into their own time where it runs scripts."""
    at = time.gmtime(ns // _NANO)
    form = "%H:%M:%S" if time.time_ns() - ns < 20 * 3_600 * _NANO else "%d %b %H:%M"
    return time.strftime(form, at)


def dollars(rate: float | None) -> str:
    """Dollars for a million tokens, with all their digits and two at least after the point.

    >>> dollars(0.075), dollars(3.0), dollars(None)
    ('$0.075', '$3.00', '–')
    """
    if rate is None:
        return NONE
    front, _, rest = f"{rate:.6f}".partition(".")
    return f"${front}.{rest.rstrip('0').ljust(2, '0')}"


def address(path: str, state: Json, **changes: Any) -> str:
    """A page's address with its state in it, changed in some places; what is empty is left out."""
    kept = {name: str(value) for name, value in (state | changes).items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


FILTERS: dict[str, Callable[..., str]] = {
    "address": address,
    "between": between,
    "clock": clock,
    "compact": compact,
    "dollars": dollars,
    "iso": iso,
    "line": line,
    "lines": lines,
    "minute": minute,
    "money": money,
    "number": number,
    "p_value": p_value,
    "part_of": part_of,
    "preview": preview,
    "share": share,
    "took": took,
    "whole": whole,
}
"""What templates may call, by name."""
