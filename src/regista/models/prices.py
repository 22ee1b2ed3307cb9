"""What a call costs, exactly: integers of nano-dollars from the table in `prices.toml`.

It knows list prices, not contracts: an application overrides them. A cost is exact to the
nano-dollar where a price is a whole number of nano-dollars a token, as every price of the table
is; a finer one of an override is rounded to the nearest nano-dollar, once a call.
"""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Any, cast
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from regista.core.digest import digest
from regista.core.errors import ConfigurationError, did_you_mean, near
from regista.core.nouns import Json, Usage

PICO = 1000
"""Rates count pico-dollars a token: a dollar for a million tokens is 1,000,000 of them, 1,000 nano-dollars."""
SNAPSHOT = re.compile(r"[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{3}|latest)")
"""What a dated name has after its model's: other endings (`-mini`, `-pro`) are other models."""
ROW = ("input", "output", "cached", "context", "above", "long", "source")


class Rates(Struct, frozen=True):
    """Pico-dollars for one token of each kind."""

    input: int
    output: int
    cached: int


class Price(Struct, frozen=True):
    """The price of a model. `above` input tokens, `long` holds for the whole call."""

    rates: Rates
    context: int = 0
    above: int = 0
    long: Rates | None = None
    source: str = ""

    def cost(self, usage: Usage) -> int:
        """Nano-dollars of a call. Cached tokens are part of the input, reasoning ones of the output.

        >>> Price(Rates(2_500_000, 10_000_000, 1_250_000)).cost(Usage(100, 10, 40))
        300000
        """
        long = self.long is not None and usage.input_tokens > self.above
        rates = cast("Rates", self.long) if long else self.rates
        pico = (
            max(usage.input_tokens - usage.cached_tokens, 0) * rates.input
            + usage.cached_tokens * rates.cached
            + usage.output_tokens * rates.output
        )
        return (pico + PICO // 2) // PICO


REMEMBERED = 1_000
"""Names whose price is kept at hand, unknown ones too: clients make them up."""
FREE = Price(Rates(0, 0, 0))


class Prices:
    """A table of prices. `version` names it in a trace: a day, and the digest of what overrides it."""

    def __init__(
        self, version: str, rows: Mapping[tuple[str, str], Price], free: frozenset[str], origins: Json
    ) -> None:
        self.version = version
        self.rows = rows
        self._free = free
        self._origins = origins
        self._found: dict[tuple[str, str], Price | None] = {}

    @classmethod
    def load(cls) -> "Prices":
        """The table that comes with Regista."""
        table = tomllib.loads((files("regista.models") / "prices.toml").read_text("utf-8"))
        makers: dict[str, Json] = {name: part for name, part in table.items() if isinstance(part, dict)}
        rows = {
            (maker, model): replace(_price(f"{maker}/{model}", row), source=part["source"])
            for maker, part in makers.items()
            for model, row in part["models"].items()
        }
        origins = {part["origin"]: maker for maker, part in makers.items()}
        return cls(table["version"], rows, frozenset(table["free"]), origins)

    def with_overrides(self, overrides: Mapping[str, Mapping[str, Json]]) -> "Prices":
        """The same with an application's own rows: provider, then model, then the fields of `prices.toml`.

        Raises `ConfigurationError` for a row that is not one.
        """
        if not overrides:
            return self
        own = {
            (provider, model): _price(f"{provider}/{model}", row)
            for provider, models in overrides.items()
            for model, row in models.items()
        }
        return Prices(f"{self.version}+{digest(overrides)[:8]}", {**self.rows, **own}, self._free, self._origins)

    def price(self, provider: str, model: str) -> Price | None:
        """The price of a provider's model, or None where it is unknown: then the cost is unknown, not zero.

        A dated snapshot has its model's price unless it has its own.
        """
        if (provider, model) in self._found:
            return self._found[provider, model]
        if len(self._found) >= REMEMBERED:
            self._found.clear()
        found = self._found[provider, model] = self._find(provider, model)
        return found

    def _find(self, provider: str, model: str) -> Price | None:
        exact = self.rows.get((provider, model))
        if exact is not None or provider in self._free:
            return exact or FREE
        names = [
            name
            for maker, name in self.rows
            if maker == provider and model.startswith(name) and SNAPSHOT.fullmatch(model, len(name))
        ]
        return self.rows[provider, max(names, key=len)] if names else None

    def provider_at(self, base_url: str) -> str | None:
        """Whose prices hold at a URL, for a host behind the `openai` provider.

        >>> Prices.load().provider_at("https://api.mistral.ai/v1")
        'mistral'
        """
        parts = urlsplit(base_url)
        return self._origins.get(f"{parts.scheme}://{parts.netloc}")


def _price(name: str, row: Json) -> Price:
    for given in row:
        if given not in ROW:
            raise ConfigurationError(f"The price of {name} has a field {given!r}.{did_you_mean(near(given, ROW))}")
    long: Json | None = row.get("long")
    if (long is None) != ("above" not in row):
        raise ConfigurationError(f"The price of {name} has one of `above` and `long`: give both or none.")
    return Price(
        _rates(name, row),
        row.get("context", 0),
        row.get("above", 0),
        _rates(f"{name} (long)", long) if long is not None else None,
        row.get("source", ""),
    )


def _rates(name: str, row: Json) -> Rates:
    read = {field: _pico(name, field, row[field]) for field in ("input", "output", "cached") if field in row}
    if "input" not in read or "output" not in read:
        raise ConfigurationError(f"The price of {name} needs `input` and `output`, in dollars per million tokens.")
    return Rates(read["input"], read["output"], read.get("cached", read["input"]))


def _pico(name: str, field: str, value: Any) -> int:
    try:
        dollars = Decimal(str(value))
        pico = dollars * 1_000_000
    except InvalidOperation:
        raise ConfigurationError(f"The price of {name} has {field}={value!r}, which is no number of dollars.") from None
    if not dollars.is_finite() or dollars < 0 or pico != int(pico):
        raise ConfigurationError(
            f"The price of {name} has {field}={value!r}: give dollars per million tokens, in steps of 0.000001."
        )
    return int(pico)
