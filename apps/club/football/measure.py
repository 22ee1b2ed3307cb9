"""Counts one match: who played how long, where he touched the ball, and what he did there.

Everything is a whole number per player, so that any figure can be rebuilt and pooled. The
definitions are the table `COUNTS`; `metrics` says which of them are divided by which.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from . import threat, wyscout
from .wyscout import Event, Match, Side

LENGTH, WIDTH = 105.0, 68.0
"""The pitch in metres; the archive has percentages only, so every pitch is taken as this size."""
FINAL_THIRD = 200 / 3
PERIODS = ("1H", "2H")
STOPS = frozenset({"Interruption", "Foul", "Offside"})
ON_BALL = frozenset({"Pass", "Free Kick", "Shot", "Others on the ball", "Save attempt"})


@dataclass(frozen=True)
class Act:
    """An event prepared for counting: places in percent, `clock` in seconds of play since kick-off."""

    kind: str
    sub: str
    team: int
    player: int
    period: str
    clock: float
    tags: frozenset[int]
    x: float
    y: float
    end_x: float
    end_y: float
    regain: bool = False

    @property
    def accurate(self) -> bool:
        return wyscout.ACCURATE in self.tags

    @property
    def won(self) -> bool:
        return wyscout.WON in self.tags

    @property
    def forward(self) -> float:
        """Metres gained towards the opponents' goal line."""
        return (self.end_x - self.x) / 100 * LENGTH

    @property
    def sideways(self) -> float:
        return abs(self.end_y - self.y) / 100 * WIDTH

    @property
    def is_pass(self) -> bool:
        return self.kind == "Pass" and self.sub != "Hand pass"

    @property
    def is_touch(self) -> bool:
        return self.kind in ON_BALL or self.sub == "Ground attacking duel"

    @property
    def is_move(self) -> bool:
        """A ball carried or passed in open play: what expected threat is made of."""
        return self.is_pass or self.sub == "Acceleration"


def goal_distance(x: float, y: float) -> float:
    """Metres from a place (percent) to the middle of the opponents' goal."""
    return (((100 - x) / 100 * LENGTH) ** 2 + ((50 - y) / 100 * WIDTH) ** 2) ** 0.5


def is_progressive(act: Act) -> bool:
    """Wyscout's rule: 30 m nearer to goal within the own half, 15 m into, 10 m within the other half."""
    needed = 10 if act.x >= 50 else 15 if act.end_x >= 50 else 30
    return goal_distance(act.x, act.y) - goal_distance(act.end_x, act.end_y) >= needed


COUNTS: dict[str, Callable[[Act], bool]] = {
    "touches": lambda a: a.is_touch,
    "attacking_third_touches": lambda a: a.is_touch and a.x >= FINAL_THIRD,
    "passes": lambda a: a.is_pass,
    "passes_completed": lambda a: a.is_pass and a.accurate,
    "passes_forward": lambda a: a.is_pass and a.forward > a.sideways,
    "passes_long": lambda a: a.is_pass and (a.forward**2 + a.sideways**2) ** 0.5 >= 30,
    "passes_progressive": lambda a: a.is_pass and a.accurate and is_progressive(a),
    "passes_final_third": lambda a: a.is_pass and a.accurate and a.x < FINAL_THIRD <= a.end_x,
    "key_passes": lambda a: a.is_pass and bool(a.tags & {wyscout.KEY_PASS, wyscout.ASSIST}),
    "shots": lambda a: a.kind == "Shot",
    "goals": lambda a: a.kind in ("Shot", "Free Kick") and wyscout.GOAL in a.tags,
    "dribbles": lambda a: a.sub == "Ground attacking duel",
    "dribbles_won": lambda a: a.sub == "Ground attacking duel" and a.won,
    "aerials": lambda a: a.sub == "Air duel",
    "aerials_won": lambda a: a.sub == "Air duel" and a.won,
    "tackles": lambda a: a.sub == "Ground defending duel",
    "tackles_won": lambda a: a.sub == "Ground defending duel" and a.won,
    "tackles_held": lambda a: a.sub == "Ground defending duel" and wyscout.LOST not in a.tags,
    "regains": lambda a: a.regain,
    "interceptions": lambda a: a.kind in ON_BALL and wyscout.INTERCEPTION in a.tags,
}
"""Name of a count to the test an act must pass."""


@dataclass
class Appearance:
    """A player in a match. `on` and `off` are seconds of play; sums of places are over his open-play touches."""

    player: int
    team: int
    started: bool
    on: float
    off: float
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    opponent_touches: int = 0
    places: int = 0
    x_sum: float = 0.0
    width_sum: float = 0.0

    @property
    def minutes(self) -> int:
        return round((self.off - self.on) / 60)


@dataclass(frozen=True)
class Measured:
    """A match counted, with what expected threat is fitted from and what the checks look at.

    `moves` are completed open-play moves (player, start cell, end cell), `attempts` the start cells of
    all moves, `shots` cells and whether a goal came of it. `outside` counts touches by a player who
    was not on the pitch by the team sheet, `nameless` those by nobody, `strays` places off the pitch.
    """

    match: Match
    appearances: list[Appearance]
    goals: dict[int, int]
    seconds: float
    events: int
    moves: list[tuple[int, int, int]]
    attempts: list[int]
    shots: list[tuple[int, bool]]
    outside: int
    nameless: int
    strays: int


