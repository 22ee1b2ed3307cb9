"""Replays: figures that are exact where all is known, honest where not, and right on traffic whose truth is known."""

import random
from collections.abc import Mapping, Sequence

import pytest

from regista.core.nouns import Call, Span, Trace, Usage
from regista.evaluate.routing.replay import Clock, Replayed, replay
from regista.evaluate.routing.simulate import simulation
from regista.models.prices import Price, Rates
from regista.serve.router import Candidate
from regista.serve.router.economy import Economy
from regista.serve.router.rules import Rule, Rules
from regista.serve.routing.pace import Pace
from regista.serve.routing.prefixes import Prefixes
from regista.serve.stages.route import Router

PRICES = {"small": Price(Rates(100_000, 400_000, 10_000)), "large": Price(Rates(2_000_000, 8_000_000, 200_000))}
MS = 1_000_000
NO_SCORES: Mapping[tuple[str, tuple[str, str]], float] = {}


def candidates(prices: "Mapping[str, Price | None]" = PRICES) -> dict[str, Candidate]:
    return {
        name: Candidate(name, f"openai/{name}", (("openai", name),), price, pace=Pace())
        for name, price in prices.items()
    }


def call(name: str, input_tokens: int = 1_000, output: int = 100, ms: int = 500, first: int = 100) -> Call:
    usage = Usage(input_tokens, output)
    cost = PRICES[name].cost(usage)
    return Call("openai", name, "answer", "ok", usage, True, cost, 0, ms * MS, first * MS)


def trace(
    n: int, *calls: Call, question: str = "?", kept: "Mapping[str, object] | None" = None, **fields: object
) -> Trace:
    spans = () if kept is None else (Span("route", "", -1, 0, 1, "small", "", dict(kept)),)
    usage = sum((one.usage for one in calls), Usage())
    cost = sum(one.cost_nano or 0 for one in calls)
    last = calls[-1]
    values = {
        "id": f"{n:032x}", "application": "shop", "variant": "v", "model": "shop", "tenant": "t",
        "started_ns": n * 1_000_000_000, "duration_ns": last.duration_ns, "first_token_ns": last.first_token_ns,
        "status": "ok", "error": "", "cached": "", "usage": usage, "cost_nano": cost, "price_version": "",
        "question": question, "answer": "", "citations": (), "spans": spans, "calls": calls,
    }  # fmt: skip
    return Trace(**(values | fields))  # pyright: ignore[reportArgumentType] - the fields of a trace


async def replayed(router: Router, traces: Sequence[Trace]) -> list[Replayed]:
    clock = Clock()
    return await replay(router, traces, Prefixes(clock), clock)


def always(name: str, prices: "Mapping[str, Price | None]" = PRICES) -> Router:
    return Router((), candidates(prices), name)


def calls_of(**made: Sequence[Call]) -> dict[str, Sequence[Call]]:
    return dict(made)


async def test_traffic_put_to_the_model_that_answered_it_costs_what_it_cost() -> None:
    router, traces = always("small"), [trace(n, call("small", 100 * n)) for n in range(1, 31)]
    found = simulation(["x"], await replayed(router, traces), router.candidates, {}, NO_SCORES)
    assert found.moved == 0 and found.cost is not None and found.whole is not None
    assert found.cost.actual == found.cost.simulated and found.cost.difference.value == 0
    assert (found.cost.difference.low, found.cost.difference.high) == (0, 0)
    assert found.cost.actual.value == pytest.approx(sum(t.cost_nano or 0 for t in traces) / 30)


async def test_a_moved_request_costs_its_tokens_at_the_other_price_with_that_models_answers() -> None:
    router, traces = always("large"), [trace(n, call("small")) for n in range(20)]
    pool = [call("large", output=output, ms=900) for output in (300, 320, 280, 310, 290)]
    found = simulation(["x"], await replayed(router, traces), router.candidates, calls_of(large=pool), NO_SCORES)
    assert found.moved == 20 and found.cost is not None and found.whole is not None
    assert found.cost.simulated.value == pytest.approx(1_000 * 2_000 + 300 * 8_000)
    assert found.cost.simulated.low < found.cost.simulated.value < found.cost.simulated.high
    assert found.whole.simulated.value == pytest.approx(900 * MS)


async def test_a_model_with_too_few_calls_has_no_times_and_that_is_said() -> None:
    router, traces = always("large"), [trace(n, call("small")) for n in range(20)]
    found = simulation(["x"], await replayed(router, traces), router.candidates, {}, NO_SCORES)
    assert found.whole is None and found.cost is not None
    assert found.cost.simulated.value == pytest.approx(1_000 * 2_000 + 100 * 8_000), "answers as long as they were"
    assert any("large has fewer than 5 recorded calls" in sentence for sentence in found.unknown)


