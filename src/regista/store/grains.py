"""How long a time is summed up together, and in which of these a stretch of time is read. Knows no sum. Calls block."""

from collections.abc import Iterator, Sequence

from regista.store.database import Database

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
LONGER = (3 * HOUR_S, 12 * HOUR_S)
"""How long what is summed up of hours is: as long as the steps in which a week and a month are drawn."""
GRAINS = (MINUTE_S, HOUR_S, *LONGER)
"""How long anything summed up is: each is some of the one before it."""


def stored(database: Database, grain_s: int, *, by_time: bool) -> list[int]:
    """Of which lengths sums are read for groups of one length, or for a single one, the longest first."""
    if grain_s % HOUR_S:
        return [MINUTE_S]
    kept = whole(database)
    return [one for one in LONGER[::-1] if one in kept and not (by_time and grain_s % one)] + [HOUR_S]


def pieces(stored: Sequence[int], since_s: int, until_s: int) -> Iterator[tuple[int, int, int]]:
    """A stretch of time in as few sums as it can be: of which length they are, and when they begin, from until before.

    >>> sorted(pieces([10, 1], 8, 33))
    [(1, 8, 10), (1, 30, 33), (10, 10, 30)]
    """
    grain_s, *shorter = stored
    first, last = -(-since_s // grain_s) * grain_s, until_s // grain_s * grain_s
    if not shorter:
        first, last = since_s, until_s
    if first < last:
        if shorter:
            yield from pieces(shorter, since_s, first)
            yield from pieces(shorter, last, until_s)
        yield grain_s, first, last
    elif shorter:
        yield from pieces(shorter, since_s, until_s)


def whole(database: Database) -> set[int]:
    """Which sums of several hours have all that those of hours have."""
    return {int(grain_s) for (grain_s,) in database.query("SELECT grain_s FROM rollup_grains")}


def keep(database: Database) -> None:
    """From now on all of them have."""
    if unknown := set(LONGER) - whole(database):
        with database.transaction() as transaction:
            for grain_s in sorted(unknown):
                transaction.execute("INSERT INTO rollup_grains VALUES (?) ON CONFLICT (grain_s) DO NOTHING", (grain_s,))
