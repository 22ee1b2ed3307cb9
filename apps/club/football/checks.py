"""The data card of a counted season: what was read, and where it contradicts itself.

A contradiction is reported, never mended: the figures stay what the archive says.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from . import reliability
from .measure import Measured
from .metrics import METRICS
from .season import Season

LONGEST_MATCH = 110
"""Minutes of play with both stoppage times; more is a fault of the clock."""
LARGEST_MISS = 0.15
"""The correlation of half seasons may miss what the reliability foretells by so much: twice its standard error."""


@dataclass(frozen=True)
class Check:
    """One line of the card; `passed` is None for a line that only informs."""

    what: str
    detail: str
    passed: bool | None = None


def card(season: Season) -> list[Check]:
    """All checks of a season, in the order they are shown."""
    figures, matches = season.figures, season.matches
    teams = len(figures["team"])
    full = teams * (teams - 1)
    minutes = [int(row[4]) for row in figures["appearance"]]
    strays = sum(match.strays for match in matches)
    outside = sum(match.outside for match in matches)
    nameless = sum(match.nameless for match in matches)
    touches = sum(a.counts["touches"] for match in matches for a in match.appearances)
    escaped = [row[1] for row in figures["player"] if "\\u" in f"{row[1]}{row[2]}"]
    return [
        Check("Season", str(figures["season"][0][0])),
        Check("Events", f"{sum(match.events for match in matches):,}"),
        Check("Players", f"{len(figures['player']):,} with {len(minutes):,} appearances"),
        Check("Matches", f"{len(matches)} of {full} between {teams} teams", len(matches) == full),
        _scores(figures["team"], matches),
        Check("Minutes", f"{min(minutes)} to {max(minutes)}", min(minutes) >= 0 and max(minutes) <= LONGEST_MATCH),
        _team_minutes(matches),
        Check("Coordinates", f"{strays} off the pitch", strays == 0),
        Check(
            "Touches",
            f"{touches:,}, and {nameless:,} by nobody named; {outside:,} by a player off the pitch by the team sheet",
            outside < touches / 1000,
        ),
        Check("Names", f"{len(escaped)} with an escape left in", not escaped),
    ]


def halves(database: sqlite3.Connection) -> Check:
    """Whether odd and even matches agree as well as the reliabilities foretell."""
    pairs = {metric.label: reliability.halves(database, metric) for metric in METRICS}
    misses = {label: abs(pair[0] - pair[1]) for label, pair in pairs.items() if pair}
    if not misses:
        return Check("Reliability", "too few matches a player to estimate it; every figure is one to watch")
    worst = max(misses, key=misses.__getitem__)
    mean = sum(misses.values()) / len(misses)
    detail = (
        f"odd and even matches correlate as foretold, but for {mean:.2f} on average and {misses[worst]:.2f} at most "
        f"({worst.lower()})"
    )
    return Check("Reliability", detail, misses[worst] < LARGEST_MISS)


def _scores(teams: Sequence[tuple[int | str, ...]], matches: Sequence[Measured]) -> Check:
    names = {row[0]: row[1] for row in teams}
    wrong: list[str] = []
    for measured in matches:
        home, away = measured.match.home, measured.match.away
        found = (measured.goals[home.team_id], measured.goals[away.team_id])
        if found != (home.score, away.score):
            wrong.append(
                f"{names[home.team_id]} v {names[away.team_id]} (match {measured.match.wy_id}): "
                f"{home.score}-{away.score} in the file, {found[0]}-{found[1]} by its events"
            )
    agree = f"{len(matches) - len(wrong)} of {len(matches)} follow from the goal events"
    return Check("Scores", "; ".join([agree, *wrong]), not wrong)


def _team_minutes(matches: Sequence[Measured]) -> Check:
    """Eleven players all match long, less what the dismissed missed: never more, never fewer than nine."""
    men: list[float] = []
    for measured in matches:
        for team in measured.goals:
            men.append(sum(a.off - a.on for a in measured.appearances if a.team == team) / measured.seconds)
    short = sum(number < 10.99 for number in men)
    detail = f"{min(men):.2f} to {max(men):.2f} players on average; below eleven in {short} of {len(men)} team sheets"
    return Check("Team minutes", detail, min(men) >= 9 and max(men) < 11.01)
