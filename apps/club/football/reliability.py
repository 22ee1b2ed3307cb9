"""How many matches a metric needs before it tells players apart.

Variance components of a one-way random-effects layout, a group for each player in a role, with
matches weighted by their denominators (S. R. Searle et al., Variance Components, 1992, §3.6 for
unbalanced data). Roles' own means are taken out first: what is left is how the players of a role differ, their teams'
ways of playing included.
"""

import sqlite3
from dataclasses import dataclass
from math import ceil, inf, sqrt

import numpy as np
from numpy.typing import NDArray

from . import roles
from .metrics import COLUMNS, METRICS, Metric

TRUSTED = 0.7
WATCH = 1 / 3
"""Below this reliability a figure says more about the matches than about the player."""
LEAST_MATCHES = 4
"""A player with fewer matches in a role says too little about how matches differ to be used here."""
HALVED_MATCHES = 12
LEAST_PROFILES = 30
"""With fewer players-in-a-role nothing is estimated, and every figure stays one to watch."""


@dataclass(frozen=True)
class Reliability:
    """`noise`: how much of a metric's denominator (passes, minutes, duels) makes chance as large as the spread
    between players; infinite where they do not differ. A player with few duels a match so needs more matches."""

    noise: float

    def after(self, amount: float) -> float:
        """The share of the variance of a figure over so much that is between players (Spearman and Brown)."""
        return amount / (amount + self.noise) if amount else 0.0

    def needed(self, per_match: float) -> int | None:
        """Matches that make a figure `TRUSTED` at so much a match; None where no number does.

        >>> Reliability(noise=90.0).needed(per_match=30)
        7
        """
        if self.noise == inf or not per_match:
            return None
        return max(1, ceil(self.noise / per_match * TRUSTED / (1 - TRUSTED) - 1e-9))


def noise(
    group: NDArray[np.int64], role: NDArray[np.int64], numerator: NDArray[np.float64], denominator: NDArray[np.float64]
) -> float:
    """Within-player variance per unit of the denominator over between-player variance. Arrays have an entry a match."""
    used = denominator > 0
    if len(np.unique(group[used])) < LEAST_PROFILES:
        return inf
    group, role, top, weight = group[used], role[used], numerator[used], denominator[used]
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    weights, tops = np.bincount(group, weight), np.bincount(group, top)
    means = tops / weights
    role_of = np.unique(role[first], return_inverse=True)[1]
    role_means = np.bincount(role_of, tops) / np.bincount(role_of, weights)
    groups, role_count = len(weights), len(role_means)
    within = float((weight * (top / weight - means[group]) ** 2).sum()) / (len(group) - groups)
    between = float((weights * (means - role_means[role_of]) ** 2).sum()) / (groups - role_count)
    per_role = np.bincount(role_of, weights**2) / np.bincount(role_of, weights)
    effective = float((weights.sum() - per_role.sum()) / (groups - role_count))
    players = (between - within) / effective
    return within / players if players > 0 else inf


def estimate(database: sqlite3.Connection) -> None:
    """Fill the table `reliability` from all outfield players with `LEAST_MATCHES` matches in a role."""
    group, role, counts = _season(database, LEAST_MATCHES)
    for metric in METRICS:
        found = noise(group, role, *_ratio(counts, metric))
        database.execute("INSERT INTO reliability VALUES (?, ?)", (metric.name, found))


def halves(database: sqlite3.Connection, metric: Metric) -> tuple[float, float] | None:
    """A check by other means: how odd and even matches of a player in a role correlate, foretold and found.

    Players with at least `HALVED_MATCHES` in a role; roles' means are taken out. The first figure is what
    the variance components give, the second the correlation; None where fewer than `LEAST_PROFILES` can be halved.
    """
    group, role, counts = _season(database, HALVED_MATCHES)
    top, below = _ratio(counts, metric)
    _, first, place = np.unique(group, return_index=True, return_inverse=True)
    odd = (np.arange(len(group)) - first[place]) % 2 == 1
    amounts = np.stack([np.bincount(place, below * side) for side in (odd, ~odd)])
    used = (amounts > 0).all(axis=0)
    if used.sum() < LEAST_PROFILES:
        return None
    figures = np.stack([np.bincount(place, top * side) for side in (odd, ~odd)])[:, used] / amounts[:, used]
    role_of = np.unique(role[first][used], return_inverse=True)[1]
    for half in figures:
        half -= (np.bincount(role_of, half) / np.bincount(role_of))[role_of]
    chance = of(database, metric).noise * float((1 / amounts[:, used]).mean())
    one, other = figures
    return 1 / (1 + chance), float(one @ other) / sqrt(float(one @ one) * float(other @ other))


def _season(
    database: sqlite3.Connection, least: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Players-in-roles, roles and counts (matches, `COLUMNS`) of all with at least so many matches in a role."""
    columns = ", ".join("a.minutes" if column == "minutes" else f"m.{column}" for column in COLUMNS)
    rows = database.execute(
        f"SELECT r.player, r.role, {columns} FROM role r JOIN player_match m USING (player, game) "
        "JOIN appearance a USING (player, game) WHERE r.role <> ? ORDER BY r.player, r.role, r.game",
        (roles.GOALKEEPER.name,),
    ).fetchall()
    number = {role.name: i for i, role in enumerate(roles.OUTFIELD)}
    role = np.array([number[row[1]] for row in rows], dtype=np.int64)
    group = np.array([row[0] for row in rows], dtype=np.int64) * len(number) + role
    _, place, matches = np.unique(group, return_inverse=True, return_counts=True)
    kept = matches[place] >= least
    counts = np.array([tuple(row)[2:] for row in rows], dtype=np.float64).reshape(-1, len(COLUMNS))
    return group[kept], role[kept], counts[kept]


def _ratio(counts: NDArray[np.float64], metric: Metric) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return counts[:, COLUMNS.index(metric.numerator)], counts[:, COLUMNS.index(metric.denominator)]


def of(database: sqlite3.Connection, metric: Metric) -> Reliability:
    """The reliability of a metric as it was estimated from the season."""
    (found,) = database.execute("SELECT noise FROM reliability WHERE metric = ?", (metric.name,)).fetchone()
    return Reliability(found)
