"""Costs and waits: which model is cheapest, and what keeps a conversation where it is."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serve.router.conftest import CHEAP, DEAR, Ask, candidate

from regista.core.errors import ConfigurationError
from regista.core.nouns import Call, Message, Request, Usage
from regista.models import tokens
from regista.models.prices import Price, Rates
from regista.serve.router import Asked, Candidate, Choice
from regista.serve.router.economy import Economy
from regista.serve.routing.pace import Pace
from regista.serve.routing.prefixes import Prefixes, chain_of

SECOND = 1_000_000_000
LONG = "a long beginning of a talk " * 400
"""Some 2,700 tokens: more than the least that providers keep."""


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def call(name: str, output: int = 10, cached: int = 0, first_ns: int = 0, whole_ns: int = SECOND) -> Call:
    usage = Usage(100, output, cached)
    return Call("openai", name, "answer", "ok", usage, True, None, 0, whole_ns, first_ns)


def talk(*turns: str) -> tuple[Message, ...]:
    return tuple(Message(("user", "assistant")[n % 2], turn) for n, turn in enumerate(turns))


def asked_of(messages: tuple[Message, ...], candidates: dict[str, Candidate]) -> Asked:
    request = Request("shop", messages)
    return Asked(request, "acme", request.question, tokens.of_request(request), candidates, chain=chain_of(messages))


async def test_the_cheapest_model_answers_and_the_next_is_the_runner_up(ask: Ask) -> None:
    models = {"large": candidate("large", DEAR), "small": candidate("small", CHEAP)}
    choice = await Economy(("large", "small")).choose(ask(names=models))
    assert (choice.model, choice.runner_up) == ("small", "large")
    assert choice.scores["small"] < choice.scores["large"]


async def test_a_cost_is_that_of_the_input_and_of_an_answer_as_long_as_the_models_are(ask: Ask) -> None:
    models = {"small": candidate("small", CHEAP)}
    for _ in range(40):
        models["small"].pace.note(call("small", output=50), streamed=False)
    choice = await Economy(("small",)).choose(ask(names=models, tokens=1000))
    assert choice.score == pytest.approx((1000 * 100_000 + 50 * 400_000) / 1e12)


async def test_a_limit_on_the_answer_limits_its_cost(ask: Ask) -> None:
    models = {"small": candidate("small", CHEAP)}
    free, limited = [
        await Economy(("small",)).choose(ask(names=models, tokens=1000, rest=rest)) for rest in ({}, {"max_tokens": 5})
    ]
    assert limited.score == pytest.approx((1000 * 100_000 + 5 * 400_000) / 1e12)
    assert free.score is not None and limited.score is not None and free.score > limited.score


async def test_a_second_of_waiting_has_its_price(ask: Ask) -> None:
    slow, quick = candidate("small", CHEAP), candidate("large", DEAR)
    slow.pace.note(call("small", whole_ns=5 * SECOND), streamed=False)
    quick.pace.note(call("large", whole_ns=SECOND), streamed=False)
    models = {"small": slow, "large": quick}
    assert (await Economy(("small", "large")).choose(ask(names=models))).model == "small"
    choice = await Economy(("small", "large"), second=0.01).choose(ask(names=models))
    assert choice.model == "large" and choice.detail["bills"]["small"]["wait_nano"] == 50_000_000


async def test_streams_wait_for_the_first_token_and_others_for_the_whole(ask: Ask) -> None:
    pace = Pace()
    pace.note(call("small", first_ns=SECOND // 10), streamed=True)
    pace.note(call("small", whole_ns=4 * SECOND), streamed=False)
    policy, models = Economy(("small",), second=1.0), {"small": candidate("small", CHEAP, pace=pace)}
    waits = [
        (await policy.choose(ask(names=models, stream=stream))).detail["bills"]["small"]["wait_nano"]
        for stream in (True, False)
    ]
    assert waits == [SECOND // 10, 4 * SECOND]


async def test_a_model_that_was_slow_long_ago_is_hoped_to_be_quick_again(ask: Ask) -> None:
    clock = Time()
    slow, quick = Pace(clock), Pace(clock)
    slow.note(call("small", whole_ns=60 * SECOND), streamed=False)
    models = {"small": candidate("small", CHEAP, pace=slow), "large": candidate("large", DEAR, pace=quick)}
    policy = Economy(("small", "large"), second=1.0)
    quick.note(call("large"), streamed=False)
    assert (await policy.choose(ask(names=models))).model == "large"
    clock.now += 700
    quick.note(call("large"), streamed=False)
    assert (await policy.choose(ask(names=models))).model == "small"


async def test_models_without_a_price_are_left_out_and_none_is_no_choice(ask: Ask) -> None:
    models = {"small": candidate("small", None), "large": candidate("large", DEAR)}
    assert (await Economy(("small", "large")).choose(ask(names=models))).model == "large"
    assert (await Economy(("small",)).choose(ask(names=models))).reason == "none of its models has a price"
    assert (await Economy(("other",)).choose(ask(names=models))).reason == "none of its models can take it"


def test_no_models_are_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="needs models"):
        Economy()


ALIKE = Price(Rates(1_000_000, 1_000_000, 100_000))
A_LITTLE_CHEAPER = Price(Rates(950_000, 950_000, 95_000))


async def test_a_conversation_stays_where_it_is_warm_though_another_model_costs_less_cold() -> None:
    models = {"first": candidate("first", ALIKE), "second": candidate("second", A_LITTLE_CHEAPER)}
    policy = Economy(("first", "second"))
    begun = asked_of(talk(LONG), models)
    policy.answered(begun, models["first"], call("first"))
    choice = await policy.choose(asked_of(talk(LONG, "yes", "and then?"), models))
    assert choice.model == "first" and choice.detail["pinned"] == "first"
    assert choice.detail["bills"]["first"]["cached_tokens"] > 2_000 and choice.reason.startswith("stays")


async def test_it_leaves_when_the_gain_is_worth_more_than_the_lost_cache() -> None:
    models = {"first": candidate("first", DEAR), "second": candidate("second", CHEAP)}
    policy = Economy(("first", "second"))
    policy.answered(asked_of(talk(LONG), models), models["first"], call("first"))
    choice = await policy.choose(asked_of(talk(LONG, "yes", "and then?"), models))
    assert choice.model == "second" and choice.reason.startswith("leaves first")


async def test_a_move_may_pay_for_itself_over_more_turns_than_one() -> None:
    # Warm, the first costs .2 a million and the second, cold, .25; from its second turn on that costs .025.
    middling = Price(Rates(250_000, 8_000_000, 25_000))
    models = {"first": candidate("first", DEAR), "second": candidate("second", middling)}
    begun, then = asked_of(talk(LONG), models), asked_of(talk(LONG, "yes", "and then?"), models)
    for turns, stays in ((1, True), (5, False)):
        policy = Economy(("first", "second"), turns=turns, stay=0.0)
        policy.answered(begun, models["first"], call("first"))
        assert ((await policy.choose(then)).model == "first") is stays


async def test_after_the_cache_has_gone_cold_the_choice_is_free() -> None:
    clock = Time()
    models = {"first": candidate("first", ALIKE), "second": candidate("second", A_LITTLE_CHEAPER)}
    policy = Economy(("first", "second"), prefixes=Prefixes(clock))
    policy.answered(asked_of(talk(LONG), models), models["first"], call("first"))
    clock.now = 301
    assert (await policy.choose(asked_of(talk(LONG, "yes", "and then?"), models))).model == "second"


async def test_another_conversation_is_not_held_by_a_beginning_that_all_share() -> None:
    models = {"first": candidate("first", ALIKE), "second": candidate("second", A_LITTLE_CHEAPER)}
    system = Message("system", "Be brief.")
    policy = Economy(("first", "second"))
    policy.answered(asked_of((system, *talk("one")), models), models["first"], call("first"))
    choice = await policy.choose(asked_of((system, *talk("two")), models))
    assert choice.model == "second" and choice.detail["pinned"] == ""


async def test_what_calls_report_of_the_cache_goes_before_what_the_provider_promises() -> None:
    models = {"first": candidate("first", ALIKE)}
    policy = Economy(("first",))
    turns = [LONG]
    for turn in range(30):
        policy.answered(asked_of(talk(*turns), models), models["first"], call("first", cached=0))
        turns += ["yes", f"and {turn}?"]
    choice = await policy.choose(asked_of(talk(*turns), models))
    assert models["first"].pace.cached.value == 0.0
    assert choice.detail["bills"]["first"]["cached_tokens"] == 0


PRICES = st.builds(Price, st.builds(Rates, *[st.integers(0, 10_000_000)] * 3))


@given(
    st.dictionaries(st.sampled_from("abcde"), PRICES, min_size=1),
    st.lists(st.sampled_from("abcdefg"), min_size=1, unique=True),
    st.lists(st.integers(0, 4), max_size=4),
    st.floats(0, 1),
)
async def test_only_a_named_candidate_is_ever_chosen(
    prices: dict[str, Price], named: list[str], warmed: list[int], second: float
) -> None:
    models = {name: candidate(name, price) for name, price in prices.items()}
    policy = Economy(tuple(named), second=second)
    for at in warmed:
        one = models[sorted(models)[at % len(models)]]
        policy.answered(asked_of(talk(LONG), models), one, call(one.name))
    choice = await policy.choose(asked_of(talk(LONG, "yes", "more"), models))
    assert choice.model in ({*named} & {*models} or {""})
    assert choice.runner_up in {*named, ""} - {choice.model} or not choice.model


@given(st.lists(st.floats(0.91, 1.09), min_size=2, max_size=5), st.integers(0, 4), st.integers(2, 6))
async def test_a_conversation_among_models_that_cost_about_the_same_stays(
    factors: Sequence[float], first: int, turns: int
) -> None:
    models = {
        f"m{n}": candidate(f"m{n}", Price(Rates(round(1e6 * f), round(4e6 * f), round(1e5 * f))))
        for n, f in enumerate(factors)
    }
    policy = Economy(tuple(models))
    home = f"m{first % len(models)}"
    said = [LONG]
    policy.answered(asked_of(talk(*said), models), models[home], call(home))
    for turn in range(turns):
        said += ["yes", f"and {turn}?"]
        asked = asked_of(talk(*said), models)
        choice: Choice = await policy.choose(asked)
        assert choice.model == home
        policy.answered(asked, models[home], call(home, cached=2_600))
