"""What every meter gives back, and how it writes numbers. It knows no bias."""

from collections.abc import Iterable
from typing import NamedTuple

from regista.stats.intervals import Interval


class Bias(NamedTuple):
    """`estimate` is how large a bias is, `none` what it would be without one, `found` whether it is there.

    Where there is none, it is found in a share of 1 - level of all samples at most. `sentence` says it to people;
    `rows` are the figures by name behind it.
    """

    name: str
    estimate: Interval
    none: float
    found: bool
    sentence: str
    rows: tuple[tuple[str, Interval], ...] = ()


def outside(made: Interval, value: float) -> bool:
    """Whether an interval does not hold a value."""
    return not made.low <= value <= made.high


def percent(share: float) -> str:
    """A share as people read it.

    >>> percent(0.125), percent(0.0004)
    ('12 %', '0.04 %')
    """
    return f"{share:.0%}".replace("%", " %") if share >= 0.01 or share == 0 else f"{share * 100:.1g} %"


def span(made: Interval) -> str:
    """An interval of shares in words."""
    return f"{percent(made.low)} to {percent(made.high)}"


def listed(names: Iterable[str], most: int = 3) -> str:
    """The first of some names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
