"""What the club can be asked: typed, read-only functions over its match figures.

Each answers with `Facts`: sentences whose every number was computed, and the matches behind them.
"""

from collections.abc import Callable
from contextlib import closing
from sqlite3 import Connection
from typing import Annotated

from regista import Facts, tool

from .football import players, profile, roles, tables, wording
from .football.players import Player
from .football.roles import Role

WORDS = r"[\w'’.-]*(?: [\w'’.-]+){0,3}?"
PLAYER = rf"(?P<player>[^\W\d_]{WORDS})"
NAMED = rf"(?P<player>(?-i:[A-ZÀ-ÖØ-Þ]){WORDS})"
"""A player where only a capital tells a name from other words: "the role of the six" asks for no player."""
SOMEBODY = NAMED.replace("?P<player>", "?:")
ROLE = r"(?:an? |the |our )?(?P<role>[\w-]+(?: [\w-]+){0,3}?)"
AS = r"(?:as|in the role of|in the position of|playing|at)"
UNSEEN = (
    r"(?P<quantity>scan(?:s|ned|ning)?|sprint(?:s|ed|ing)?|press(?:es|ed|ing)?|speed|fast(?:er|est)?|distances?|"
    r"kilomet(?:re|er)s?|injur(?:y|ies|ed)|fitness|heart rate|body shape)"
)
"""What is asked for and cannot be counted from what happens at the ball."""
ASKED = r"(?i)\b(?:what (?:are|is|were|was)|show(?: me)?|list|give me)"


class _UnansweredError(Exception):
    """The question names nobody, or several, or no role; its text says which."""


@tool(
    asks=(
        rf"(?i)\bwho(?: is|'s|’s) {NAMED.replace('player', 'name')}\s*\?*$",
        r"(?i)\b(?:find|search for|look up|look for) (?:the )?player (?:called |named )?(?P<name>[^?]+?)\s*[?.]*$",
        r"(?i)\bis there (?:a|any) player (?:called|named) (?P<name>[^?]+?)\s*\?*$",
    )
)
def find_player(name: Annotated[str, "any part of the name, accents or not"]) -> Facts:
    """Find a player of the season by name: who he is, his team, matches and minutes."""
    return _answered(lambda database: _find(database, name))


@tool(
    asks=(
        rf"(?i)\b(?:what|which) (?:roles?|positions?) (?:did|does|has|have) {PLAYER} (?:play|have|had|fill)(?:ed)?\b",
        rf"(?i)\bwhere (?:did|does|has) {PLAYER} play(?:ed)?\b",
        rf"{ASKED} (?:the )?(?:roles?|positions?) of {NAMED}\s*(?:[?.]*$|by match|in each)",
        rf"{ASKED} {PLAYER}(?:'s|’s) (?:roles?|positions?)\s*(?:[?.]*$|by match|in each)",
    )
)
def player_roles(player: Annotated[str, "the player's name"]) -> Facts:
    """A player's role in each of his matches, with its probability: proposals that a coach confirms."""
    return _answered(lambda database: _roles(database, player))


@tool(
    asks=(
        rf"(?i)\bhow (?:does|do|did) {PLAYER} (?:compare|rank|measure up|stack up|do|perform|look)\b[^?]*? {AS} {ROLE}"
        r"\s*\?*$",
        rf"(?i)\bcompare {PLAYER} (?:with|to|against|and) (?:the )?(?:other )?regular {ROLE}\s*[?.]*$",
        rf"(?i)\bcompare {PLAYER}\b[^?]*? {AS} {ROLE}\s*[?.]*$",
        rf"(?i)\bhow good (?:is|was) {PLAYER} {AS} {ROLE}\s*\?*$",
        rf"(?i)\bhow (?:does|do|did) {PLAYER} compare (?:with|to|against) (?:the )?(?:other )?regular {ROLE}\s*\?*$",
        rf"{ASKED} {PLAYER}(?:'s|’s) (?:profile|figures|numbers|stats) {AS} {ROLE}\s*\?*$",
    )
)
def compare_in_role(
    player: Annotated[str, "the player's name"],
    role: Annotated[str, "the role's name or a common word for it, such as 'deep-lying midfielder' or 'six'"],
) -> Facts:
    """A player's figures in a role beside that role's regulars: interval, percentile, and matches still needed."""
    return _answered(lambda database: _compare(database, player, role))