async def test_a_model_without_a_price_is_in_no_figure_of_cost() -> None:
    router = always("large", {"small": PRICES["small"], "large": None})
    found = simulation(
        ["x"], await replayed(router, [trace(n, call("small")) for n in range(20)]), router.candidates, {}, NO_SCORES
    )
    assert found.cost is None and any("large has no price" in sentence for sentence in found.unknown)


async def test_few_requests_give_no_figures() -> None:
    router = always("small")
    found = simulation(["x"], await replayed(router, [trace(1, call("small"))]), router.candidates, {}, NO_SCORES)
    assert found.cost is None and found.unknown[0].startswith("1 requests are too few")


async def test_quality_is_of_the_questions_that_both_models_were_scored_on_and_no_others() -> None:
    router = always("large")
    traces = [trace(n, call("small"), question=f"q{n}") for n in range(30)]
    scores = {(f"q{n}", ("openai", "small")): 0.0 for n in range(30)}
    scores |= {(f"q{n}", ("openai", "large")): 1.0 for n in range(20)}
    found = simulation(["x"], await replayed(router, traces), router.candidates, {}, scores)
    assert found.quality is not None
    assert (found.quality.known, found.quality.actual.value, found.quality.simulated.value) == (20, 0.0, 1.0)
    assert found.quality.difference.low > 0


async def test_what_a_request_showed_is_asked_again_and_what_it_did_not_keep_is_said() -> None:
    rules = Rules({"gold": Rule("large", metadata={"tier": "gold"}), "images": Rule("large", carries="images")})
    router = Router([("rules", rules)], candidates(), "small")
    kept = [{"metadata": {"tier": "gold"}, "tokens": 9}, {"carries": ["images"], "tokens": 9}, {"tokens": 9}, None]
    made = await replayed(router, [trace(n, call("small"), kept=one) for n, one in enumerate(kept)])
    assert [one.chosen for one in made] == ["large", "large", "small", "small"]
    assert [one.seen for one in made] == [True, True, True, False]
    found = simulation(["rules"], made, router.candidates, {}, NO_SCORES)
    assert any(sentence.startswith("1 requests were served without a router") for sentence in found.unknown)


async def test_turns_of_a_conversation_are_warm_where_the_policy_would_have_sent_them() -> None:
    chain = [["aa" * 12, 2_000, True], ["bb" * 12, 3_000, True]]
    first, second = {"chain": chain[:1], "tokens": 2_000}, {"chain": chain, "tokens": 3_000}
    traces = [trace(1, call("large", 2_000), kept=first), trace(2, call("large", 3_000), kept=second)]
    policy = Economy(("small", "large"))
    router = Router([("economy", policy)], candidates(), "large")
    made = await replayed(router, traces)
    assert [one.chosen for one in made] == ["small", "small"]
    assert [one.cached for one in made] == [0, 1_920], "a whole number of the provider's steps of 128"
    assert made[0].group == made[1].group


async def test_a_request_of_several_calls_moves_with_all_of_them() -> None:
    router, traces = always("large"), [trace(n, call("small"), call("small")) for n in range(20)]
    pool = [call("large", output=50, ms=200)] * 5
    found = simulation(["x"], await replayed(router, traces), router.candidates, calls_of(large=pool), NO_SCORES)
    assert found.cost is not None and found.whole is not None
    assert found.cost.simulated.value == pytest.approx(2_000 * 2_000 + 2 * 50 * 8_000)
    assert found.whole.simulated.value == pytest.approx(400 * MS)


async def test_the_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Answers of both models are drawn, and few of the other one's are shown to the replay."""
    held = 0
    for seed in range(60):
        draw = random.Random(seed)
        inputs = [draw.randint(100, 3_000) for _ in range(60)]
        traces = [trace(n, call("small", tokens, draw.randint(20, 200))) for n, tokens in enumerate(inputs)]
        pool = [call("large", output=draw.randint(50, 600)) for _ in range(8)]
        router = always("large")
        found = simulation(["x"], await replayed(router, traces), router.candidates, calls_of(large=pool), NO_SCORES)
        truth = 1_550 * 2_000 + 325 * 8_000
        assert found.cost is not None
        held += found.cost.simulated.low <= truth <= found.cost.simulated.high
    assert held >= 48, f"{held} of 60 intervals at 95 % held the truth"
