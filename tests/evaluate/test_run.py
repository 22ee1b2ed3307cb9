import asyncio
import math
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from regista.core.errors import ConfigurationError, ProviderError, StoreError
from regista.core.evaluation import Better, Case, Output, Report, Score
from regista.evaluate.run import WRITE_S, Plan, Tally, run_suite
from regista.store import evaluations

from .conftest import Place, Says

CASES = [{"id": f"c{n}", "input": f"{n}?", "answer": str(n % 3), "slices": {"odd": str(n % 2)}} for n in range(30)]


def right(case: Case, repetition: int) -> str:
    return case.references["answer"]


@dataclass
class Gives:
    """A scorer that gives what it was told to."""

    value: Any
    better: ClassVar[Better] = "higher"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)

    @property
    def needs(self) -> dict[str, Any]:
        return {}

    async def score(self, case: Case, output: Output) -> Score:
        if isinstance(self.value, Exception):
            raise self.value
        return Score(self.value)


async def test_a_whole_run_comes_back_from_the_store_and_asks_nobody(place: Place) -> None:
    suite, target = place.suite(CASES), Says("t", right)
    first = await run_suite(place.database, place.plan(suite, target))
    again = await run_suite(place.database, place.plan(suite, target))
    assert again == first
    assert len(target.asked) == len(CASES)
    assert first.estimate("exact").mean == 1.0


async def test_repetitions_are_asked_each_and_fresh_asks_all_again(place: Place) -> None:
    suite, target = place.suite(CASES), Says("t", right)
    await run_suite(place.database, place.plan(suite, target))
    await run_suite(place.database, place.plan(suite, target, repeat=3))
    assert sorted(target.asked) == sorted((f"c{n}", r) for n in range(30) for r in range(3))
    await run_suite(place.database, place.plan(suite, target, repeat=3, fresh=True))
    assert len(target.asked) == 180


async def test_another_scorer_scores_the_outputs_that_are_there(place: Place) -> None:
    target = Says("t", right)
    await run_suite(place.database, place.plan(place.suite(CASES), target))
    suite = place.suite(CASES, "[scorers.exact]\n[scorers.other]\nscorer = 'exact'\nreference = 'id2'\n")
    changed = place.suite(
        [case | {"id2": "0"} for case in CASES],
        "[scorers.exact]\n[scorers.other]\nscorer = 'exact'\nreference = 'id2'\n",
    )
    report = await run_suite(place.database, place.plan(changed, target))
    assert suite.digest != changed.digest
    assert len(target.asked) == 30
    assert report.estimate("other").mean == pytest.approx(1 / 3)


async def test_a_run_that_is_cancelled_goes_on_where_it_stopped(place: Place) -> None:
    suite = place.suite(CASES)
    reached = asyncio.Event()

    class Slow(Says):
        async def answer(self, case: Case, repetition: int) -> Output:
            if len(self.asked) == 10:
                reached.set()
                await asyncio.Event().wait()
            return await super().answer(case, repetition)

    slow, quick = Slow("t", right), Says("t", right)
    running = asyncio.create_task(run_suite(place.database, place.plan(suite, slow, concurrency=1)))
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    tallies: list[tuple[int, int]] = []

    def told(tally: Tally) -> None:
        tallies.append((tally.done, tally.reused))

    report = await run_suite(place.database, place.plan(suite, quick), told)
    assert len(quick.asked) == 20
    assert tallies[-1] == (30, 10)
    assert report.estimate("exact").ok == 30


async def test_what_was_about_to_be_written_when_the_last_case_ended_is_kept(place: Place) -> None:
    class AsLongAsAWriteWaits(Says):
        async def answer(self, case: Case, repetition: int) -> Output:
            if not self.asked:
                time.sleep(WRITE_S)  # noqa: ASYNC251 - the write comes due in the moment in which all cases end
            return await super().answer(case, repetition)

    for _ in range(5):
        target = AsLongAsAWriteWaits("t", right)
        report = await run_suite(place.database, place.plan(place.suite(CASES), target, fresh=True))
        assert report.estimate("exact").ok == 30


