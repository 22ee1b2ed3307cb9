"""What is wrong with a prompt file, by line. It does not know which folder the file is in."""

from collections.abc import Iterable
from typing import NamedTuple

from regista.core.errors import ConfigurationError


class Problem(NamedTuple):
    """One mistake: the line it stands on (from 1; 0 for the whole file) and what to do about it."""

    line: int
    message: str


class PromptError(ConfigurationError):
    """A prompt cannot be used; `problems` are all its mistakes, by line."""

    code = "broken_prompt"

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(f"{name}:{line}: {message}" for line, message in self.problems))
