"""What comes is watched: changes that are large and are not chance, each with traces that show it."""

import random
from collections.abc import Callable

import pytest

from regista.observe.features import COST, DURATION, FAILED, Key
from regista.observe.streams import LEVEL, THUMB, Raised, Streams

Figures = dict[Key, float]
Made = list[tuple[str, Figures]]
BATCH = 50


def ordinary(chance: random.Random) -> Figures:
    return {
        DURATION: chance.lognormvariate(0, 0.5) * 5e8,
        COST: chance.lognormvariate(0, 0.4) * 2e6,
        FAILED: float(chance.random() < 0.03),
        THUMB: float(chance.random() < 0.8),
    }


def made(count: int, seed: int, of: Callable[[random.Random], Figures] = ordinary) -> Made:
    chance = random.Random(seed)
    return [(f"{seed}-{n}", of(chance)) for n in range(count)]


def fed(streams: Streams, seen: Made) -> list[Raised]:
    return [one for start in range(0, len(seen), BATCH) for one in streams.take(seen[start : start + BATCH])]


def test_where_nothing_changes_there_is_next_to_no_alarm() -> None:
    raised = [fed(Streams(), made(2_000, seed)) for seed in range(20)]
    assert sum(map(len, raised)) <= 1


def test_times_that_grow_raise_one_alarm_with_the_slowest_as_examples() -> None:
    streams = Streams()
    assert fed(streams, made(1_500, 1)) == []
    slow = [(id, {**figures, DURATION: figures[DURATION] * 3}) for id, figures in made(400, 2)]
    (alarm,) = fed(streams, slow)
    assert alarm.key == DURATION and alarm.measure == "ratio" and alarm.effect >= 1.5 and alarm.p < LEVEL
    assert float(alarm.before) == pytest.approx(500, rel=0.1) and float(alarm.now.replace(",", "")) > 750
    times = {id: figures[DURATION] for id, figures in slow}
    assert len(alarm.examples) == 3 and min(times[id] for id in alarm.examples) > 1.5e9


def test_failures_that_grow_show_traces_that_failed_and_thumbs_that_fall_those_that_point_down() -> None:
    streams = Streams()
    fed(streams, made(1_000, 3))
    worse = made(
        400, 4, lambda one: ordinary(one) | {FAILED: float(one.random() < 0.3), THUMB: float(one.random() < 0.3)}
    )
    raised = {one.key: one for one in fed(streams, worse)}
    assert set(raised) == {FAILED, THUMB}
    assert raised[FAILED].more.startswith("more") and raised[THUMB].more.startswith("less")
    of = dict(worse)
    assert [of[id][FAILED] for id in raised[FAILED].examples] == [1.0] * 3
    assert [of[id][THUMB] for id in raised[THUMB].examples] == [0.0] * 3
    assert float(raised[FAILED].before.rstrip("%")) == pytest.approx(3, abs=1.5)


def test_a_change_that_is_sure_and_small_is_none_until_small_ones_add_up() -> None:
    streams = Streams()

    def at(factor: float, seed: int) -> Made:
        return made(2_000, seed, lambda chance: {DURATION: chance.lognormvariate(0, 0.1) * 5e8 * factor})

    assert fed(streams, at(1.0, 5)) == []
    assert fed(streams, at(1.25, 6)) == []
    (alarm,) = fed(streams, at(1.7, 7))
    assert 1.5 <= alarm.effect < 1.7 and float(alarm.before) == pytest.approx(500, rel=0.05)


def test_the_more_changes_at_once_the_less_each_must_show() -> None:
    """Benjamini and Hochberg: what one figure alone would have to show is more than what one of many has to."""
    p: dict[bool, float] = {}
    for also in (False, True):
        streams = Streams()
        fed(streams, made(600, 8))
        factors = {DURATION: 20.0, COST: 20.0} if also else {}
        worse = [
            (id, {key: value * factors.get(key, 1.0) for key, value in (figures | {FAILED: float(n % 3 == 0)}).items()})
            for n, (id, figures) in enumerate(made(200, 9))
        ]
        raised = {one.key: one for one in streams.take(worse)}
        assert set(raised) == ({FAILED, DURATION, COST} if also else {FAILED})
        p[also] = raised[FAILED].p
    assert p[True] == pytest.approx(p[False] / 3)


def test_after_an_alarm_how_it_is_now_is_what_it_is_measured_by() -> None:
    streams = Streams()
    fed(streams, made(600, 10))
    slow = [(id, {**figures, DURATION: figures[DURATION] * 4}) for id, figures in made(1_500, 11)]
    assert len(fed(streams, slow)) == 1
    (back,) = fed(streams, made(600, 12))
    assert back.more.startswith("less") and float(back.before.replace(",", "")) == pytest.approx(2_000, rel=0.15)


def test_what_is_free_and_what_never_ends_is_within_bounds() -> None:
    streams = Streams()
    free: Made = [(f"{n}", {COST: 0.0, DURATION: 1e30}) for n in range(300)]
    assert fed(streams, free) == []
    (cost,) = fed(streams, [(id, {COST: 5e6}) for id, _ in free])
    assert cost.before == "0" and cost.more.startswith("more")