async def test_a_write_that_fails_ends_the_run_and_what_it_held_is_written_at_the_end(place: Place) -> None:
    broken = "CREATE TRIGGER broken BEFORE INSERT ON evaluation_results BEGIN INSERT INTO nowhere VALUES (1); END"

    class Breaks(Says):
        async def answer(self, case: Case, repetition: int) -> Output:
            if self.asked:
                try:
                    await asyncio.Event().wait()
                finally:
                    self.change("DROP TRIGGER broken")
            self.change(broken)
            return await super().answer(case, repetition)

        def change(self, statement: str) -> None:
            with place.database.transaction() as transaction:
                transaction.execute(statement)

    suite, quick, patience = place.suite(CASES), Says("t", right), asyncio.timeout(20)
    with pytest.raises(StoreError, match="nowhere"):
        async with patience:
            await run_suite(place.database, place.plan(suite, Breaks("t", right), concurrency=1))
    assert not patience.expired()
    report = await run_suite(place.database, place.plan(suite, quick))
    assert len(quick.asked) == 29
    assert report.estimate("exact").ok == 30


async def test_a_provider_that_fails_for_a_third_leaves_bounds_and_is_asked_again(place: Place) -> None:
    suite = place.suite(CASES)

    def failing(case: Case, repetition: int) -> str:
        if case.references["answer"] == "0":
            raise ProviderError("The provider is down.")
        return "1"

    report = await run_suite(place.database, place.plan(suite, Says("t", failing)))
    estimate = report.estimate("exact")
    assert (estimate.ok, estimate.unscored, estimate.error) == (20, 0, 10)
    assert estimate.mean == 0.5
    assert (estimate.worst, estimate.best) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    mended = Says("t", right)
    report = await run_suite(place.database, place.plan(suite, mended))
    assert len(mended.asked) == 10
    assert report.estimate("exact").error == 0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "no number but nan"),
        (math.inf, "no number but inf"),
        (None, "no number but None"),
        (1.5, "outside of 0 to 1"),
        (ValueError("broken"), "ValueError: broken"),
    ],
)
async def test_a_scorer_that_fails_is_an_error_and_stays_in_the_denominator(
    place: Place, value: Any, said: str
) -> None:
    suite = place.suite(CASES[:4])
    plan = Plan(suite, Says("t", right), {"exact": Gives(value)})
    report = await run_suite(place.database, plan)
    estimate = report.estimate("exact")
    assert (estimate.mean, estimate.low, estimate.error) == (None, None, 4)
    assert (estimate.worst, estimate.best) == (0.0, 1.0)
    (page,) = evaluations.results(place.database, report.run)
    assert len(page) == 4


async def test_a_component_that_cannot_work_here_ends_the_run_with_its_own_error(place: Place) -> None:
    plan = Plan(place.suite(CASES), Says("t", right), {"exact": Gives(ConfigurationError("No sandbox."))})
    with pytest.raises(ConfigurationError, match="No sandbox"):
        await run_suite(place.database, plan)


async def test_pass_at_k_and_pass_hat_k_come_with_repetitions(place: Place) -> None:
    suite = place.suite(CASES[:3])

    def sometimes(case: Case, repetition: int) -> str:
        return case.references["answer"] if case.id != "c2" and (case.id == "c0" or repetition < 2) else "no"

    report = await run_suite(place.database, place.plan(suite, Says("t", sometimes), repeat=4))
    # c0 is right 4 of 4 times, c1 2 of 4, c2 never.
    assert report.estimate("exact").mean == pytest.approx((1 + 0.5 + 0) / 3)
    assert report.estimate("exact pass@2").mean == pytest.approx((1 + 5 / 6 + 0) / 3)
    assert report.estimate("exact pass^2").mean == pytest.approx((1 + 1 / 6 + 0) / 3)
    assert report.estimate("exact pass^4").mean == pytest.approx(1 / 3)


async def test_weights_clusters_and_slices_reach_the_report(place: Place) -> None:
    cases = [
        {"id": "1", "input": "?", "answer": "x", "weight": 3, "cluster": "a", "slices": {"team": "Leeds"}},
        {"id": "2", "input": "?", "answer": "y", "cluster": "a", "slices": {"team": "Leeds"}},
        {"id": "3", "input": "?", "answer": "x", "cluster": "b", "slices": {"team": "York"}},
    ]
    suite = place.suite(cases)
    report: Report = await run_suite(place.database, place.plan(suite, Says("t", lambda case, _: "x")))
    assert report.estimate("exact").mean == pytest.approx(4 / 5)
    assert report.estimate("exact").clusters == 2
    assert [(s.name, s.value, s.estimates[0].mean) for s in report.slices] == [
        ("team", "Leeds", pytest.approx(3 / 4)),
        ("team", "York", 1.0),
    ]


