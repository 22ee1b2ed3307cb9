"""What has shifted between two times, and what has not."""

import random

import numpy as np
import pytest
from msgspec.structs import replace
from tests.store.test_rollups import call, trace

from regista.core.nouns import Span, Trace
from regista.observe.drift import LEAST, Counts, Drift, Known, Rate, Sketches, Values, Vectors, drift
from regista.observe.features import COST, FAILED, Key
from regista.stats.sketch import Sketch

MS = 1_000_000


def some(count: int, seed: int, first: int = 0, **fields: object) -> list[Trace]:
    """Traces of an ordinary day."""
    chance = random.Random(seed)
    return [
        trace(
            first + n,
            n,
            **{
                "question": "q" * int(chance.gauss(40, 8)),
                "answer": "a" * int(chance.gauss(300, 40)),
                "duration_ns": int(chance.lognormvariate(0, 0.4) * 500 * MS),
                "status": "error" if chance.random() < 0.05 else "ok",
                "spans": (Span("generate", "m", -1, 0, 1, "stop" if chance.random() < 0.9 else "length"),),
                **fields,
            },
        )
        for n in range(count)
    ]


def shifted(found: list[Drift]) -> set[str]:
    return {one.name for one in found if one.shifted}


def test_of_two_days_alike_a_shift_is_told_as_seldom_as_the_level_says() -> None:
    found = [drift(some(200, 2 * seed), some(120, 2 * seed + 1, 1_000)) for seed in range(40)]
    assert sum(bool(shifted(one)) for one in found) <= 0.05 * len(found)


def test_what_has_shifted_comes_first_with_examples_of_what_there_is_more_of() -> None:
    before, now = some(300, 1), some(150, 2, 1_000, calls=(call(0, model="large"),))
    long = [replace(one, question="Where is my parcel? " * 10) if n % 2 else one for n, one in enumerate(now)]
    found = drift(before, long)
    assert shifted(found) == {"characters of the question", "answered by"}
    assert {one.name for one in found[:2]} == shifted(found)
    by = {one.name: one for one in found}
    assert by["answered by"].more == "openai/large: 0% → 100%" and len(by["answered by"].examples) == 3
    asked = {one.id: one.question for one in long}
    assert all(asked[id].startswith("Where is my parcel?") for id in by["characters of the question"].examples)
    assert (by["characters of the answer"].shifted, by["characters of the answer"].examples) == (False, ())


def test_a_shift_that_is_sure_and_small_is_none() -> None:
    before = some(4_000, 3)
    found = {
        one.name: one for one in drift(before, [replace(one, question=one.question + "??") for one in some(4_000, 4)])
    }
    asked = found["characters of the question"]
    assert asked.p < 1e-6 and asked.effect < 0.2 and not asked.shifted


def test_of_too_few_values_nothing_is_said() -> None:
    assert drift(some(LEAST - 1, 5), some(200, 6)) == []
    retrieved = (Span("retrieve", "", -1, 0, 1, "1 hit", "", {"hits": [{"score": 0.4}]}),)
    names = {one.name for one in drift(some(30, 7), [*some(30, 8), *some(5, 9, spans=retrieved)])}
    assert "score of the best passage" not in names and "passages" not in names


def test_passages_are_compared_where_something_was_looked_for() -> None:
    def looked(score: float, count: int) -> tuple[Span, ...]:
        return (Span("retrieve", "", -1, 0, 1, "", "", {"hits": [{"score": score}] * count}),)

    before = [replace(one, spans=looked(0.6 + n % 7 / 100, 8)) for n, one in enumerate(some(100, 10))]
    now = [replace(one, spans=looked(0.3 + n % 7 / 100, 8 if n % 3 else 0)) for n, one in enumerate(some(100, 11, 500))]
    assert {"score of the best passage", "passages"} <= shifted(drift(before, now))


@pytest.mark.parametrize("hits", [None, "nonsense", [1, "x"], [{"score": "high"}]])
def test_attributes_that_are_no_hits_are_passed_over(hits: object) -> None:
    odd = some(40, 12, spans=(Span("retrieve", "", -1, 0, 1, "", "", {"hits": hits}),))
    assert shifted(drift(odd, odd)) == set()


def test_what_is_known_of_all_traffic_takes_the_place_of_the_samples_which_give_the_examples() -> None:
    before, now = some(200, 13), some(100, 14, 1_000)
    now = [replace(one, cost_nano=9_000_000 if n == 3 else 7) for n, one in enumerate(now)]
    sketches = Sketches(Sketch.of([7] * 5_000), Sketch.of([7] * 1_500 + [9_000_000] * 1_500), 1e9)
    found = {one.name: one for one in drift(before, now, known=Known(sketches={COST: sketches}))}
    cost = found["dollars"]
    assert (cost.shifted, cost.of_all, cost.counts) == (True, True, (5_000, 3_000))
    assert cost.examples == (now[3].id,) and cost.more == "0.00908 to 0.00908"


def test_rates_are_compared_by_their_own_measure_in_either_direction() -> None:
    before, now = some(300, 15), some(300, 16, 1_000)
    rates: dict[Key, Rate] = {
        FAILED: Rate((10, 1_000), (60, 1_000)),
        ("scores", "thumb up"): Rate((90, 100), (40, 100), ["a"], ["b"]),
    }
    found = {one.name: one for one in drift(before, now, known=Known(rates=rates))}
    assert found["failed"].shifted and found["failed"].more == "failed: 1% → 6%"
    failed = {one.id for one in now if one.status == "error"}
    assert set(found["failed"].examples) <= failed and len(found["failed"].examples) == 3
    assert found["thumb up"].more == "not thumb up: 10% → 60%" and found["thumb up"].examples == ("b",)
    assert (found["thumb up"].before, found["thumb up"].now, found["thumb up"].measure) == ("90%", "40%", "h")


def test_scores_and_categories_of_other_places_are_among_the_features() -> None:
    values = Values([(0.9 - n % 5 / 50, "x") for n in range(60)], [(0.4 - n % 5 / 50, f"{n}") for n in range(40)])
    counts = Counts({"a": 80, "b": 20}, {"a": 20, "b": 80}, {"b": ["1", "2", "3", "4"]})
    known = Known(values={("scores", "faithful"): values}, counts={("scores", "label"): counts})
    found = {one.name: one for one in drift([], [], known=known)}
    assert {name for name, one in found.items() if one.shifted} == {"faithful", "label"}
    assert found["label"].examples == ("1", "2", "3") and len(found["faithful"].examples) == 3


def test_vectors_that_can_be_told_apart_have_shifted_and_show_the_newest_kind() -> None:
    generator = np.random.default_rng(8)
    before, now = generator.normal(size=(80, 6)), generator.normal(size=(60, 6))
    now[:20] += 5
    ids = [f"{n}" for n in range(60)]
    key: Key = ("inputs", "meaning of the question")
    (found,) = drift([], [], known=Known(vectors={key: Vectors(before, now, ids)}))
    assert found.shifted and found.measure == "auc" and {int(id) for id in found.examples} <= set(range(20))
    (same,) = drift([], [], known=Known(vectors={key: Vectors(before, generator.normal(size=(60, 6)), ids)}))
    assert not same.shifted and same.examples == ()
