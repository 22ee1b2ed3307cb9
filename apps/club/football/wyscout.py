"""The Wyscout public match events as typed records, read from their archive.

Knows the form of the files and nothing of football: what an event means is in `measure`.
Coordinates are percentages of the pitch from the acting team's own goal (x) and its left (y).
"""

import re
import zipfile
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import Struct

GOAL, OWN_GOAL, ASSIST, KEY_PASS = 101, 102, 301, 302
LOST, NEUTRAL, WON = 701, 702, 703
INTERCEPTION, ACCURATE = 1401, 1801


class Tag(Struct, frozen=True):
    """A mark on an event; the numbers that are used here are named above."""

    id: int


class Position(Struct, frozen=True):
    """A place on the pitch, in percent."""

    x: float
    y: float


class Event(Struct, frozen=True, rename="camel"):
    """One event as the archive has it; `event_sec` counts from the start of its period."""

    event_name: str
    sub_event_name: str
    player_id: int
    team_id: int
    match_period: str
    event_sec: float
    tags: tuple[Tag, ...]
    positions: tuple[Position, ...]


class Listed(Struct, frozen=True, rename="camel"):
    """A player on a team sheet; `red_cards` is the minute of his dismissal, or nought."""

    player_id: int
    red_cards: int | str = 0


class Substitution(Struct, frozen=True, rename="camel"):
    """A change at a minute of the match; minute 46 is half-time."""

    player_in: int
    player_out: int
    minute: int


class Formation(Struct, frozen=True):
    """A team sheet. The archive writes the text `null` where there is nothing."""

    lineup: tuple[Listed, ...]
    bench: tuple[Listed, ...] | str = ()
    substitutions: tuple[Substitution, ...] | str = ()


class Side(Struct, frozen=True, rename="camel"):
    """One team in a match."""

    team_id: int
    side: str
    score: int
    formation: Formation


class Match(Struct, frozen=True, rename="camel"):
    """A match: date (UTC), round and both sides, by team id."""

    wy_id: int
    gameweek: int
    dateutc: str
    teams_data: dict[str, Side]

    @property
    def home(self) -> Side:
        return next(side for side in self.teams_data.values() if side.side == "home")

    @property
    def away(self) -> Side:
        return next(side for side in self.teams_data.values() if side.side == "away")


class Archive:
    """The zip file of one competition season."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = zipfile.ZipFile(path)
        countries = re.findall(r"^matches_(\w+)\.json$", "\n".join(self._zip.namelist()), re.MULTILINE)
        if len(countries) != 1:
            raise ValueError(f"{path.name} holds {len(countries)} files matches_<country>.json; it needs one.")
        self.country = countries[0]

    def matches(self) -> list[Match]:
        """All matches, in the order they were played."""
        found = msgspec.json.decode(self._zip.read(f"matches_{self.country}.json"), type=list[Match])
        return sorted(found, key=lambda match: (match.dateutc, match.wy_id))

    def events(self, match: int) -> list[Event]:
        """The events of a match, in the order they happened."""

        class File(Struct):
            events: list[Event]

        return msgspec.json.decode(self._zip.read(f"events/{match}.json"), type=File).events

    def records(self, kind: str) -> list[dict[str, Any]]:
        """The raw records of `players` or `teams`."""
        return cast("list[dict[str, Any]]", msgspec.json.decode(self._zip.read(f"{kind}.json")))


def repaired(name: str) -> str:
    r"""A name whose characters were escaped twice, as text; soft hyphens go.

    >>> repaired("J. Gu\\u00f0munds\\u00adson")
    'J. Guðmundsson'
    """
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), name)
    return " ".join(text.replace("\u00ad", "").split())
