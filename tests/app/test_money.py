"""The ledger is what the provider counted, whatever fails, whoever leaves, and however often it is tried again.

Whole platforms over a provider that fails on real sockets and keeps a meter of its own.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from time import time_ns

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from tests._upstream.faulty import FAULTS, STREAM_FAULTS, Faulty, Wire

from regista.app.platform import Platform
from regista.app.serving import Serving
from regista.core.errors import RegistaError
from regista.core.limits import parse_all
from regista.core.nouns import Call, Message, Request, Usage
from regista.core.settings import settings as settings_of
from regista.models.prices import Price, Rates
from regista.store import ledger
from regista.store.keys import Key

KEY = Key(
    "web", "default", "rk-web", 0, limits=parse_all(["100000 requests/month", "90000000 tokens/month", "$900/month"])
)
PRICE = Price(Rates(1_000_000, 3_000_000, 1_000_000))
GUARDED = ("good", "slow", "503", "cut-mid-token", "stall", "silent", "reset-before-head")
"""Faults before which a fallback, a hedge and retries stand too."""
REFUSED = ("500", "502", "503", "503-after", "429", "429-after", "html")
"""Faults in which the provider says that it did nothing."""
TWICE = ("reset-before-head", "reset-after-head", "silent")
NOTHING = Usage()
_numbers = itertools.count()


class Asking(Struct, frozen=True):
    """A request: its model, which is named by its fault, and after how many deltas its client leaves (None: never)."""

    model: str
    stream: bool
    leaves: int | None

    @property
    def fault(self) -> str:
        return self.model.removeprefix("guarded-")


class Place:
    """A platform, its provider, and the loop both tests and platform live in."""

    def __init__(self, folder: Path, faulty: Faulty, finish_s: int) -> None:
        self.faulty = faulty
        self.runner = asyncio.Runner()
        (folder / "prompts").mkdir(parents=True)
        (folder / "prompts" / "answer.prompt").write_text('{{role "user"}}\n{{question}}\n')
        (folder / "regista.toml").write_text(configuration(faulty, finish_s))
        self.platform = self.runner.run(Platform.open(folder, settings_of(flush_ms=10)))

    def close(self) -> None:
        self.runner.run(self.platform.close())
        self.runner.close()


def configuration(faulty: Faulty, finish_s: int) -> str:
    lines = ['[app]\nname = "shop"\nmodel = "good"', f"finish_abandoned_s = {finish_s}"]
    for fault in STREAM_FAULTS | FAULTS:
        first_s = 10 if fault == "drip" else 0.4
        at = f'model = "openai/{fault}"\nbase_url = "{faulty.url(fault)}"\nfirst_s = {first_s}\nbetween_s = 0.4'
        lines.append(f"[models.f-{fault}]\n{at}\nretries = 0" if fault != "good" else f"[models.good]\n{at}")
        lines.append(f'[prices."openai/{fault}"]\ninput = "1.00"\noutput = "3.00"')
    for fault in GUARDED:
        at = f'model = "openai/guarded-{fault}"\nbase_url = "{faulty.url(fault)}"\nfirst_s = 0.4\nbetween_s = 0.4'
        lines.append(f'[models.g-{fault}]\n{at}\nretries = 1\nhedge_s = 0.2\nfallbacks = ["good"]')
        lines.append(f'[prices."openai/guarded-{fault}"]\ninput = "1.00"\noutput = "3.00"')
    return "\n".join(lines)


@pytest.fixture(scope="module")
def faulty() -> Iterator[Faulty]:
    with Faulty() as running:
        yield running


@pytest.fixture(scope="module")
def place(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Streams that are left are cancelled."""
    made = Place(tmp_path_factory.mktemp("cancelled") / "shop", faulty, 0)
    yield made
    made.close()