@tool(
    asks=(
        rf"(?i)\bhow (?:often|much|many|far|well|hard|quickly)\b[^?]*?\b{SOMEBODY}\b[^?]*?\b{UNSEEN}\b",
        rf"(?i)\bhow (?:many|much) {UNSEEN}\b[^?]*?\b{SOMEBODY}",
        rf"(?i)\bhow (?P<quantity>fast|fit) (?:is|was) {SOMEBODY}",
        rf"{ASKED} {SOMEBODY}(?:'s|’s)? (?:top |average )?{UNSEEN}\b",
    )
)
def not_in_the_data(quantity: Annotated[str, "what was asked for, such as 'sprints' or 'scanning'"]) -> Facts:
    """Say plainly that event data does not show something: scanning, pressing off the ball, sprints, distance."""
    return Facts(wording.unseen(quantity))


@tool(
    asks=(
        r"(?i)\bwho (?:are|were) (?:the |our )?(?:other )?(?:regulars?|regular players) (?:as|at|in the role of) "
        rf"{ROLE}\s*\?*$",
        rf"(?i)\b(?:who|which players?|which) (?:are|were|is|was) (?:the |an? )?(?:other )?regular {ROLE}\s*\?*$",
        rf"(?i)\b(?:list|show|name)(?: me)? (?:the |all )?(?:the )?regular {ROLE}\s*[?.]*$",
        rf"(?i)\bwho (?:regularly plays|plays regularly|played regularly|regularly played) {AS} {ROLE}\s*\?*$",
    )
)
def role_regulars(role: Annotated[str, "the role's name or a common word for it"]) -> Facts:
    """The regular players in a role: who they are and how many matches each has in it."""
    return _answered(lambda database: _regulars(database, role))


def _find(database: Connection, name: str) -> Facts:
    found = players.find(database, name)
    if not found:
        return Facts((wording.unknown(name, players.near(database, name)),))
    said = wording.ambiguous(name, found) if len(found) > 1 else wording.known(found[0], profile.season(database))
    rows = ({"player": p.full_name, "team": p.team, "matches": p.matches, "minutes": p.minutes} for p in found[:20])
    return Facts((said,), tuple(rows))


def _roles(database: Connection, name: str) -> Facts:
    player = _one(database, name)
    rows = profile.matches(database, player)
    shown = ("match", "date", "opponent", "score", "minutes", "role", "probability", "second", "second_probability")
    cut = tuple({column: row[column] for column in shown} for row in rows)
    return Facts(tuple(wording.roles(player, profile.season(database), rows)), cut)


def _compare(database: Connection, name: str, called: str) -> Facts:
    role, player = _role(called), _one(database, name)
    found = profile.compare(database, player, role)
    said = tuple(wording.profile(found, profile.season(database)))
    if not found.matches:
        return Facts((*said, *_roles(database, player.full_name).statements))
    rows = ({k: v for k, v in row.items() if not k.startswith("second")} for row in found.matches)
    return Facts(said, tuple(rows))


def _regulars(database: Connection, called: str) -> Facts:
    role = _role(called)
    found = profile.regulars(database, role)
    rows = ({"player": r.name, "team": r.team, "matches": r.matches, "minutes": r.minutes} for r in found)
    return Facts(tuple(wording.regulars(role, profile.season(database), found)), tuple(rows))


def _answered(answer: Callable[[Connection], Facts]) -> Facts:
    if not tables.DATABASE.exists():
        return Facts(("The club's figures are not loaded yet: type `regista club build`.",))
    with closing(tables.connect(tables.DATABASE)) as database:
        try:
            return answer(database)
        except _UnansweredError as unanswered:
            return Facts((str(unanswered),))


def _one(database: Connection, name: str) -> Player:
    found = players.find(database, name)
    if len(found) == 1:
        return found[0]
    near = players.near(database, name)
    raise _UnansweredError(wording.ambiguous(name, found) if found else wording.unknown(name, near))


def _role(called: str) -> Role:
    role = roles.named(called)
    if role is None:
        raise _UnansweredError(wording.no_role(called, roles.near(called), roles.ROLES))
    return role
