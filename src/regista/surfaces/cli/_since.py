"""The option `--since`: how far back a command looks."""

import re
import time
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from regista.core.errors import RequestError

SinceOption = Annotated[str, Parameter(help="From when: '24h', '7d', or a day such as 2026-11-01 (UTC).")]
_SPAN = re.compile(r"(\d{1,6})\s*(h|d|w)")
_HOURS = {"h": 1, "d": 24, "w": 168}
_HOUR_NS = 3_600 * 10**9


def start_of(since: str, option: str = "--since") -> int:
    """The time in nanoseconds since 1970 that an option names; 0 for none.

    >>> start_of("2026-11-01")
    1793491200000000000
    """
    if not since:
        return 0
    if found := _SPAN.fullmatch(since.strip()):
        return time.time_ns() - int(found[1]) * _HOURS[found[2]] * _HOUR_NS
    try:
        day = datetime.fromisoformat(since.strip())
    except ValueError:
        raise RequestError(f"{option} {since!r} is no time: write '24h', '7d', or a day such as 2026-11-01.") from None
    return int((day if day.tzinfo is not None else day.replace(tzinfo=UTC)).timestamp()) * 10**9