@pytest.fixture(scope="module")
def finishing(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Streams that are left are read to their end."""
    made = Place(tmp_path_factory.mktemp("finished") / "shop", faulty, 30)
    yield made
    made.close()


streamed = st.sampled_from([*STREAM_FAULTS, *(f"guarded-{fault}" for fault in GUARDED)])
whole = st.sampled_from([fault for fault in FAULTS if fault != "slow"])
leaving = st.none() | st.integers(0, 6)
asking = st.builds(Asking, streamed, st.just(True), leaving) | st.builds(Asking, whole, st.just(False), st.none())


@settings(max_examples=12)
@given(st.lists(asking, min_size=1, max_size=12))
@example([Asking(fault, True, None) for fault in STREAM_FAULTS])
@example([Asking(fault, False, None) for fault in FAULTS])
@example([Asking(f"guarded-{fault}", True, None) for fault in GUARDED])
@example([Asking("slow", True, leaves) for leaves in range(6)])
def test_every_call_is_entered_once_and_as_the_provider_counted_it(place: Place, asked: Sequence[Asking]) -> None:
    place.runner.run(ask_all(place, asked))


@settings(max_examples=8)
@given(st.lists(st.sampled_from(["good", "slow", "drip", "guarded-slow"]), min_size=1, max_size=8), st.integers(0, 6))
def test_what_is_read_to_its_end_is_exact_though_its_client_left(
    finishing: Place, models: list[str], leaves: int
) -> None:
    async def run() -> None:
        asked = [Asking(model, True, leaves) for model in models]
        for serving, wires in await ask_all(finishing, asked):
            calls = serving.exchange.calls
            assert all(call.exact for call in calls if call.status == "ok")
            assert total(call for call in calls if call.exact) == billed(wire for wire in wires if wire.told)
            assert sum(call.status == "ok" for call in calls) == 1

    finishing.runner.run(run())


async def ask_all(place: Place, asked: Sequence[Asking]) -> list[tuple[Serving, list[Wire]]]:
    """Ask all at once; check each with what the provider has of it, and the sums of all."""
    platform = place.platform
    before = await used(platform)
    served = await asyncio.gather(*(ask(place, one) for one in asked))
    while place.faulty.waiting:  # noqa: ASYNC110 - a provider that is told to stop needs a moment
        await asyncio.sleep(0.01)
    await platform.log.stored()
    await platform.limits.settled()
    after = await used(platform)
    for one, (serving, wires) in zip(asked, served, strict=True):
        check(one, serving.exchange.calls, wires)
        assert serving.trace is not None
        assert stored(platform, serving.trace.id) == tuple(serving.exchange.calls)
    calls = [call for serving, _ in served for call in serving.exchange.calls]
    assert after["requests"] - before["requests"] == len(asked)
    assert after["tokens"] - before["tokens"] == sum(total(calls))
    assert after["dollars"] - before["dollars"] == sum(PRICE.cost(call.usage) for call in calls)
    await none_is_held_back(platform, after)
    return served


async def ask(place: Place, one: Asking) -> tuple[Serving, list[Wire]]:
    question = f"q{next(_numbers)}"
    request = Request(
        f"openai/{one.model}", (Message("user", f"{question} and more"),), one.stream, rest={"max_tokens": 40}
    )
    serving = place.platform.serve(request, KEY)
    reading = asyncio.create_task(read(serving, one.leaves or None))
    if one.leaves == 0:  # before the first word
        await asyncio.sleep(0.02)
        reading.cancel()
    with suppress(RegistaError, asyncio.CancelledError):
        await reading
    return serving, place.faulty.asked.setdefault(question, [])


async def read(serving: Serving, deltas_wanted: int | None) -> None:
    async with aclosing(serving.deltas()) as deltas:
        seen = 0
        while seen != deltas_wanted and await anext(deltas, None) is not None:
            seen += 1


def check(one: Asking, calls: Sequence[Call], wires: Sequence[Wire]) -> None:
    """What the ledger has of one request, against what the provider has."""
    sent = [call for call in calls if one.fault != "refused" or call.model == "good"]
    assert all((call.usage, call.exact) == (NOTHING, True) for call in calls if call not in sent)
    # A connection that was used before and breaks is tried again by the client of HTTP: one call, asked twice.
    assert len(sent) <= len(wires) <= (2 * len(sent) if one.fault in TWICE else len(sent)), (one, sent, wires)
    told = Counter((wire.input, wire.output) for wire in wires if wire.told)
    exact = Counter(
        (call.usage.input_tokens, call.usage.output_tokens) for call in sent if call.exact and call.usage != NOTHING
    )
    assert exact <= told, (one, sent)
    if one.leaves is None and not one.model.startswith("guarded-"):
        assert exact == told, (one, sent)
    for call in sent:
        assert call.cost_nano == PRICE.cost(call.usage)
        assert call.exact or call.usage.input_tokens > 0, "what is not known to be nothing is estimated"
    free = sum(call.usage == NOTHING for call in sent)
    assert free <= sum((wire.input, wire.output) == (0, 0) for wire in wires), (one, sent)
    if one.fault in REFUSED and not one.model.startswith("guarded-"):
        assert [(call.usage, call.exact) for call in sent] == [(NOTHING, True)]


async def used(platform: Platform) -> dict[str, int]:
    return {**await asyncio.to_thread(ledger.used, platform.database, KEY.name, 0)}


async def none_is_held_back(platform: Platform, written: dict[str, int]) -> None:
    """The counters stand at what the ledger has: there is room for the last token and nano-dollar, not for one more."""
    for limit in KEY.limits:
        left = limit.amount - written[limit.unit]
        held = await platform.limits.reserve(KEY, {limit.unit: left}, time_ns())
        assert held is not None
        platform.limits.settle(held, {limit.unit: 0})
        await platform.limits.settled()
        with pytest.raises(RegistaError):
            await platform.limits.reserve(KEY, {limit.unit: left + 1}, time_ns())


def stored(platform: Platform, trace_id: str) -> tuple[Call, ...]:
    ((n,),) = platform.database.query("SELECT n FROM traces WHERE id = ?", (bytes.fromhex(trace_id),))
    return ledger.calls(platform.database, n)


def total(calls: Iterator[Call] | Sequence[Call]) -> tuple[int, int]:
    found = list(calls)
    return sum(call.usage.input_tokens for call in found), sum(call.usage.output_tokens for call in found)


def billed(wires: Iterator[Wire]) -> tuple[int, int]:
    found = list(wires)
    return sum(wire.input for wire in found), sum(wire.output for wire in found)
