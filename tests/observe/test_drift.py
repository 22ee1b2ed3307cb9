"""What has shifted between two times, and what has not."""

import random

import pytest
from msgspec.structs import replace
from tests.store.test_rollups import call, trace

from regista.core.nouns import Span, Trace
from regista.observe.drift import LEAST, Drift, drift

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


def test_two_days_alike_have_not_shifted() -> None:
    found = [drift(some(200, 2 * seed), some(120, 2 * seed + 1, 1_000)) for seed in range(30)]
    assert sum(bool(shifted(one)) for one in found) == 0


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
    assert asked.p < 1e-6 and asked.psi < 0.2 and not asked.shifted


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
