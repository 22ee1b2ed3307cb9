"""Says in plain words what a validation error of msgspec means for the person who wrote the file."""

import re
from typing import Any, Literal, get_args, get_origin

import msgspec

from regista.core.errors import did_you_mean, near

_KINDS = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "datetime": "a time",
    "date": "a date",
    "null": "nothing",
}
_NAMED = re.compile(r"`([\w |]+)`")
_PATTERN = re.compile(r"Expected `str` matching regex .*", re.DOTALL)
PATTERNS = {
    r"^[A-Za-z_]\w*\.py$": "Name a Python file at the top of the application folder, such as tools.py.",
    "^[a-z][a-z0-9-]*$": "Write lower-case letters, digits and hyphens, a letter first.",
    r"^[0-9]+(\.[0-9]+)?$": 'Write dollars as text, such as "0.15", so that they stay exact.',
}
"""What to write where a pattern does not match."""


def plainly(error: msgspec.ValidationError, kind: Any, value: object) -> str:
    """The sentence for an error that converting `value` to `kind` gave.

    >>> try:
    ...     msgspec.convert("many", int)
    ... except msgspec.ValidationError as error:
    ...     print(plainly(error, int, "many"))
    Expected a whole number, got text in quotes.
    """
    if get_origin(kind) is Literal:
        choices = [str(choice) for choice in get_args(kind)]
        guess = did_you_mean(near(value, choices)) if isinstance(value, str) else ""
        return f"It must be one of {', '.join(choices)}.{guess}"
    text = str(error).replace(" - at `$`", "")
    for pattern, advice in PATTERNS.items():
        if pattern in repr(kind) and (_PATTERN.match(text) or not isinstance(value, str)):
            return advice
    return _NAMED.sub(lambda match: " or ".join(map(_kind, match[1].split(" | "))), text) + "."


def _kind(name: str) -> str:
    return _KINDS.get(name, name)
