"""Asks each model of an application one short question: whether it is there, what that took, and what is wrong if not.

Each is called once, without retries, caches or fallbacks around it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal

import msgspec
from msgspec import Struct

from regista.app.application import build_provider, capabilities_of, metered, prices_of
from regista.app.schema import Model, Settings
from regista.core.errors import ConfigurationError, ProviderError, ProviderTimeoutError, RegistaError
from regista.core.nouns import Account, Call, Message, Request, Usage
from regista.egress.client import NOT_CONNECTED, Client
from regista.models.metered import Metered
from regista.models.prices import Prices
from regista.models.providers import MakesEmbeddings

QUESTION = "Say OK."
ANSWER = 16
"""Tokens an answer may have: models that reason refuse fewer."""
TOGETHER = 8
State = Literal["reached", "key missing", "refused", "not reached", "failed"]


class Reached(Struct, frozen=True):
    """How one model did. `problem` says what is wrong and what to do; of a model that was reached it is empty.

    `usage` is what the provider counted, None where it did not; `cost_nano` is None where no price is known.
    """

    name: str
    model: str
    state: State
    duration_ns: int = 0
    usage: Usage | None = None
    cost_nano: int | None = None
    problem: str = ""


async def reach(
    settings: Settings, models: Mapping[str, Model], seconds: float, told: Callable[[Reached], None]
) -> list[Reached]:
    """Ask models, a few at a time, each for at most so many seconds; `told` hears of each as it ends."""
    client, places = Client(), asyncio.Semaphore(TOGETHER)
    prices = prices_of(settings)

    async def one(name: str, model: Model) -> Reached:
        async with places:
            found = await _ask(name, model, settings, prices, client, seconds)
        told(found)
        return found

    try:
        return list(await asyncio.gather(*(one(name, model) for name, model in models.items())))
    finally:
        await client.close()


async def _ask(name: str, model: Model, settings: Settings, prices: Prices, client: Client, seconds: float) -> Reached:
    calls: list[Call] = []
    begun = time.perf_counter_ns()
    try:
        provider = build_provider(model.provider, model.options, {"transport": client, "embed": None})
        asked = metered(provider, model.model, prices, settings.prices)
        async with asyncio.timeout(seconds):
            if capabilities_of(settings).of(asked.biller, model.name).embeddings:
                return await _embed(name, model, asked, begun)
            await _answer(asked, model, calls)
    except TimeoutError:
        return _failed(name, model, ProviderTimeoutError(f"It said nothing for {seconds:g} s."), begun)
    except RegistaError as error:
        return _failed(name, model, error, begun)
    call = calls[-1]
    usage = call.usage if call.exact else None
    return Reached(name, model.model, "reached", call.duration_ns, usage, call.cost_nano)


async def _answer(asked: Metered, model: Model, calls: list[Call]) -> None:
    parameters = {key: value for key, value in model.parameters.items() if key != "max_tokens"}
    rest: dict[str, Any] = parameters | {"max_completion_tokens": ANSWER}
    request = Request(model.model, (Message("user", QUESTION),), rest=rest, account=Account(tell=calls.append))
    async with aclosing(asked.generate(request)) as deltas:
        async for _ in deltas:
            pass


class _EmbeddingUsage(Struct):
    prompt_tokens: int = 0


class _Embeddings(Struct):
    data: list[msgspec.Raw]
    usage: _EmbeddingUsage | None = None


async def _embed(name: str, model: Model, asked: Metered, begun: int) -> Reached:
    if not isinstance(asked.provider, MakesEmbeddings):
        raise ConfigurationError(f"The provider {model.provider} makes no embeddings.")
    data = await asked.provider.embed_upstream(model.name, [QUESTION], {})
    try:
        answer = msgspec.json.decode(data, type=_Embeddings)
    except msgspec.MsgspecError as error:
        raise ProviderError(f"The answer holds no vectors ({error}). Is base_url right?") from None
    usage = Usage(answer.usage.prompt_tokens) if answer.usage is not None else None
    cost = asked.price.cost(usage) if asked.price is not None and usage is not None else None
    return Reached(name, model.model, "reached", time.perf_counter_ns() - begun, usage, cost)


def _failed(name: str, model: Model, error: RegistaError, begun: int) -> Reached:
    return Reached(name, model.model, _state(error), time.perf_counter_ns() - begun, problem=error.message)


def _state(error: RegistaError) -> State:
    if error.code == "key_missing":
        return "key missing"
    if isinstance(error, ProviderTimeoutError) or error.code in (NOT_CONNECTED, "no_answer"):
        return "not reached"
    if isinstance(error, ProviderError) and 400 <= error.upstream_status < 500:
        return "refused"
    return "failed"


def chosen(settings: Settings, names: Sequence[str]) -> dict[str, Model]:
    """The models of these names, or all that are no pool of others.

    Raises `ConfigurationError` for a name that is none.
    """
    for name in names:
        if name not in settings.models:
            known = ", ".join(settings.models)
            raise ConfigurationError(f"The application has no model {name!r}. It has: {known}.")
    return {name: model for name, model in settings.models.items() if name in (names or [name]) and not model.balance}
