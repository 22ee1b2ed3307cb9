import dataclasses
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from regista.core.errors import ConfigurationError, UnknownNameError
from regista.core.registry import Registry, option
from regista.feedback.signals import signals
from regista.models.embeddings import embedders
from regista.models.hosts import hosts
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
    "signals": signals,  # pyright: ignore[reportAssignmentType]
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
    files = {f.stem for f in folder.glob("*.py") if not f.name.startswith("_")}
    rows = set(hosts()) if kind == "providers" else set[str]()
    assert REGISTRIES[kind].names() == sorted(files | rows)


@dataclasses.dataclass
class Slices:
    """Cuts slices."""

    size: int = dataclasses.field(metadata={"help": "Characters a slice."})


class Rows:
    """A table with a row that is called as a file is, and one that is not."""

    def names(self) -> list[str]:
        return ["slices", "whole"]

    def factory(self, name: str) -> Callable[..., object]:
        return {"slices": Slices, "whole": Slices}[name]


FOLDER = """
from regista.core.registry import Registry
from tests.core.test_registry import Rows
cutters = Registry(__name__, "cutter", Rows())
"""
FILE = """
from cutters_of_a_test import cutters

@cutters.add
def whole():
    return "the file's"
"""


@pytest.fixture
def cutters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    """A folder with one file, and a table of rows beside it."""
    (tmp_path / "cutters_of_a_test").mkdir()
    (tmp_path / "cutters_of_a_test" / "__init__.py").write_text(FOLDER)
    (tmp_path / "cutters_of_a_test" / "whole.py").write_text(FILE)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name in ("cutters_of_a_test", "cutters_of_a_test.whole"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("cutters_of_a_test").cutters


def test_a_row_is_a_component_and_a_file_of_its_name_goes_first(cutters: Registry[object]) -> None:
    assert cutters.names() == ["slices", "whole"]
    assert cutters.build("slices", size=3) == Slices(3)
    assert cutters.build("whole") == "the file's"
    with pytest.raises(UnknownNameError, match="Did you mean 'slices'"):
        cutters.build("slcies")


def test_an_option_without_a_default_is_asked_for_with_its_help(cutters: Registry[object]) -> None:
    assert [(given.name, given.required) for given in cutters.options("slices")] == [("size", True)]
    with pytest.raises(ConfigurationError, match=r"'slices' needs the option 'size': Characters a slice\."):
        cutters.build("slices")


def test_a_wrong_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'structure'"):
        chunkers.build("strukture")


def test_a_wrong_option_is_answered_with_the_near_one() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'base_url'"):
        providers.build("openai", base_ulr="http://x")


def test_a_mutable_default_is_refused() -> None:
    with pytest.raises(TypeError, match="tuple"):
        option([], "A list.")
