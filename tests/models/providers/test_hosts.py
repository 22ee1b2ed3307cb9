"""The rows of `hosts.toml`: each is a provider, and its key goes nowhere but to its own origin."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests._upstream import answers
from tests._upstream.server import Upstream

from regista.app.configuration import parse
from regista.core.errors import ConfigurationError, ProviderError, UnknownNameError
from regista.core.nouns import Message, Request
from regista.egress.client import Client
from regista.models.credentials import at_home
from regista.models.hosts import hosts
from regista.models.openai_wire import CHARGES
from regista.models.providers import Provider, providers
from regista.models.providers.openai import OpenAI
from regista.serve.collector import collect

NAMES = sorted(set(hosts()) - {"openai"})
WITH_URL = [name for name in NAMES if hosts()[name].base_url]
ASKED = Request("m", (Message("system", "Be brief."), Message("user", "hi")), rest={"max_tokens": 5})


def build(name: str, client: Client, **options: object) -> Provider:
    return providers.build(name, {"transport": client}, **options)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_is_whole_and_says_where_it_comes_from(name: str) -> None:
    host = hosts()[name]
    assert host.source.startswith("https://")
    assert host.charges in ("", *CHARGES)
    assert all(urlsplit(home).path == "" for home in host.homes)
    assert not host.base_url or not host.homes or at_home(host.base_url, host.homes)
    assert bool(host.homes) == bool(host.key), "a usual key has an origin to go to"
    assert not host.key_needed or host.key


@pytest.mark.parametrize("name", WITH_URL)
def test_a_row_is_a_provider_that_needs_no_further_word(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host = hosts()[name]
    if host.key:
        monkeypatch.setenv(host.key, "sk-not-to-be-shown")
    provider = providers.build(name)
    assert isinstance(provider, OpenAI)
    assert (provider.base_url, provider.api_key_env) == (host.base_url, host.key)
    assert "not-to-be-shown" not in repr(provider)


@pytest.mark.parametrize("name", [name for name in NAMES if hosts()[name].key])
async def test_a_hosts_usual_key_does_not_go_elsewhere(
    name: str, upstream: Upstream, transport: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hosts()[name].key, "not-for-others")
    await collect(build(name, transport, base_url=upstream.url()).generate(ASKED))
    assert "not-for-others" not in str(upstream.requests[-1])


@pytest.mark.parametrize("name", [name for name in WITH_URL if hosts()[name].key_needed])
async def test_a_host_is_not_called_without_its_key(
    name: str, transport: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(hosts()[name].key, raising=False)
    with pytest.raises(ConfigurationError, match=hosts()[name].key) as raised:
        await collect(build(name, transport).generate(ASKED))
    assert raised.value.code == "key_missing"


async def test_a_host_that_is_moved_keeps_its_ways(upstream: Upstream, transport: Client) -> None:
    provider = build("mistral", transport, base_url=upstream.url(), prompt_cache=True)
    request = Request("m", ASKED.messages, True, rest={"seed": 1})
    await collect(provider.generate(request))
    sent = upstream.requests[-1].json
    assert (sent["random_seed"], "stream_options" in sent) == (1, False)
    await collect(provider.generate(request))
    assert sent["prompt_cache_key"] == upstream.requests[-1].json["prompt_cache_key"]


async def test_an_unknown_server_gets_fields_as_they_came(upstream: Upstream, transport: Client) -> None:
    await collect(OpenAI(upstream.url(), prompt_cache=True, transport=transport).generate(ASKED))
    sent = upstream.requests[-1].json
    assert (sent["max_tokens"], "prompt_cache_key" in sent) == (5, False)


async def test_azure_takes_its_key_in_a_header_and_a_version_in_the_query(
    upstream: Upstream, transport: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUB_KEY", "k")
    url = upstream.url("/openai/deployments/club")
    options = {"base_url": url, "api_key_env": "CLUB_KEY", "query": "api-version=2024-10-21"}
    await collect(build("azure", transport, **options).generate(ASKED))
    sent = upstream.requests[-1]
    assert (sent.headers["api-key"], "authorization" in sent.headers) == ("k", False)
    assert sent.path == "/openai/deployments/club/chat/completions"
    assert sent.json["max_completion_tokens"] == 5


def test_azure_needs_the_url_of_a_resource_and_its_key_goes_to_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    with pytest.raises(ConfigurationError, match=r"needs the option 'base_url': .*openai\.azure\.com"):
        providers.build("azure")
    for url in ("https://club.openai.azure.com/openai/v1", "https://club.services.ai.azure.com/openai/v1"):
        provider = providers.build("azure", base_url=url)
        assert isinstance(provider, OpenAI) and provider.api_key_env == "AZURE_OPENAI_API_KEY"
    moved = providers.build("azure", base_url="https://openai.azure.com.evil.example/v1")
    assert isinstance(moved, OpenAI) and moved.api_key_env == ""


async def test_an_error_names_the_host(upstream: Upstream, transport: Client) -> None:
    with pytest.raises(ProviderError, match="groq answered 500"):
        await collect(build("groq", transport, base_url=upstream.url("/s500")).generate(ASKED))


@pytest.mark.parametrize("stream", [False, True])
async def test_what_a_host_charged_reaches_the_usage(upstream: Upstream, transport: Client, stream: bool) -> None:
    request = Request("m", ASKED.messages, stream, rest={"usage": {"include": True}, "stream_options": {}})
    for name, charged in (("openrouter", answers.CHARGED_NANO), ("fireworks", None)):
        response = await collect(build(name, transport, base_url=upstream.url()).generate(request))
        assert (response.usage and response.usage.charged_nano) == charged


def test_a_mistyped_host_is_told_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'groq'"):
        providers.factory("grok")


def test_a_configuration_may_name_a_host_and_gets_its_mistakes_told() -> None:
    settings, _, mistakes = parse('[models.default]\nmodel = "groq/openai/gpt-oss-120b"\n')
    assert mistakes == []
    assert settings.models["default"].options["base_url"] == "https://api.groq.com/openai/v1"
    _, _, mistakes = parse('[models.default]\nmodel = "azure/club"\n[models.b]\nmodel = "groq/x"\nbase_urll = "x"\n')
    assert ["base_url" in mistake.message for mistake in mistakes] == [True, True]


def test_the_page_on_providers_says_what_the_tables_say() -> None:
    page = (Path(__file__).parents[3] / "docs" / "providers.md").read_text("utf-8")
    for name, host in hosts().items():
        row = next((line for line in page.splitlines() if line.startswith(f"| `{name}` ")), "")
        assert host.title in row and (host.key or "none") in row and (host.base_url or "…") in row, name
