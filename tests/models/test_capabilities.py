"""What models can do: facts of the catalogue, and an application's own over them."""

from datetime import date

import pytest

from regista.core.errors import ConfigurationError
from regista.models.capabilities import FEATURES, UNKNOWN, Capabilities, CapabilityTable
from regista.models.catalogue import catalogue
from regista.models.hosts import hosts
from regista.models.prices import Prices
from regista.models.providers import providers

TABLE = CapabilityTable.load()


@pytest.mark.parametrize("row", sorted(TABLE.rows), ids="/".join)
def test_every_model_says_what_it_holds_and_whether_it_answers_or_embeds(row: tuple[str, str]) -> None:
    found = TABLE.rows[row]
    assert found.context == Prices.load().rows[row].context
    assert found.embeddings is not None and found.embeddings != found.tools
    assert (found.answer or 1) <= (found.context or 0)
    assert found.retires is None or date.fromisoformat(found.retires)


def test_every_provider_of_the_catalogue_can_be_configured() -> None:
    assert set(catalogue().sources) <= set(providers.names())


@pytest.mark.parametrize("name", sorted(set(catalogue().sources) & set(hosts())))
def test_a_hosts_prices_hold_where_the_host_is(name: str) -> None:
    base_url = hosts()[name].base_url
    assert Prices.load().provider_at(base_url) == name


def test_what_nobody_said_is_unknown() -> None:
    assert TABLE.of("acme", "one") == UNKNOWN
    assert UNKNOWN.features is None
    assert TABLE.of("groq", "openai/gpt-oss-120b").audio_input is None


def test_features_are_the_names_of_what_is_known_to_be_there() -> None:
    found = TABLE.of("anthropic", "claude-opus-5-5").features
    assert found is not None
    assert {"tools", "images", "reasoning"} <= set(found) <= set(FEATURES)
    assert not {"sampling", "logprobs", "embeddings"} & set(found)


def test_a_snapshot_can_what_its_model_can() -> None:
    assert TABLE.of("anthropic", "claude-haiku-4-5-20251001") == TABLE.of("anthropic", "claude-haiku-4-5")
    assert TABLE.of("openai", "gpt-5-codex") == UNKNOWN


def test_an_applications_own_facts_go_over_what_is_known() -> None:
    own = TABLE.with_overrides({"vllm/llama": {"context": 8_192, "tools": True}, "openai/gpt-4o": {"logprobs": False}})
    assert own.of("vllm", "llama") == Capabilities(context=8_192, tools=True)
    assert (own.of("openai", "gpt-4o").logprobs, own.of("openai", "gpt-4o").images) == (False, True)
    assert TABLE.with_overrides({}) is TABLE


@pytest.mark.parametrize(
    ("facts", "says"), [({"tool": True}, "Did you mean 'tools'"), ({"tools": "yes"}, "vllm/llama are wrong")]
)
def test_a_fact_that_is_none_is_refused_by_name(facts: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        TABLE.with_overrides({"vllm/llama": facts})
