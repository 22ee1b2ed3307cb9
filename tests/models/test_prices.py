"""The price table and the arithmetic of cost."""

import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import ConfigurationError
from regista.core.nouns import Usage
from regista.models.prices import Price, Prices

PRICES = Prices.load()
ROWS = sorted(PRICES.rows)


@st.composite
def usages(draw: st.DrawFn, most: int = 10_000_000) -> Usage:
    given, written = draw(st.integers(0, most)), draw(st.integers(0, most))
    return Usage(given, written, draw(st.integers(0, given)), draw(st.integers(0, written)))


@pytest.mark.parametrize("row", ROWS, ids="/".join)
def test_every_row_says_where_it_comes_from_and_costs_whole_nano_dollars(row: tuple[str, str]) -> None:
    price = PRICES.rows[row]
    assert price.source.startswith("https://")
    assert price.context > 0
    for rates in filter(None, (price.rates, price.long)):
        assert rates.input > 0
        assert 0 <= rates.cached <= rates.input
        assert all(rate % 1000 == 0 for rate in (rates.input, rates.output, rates.cached))


@given(st.sampled_from([row for row in ROWS if PRICES.rows[row].long is None]), usages(), usages())
def test_cost_is_an_integer_and_adds_up(row: tuple[str, str], one: Usage, other: Usage) -> None:
    price = PRICES.rows[row]
    assert isinstance(price.cost(one), int)
    assert price.cost(one) + price.cost(other) == price.cost(one + other)


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
    price = _price("google", "gemini-2.5-pro")
    assert price.cost(Usage(200_000, 0)) == 250_000_000
    assert price.cost(Usage(200_001, 0)) == 200_001 * 2500


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
        ({"input": "nan", "output": "1"}, "steps of"),
        ({"input": "0.0000001", "output": "1"}, "steps of"),
        ({"input": "1", "output": "1", "above": 5}, "give both or none"),
    ],
)
def test_a_row_that_is_none_is_refused_by_name(row: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=f"own/m .*{re.escape(says)}"):
        PRICES.with_overrides({"own": {"m": row}})


def test_a_host_is_known_by_its_origin() -> None:
    assert PRICES.provider_at("https://api.groq.com/openai/v1") == "groq"
    assert PRICES.provider_at("http://127.0.0.1:8001/v1") is None


def _price(provider: str, model: str) -> Price:
    price = PRICES.price(provider, model)
    assert price is not None
    return price
