"""What holds for every provider, by the mere existence of its file."""

import dataclasses
import inspect

import pytest

from regista.models.providers import providers

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
