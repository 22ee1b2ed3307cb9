"""What a key may use in a minute, a day or a month: how that is written, and when its window turns. Counts nothing."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple, cast

from msgspec import Struct

from regista.core.errors import RequestError

Unit = Literal["requests", "tokens", "dollars"]
Window = Literal["minute", "day", "month"]

NANO = 1_000_000_000
MOST = 9 * 10**15
"""The largest limit: it stays exact where numbers are doubles, as in Redis' scripts. In money, nine million dollars."""
_WRITTEN = re.compile(
    r"(?:\$\s*(?P<dollars>\d+(?:\.\d{1,9})?)|(?P<amount>\d[\d_,]*(?:\.\d{1,9})?)\s*(?P<unit>requests?|tokens?|dollars?))"
    r"\s*(?:/|\bper\b|\ba\b)\s*(?P<window>minute|day|month)",
    re.ASCII,
)
_LABELS: dict[Window, str] = {"minute": "%Y-%m-%dT%H:%M", "day": "%Y-%m-%d", "month": "%Y-%m"}


class Limit(Struct, frozen=True, gc=False):
    """At most `amount` in each window; dollars are counted in nano-dollars.

    >>> str(parse("200,000 tokens a day")), str(parse("$0.50/month"))
    ('200000 tokens/day', '$0.50/month')
    """

    amount: int
    unit: Unit
    window: Window

    def __str__(self) -> str:
        return f"{shown(self.amount, self.unit)}/{self.window}"


class Span(NamedTuple):
    """One window: its name, unlike that of every other, and its ends in nanoseconds since 1970."""

    name: str
    start_ns: int
    end_ns: int


def parse(text: str) -> Limit:
    """A limit as people write it.

    Raises:
        RequestError: it is none; says how one is written.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise RequestError(
            f"{text!r} is no limit. Write '60 requests/minute', '200000 tokens/day' or '$5/month': "
            "requests, tokens or dollars in a minute, day or month.",
            param="limits",
        )
    unit = cast("Unit", "dollars" if found["dollars"] else found["unit"].rstrip("s") + "s")
    number = Decimal(found["dollars"] or found["amount"].replace("_", "").replace(",", ""))
    amount = number * NANO if unit == "dollars" else number
    if amount != int(amount) or not 0 < amount <= MOST:
        raise RequestError(
            f"{text!r}: a limit is above 0 and at most {shown(MOST, unit)}; requests and tokens are whole numbers.",
            param="limits",
        )
    return Limit(int(amount), unit, cast("Window", found["window"]))


def parse_all(texts: Sequence[str]) -> tuple[Limit, ...]:
    """Several limits, of which no two count the same in the same window."""
    limits = tuple(parse(text) for text in texts)
    seen: dict[tuple[Unit, Window], Limit] = {}
    for limit in limits:
        other = seen.setdefault((limit.unit, limit.window), limit)
        if other is not limit:
            raise RequestError(f"'{other}' and '{limit}' limit the same: give one of them.", param="limits")
    return limits


def span(window: Window, now_ns: int) -> Span:
    """The window that holds a moment, by the calendar in UTC.

    >>> span("month", 1_800_000_000 * NANO).name
    '2027-01'
    """
    return _span(window, now_ns // (60 * NANO))


@lru_cache(maxsize=64)
def _span(window: Window, minute: int) -> Span:
    now = datetime.fromtimestamp(minute * 60, UTC)
    match window:
        case "minute":
            start, end = now, now + timedelta(minutes=1)
        case "day":
            start = now.replace(hour=0, minute=0)
            end = start + timedelta(days=1)
        case "month":
            start = now.replace(day=1, hour=0, minute=0)
            end = (start + timedelta(days=31)).replace(day=1)
    return Span(start.strftime(_LABELS[window]), int(start.timestamp()) * NANO, int(end.timestamp()) * NANO)


def shown(amount: int, unit: Unit) -> str:
    """An amount as people read it, and as `parse` does.

    >>> shown(1, "requests"), shown(2_500_000, "dollars"), shown(5 * NANO, "dollars")
    ('1 request', '$0.0025', '$5')
    """
    if unit != "dollars":
        return f"{amount} {unit if amount != 1 else unit.removesuffix('s')}"
    whole, part = divmod(amount, NANO)
    digits = f"{part:09d}".rstrip("0")
    return f"${whole}" + (f".{digits:0<2}" if digits else "")
