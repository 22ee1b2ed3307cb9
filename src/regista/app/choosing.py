"""Where the `[router]` table names models, told by the types of its policies' options. It reads no files."""

from collections.abc import Iterator, Mapping
from typing import Any, cast, get_args

import msgspec
from msgspec import Meta, Struct

from regista.app.lines import Path
from regista.core.nouns import Json
from regista.serve.router import policies


def named_models(chosen: Mapping[str, Json]) -> Iterator[tuple[Path, str]]:
    """Every place below `[router]` that names a model, with the name; `chosen` are options by policy."""
    for policy, options in chosen.items():
        for option in policies.options(policy):
            yield from _named(option.type, options.get(option.name), (policy, option.name))


def struct_of(kind: Any) -> type[Struct] | None:
    """The struct of an option that is a table of tables, by name; None for any other option."""
    inner = get_args(kind)[1:] if getattr(kind, "__origin__", None) is not None else ()
    return inner[0] if inner and isinstance(inner[0], type) and issubclass(inner[0], Struct) else None


def _named(kind: Any, value: object, at: Path) -> Iterator[tuple[Path, str]]:
    if _is_name(kind):
        if isinstance(value, str):
            yield from [(at, value)] if value else []
        elif value:
            yield from (((*at, place), name) for place, name in enumerate(cast("tuple[str, ...]", value)))
    elif isinstance(value, Mapping):
        for key, one in cast("Mapping[str, object]", value).items():
            if isinstance(one, Struct):
                for field in msgspec.structs.fields(one):
                    yield from _named(field.type, getattr(one, field.name), (*at, key, field.name))


def _is_name(kind: Any) -> bool:
    marks = (mark for mark in getattr(kind, "__metadata__", ()) if isinstance(mark, Meta))
    return any((mark.extra or {}).get("names") == "model" for mark in marks)
