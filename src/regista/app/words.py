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


def plainly(error: msgspec.ValidationError, kind: Any, value: object) -> str:
    """The sentence for the error that converting `value` to `kind` gave.

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
    if "matching regex" in text or not isinstance(value, str):
        # A type with a pattern says in its description what to write instead.
        for part in (kind, *get_args(kind)):
            for meta in getattr(part, "__metadata__", ()):
                if isinstance(meta, msgspec.Meta) and meta.description:
                    return meta.description
    return _NAMED.sub(lambda match: " or ".join(map(_kind, match[1].split(" | "))), text) + "."


def _kind(name: str) -> str:
    return _KINDS.get(name, name)
