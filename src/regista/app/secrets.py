"""Finds secrets that were written into a configuration. A message never repeats what it found."""

import re
from collections.abc import Iterator
from typing import cast

from regista.app.lines import Path
from regista.core.nouns import Json

_KEY = re.compile(r"(?:.*[_-])?(?:api[_-]?key|access[_-]?key|secret(?:[_-]key)?|token|password|authorization)", re.I)
_VALUE = re.compile(
    r"(?:Bearer\s+|sk-|ghp_|gho_|github_pat_|glpat-|hf_|xox[abprs]-|AKIA|AIza)[\w.-]{12,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|[a-z][a-z0-9+.-]*://[^/@\s:]*:[^/@\s]+@"
)
ADVICE = 'Secrets come from the environment: use api_key_env = "NAME_OF_THE_VARIABLE" and remove the value here.'


def secrets(document: Json) -> dict[Path, str]:
    """The paths whose values are secrets by their key or their look, with what to do.

    >>> list(secrets({"models": {"a": {"api_key": "x", "api_key_env": "KEY"}}}))
    [('models', 'a', 'api_key')]
    """
    found: dict[Path, str] = {}
    for path, value in _texts(document, ()):
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        if value and (_KEY.fullmatch(key) or _VALUE.match(value)):
            found[path] = f"{key} holds a secret. {ADVICE}"
    return found


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in cast("Json", value).items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for position, inner in enumerate(cast("list[object]", value)):
            yield from _texts(inner, (*path, position))
