import math
from pathlib import Path

import pytest

from club.football import measure, season, tables, threat
from club.football.wyscout import Archive, Event, Formation, Listed, Match, Position, Side, Substitution, Tag

HOME, AWAY = 1, 2


def event(name: str, sub: str, player: int, tags: tuple[int, ...], at: float, *places: tuple[float, float]) -> Event:
    team = HOME if player < 20 else AWAY
    positions = tuple(Position(x, y) for x, y in places)
    return Event(name, sub, player, team, "1H", at, tuple(Tag(tag) for tag in tags), positions)


def side(team: int, where: str, changes: tuple[Substitution, ...] = ()) -> Side:
    first = 1 if team == HOME else 21
    return Side(team, where, 0, Formation(tuple(Listed(first + i) for i in range(11)), "null", changes))


def match(*changes: Substitution) -> Match:
    return Match(7, 1, "2018-01-01 15:00:00", {"1": side(HOME, "home", changes), "2": side(AWAY, "away")})


END = (
    event("Pass", "Simple pass", 21, (), 2700.0, (50, 50), (50, 50)),
    Event("Pass", "Simple pass", 21, AWAY, "2H", 2760.0, (), (Position(50, 50), Position(50, 50))),
)


def counts(*events: Event) -> dict[int, dict[str, int]]:
    return {a.player: a.counts for a in measure.measure(match(), (*events, *END)).appearances}


@pytest.mark.parametrize(
    ("start", "end", "progressive"),
    [
        ((20, 50), (49, 50), True),
        ((20, 50), (45, 50), False),
        ((45, 50), (60, 50), True),
        ((45, 50), (58, 50), False),
        ((70, 50), (80, 50), True),
        ((70, 50), (79, 50), False),
        ((80, 50), (70, 50), False),
    ],
)
def test_a_pass_is_progressive_by_the_metres_it_gains(
    start: tuple[float, float], end: tuple[float, float], progressive: bool
) -> None:
    assert counts(event("Pass", "Simple pass", 1, (1801,), 5, start, end))[1]["passes_progressive"] == progressive


def test_a_pass_that_fails_is_neither_progressive_nor_into_the_final_third() -> None:
    done = counts(event("Pass", "Simple pass", 1, (1802,), 5, (60, 50), (80, 50)))[1]
    assert (done["passes"], done["passes_progressive"], done["passes_final_third"]) == (1, 0, 0)


def test_a_pass_out_of_play_goes_nowhere() -> None:
    done = counts(event("Pass", "High pass", 1, (1802,), 5, (50, 50), (0, 0)))[1]
    assert (done["passes"], done["passes_long"], done["passes_forward"]) == (1, 0, 0)


def test_a_ball_taken_and_kept_is_a_regain_and_a_set_piece_is_none() -> None:
    theirs = event("Pass", "Simple pass", 21, (1802,), 1, (40, 50), (50, 50))
    taken = event("Pass", "Simple pass", 3, (1801,), 2, (50, 50), (60, 50))
    kept = event("Pass", "Simple pass", 4, (1801,), 3, (60, 50), (60, 60))
    lost = event("Pass", "Simple pass", 22, (1801,), 3, (40, 50), (60, 60))
    throw = event("Free Kick", "Throw in", 3, (1801,), 2, (50, 0), (60, 10))
    assert counts(theirs, taken, kept)[3]["regains"] == 1
    assert counts(theirs, taken, lost)[3]["regains"] == 0
    assert counts(theirs, throw, kept)[3]["regains"] == 0


def test_a_goal_seen_by_the_keeper_counts_once_and_an_own_goal_for_the_others() -> None:
    shot = event("Shot", "Shot", 1, (101, 1801), 5, (90, 50), (100, 50))
    save = event("Save attempt", "Reflexes", 21, (101, 1802), 5, (5, 50), (0, 50))
    own = event("Others on the ball", "Touch", 2, (102,), 9, (3, 50), (0, 50))
    assert measure.measure(match(), (shot, save, own, *END)).goals == {HOME: 1, AWAY: 1}


def test_a_change_splits_the_minutes_and_the_opponents_touches() -> None:
    theirs = [event("Pass", "Simple pass", 21, (), at, (50, 50), (50, 50)) for at in (60, 1500, 2000)]
    found = measure.measure(match(Substitution(15, 1, 31)), (*theirs, *END)).appearances
    off, on = (next(a for a in found if a.player == player) for player in (1, 15))
    assert (off.minutes, on.minutes, off.started, on.started) == (30, 61, True, False)
    assert (off.opponent_touches, on.opponent_touches) == (2, 2)


def test_threat_of_a_sure_goal_flows_back_to_where_it_is_passed_from() -> None:
    start, end = threat.cell(30, 50), threat.cell(95, 50)
    grid = threat.fit([(1, start, end)] * 3, [start] * 4, [(end, True), (end, False)])
    assert grid[end] == 0.5 * threat.UNIT
    assert grid[start] == 0.5 * 0.75 * threat.UNIT
    assert threat.gains([(9, start, end), (9, end, start)], grid) == {9: round(1000 * 0.125)}


def test_matches_read_from_the_archive_equal_the_shipped_figures(archive: Path) -> None:
    shipped = tables.read(tables.DATA)
    values = threat.np.array([row[1] for row in shipped["threat_grid"]])
    source = Archive(archive)
    chosen = source.matches()[::60]
    assert len(chosen) == 7
    for measured in season.measure_some(archive, chosen):
        appearances, rows = season.figures_of(measured, threat.gains(measured.moves, values))
        game = measured.match.wy_id
        assert sorted(appearances) == [row for row in shipped["appearance"] if row[0] == game]
        assert sorted(rows) == [row for row in shipped["player_match"] if row[0] == game]


def test_distance_to_goal_is_in_metres() -> None:
    assert measure.goal_distance(0, 50) == 105
    assert measure.goal_distance(100, 0) == 34
    assert math.isclose(measure.goal_distance(50, 0), math.hypot(52.5, 34))