async def test_what_a_guardrail_answered_is_scored_and_is_no_error(place: Place) -> None:
    suite = place.suite(CASES[:2])
    report = await run_suite(place.database, place.plan(suite, Says("t", lambda case, _: Output(refused="pii"))))
    assert (report.estimate("exact").ok, report.estimate("exact").error) == (2, 0)


@dataclass
class Slow(Gives):
    """A scorer that takes longer than results wait for the disk."""

    async def score(self, case: Case, output: Output) -> Score:
        await asyncio.sleep(0.3)
        return await super().score(case, output)


async def test_scores_that_come_long_after_their_output_are_kept(place: Place) -> None:
    suite = place.suite(CASES[:6], "[scorers.exact]\n[scorers.other]\nscorer = 'exact'\n")
    plan = Plan(suite, Says("t", right), {"exact": Slow(1.0), "other": Slow(1.0)})
    report = await run_suite(place.database, plan)
    assert [(e.ok, e.error) for e in report.estimates] == [(6, 0), (6, 0)]


async def test_what_is_cancelled_below_a_scorer_or_a_target_is_an_error_and_no_hole(place: Place) -> None:
    def given_up(case: Case, repetition: int) -> str:
        if case.id == "c1":
            raise asyncio.CancelledError
        return "x"

    plan = Plan(place.suite(CASES[:4]), Says("t", given_up), {"exact": Gives(asyncio.CancelledError())})
    report = await run_suite(place.database, plan)
    assert (report.cases, report.estimate("exact").error) == (4, 4)


@pytest.mark.parametrize("nonsense", [None, Score("x"), Score(5.0, "bogus"), Score(1.0, detail={"a": object()})])  # pyright: ignore[reportArgumentType]
async def test_a_scorer_that_gives_nonsense_is_an_error(place: Place, nonsense: Any) -> None:
    class Nonsense(Gives):
        async def score(self, case: Case, output: Output) -> Score:
            return nonsense

    plan = Plan(place.suite(CASES[:3]), Says("t", right), {"exact": Nonsense(1.0)})
    report = await run_suite(place.database, plan)
    assert (report.estimate("exact").ok, report.estimate("exact").error) == (0, 3)


async def test_cases_that_are_changed_while_they_are_tried_end_the_run(place: Place) -> None:
    suite = place.suite(CASES)

    def changing(case: Case, repetition: int) -> str:
        if case.id == "c3":
            place.suite(CASES[:20])
        return "x"

    with pytest.raises(ConfigurationError, match="changed while it ran"):
        await run_suite(place.database, place.plan(suite, Says("t", changing), concurrency=1))
    report = await run_suite(place.database, place.plan(place.suite(CASES), Says("t", right)))
    assert report.cases == 30


async def test_a_fresh_run_leaves_what_others_have(place: Place) -> None:
    suite = place.suite(CASES)
    whole = await place.run(suite, Says("t", right))
    await run_suite(
        place.database, place.plan(suite, Says("t", lambda case, _: Output(error="down")), limit=5, fresh=True)
    )
    (page,) = evaluations.results(place.database, whole.id)
    assert not any(line.failed for line in page)


async def test_a_repetition_that_failed_leaves_pass_at_k_open(place: Place) -> None:
    def half(case: Case, repetition: int) -> Output | str:
        return case.references["answer"] if repetition < 2 else Output(error="down")

    report = await run_suite(place.database, place.plan(place.suite(CASES[:4]), Says("t", half), repeat=4))
    estimate = report.estimate("exact pass@2")
    assert (estimate.mean, estimate.worst, estimate.best) == (None, 0.0, 1.0)


async def test_a_scorer_without_a_case_is_refused(place: Place) -> None:
    suite = place.suite(CASES, "[scorers.exact]\nonly = { odd = 'perhaps' }\n")
    with pytest.raises(ConfigurationError, match="has no case for 'exact'"):
        await run_suite(place.database, place.plan(suite, Says("t", right)))
