"""Finding a player by what people call him: any part of his name, accents or not."""

import re
import sqlite3
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches

LETTERS = str.maketrans({"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ß": "ss", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})


@dataclass(frozen=True)
class Player:
    """A player, with the teams he played for and his totals of the season."""

    id: int
    name: str
    full_name: str
    position: str
    teams: tuple[str, ...]
    matches: int
    minutes: int

    @property
    def team(self) -> str:
        return " and ".join(self.teams)


def plain(name: str) -> str:
    """Lower case, no accents, words of letters only.

    >>> plain("M. Ødegaard-Özil Jr.")
    'm odegaard ozil jr'
    """
    bare = unicodedata.normalize("NFKD", name.lower().translate(LETTERS))
    return " ".join(re.findall(r"[^\W_]+", "".join(c for c in bare if not unicodedata.combining(c))))


def everyone(database: sqlite3.Connection) -> list[Player]:
    """All players of the season, those with the most minutes first."""
    rows = database.execute(
        """
        SELECT p.id, p.name, p.full_name, p.position, GROUP_CONCAT(DISTINCT t.name) AS teams,
          COUNT(*) AS matches, SUM(a.minutes) AS minutes
        FROM player p JOIN appearance a ON a.player = p.id JOIN team t ON t.id = a.team
        GROUP BY p.id ORDER BY SUM(a.minutes) DESC, p.id
        """
    )
    return [Player(r[0], r[1], r[2], r[3], tuple(r[4].split(",")), r[5], r[6]) for r in rows]


def find(database: sqlite3.Connection, name: str) -> list[Player]:
    """The players a name fits best.

    The whole of a usual or full name, else all words in the usual name, else all in the full name, else
    the beginnings of words in either.
    """
    wanted = plain(name)
    players = everyone(database)
    usual = {player.id: set(plain(player.name).split()) for player in players}
    known = {player.id: usual[player.id] | set(plain(player.full_name).split()) for player in players}
    words = wanted.split()
    if not words:
        return []
    return (
        [p for p in players if wanted in (plain(p.name), plain(p.full_name))]
        or [p for p in players if usual[p.id].issuperset(words)]
        or [p for p in players if known[p.id].issuperset(words)]
        or [p for p in players if all(any(k.startswith(word) for k in known[p.id]) for word in words)]
    )


def near(database: sqlite3.Connection, name: str) -> list[Player]:
    """Players with a name close to one that fits nobody."""
    by_word: dict[str, list[Player]] = {}
    for player in everyone(database):
        for word in {plain(player.name), *plain(player.name).split(), *plain(player.full_name).split()}:
            by_word.setdefault(word, []).append(player)
    wanted = plain(name)
    words = [word for part in (wanted, *wanted.split()) for word in get_close_matches(part, by_word, 3, 0.7)]
    return list({player.id: player for word in words for player in by_word[word]}.values())[:5]
