from pathlib import Path

import pytest

from regista.core.errors import ConfigurationError, UnknownNameError
from regista.core.registry import Registry, option
from regista.models.embeddings import embedders
from regista.models.providers import providers
from regista.serve.context.chunkers import chunkers
from regista.serve.context.loaders import loaders
from regista.serve.context.retrievers import retrievers
from regista.serve.guardrails import guardrails

REGISTRIES: dict[str, Registry[object]] = {
    "providers": providers,  # pyright: ignore[reportAssignmentType] - a registry of anything is read only
    "embedders": embedders,  # pyright: ignore[reportAssignmentType]
    "chunkers": chunkers,  # pyright: ignore[reportAssignmentType]
    "loaders": loaders,  # pyright: ignore[reportAssignmentType]
    "retrievers": retrievers,  # pyright: ignore[reportAssignmentType]
    "guardrails": guardrails,  # pyright: ignore[reportAssignmentType]
}
COMPONENTS = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry.names()]


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_every_file_of_a_registry_is_a_component_with_documented_options(kind: str, name: str) -> None:
    registry = REGISTRIES[kind]
    assert registry.factory(name).__doc__, "A component says what it is."
    for component_option in registry.options(name):
        assert component_option.help, f"{kind}.{name}.{component_option.name} says in a sentence what it does."


@pytest.mark.parametrize("kind", REGISTRIES)
def test_names_are_listed_without_importing_the_components(kind: str) -> None:
    folder = Path(__file__).parents[2] / "src" / Path(*REGISTRIES[kind].package.split("."))
    assert REGISTRIES[kind].names() == sorted(f.stem for f in folder.glob("*.py") if not f.name.startswith("_"))


def test_a_wrong_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'structure'"):
        chunkers.build("strukture")


def test_a_wrong_option_is_answered_with_the_near_one() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'base_url'"):
        providers.build("openai", base_ulr="http://x")


def test_a_mutable_default_is_refused() -> None:
    with pytest.raises(TypeError, match="tuple"):
        option([], "A list.")
