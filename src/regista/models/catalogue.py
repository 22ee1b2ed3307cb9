"""Reads `catalogue.toml`: what models cost, hold and can do, one row a model. It reads no figure itself."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TypeVar, cast

from msgspec import Struct

from regista.core.nouns import Json

SNAPSHOT = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{3}|latest)")
"""What a dated name has after its model's: other endings (`-mini`, `-pro`) are other models."""
MONEY = frozenset(("input", "output", "cached", "write", "write_1h", "audio", "above", "long", "batch", "batch_cached"))
DATED = frozenset(("from", "then"))
T = TypeVar("T")


class Catalogue(Struct, frozen=True):
    """The file as it stands. `free` are providers that cost nothing, `origins` say whose prices hold where."""

    version: str
    free: frozenset[str]
    origins: Mapping[str, str]
    sources: Mapping[str, str]
    batch: Mapping[str, str]
    rows: Mapping[tuple[str, str], Json]
    """By provider and model, each with what its kind says under it."""


@cache
def catalogue() -> Catalogue:
    """The catalogue that comes with Regista."""
    table = tomllib.loads((files("regista.models") / "catalogue.toml").read_text("utf-8"))
    makers = {name: cast("Json", part) for name, part in table.items() if isinstance(part, dict)}
    return Catalogue(
        version=table["version"],
        free=frozenset(table["free"]),
        origins={origin: maker for maker, part in makers.items() for origin in part["origins"]},
        sources={maker: part["source"] for maker, part in makers.items()},
        batch={maker: part["batch"] for maker, part in makers.items() if "batch" in part},
        rows={key: row for maker, part in makers.items() for key, row in _rows(maker, part)},
    )


def _rows(maker: str, part: Json) -> Iterator[tuple[tuple[str, str], Json]]:
    for model, row in part["models"].items():
        kind: Json = part["kinds"][row["kind"]] if "kind" in row else {}
        yield (maker, model), {key: value for key, value in {**kind, **row}.items() if key != "kind"}


def closest(rows: Mapping[tuple[str, str], T], provider: str, model: str) -> T | None:
    """The row of a provider's model; that of the model it is a dated snapshot of, where it has none of its own."""
    exact = rows.get((provider, model))
    if exact is not None:
        return exact
    names = [
        name
        for maker, name in rows
        if maker == provider and model.startswith(name) and SNAPSHOT.fullmatch(model, len(name))
    ]
    return rows[provider, max(names, key=len)] if names else None
