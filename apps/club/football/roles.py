"""Roles in a match, named by where a player touched the ball relative to his team-mates.

Seven prototypes set by hand; a match belongs softly to each. The midfield overlaps, so a role is a
proposal with its probability, never a fact: a coach confirms it. The file's own position is used
for goalkeepers alone.
"""

import re
import sqlite3
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

COUNTED_MINUTES = 30
"""A shorter appearance has too few touches to say where a player played; it counts nowhere."""
REGULAR_MATCHES = 8
"""A regular in a role has at least so many matches in it."""
SPREAD = 4.0
"""Standard deviation of a player's height and width about his role's prototype, in percent of the pitch."""


@dataclass(frozen=True)
class Role:
    """A role. `height`: mean touch height above that of the outfield team-mates; `width`: mean distance from the
    centre line; both in percent of the pitch."""

    name: str
    plural: str
    height: float
    width: float
    aliases: tuple[str, ...]


OUTFIELD = (
    Role("centre-back", "centre-backs", -17, 20, ("central defender", "center back", "centreback", "cb", "stopper")),
    Role(
        "full-back",
        "full-backs",
        -1,
        35,
        ("fullback", "wing-back", "wingback", "right-back", "left-back", "fb", "rb", "lb"),
    ),
    Role(
        "deep-lying midfielder",
        "deep-lying midfielders",
        -3.5,
        18.5,
        (
            *("six", "6", "number six", "dm", "regista", "anchor", "pivot", "deep-lying playmaker"),
            *("holding midfielder", "defensive midfielder", "deep midfielder"),
        ),
    ),
    Role(
        "box-to-box midfielder",
        "box-to-box midfielders",
        3,
        21,
        ("eight", "8", "number eight", "cm", "central midfielder", "centre midfielder", "box to box", "mezzala"),
    ),
    Role(
        "attacking midfielder",
        "attacking midfielders",
        8.5,
        24,
        ("ten", "10", "number ten", "am", "playmaker", "trequartista", "second striker"),
    ),
    Role("winger", "wingers", 13.5, 30, ("wide forward", "inside forward", "lw", "rw", "wide midfielder")),
    Role("striker", "strikers", 16.5, 21, ("centre-forward", "forward", "nine", "9", "number nine", "st", "cf")),
)
GOALKEEPER = Role("goalkeeper", "goalkeepers", 0, 0, ("keeper", "gk", "goalie"))
ROLES = (GOALKEEPER, *OUTFIELD)


def named(text: str) -> Role | None:
    """The role a text names, by name, plural or alias.

    >>> [named(text).name for text in ("a number six", "Box to Box", "DM", "full backs")]
    ['deep-lying midfielder', 'box-to-box midfielder', 'deep-lying midfielder', 'full-back']
    """
    return _names().get(_plain(text))


def near(text: str) -> list[str]:
    """The names and aliases closest to a text that names no role."""
    return get_close_matches(_plain(text), _names(), 3, 0.5)


def probabilities(height: NDArray[np.float64], width: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much a match belongs to each outfield role: (matches, roles), rows add up to one.

    Equal round normal densities about the prototypes and no prior: the nearest role is the likeliest.
    """
    places = np.stack([height, width], axis=1)[:, None, :]
    prototypes = np.array([(role.height, role.width) for role in OUTFIELD])[None]
    log = -0.5 * (((places - prototypes) / SPREAD) ** 2).sum(axis=2)
    weights = np.exp(log - log.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def assign(database: sqlite3.Connection) -> None:
    """Fill the table `role`: the two likeliest roles of every appearance of at least `COUNTED_MINUTES`."""
    rows = database.execute(
        """
        SELECT a.player, a.game, a.minutes, a.places, p.position = 'goalkeeper',
          a.x10 / 10.0 - SUM(a.x10 * a.places) FILTER (WHERE p.position <> 'goalkeeper') OVER side / 10.0
            / SUM(a.places) FILTER (WHERE p.position <> 'goalkeeper') OVER side,
          a.width10 / 10.0
        FROM appearance a JOIN player p ON p.id = a.player WINDOW side AS (PARTITION BY a.game, a.team)
        """
    ).fetchall()
    counted = [row for row in rows if row[2] >= COUNTED_MINUTES and row[3] > 0]
    keepers = [(player, game, GOALKEEPER.name, 1.0, "", 0.0) for player, game, _, _, keeper, *_ in counted if keeper]
    outfield = [row for row in counted if not row[4]]
    shares = probabilities(*(np.array([row[i] for row in outfield]) for i in (5, 6)))
    found = [(row[0], row[1], *_two_likeliest(share)) for row, share in zip(outfield, shares, strict=True)]
    database.executemany("INSERT INTO role VALUES (?, ?, ?, ?, ?, ?)", sorted(keepers + found))


def _two_likeliest(shares: NDArray[np.float64]) -> tuple[str, float, str, float]:
    first, second = (int(i) for i in np.argsort(-shares, kind="stable")[:2])
    return OUTFIELD[first].name, round(float(shares[first]), 3), OUTFIELD[second].name, round(float(shares[second]), 3)


def _names() -> dict[str, Role]:
    return {_plain(name): role for role in ROLES for name in (role.name, role.plural, *role.aliases)}


def _plain(text: str) -> str:
    """Lower case, hyphens and slashes as spaces, no article, no plural ending."""
    words = re.sub(r"[^a-z0-9]+", " ", text.lower()).split()
    if words[:1] in (["a"], ["an"], ["the"]):
        words = words[1:]
    return " ".join(words).removesuffix("s")
