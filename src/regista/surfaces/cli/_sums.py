"""Sums over traces as a table: how many, how many failed, how long they took, what they cost. Knows no store."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from rich.table import Table
from rich.text import Text

from regista.store.rollups import DAY_S, HOUR_S, Rollup
from regista.text.shown import duration, line, money

By = Literal["minute", "hour", "day", "model", "variant"]
GRAINS: dict[By, int] = {"minute": 60, "hour": HOUR_S, "day": DAY_S}
"""The groups that are times, and how long each is in seconds."""
_FORMS: dict[By, str] = {"minute": "%d %b %H:%M", "hour": "%d %b %H:00", "day": "%a %d %b %Y"}
_BAR = 10
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def table(found: Sequence[Rollup], by: By, wide: bool) -> Table:
    """A line for each group; in a narrow one without bars, tokens and the time to the first token."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    made.add_column(f"{by} (UTC)" if by in GRAINS else by, no_wrap=True)
    if wide:
        made.add_column("", no_wrap=True, style="blue")
    names = ["traces", "failed", "cached", "p50", "p95", "p99"]
    for name in (*names, *(("first p50", "first p95", "tokens") if wide else ()), "cost"):
        made.add_column(name, justify="right", no_wrap=True)
    most = max(one.count for one in found)
    for one in found:
        bars = [Text(bar(one.count / most))] if wide else []
        made.add_row(Text(name_of(one, by)), *bars, *_cells(one, wide))
    return made


def name_of(one: Rollup, by: By) -> str:
    """What a group is called: its beginning in UTC, or its model or variant."""
    if by in GRAINS:
        return datetime.fromtimestamp(one.start_s, UTC).strftime(_FORMS[by])
    return line(one.model if by == "model" else one.part) or "–"


def bar(share: float) -> str:
    """A bar of blocks, `_BAR` characters at most.

    >>> bar(0.5), bar(0.01)
    ('█████', '▏')
    """
    eighths = max(1, round(share * _BAR * 8)) if share > 0 else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _cells(one: Rollup, wide: bool) -> list[Text]:
    cost = Text(money(one.cost_nano) if one.cost_nano or not one.unpriced else "")
    if one.unpriced:
        cost.append(" + ?" if one.cost_nano else "?", "yellow")
    first = [
        _time(one.first_token_ns[0]),
        _time(one.first_token_ns[1]),
        Text(f"{one.input_tokens:,}+{one.output_tokens:,}"),
    ]
    return [
        Text(f"{one.count:,}"),
        _share(one.failed, one.count, "bold red"),
        _share(one.aside, one.count, ""),
        *(_time(ns) for ns in one.duration_ns),
        *(first if wide else ()),
        cost,
    ]


def _share(part: int, whole: int, style: str) -> Text:
    return Text(f"{part / whole:.1%}", style) if part else Text("–", "dim")


def _time(ns: int) -> Text:
    return Text(duration(ns)) if ns else Text("–", "dim")
