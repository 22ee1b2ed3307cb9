"""Reading a configuration: every component's options can be written, and nothing makes the reader fail."""

import os
import tomllib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.app.configuration import FILE, KINDS, SECTIONS, parse
from regista.core.registry import Registry
from regista.models.capabilities import Capabilities
from regista.models.providers import providers
from regista.serve.guardrails import guardrails

REGISTRIES: list[Registry[Any]] = [*KINDS.values(), providers, guardrails]
COMPONENTS = [(registry, name) for registry in REGISTRIES for name in registry.names()]
NAMES = st.sampled_from(
    [*SECTIONS, *KINDS, "default", "model", "name", "k", "structure", "pii", "request", "input", "a/b"]
)
SCALARS = st.one_of(
    st.booleans(), st.integers(), st.floats(), st.datetimes(), st.text(max_size=5), st.sampled_from(["openai/x", "pii"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


def toml(value: object) -> str:
    """A value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(k))} = {toml(v)}" for k, v in value.items()) + "}"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - any TOML value
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"  # pyright: ignore[reportUnknownArgumentType] - as above
    if isinstance(value, str):
        return '"' + "".join(c if c.isalnum() or c in "/-_" else f"\\U{ord(c):08x}" for c in value) + '"'
    return str(value).lower().replace(" ", "T") if not isinstance(value, float) else repr(value)


@pytest.mark.parametrize(("registry", "name"), COMPONENTS, ids=[f"{r.noun} {n}" for r, n in COMPONENTS])
def test_every_option_of_a_component_can_be_written_in_a_configuration(registry: Registry[Any], name: str) -> None:
    for option in registry.options(name):
        assert option.help, f"{option.name} needs a line of help"
        if option.default is not None:
            written = msgspec.json.decode(msgspec.json.encode(option.default))
            assert msgspec.convert(written, option.type) == option.default


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_any_toml_is_read_or_refused_with_lines_of_the_file(document: dict[str, object]) -> None:
    text = "\n".join(f"{toml(key)} = {toml(value)}" for key, value in document.items())
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        pytest.fail(f"The test wrote no TOML: {text}")
    _, _, mistakes = parse(text)
    assert all(m.file == FILE and 1 <= m.line <= max(len(document), 1) for m in mistakes)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    settings, _, mistakes = parse(text)
    assert mistakes or settings


def test_values_nested_too_deeply_are_refused() -> None:
    assert "nested" in parse("x = " + "[" * 100_000)[2][0].message


def test_defaults_are_applied() -> None:
    settings, _, mistakes = parse('[models.default]\nmodel = "openai/x"\n[context]\n')
    assert not mistakes
    assert settings.context is not None
    assert settings.context.options["chunkers"]["structure"]["target"] == 900
    assert "base_url" in settings.models["default"].options
    assert (settings.cache.exact, settings.agents.max_steps) == (False, 4)


def test_reading_asks_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[models.default]\nmodel = "openai/x"\napi_key_env = "SOME_KEY"\n'
    monkeypatch.setenv("SOME_KEY", "one")
    one = parse(text)[0]
    monkeypatch.setenv("SOME_KEY", "two")
    assert parse(text)[0] == one
    assert os.environ["SOME_KEY"] not in str(one)


def test_an_application_says_what_its_models_cost_and_can_do() -> None:
    settings, _, mistakes = parse(
        '[prices."vllm/llama"]\ninput = "0.02"\noutput = "0.02"\ncache_write = "0.025"\nbatch = "0.5"\n'
        '[capabilities."vllm/llama"]\ncontext = 32_768\ntools = true\n'
    )
    assert not mistakes
    price = settings.prices["vllm/llama"]
    assert (price.cache_write, price.batch, price.cached_input) == ("0.025", "0.5", None)
    assert settings.capabilities["vllm/llama"] == Capabilities(context=32_768, tools=True)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('[capabilities."vllm/llama"]\nimages = true\ntool = true', 3, "Did you mean 'tools'"),
        ('[capabilities."vllm/llama"]\ncontext = 0', 2, ">= 1"),
        ('[capabilities."vllm/llama"]\nretires = "next year"', 2, "2027-01-31"),
        ('[capabilities."vlm/llama"]\ntools = true', 1, "Did you mean 'vllm'"),
        ("[capabilities.llama]\ntools = true", 1, '[capabilities."provider/llama"]'),
        ('[prices."openai/x"]\ninput = "1"\noutput = "1"\nbatch = "1.5"', 4, "batch"),
        ('[prices."openai/x"]\ninput = "1"\noutput = "1"\ncache_writes = "1"', 4, "Did you mean 'cache_write'"),
    ],
)
def test_a_fact_of_a_model_that_cannot_be_is_refused_at_its_line(text: str, line: int, says: str) -> None:
    found = parse(text)[2]
    assert [(mistake.line, says in mistake.message) for mistake in found] == [(line, True)], found
