"""The price table and the arithmetic of cost."""

import re
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from regista.core.errors import ConfigurationError
from regista.core.nouns import Usage
from regista.models.prices import Price, Prices

DAY = date(2026, 11, 21)
PRICES = Prices.load(DAY)
ROWS = sorted(PRICES.rows)
MILLION = 1_000_000


@st.composite
def usages(draw: st.DrawFn, most: int = 10_000_000) -> Usage:
    given, written = draw(st.integers(0, most)), draw(st.integers(0, most))
    cached = draw(st.integers(0, given))
    kept = draw(st.integers(0, given - cached))
    spoken = draw(st.integers(0, given - cached - kept))
    return Usage(given, written, cached, draw(st.integers(0, written)), kept, draw(st.integers(0, kept)), spoken)


@pytest.mark.parametrize("row", ROWS, ids="/".join)
def test_every_row_says_where_it_comes_from_and_what_it_holds(row: tuple[str, str]) -> None:
    price = PRICES.rows[row]
    assert price.source.startswith("https://")
    assert price.context > 0
    for rates in filter(None, (price.rates, price.long, price.batch, price.batch_long)):
        assert rates.input > 0
        assert 0 <= rates.cached <= rates.input
        assert rates.input <= (rates.write or rates.input) <= (rates.write_1h or rates.write or rates.input)