def measure(match: Match, events: Sequence[Event]) -> Measured:
    """Count a match: events in order in, every player's figures out."""
    lengths = {
        period: max((e.event_sec for e in events if e.match_period == period), default=0.0) for period in PERIODS
    }
    acts = _with_regains([_act(event, lengths["1H"]) for event in events if event.match_period in PERIODS])
    players = {a.player: a for side in match.teams_data.values() for a in _appearances(side, lengths)}
    for act in acts:
        if act.player in players:
            _count(players[act.player], act)
    _count_opponents(players.values(), acts)
    moves = [a for a in acts if a.is_move]
    return Measured(
        match=match,
        appearances=[a for a in players.values() if a.minutes > 0],
        goals=_goals(match, acts),
        seconds=sum(lengths.values()),
        events=len(events),
        moves=[(a.player, threat.cell(a.x, a.y), threat.cell(a.end_x, a.end_y)) for a in moves if a.accurate],
        attempts=[threat.cell(a.x, a.y) for a in moves],
        shots=[(threat.cell(a.x, a.y), wyscout.GOAL in a.tags) for a in acts if a.kind == "Shot"],
        outside=sum(not _on_pitch(players.get(act.player), act) for act in acts if act.kind in ON_BALL and act.player),
        nameless=sum(act.kind in ON_BALL and not act.player for act in acts),
        strays=sum(not (0 <= p.x <= 100 and 0 <= p.y <= 100) for e in events for p in e.positions),
    )


def _act(event: Event, first_half: float) -> Act:
    start, end = event.positions[0], event.positions[-1]
    # The archive writes a corner of the pitch for a ball that went out of play: no place a pass went to.
    if (end.x, end.y) in ((0, 0), (100, 100)):
        end = start
    clock = event.event_sec + (first_half if event.match_period == "2H" else 0.0)
    tags = frozenset(tag.id for tag in event.tags)
    kind, sub = event.event_name, event.sub_event_name
    return Act(
        kind, sub, event.team_id, event.player_id, event.match_period, clock, tags, start.x, start.y, end.x, end.y
    )


def _with_regains(acts: list[Act]) -> list[Act]:
    """Mark the touches that take the ball off the opponents in open play and keep it for one touch more."""
    marked = list(acts)
    balls = [i for i, act in enumerate(acts) if act.kind in ON_BALL or act.kind in STOPS]
    for before, now, after in zip(balls, balls[1:], balls[2:], strict=False):
        past, act, then = acts[before], acts[now], acts[after]
        if act.kind == "Free Kick" or act.kind in STOPS or past.kind in STOPS or past.period != act.period:
            continue
        kept = then.team == act.team and then.kind in ON_BALL and then.period == act.period
        if past.team != act.team and kept:
            marked[now] = replace(act, regain=True)
    return marked


def _appearances(side: Side, lengths: dict[str, float]) -> list[Appearance]:
    end = sum(lengths.values())
    formation = side.formation
    players = {p.player_id: Appearance(p.player_id, side.team_id, True, 0.0, end) for p in formation.lineup}
    for change in formation.substitutions if not isinstance(formation.substitutions, str) else ():
        clock = _clock(change.minute, lengths)
        if change.player_out in players:
            players[change.player_out].off = clock
        players[change.player_in] = Appearance(change.player_in, side.team_id, False, clock, end)
    bench = formation.bench if not isinstance(formation.bench, str) else ()
    for listed in (*formation.lineup, *bench):
        if int(listed.red_cards) and listed.player_id in players:
            sent_off = players[listed.player_id]
            sent_off.off = max(sent_off.on, min(sent_off.off, _clock(int(listed.red_cards), lengths)))
    return list(players.values())


def _clock(minute: int, lengths: dict[str, float]) -> float:
    """Seconds of play at the start of a minute of the match; the 46th is the first after half-time."""
    if minute <= 45:
        return min((minute - 1) * 60.0, lengths["1H"])
    return lengths["1H"] + min((minute - 46) * 60.0, lengths["2H"])


def _on_pitch(appearance: Appearance | None, act: Act) -> bool:
    # A minute on the team sheet is a whole one: an act a minute and a half either side is no contradiction.
    return appearance is not None and appearance.on - 90 <= act.clock <= appearance.off + 90


def _count(appearance: Appearance, act: Act) -> None:
    for name, holds in COUNTS.items():
        if holds(act):
            appearance.counts[name] += 1
    if act.is_touch and act.kind not in ("Free Kick", "Save attempt"):
        appearance.places += 1
        appearance.x_sum += act.x
        appearance.width_sum += abs(act.y - 50)


def _count_opponents(players: Iterable[Appearance], acts: Sequence[Act]) -> None:
    clocks: dict[int, list[float]] = {}
    for act in acts:
        if act.is_touch:
            clocks.setdefault(act.team, []).append(act.clock)
    for appearance in players:
        theirs = [clock for team, each in clocks.items() if team != appearance.team for clock in each]
        appearance.opponent_touches = bisect_left(theirs, appearance.off) - bisect_left(theirs, appearance.on)


def _goals(match: Match, acts: Sequence[Act]) -> dict[int, int]:
    """Goals by team as the events have them. A goal on a `Save attempt` is the same goal seen by the keeper."""
    goals = dict.fromkeys((match.home.team_id, match.away.team_id), 0)
    other = {match.home.team_id: match.away.team_id, match.away.team_id: match.home.team_id}
    for act in acts:
        if act.kind in ("Shot", "Free Kick") and wyscout.GOAL in act.tags:
            goals[act.team] += 1
        elif wyscout.OWN_GOAL in act.tags and act.kind != "Save attempt":
            goals[other[act.team]] += 1
    return goals
