"""How a model's answers are drawn, formed and chosen, as the application configures it: wrappers around its provider.

It knows the options of `[models.*]`, and no request.
"""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regista.app.modules import load_module
from regista.app.schema import Model
from regista.core.errors import ConfigurationError, did_you_mean, near
from regista.models.capabilities import Capabilities
from regista.models.choosing import CHOICES, ByScore, Choice, Samples, Score, Verified
from regista.models.providers import Provider
from regista.models.sampling import Sampling
from regista.models.structured import Structured


@dataclass(frozen=True)
class Functions:
    """The functions of one version of an application's Python files."""

    folder: Path
    version: str

    def score(self, written: str) -> Score:
        """The function `file.py:name`, which takes a question and an answer and gives a number.

        Raises:
            ConfigurationError: there is no such function, or its file fails.
        """
        file, _, name = written.partition(":")
        module = load_module(self.folder, Path(file).stem, self.version)
        function: Callable[[str, str], Any] | None = getattr(module, name, None)
        if not callable(function):
            hint = did_you_mean(near(name, [known for known in vars(module) if not known.startswith("_")]))
            raise ConfigurationError(f"{file} has no function {name!r}.{hint}")

        async def score(question: str, answer: str) -> float:
            if inspect.iscoroutinefunction(function):
                return await function(question, answer)
            return await asyncio.to_thread(function, question, answer)

        return score


def drawn(provider: Provider, model: Model, capabilities: Capabilities) -> Provider:
    """A provider that is asked only for what the model takes."""
    return Sampling(provider, model.model, capabilities, model.parameters)


def formed(provider: Provider, model: Model, capabilities: Capabilities) -> Provider:
    """A provider whose structured output is checked and mended."""
    return Structured(provider, model.repairs, capabilities.json_schema)


def chosen(
    provider: Provider, model: Model, others: Callable[[str], Provider], functions: Callable[[str], Score]
) -> Provider:
    """A provider that gives the best of several answers, where the model is to."""
    return provider if model.samples == 1 else Samples(provider, model.samples, _choice(model, others, functions))


def _choice(model: Model, others: Callable[[str], Provider], functions: Callable[[str], Score]) -> Choice:
    if model.choose != "verifier":
        return CHOICES[model.choose]
    return ByScore(functions(model.verifier)) if ":" in model.verifier else Verified(others(model.verifier))
