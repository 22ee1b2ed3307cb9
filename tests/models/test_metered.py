"""One call, counted however it ends."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress

import pytest

from regista.core.errors import OverLimitError, ProviderError, RequestError, StreamCutError
from regista.core.nouns import Account, Call, Delta, Estimate, Message, Request, Usage
from regista.egress.client import NOT_CONNECTED
from regista.models.metered import Metered
from regista.models.prices import Price, Rates
from regista.models.tokens import ANSWER

PRICE = Price(Rates(1_000_000, 2_000_000, 500_000))
ASKED = Message("user", "x" * 40)
INPUT = 14
"""Tokens `ASKED` is thought to be: ten of text and four around it."""


class Says:
    """A provider that says this, one after the other, and raises what is an error."""

    def __init__(self, *said: Delta | Exception) -> None:
        self.said = said
        self.asked = 0

    async def generate(self, request: Request) -> AsyncGenerator[Delta]:
        self.asked += 1
        for one in self.said:
            if isinstance(one, Exception):
                raise one
            yield one


async def call_of(provider: Says, leaves: int | None = None, price: Price | None = PRICE) -> tuple[Call, list[Delta]]:
    """The call as it was told, and the deltas that came through until the client left."""
    told: list[Call] = []
    request = Request("shop", (ASKED,), account=Account(tell=told.append, cause="retry"))
    seen: list[Delta] = []
    with suppress(ProviderError, RequestError, ZeroDivisionError):
        async with aclosing(Metered(provider, "openai", "gpt", price).generate(request)) as deltas:
            while len(seen) != leaves and (delta := await anext(deltas, None)) is not None:
                seen.append(delta)
    (call,) = told
    assert (call.biller, call.model, call.cause) == ("openai", "gpt", "retry")
    assert call.cost_nano == (None if price is None else price.cost(call.usage))
    return call, seen


WHOLE = (Delta("Hello"), Delta(finish="stop"), Delta(usage=Usage(20, 3, 5)))


async def test_a_whole_answer_is_counted_as_the_provider_did() -> None:
    call, _ = await call_of(Says(*WHOLE))
    assert (call.status, call.exact, call.usage) == ("ok", True, Usage(20, 3, 5))
    assert call.first_token_ns > 0


async def test_an_answer_without_a_reason_for_its_end_is_counted_as_well() -> None:
    call, _ = await call_of(Says(Delta("Hello", usage=Usage(20, 3))))
    assert (call.exact, call.usage) == (True, Usage(20, 3))


async def test_a_provider_that_counts_nothing_is_estimated() -> None:
    call, _ = await call_of(Says(Delta("a" * 40), Delta(finish="stop")))
    assert (call.status, call.exact, call.usage) == ("ok", False, Usage(INPUT, 10))


@pytest.mark.parametrize(
    ("said", "leaves", "usage"),
    [
        ((Delta("a"), Delta("b"), Delta("c"), *WHOLE), 2, Usage(INPUT, 2)),
        ((Delta(usage=Usage(20, 1)), Delta("a" * 40), *WHOLE), 1, Usage(20, 10)),
        ((Delta(reasoning="a" * 20), *WHOLE), 1, Usage(INPUT, 5)),
        ((Delta("a", usage=Usage(20, 6)), *WHOLE), 1, Usage(20, 6)),
    ],
)
async def test_what_the_client_leaves_is_estimated_from_what_came(
    said: Sequence[Delta], leaves: int, usage: Usage
) -> None:
    call, _ = await call_of(Says(*said), leaves)
    assert (call.status, call.exact, call.usage) == ("cancelled", False, usage)


async def test_who_leaves_after_the_end_was_told_leaves_an_exact_count() -> None:
    call, _ = await call_of(Says(Delta("a"), Delta(finish="stop", usage=Usage(20, 3)), *WHOLE), 2)
    assert (call.status, call.exact, call.usage) == ("cancelled", True, Usage(20, 3))


async def test_a_count_before_anything_is_said_is_kept_and_is_not_the_beginning_of_the_answer() -> None:
    call, seen = await call_of(Says(Delta(usage=Usage(20, 1)), ProviderError("down", upstream_status=529)))
    assert seen == []
    assert (call.first_token_ns, call.exact, call.usage) == (0, False, Usage(20, 1))


@pytest.mark.parametrize(
    ("error", "usage"),
    [
        (ProviderError("no", upstream_status=503), Usage()),
        (ProviderError("no", upstream_status=429), Usage()),
        (ProviderError("no", code=NOT_CONNECTED), Usage()),
        (RequestError("no"), Usage()),
        (ProviderError("no answer", code="no_answer"), Usage(INPUT)),
        (StreamCutError("cut"), Usage(INPUT)),
        (ZeroDivisionError(), Usage(INPUT)),
    ],
)
async def test_a_call_that_fails_before_a_word_costs_nothing_where_that_is_sure(error: Exception, usage: Usage) -> None:
    call, _ = await call_of(Says(error))
    assert (call.status, call.usage, call.exact) == ("error", usage, usage == Usage())


async def test_a_stream_that_breaks_is_estimated_with_the_reason_told() -> None:
    call, _ = await call_of(Says(Delta("a" * 8), StreamCutError("It broke off.")))
    assert (call.status, call.exact, call.usage, call.reason) == ("error", False, Usage(INPUT, 2), "It broke off.")


async def test_what_the_provider_says_it_charged_is_what_it_cost() -> None:
    told: list[Call] = []
    request = Request("shop", (ASKED,), account=Account(tell=told.append))
    said = Says(Delta("a", finish="stop", usage=Usage(20, 3, charged_nano=77)))
    async for _ in Metered(said, "router", "any", None).generate(request):
        pass
    assert (told[0].cost_nano, told[0].exact) == (77, True)


async def test_where_no_price_is_known_neither_is_the_cost() -> None:
    call, _ = await call_of(Says(*WHOLE), price=None)
    assert call.cost_nano is None


class Held:
    """What was held before calls, and how they ended."""

    def __init__(self, refuses: Exception | None = None) -> None:
        self.estimates: list[Estimate] = []
        self.ended: list[Call] = []
        self._refuses = refuses

    async def hold(self, estimate: Estimate) -> Callable[[Call], None]:
        await asyncio.sleep(0)
        self.estimates.append(estimate)
        if self._refuses is not None:
            raise self._refuses
        return self.ended.append


def holding(hold: Callable[[Estimate], Awaitable[Callable[[Call], None]]], **fields: object) -> Request:
    return Request("shop", (ASKED,), rest=fields, account=Account(hold=hold))


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({}, ANSWER),
        ({"max_tokens": 50}, 50),
        ({"max_completion_tokens": 60, "max_tokens": 50, "n": 2}, 120),
        ({"max_tokens": "many", "n": -1}, ANSWER),
    ],
)
async def test_before_a_call_the_most_it_may_use_is_held(fields: dict[str, object], output: int) -> None:
    held = Held()
    async for _ in Metered(Says(*WHOLE), "openai", "gpt", PRICE, "openai/gpt").generate(holding(held.hold, **fields)):
        pass
    (estimate,), (call,) = held.estimates, held.ended
    assert (estimate.model, estimate.usage) == ("openai/gpt", Usage(INPUT, output))
    assert estimate.cost_nano == PRICE.cost(Usage(INPUT, output))
    assert estimate.started_ns == call.started_ns


async def test_what_the_configuration_limits_is_in_the_estimate() -> None:
    held = Held()
    metered = Metered(Says(*WHOLE), "openai", "gpt", None, "openai/gpt", {"max_tokens": 30})
    async for _ in metered.generate(holding(held.hold)):
        pass
    assert (held.estimates[0].usage.output_tokens, held.estimates[0].cost_nano) == (30, None)


async def test_what_is_refused_is_not_sent_and_is_no_call() -> None:
    said, held = Says(*WHOLE), Held(OverLimitError("full"))
    with pytest.raises(OverLimitError):
        async for _ in Metered(said, "openai", "gpt", PRICE).generate(holding(held.hold)):
            pass
    assert (said.asked, held.ended) == (0, [])