@pytest.mark.parametrize("row", ROWS, ids="/".join)
def test_a_batch_costs_no_more_and_a_long_request_no_less(row: tuple[str, str]) -> None:
    price, usage = PRICES.rows[row], Usage(MILLION, MILLION, MILLION // 2)
    assert price.cost(usage, batch=True) <= price.cost(usage)
    assert replace(price, above=2 * MILLION).cost(usage) <= price.cost(usage)


@given(st.sampled_from([row for row in ROWS if PRICES.rows[row].long is None]), usages(), usages())
def test_cost_is_an_integer_and_adds_up_to_what_is_rounded(row: tuple[str, str], one: Usage, other: Usage) -> None:
    price = PRICES.rows[row]
    assert isinstance(price.cost(one), int)
    assert abs(price.cost(one) + price.cost(other) - price.cost(one + other)) <= 1


@given(st.sampled_from(ROWS), usages())
def test_no_kind_of_token_is_paid_twice_or_not_at_all(row: tuple[str, str], usage: Usage) -> None:
    price = PRICES.rows[row]
    rates = price.long if price.long is not None and usage.input_tokens > price.above else price.rates
    assert rates is not None
    write = rates.input if rates.write is None else rates.write
    write_1h = write if rates.write_1h is None else rates.write_1h
    audio = rates.input if rates.audio is None else rates.audio
    short = usage.cache_write_tokens - usage.cache_write_1h_tokens
    plain = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens - usage.audio_tokens
    pico = plain * rates.input + usage.cached_tokens * rates.cached + short * write
    pico += usage.cache_write_1h_tokens * write_1h + usage.audio_tokens * audio + usage.output_tokens * rates.output
    assert abs(price.cost(usage) - Fraction(pico, 1000)) <= Fraction(1, 2)


@given(usages(), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_fine_price_is_rounded_once_to_the_nearest_nano_dollar(usage: Usage, given: int, written: int) -> None:
    row = {"input": f"{given}e-6", "output": f"{written}e-6"}
    price = PRICES.with_overrides({"own": {"m": row}}).rows["own", "m"]
    exact = Fraction(usage.input_tokens * given + usage.output_tokens * written, 1000)
    assert abs(price.cost(usage) - exact) <= Fraction(1, 2)


def test_a_million_tokens_cost_what_the_list_says() -> None:
    price = _price("openai", "gpt-4o-mini")
    assert price.cost(Usage(1_000_000, 0)) == 150_000_000
    assert price.cost(Usage(1_000_000, 1_000_000, 1_000_000, 500_000)) == 75_000_000 + 600_000_000


def test_a_long_request_is_billed_at_its_own_rate() -> None:
    price = _price("gemini", "gemini-2.5-pro")
    assert price.cost(Usage(200_000, 0)) == 250_000_000
    assert price.cost(Usage(200_001, 0)) == 200_001 * 2500


def test_what_is_written_to_a_cache_costs_more_and_for_an_hour_more_still() -> None:
    price = _price("anthropic", "claude-sonnet-4-6")
    assert price.cost(Usage(MILLION, 0)) == 3_000_000_000
    assert price.cost(Usage(MILLION, 0, 0, 0, MILLION)) == 3_750_000_000
    assert price.cost(Usage(MILLION, 0, 0, 0, MILLION, MILLION)) == 6_000_000_000
    assert (
        price.cost(Usage(MILLION, 0, 600_000, 0, 300_000, 100_000))
        == 180_000_000 + 750_000_000 + 600_000_000 + 300_000_000
    )


def test_spoken_input_has_its_own_rate() -> None:
    assert _price("gemini", "gemini-2.5-flash").cost(Usage(MILLION, 0, audio_tokens=MILLION)) == 1_000_000_000
    assert _price("openai", "gpt-4o").cost(Usage(MILLION, 0, audio_tokens=MILLION)) == 2_500_000_000


@pytest.mark.parametrize(
    ("provider", "model", "usage", "nano"),
    [
        ("openai", "gpt-4o-mini", Usage(MILLION, MILLION), 375_000_000),
        ("anthropic", "claude-sonnet-4-6", Usage(MILLION, 0, 0, 0, MILLION, MILLION), 3_000_000_000),
        ("gemini", "gemini-2.5-flash", Usage(MILLION, 0, MILLION), 30_000_000),
        ("gemini", "gemini-2.5-pro", Usage(MILLION, 0), 1_250_000_000),
        ("cerebras", "gpt-oss-120b", Usage(MILLION, 0), 350_000_000),
    ],
    ids=["half", "half of what is kept for an hour", "cached at full price", "half of a long one", "no discount"],
)
def test_a_batch_costs_what_the_provider_says(provider: str, model: str, usage: Usage, nano: int) -> None:
    assert _price(provider, model).cost(usage, batch=True) == nano


def test_a_price_changes_on_the_day_it_was_said_to() -> None:
    def cost(day: date) -> int:
        price = Prices.load(day).price("gemini", "gemini-4-argon")
        assert price is not None
        return price.cost(Usage(MILLION, 0))

    assert [cost(date(2026, 11, 30)), cost(date(2026, 12, 1))] == [2_000_000_000, 4_000_000_000]


@pytest.mark.parametrize(
    ("provider", "model", "priced_as"),
    [
        ("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("anthropic", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
    ],
)
def test_a_snapshot_has_the_price_of_its_model(provider: str, model: str, priced_as: str) -> None:
    assert PRICES.price(provider, model) == PRICES.rows[provider, priced_as]


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-4o-audio-preview"), ("openai", "gpt-5-codex"), ("openai", "o3-pro"), ("nobody", "gpt-4o")],
)
def test_another_model_has_no_price_rather_than_a_wrong_one(provider: str, model: str) -> None:
    assert PRICES.price(provider, model) is None


@pytest.mark.parametrize("provider", ["embedded", "scripted", "echo"])
def test_what_runs_here_costs_nothing(provider: str) -> None:
    assert _price(provider, "any").cost(Usage(10, 10)) == 0


def test_an_override_replaces_a_row_and_changes_the_version() -> None:
    own = PRICES.with_overrides({"openai": {"gpt-4o": {"input": 1, "output": 0.5}}})
    changed = own.price("openai", "gpt-4o")
    assert changed is not None
    assert changed.cost(Usage(1, 2)) == 1000 + 1000
    assert own.version.startswith(f"{PRICES.version}+")
    assert own.price("openai", "gpt-4o-mini") == PRICES.price("openai", "gpt-4o-mini")
    assert PRICES.with_overrides({}) is PRICES


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"inputs": "1", "output": "1"}, "Did you mean 'input'"),
        ({"input": "1"}, "needs `input` and `output`"),
        ({"input": "one", "output": "1"}, "no number of dollars"),
        ({"input": "-1", "output": "1"}, "steps of"),
        ({"input": "nan", "output": "1"}, "no number of dollars"),
        ({"input": "0.0000001", "output": "1"}, "steps of"),
        ({"input": "1", "output": "1", "above": 5}, "give both or none"),
    ],
)
def test_a_row_that_is_none_is_refused_by_name(row: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=f"own/m .*{re.escape(says)}"):
        PRICES.with_overrides({"own": {"m": row}})


def test_a_host_is_known_by_its_origin() -> None:
    assert PRICES.provider_at("https://api.groq.com/openai/v1") == "groq"
    assert PRICES.provider_at("https://bedrock-runtime.eu-west-1.amazonaws.com") == "bedrock"
    assert PRICES.provider_at("http://127.0.0.1:8001/v1") is None


def _price(provider: str, model: str) -> Price:
    price = PRICES.price(provider, model)
    assert price is not None
    return price
