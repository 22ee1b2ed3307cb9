"""What holds for every provider, by the mere existence of its file."""

import dataclasses
import inspect

import pytest
from tests._upstream.server import Upstream

from regista.core.nouns import Account, Message, Request
from regista.egress.client import Client
from regista.models.providers import providers
from regista.serve.collector import collect

NAMES = providers.names()


def test_the_folder_holds_the_providers_it_should() -> None:
    assert {"anthropic", "bedrock", "echo", "gemini", "openai", "scripted"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_is_a_documented_dataclass_that_generates(name: str) -> None:
    factory = providers.factory(name)
    assert dataclasses.is_dataclass(factory)
    assert inspect.isasyncgenfunction(getattr(factory, "generate", None))
    module = inspect.getmodule(factory)
    assert factory.__doc__
    assert module
    assert module.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_a_sentence_of_help_and_a_default(name: str) -> None:
    for option in providers.options(name):
        assert option.help.endswith("."), option.name
        assert not option.required or option.name == "base_url", option.name


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_is_made_without_options_but_its_url_and_shows_no_key(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for option in providers.options(name):
        if option.name == "api_key_env":
            monkeypatch.setenv(f"{name.upper()}_API_KEY", "sk-not-to-be-shown")
    needed = {option.name: "https://club.openai.azure.com" for option in providers.options(name) if option.required}
    assert "sk-not-to-be-shown" not in repr(providers.build(name, None, **needed))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini", "bedrock"])
async def test_the_headers_of_the_account_go_with_the_call_and_nothing_else_of_it(
    name: str, stream: bool, upstream: Upstream, transport: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-not-a-real-one")
    options = {"base_url": upstream.url(), "api_key_env": "SOME_KEY"}
    provider = providers.build(name, {"transport": transport}, **options)
    account = Account("the tenant", headers=b"traceparent: 00-a-b-01\r\ntracestate: c=1\r\n")
    model = "eu.some-model" if name == "bedrock" else "good"
    for given in (account, Account("the tenant")):
        await collect(provider.generate(Request(model, (Message("user", "x"),), stream, account=given)))
    first, second = upstream.requests
    assert (first.headers["traceparent"], first.headers["tracestate"]) == ("00-a-b-01", "c=1")
    assert not {"traceparent", "tracestate"} & second.headers.keys()
    assert "the tenant" not in str(first) + str(second)
