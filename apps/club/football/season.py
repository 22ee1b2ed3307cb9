"""Counts every match of an archive, on all cores, into the figures that `tables` keeps."""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import threat
from .measure import COUNTS, Measured, measure
from .tables import Figures, Row
from .wyscout import Archive, Match, repaired

BATCH = 5
LEAGUES = {
    "England": "Premier League",
    "Spain": "La Liga",
    "Italy": "Serie A",
    "Germany": "Bundesliga",
    "France": "Ligue 1",
}
POSITIONS = {"GK": "goalkeeper", "DF": "defender", "MD": "midfielder", "FW": "forward"}


@dataclass(frozen=True)
class Season:
    """A counted archive: the figures, and the matches they come from for the checks."""

    figures: Figures
    matches: list[Measured]


def count(path: Path, progress: Callable[[int], None] = lambda matches: None) -> Season:
    """Count all matches of an archive. `progress` hears how many more are done."""
    archive = Archive(path)
    matches = archive.matches()
    measured: list[Measured] = []
    for batch in _measured(path, matches):
        measured += batch
        progress(len(batch))
    return Season(_figures(archive, measured), measured)


def measure_some(path: Path, matches: Sequence[Match]) -> list[Measured]:
    """The counts of some matches of an archive."""
    archive = Archive(path)
    return [measure(match, archive.events(match.wy_id)) for match in matches]


def _measured(path: Path, matches: Sequence[Match]) -> Iterable[list[Measured]]:
    """Batches in the order of the matches. Where processes cannot be forked (Windows), this one does all."""
    batches = [matches[i : i + BATCH] for i in range(0, len(matches), BATCH)]
    if "fork" not in multiprocessing.get_all_start_methods():
        yield from (measure_some(path, batch) for batch in batches)
        return
    # Forked, because an application's modules have no name that a fresh interpreter could import.
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(os.cpu_count() or 1, mp_context=context) as pool:
        yield from pool.map(measure_some, [path] * len(batches), batches)


def _figures(archive: Archive, measured: Sequence[Measured]) -> Figures:
    values = threat.fit(
        (move for match in measured for move in match.moves),
        (attempt for match in measured for attempt in match.attempts),
        (shot for match in measured for shot in match.shots),
    )
    rows = [figures_of(match, threat.gains(match.moves, values)) for match in measured]
    appearances, counts = ([row for pair in rows for row in pair[i]] for i in (0, 1))
    seen = {row[1] for row in appearances}
    teams = {row[2] for row in appearances}
    return {
        "season": [(_name(archive, measured),)],
        "team": sorted((int(t["wyId"]), repaired(t["name"])) for t in archive.records("teams") if t["wyId"] in teams),
        "player": sorted(_player(p) for p in archive.records("players") if p["wyId"] in seen),
        "game": [_game(match) for match in measured],
        "appearance": sorted(appearances),
        "player_match": sorted(counts),
        "threat_grid": [(number, int(value)) for number, value in enumerate(values)],
    }


def figures_of(measured: Measured, gained: dict[int, int]) -> tuple[list[Row], list[Row]]:
    """A match's rows of `appearance` and `player_match`; `gained` is expected threat by player."""
    game = measured.match.wy_id
    appearances: list[Row] = []
    counts: list[Row] = []
    for a in measured.appearances:
        places = max(a.places, 1)
        x10, width10 = round(a.x_sum * 10 / places), round(a.width_sum * 10 / places)
        appearances.append((game, a.player, a.team, int(a.started), a.minutes, a.places, x10, width10))
        own = (a.counts[name] for name in COUNTS)
        counts.append((game, a.player, *own, a.opponent_touches, gained.get(a.player, 0)))
    return appearances, counts


def _player(record: dict[str, Any]) -> Row:
    code = str(record["role"]["code2"])
    return (
        int(record["wyId"]),
        repaired(record["shortName"]),
        repaired(" ".join(record[part] for part in ("firstName", "middleName", "lastName"))),
        POSITIONS.get(code, code),
        str(record["birthDate"] or ""),
        str(record["foot"] or ""),
    )


def _game(measured: Measured) -> Row:
    match = measured.match
    home, away = match.home, match.away
    return match.wy_id, match.gameweek, match.dateutc[:10], home.team_id, away.team_id, home.score, away.score


def _name(archive: Archive, measured: Sequence[Measured]) -> str:
    first, last = (int(measured[i].match.dateutc[:4]) for i in (0, -1))
    league = LEAGUES.get(archive.country, archive.country)
    return f"{league} {first}/{last % 100:02}" if first != last else f"{league} {first}"
