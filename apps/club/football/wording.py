"""Sentences for what was computed. Each stands by itself, so that an answer may quote it alone.

Nothing is computed here but rounding, and no number is written that did not come in.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .players import Player
from .profile import Place, Profile, Regular, first
from .roles import COUNTED_MINUTES, REGULAR_MATCHES, Role

UNSEEN = (
    "Event data records what happens at the ball, so it cannot show scanning, pressing and marking off the ball, or "
    "sprints: for these use video or tracking."
)
PROPOSAL = "Roles are inferred from where a player touched the ball, so they are proposals for the coach to confirm."


def known(player: Player, season: str) -> str:
    """Who a player is."""
    return (
        f"{player.name} ({player.full_name}) is a {player.position} who played {_matches(player.matches)} and "
        f"{player.minutes:,} minutes for {player.team} in the {season}."
    )


def unknown(name: str, near: Sequence[Player]) -> str:
    """Nobody has that name."""
    return f"No player called {name!r} is in the figures.{_near(near)}"


def ambiguous(name: str, found: Sequence[Player]) -> str:
    """Several have it."""
    shown = "; ".join(f"{p.full_name} ({p.name}, {p.team})" for p in found[:8])
    more = f"; and {len(found) - 8} more" if len(found) > 8 else ""
    return f"{len(found)} players fit {name!r}: {shown}{more}. Say which one by his full name."


def unseen(quantity: str) -> tuple[str, ...]:
    """What was asked for is not in the data."""
    return (f"Not measured: what was asked for ({quantity.lower()}) is not in these figures.", UNSEEN)


def no_role(name: str, near: Sequence[str], every: Sequence[Role]) -> str:
    """No role is called that."""
    offered = f" Near names: {', '.join(near)}." if near else ""
    return f"There is no role {name!r}.{offered} The roles are: {', '.join(role.name for role in every)}."


def roles(player: Player, season: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """What a player's matches are, by role."""
    if not rows:
        return [
            f"{player.name} has no match of at least {COUNTED_MINUTES} minutes in the {season}, so no role is proposed."
        ]
    counts = Counter(str(row["role"]) for row in rows)
    parts = [f"{role} in {_matches(count)}" for role, count in counts.most_common()]
    sentences = [
        f"In the {season}, {player.name} ({player.team}) has {_matches(len(rows))} of at least {COUNTED_MINUTES} "
        f"minutes, most like a {_joined(parts)}."
    ]
    for role, count in counts.most_common():
        chance = sum(row["probability"] for row in rows if row["role"] == role) / count
        dates = [row["date"] for row in rows if row["role"] == role]
        span = f"on {dates[0]}" if count == 1 else f"from {dates[0]} to {dates[-1]}"
        sentences.append(
            f"{player.name} as a {role}: {_matches(count)} {span}, with a mean probability of {chance:.2f} "
            "for the role."
        )
    return [*sentences, PROPOSAL]


def regulars(role: Role, season: str, found: Sequence[Regular]) -> list[str]:
    """Who the regulars in a role are."""
    shown = [f"{r.name} ({r.team}, {r.matches})" for r in found[:12]]
    return [
        f"{len(found)} players are regular {role.plural} in the {season}: they have at least "
        f"{_matches(REGULAR_MATCHES)} of {COUNTED_MINUTES} minutes or more in the role.",
        f"The regular {role.plural} with the most matches in the role: {', '.join(shown)}.",
        PROPOSAL,
    ]


def profile(found: Profile, season: str) -> list[str]:
    """A player in a role beside its regulars, what matters most first."""
    name, role = found.player.name, found.role
    if not found.matches:
        return [
            f"{name} has no match of at least {COUNTED_MINUTES} minutes as a {role.name} in the {season}, so there is "
            "nothing to compare."
        ]
    chance = sum(row["probability"] for row in found.matches) / len(found.matches)
    sentences = [
        f"{name} ({found.player.team}) has {_matches(len(found.matches))} as a {role.name} in the {season}, "
        f"{found.minutes:,} minutes in all, with a mean probability of {chance:.2f} for the role.",
        f"He is compared with the {found.regulars} other regular {role.plural}: players with at least "
        f"{_matches(REGULAR_MATCHES)} in the role.",
        f"The matches behind the figures of {name}: {'; '.join(_match(row) for row in found.matches)}.",
        *_clearest(found),
    ]
    ranked = first(found.places)
    rest = [place for place in found.places if place not in ranked]
    sentences += [_place(name, role, place) for place in (*ranked, *(p for p in rest if not p.watch))]
    sentences += [_place(name, role, place) for place in rest if place.watch]
    return [*sentences, PROPOSAL, UNSEEN]


def _match(row: dict[str, Any]) -> str:
    return f"{row['date']} {row['opponent']} {row['score']}"


def _clearest(found: Profile) -> list[str]:
    name, role = found.player.name, found.role
    ranked = [place for place in first(found.places) if not place.metric.volume][:3]
    if not ranked:
        return [f"No figure of {name} that rests on enough differs clearly from the median {role.name}."]
    said = [place.metric.more if place.distance > 0 else place.metric.less for place in ranked]
    return [f"What stands out for {name} beside the regular {role.plural}: {'; '.join(said)}."]


def _place(name: str, role: Role, place: Place) -> str:
    metric, figure = place.metric, place.figure
    if figure.value is None:
        return f"{metric.label}: {name} has none to count as a {role.name}."
    d = metric.decimals
    limits = "no interval from one match"
    if figure.low is not None and figure.high is not None:
        limits = f"95 % interval {figure.low:.{d}f} to {figure.high:.{d}f}"
    low, median, high = (f"{value:.{d}f}" for value in place.quartiles)
    return (
        f"{'Watch only: ' if place.watch else ''}{metric.label}: {figure.value:.{d}f} {metric.unit} "
        f"({limits}, {_matches(place.matches)}), above {place.percentile} % of the {place.regulars} regulars, whose "
        f"quartiles are {low}, {median} and {high}; {_needs(place)}."
    )


def _needs(place: Place) -> str:
    if place.needed is None:
        return "no number of matches makes it tell the players of a role apart"
    takes = f"trusting it takes about {_matches(place.needed)}"
    return f"{takes}, {place.missing} more than he has" if place.missing else f"{takes}, which he has"


def _near(near: Sequence[Player]) -> str:
    return f" Near names: {', '.join(f'{p.name} ({p.team})' for p in near)}." if near else ""


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _matches(number: int) -> str:
    return f"{number} match" if number == 1 else f"{number} matches"
