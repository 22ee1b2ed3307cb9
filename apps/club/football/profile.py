"""A player in a role beside that role's regulars: figures, intervals, places among them. No words."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import intervals, reliability
from .intervals import Interval
from .metrics import COLUMNS, METRICS, Metric
from .players import Player
from .reliability import TRUSTED, WATCH
from .roles import REGULAR_MATCHES, Role

_COUNTS = ", ".join("a.minutes" if column == "minutes" else f"m.{column}" for column in COLUMNS)


@dataclass(frozen=True)
class Place:
    """One metric: the player's `figure` in the metric's unit, and where it stands among the other regulars.

    `trust` is the reliability of his figure, `needed` the matches it takes to trust it at his rate
    (None: no number does), `missing` those he lacks. `quartiles` are the regulars' lower quartile,
    median and upper quartile; `percentile` is the share of them below him, those level with him
    counted half; `distance` is that from the median in the regulars' standard deviations, shrunk
    by `trust`.
    """

    metric: Metric
    figure: Interval
    matches: int
    regulars: int
    quartiles: tuple[float, float, float]
    percentile: int | None
    distance: float
    trust: float
    needed: int | None
    missing: int

    @property
    def watch(self) -> bool:
        """Too little behind the figure to say anything of the player with it."""
        return self.trust < WATCH or self.figure.low is None

    @property
    def trusted(self) -> bool:
        return self.trust >= TRUSTED and not self.watch

    @property
    def clear(self) -> bool:
        """The regulars' median lies outside the interval of a figure that is more than a watch."""
        low, high = self.figure.low, self.figure.high
        return not self.watch and low is not None and high is not None and not low <= self.quartiles[1] <= high


@dataclass(frozen=True)
class Profile:
    """A player in a role: his matches in it (rows as a reader sees them) and his place for every metric."""

    player: Player
    role: Role
    matches: tuple[dict[str, Any], ...]
    minutes: int
    regulars: int
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Regular:
    """A player with enough matches in a role, his sums there, and his mean probability of it."""

    id: int
    name: str
    team: str
    matches: int
    minutes: int
    probability: float
    sums: dict[str, int]


def season(database: sqlite3.Connection) -> str:
    """The season's name."""
    return str(database.execute("SELECT name FROM season").fetchone()[0])


def regulars(database: sqlite3.Connection, role: Role) -> list[Regular]:
    """The regulars of a role, those with the most matches in it first."""
    sums = ", ".join(f"SUM({column})" for column in _COUNTS.split(", "))
    rows = database.execute(
        f"""
        SELECT p.id, p.name, GROUP_CONCAT(DISTINCT t.name), COUNT(*), AVG(r.probability), {sums}
        FROM role r JOIN appearance a USING (player, game) JOIN player_match m USING (player, game)
          JOIN player p ON p.id = r.player JOIN team t ON t.id = a.team
        WHERE r.role = ? GROUP BY p.id HAVING COUNT(*) >= ? ORDER BY COUNT(*) DESC, SUM(a.minutes) DESC, p.id
        """,
        (role.name, REGULAR_MATCHES),
    )
    found: list[Regular] = []
    for row in rows:
        totals = dict(zip(COLUMNS, row[5:], strict=True))
        found.append(Regular(row[0], row[1], row[2].replace(",", ", "), row[3], totals["minutes"], row[4], totals))
    return found


def matches(database: sqlite3.Connection, player: Player, role: Role | None = None) -> list[dict[str, Any]]:
    """A player's matches of enough minutes, in order, with the role of each and the counts behind all metrics."""
    counts = ", ".join(column for column in _COUNTS.split(", ") if column != "a.minutes")
    rows = database.execute(
        f"""
        SELECT g.id AS match, g.date,
          CASE WHEN g.home = a.team THEN away.name || ' (home)' ELSE home.name || ' (away)' END AS opponent,
          CASE WHEN g.home = a.team THEN g.home_score || '-' || g.away_score
          ELSE g.away_score || '-' || g.home_score END AS score, a.minutes, r.role, r.probability, r.second,
          r.second_probability, {counts}
        FROM role r JOIN appearance a USING (player, game) JOIN player_match m USING (player, game)
          JOIN game g ON g.id = r.game JOIN team home ON home.id = g.home JOIN team away ON away.id = g.away
        WHERE r.player = ? AND (? = '' OR r.role = ?) ORDER BY g.date, g.id
        """,
        (player.id, role.name if role else "", role.name if role else ""),
    )
    return [dict(row) for row in rows]


def compare(database: sqlite3.Connection, player: Player, role: Role) -> Profile:
    """A player's figures in a role beside those of its other regulars."""
    own = matches(database, player, role)
    others = [regular for regular in regulars(database, role) if regular.id != player.id]
    places = tuple(_place(database, metric, own, others) for metric in METRICS) if own and others else ()
    return Profile(player, role, tuple(own), sum(row["minutes"] for row in own), len(others), places)


def first(places: Sequence[Place]) -> list[Place]:
    """What comes first: clear differences by their distance; those that follow the team's share of the ball last."""
    return sorted((p for p in places if p.clear), key=lambda p: (p.metric.volume, -abs(p.distance)))


def _place(
    database: sqlite3.Connection, metric: Metric, own: Sequence[dict[str, Any]], others: Sequence[Regular]
) -> Place:
    figure = intervals.ratio(
        [row[metric.numerator] for row in own], [row[metric.denominator] for row in own], share=metric.share
    )
    used = [r for r in others if r.sums[metric.denominator]]
    values = np.array([metric.per * r.sums[metric.numerator] / r.sums[metric.denominator] for r in used])
    low, median, high = (float(v) for v in np.percentile(values, (25, 50, 75)))
    scaled = Interval(*(None if v is None else v * metric.per for v in (figure.value, figure.low, figure.high)))
    amount = sum(row[metric.denominator] for row in own)
    known = reliability.of(database, metric)
    trust, needed = known.after(amount), known.needed(amount / len(own))
    percentile, distance = None, 0.0
    if scaled.value is not None:
        below = (values < scaled.value).mean() + (values == scaled.value).mean() / 2
        percentile = round(float(below) * 100)
        spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        distance = trust * (scaled.value - median) / spread if spread else 0.0
    return Place(
        metric=metric,
        figure=scaled,
        matches=sum(row[metric.denominator] > 0 for row in own),
        regulars=len(used),
        quartiles=(low, median, high),
        percentile=percentile,
        distance=distance,
        trust=trust,
        needed=needed,
        missing=max((needed or 0) - len(own), 0),
    )
