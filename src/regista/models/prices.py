"""What a call costs, exactly: integers of nano-dollars from the prices in `catalogue.toml`.

It knows list prices, not contracts: an application overrides them. A cost is rounded to the nearest nano-dollar, once
a call.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from regista.core.digest import digest
from regista.core.errors import ConfigurationError, did_you_mean, near
from regista.core.nouns import Json, Usage
from regista.models.catalogue import DATED, MONEY, catalogue, closest
from regista.models.credentials import at_home

PICO = 1000
"""Rates count pico-dollars a token: a dollar for a million tokens is 1,000,000 of them, 1,000 nano-dollars."""
KINDS = ("input", "output", "cached", "write", "write_1h", "audio")
ROW = (*sorted(MONEY), *sorted(DATED), "context")


class Rates(Struct, frozen=True):
    """Pico-dollars for one token of each kind. Without a rate of its own, input of any kind costs as other input."""

    input: int
    output: int
    cached: int
    write: int | None = None
    write_1h: int | None = None
    audio: int | None = None

    def pico(self, usage: Usage) -> int:
        """What tokens cost."""
        written, spoken = usage.cache_write_tokens, usage.audio_tokens
        plain = max(usage.input_tokens - usage.cached_tokens - written - spoken, 0)
        cost = plain * self.input + usage.cached_tokens * self.cached + usage.output_tokens * self.output
        if written:
            write = self.input if self.write is None else self.write
            long = write if self.write_1h is None else self.write_1h
            kept_long = usage.cache_write_1h_tokens
            cost += (written - kept_long) * write + kept_long * long
        if spoken:
            cost += spoken * (self.input if self.audio is None else self.audio)
        return cost


class Price(Struct, frozen=True):
    """The price of a model. `above` input tokens, `long` holds for the whole call; `batch` is for those of batches."""

    rates: Rates
    context: int = 0
    above: int = 0
    long: Rates | None = None
    source: str = ""
    batch: Rates | None = None
    batch_long: Rates | None = None

    def cost(self, usage: Usage, batch: bool = False) -> int:
        """Nano-dollars of a call. Cached tokens are part of the input, reasoning ones of the output.

        >>> Price(Rates(2_500_000, 10_000_000, 1_250_000)).cost(Usage(100, 10, 40))
        300000
        """
        long = self.long is not None and usage.input_tokens > self.above
        rates = (self.long if long else None) or self.rates
        if batch:
            rates = (self.batch_long if long else self.batch) or rates
        return (rates.pico(usage) + PICO // 2) // PICO


REMEMBERED = 1_000
"""Names whose price is kept at hand, unknown ones too: clients make them up."""
FREE = Price(Rates(0, 0, 0))


class Prices:
    """A table of prices. `version` names it in a trace: a day, and the digest of what overrides it."""

    def __init__(
        self,
        version: str,
        rows: Mapping[tuple[str, str], Price],
        free: frozenset[str],
        origins: Mapping[str, str],
    ) -> None:
        self.version = version
        self.rows = rows
        self._free = free
        self._origins = origins
        self._found: dict[tuple[str, str], Price | None] = {}

    @classmethod
    def load(cls, today: date | None = None) -> "Prices":
        """The table that comes with Regista, as it holds on a day."""
        table, day = catalogue(), today or date.today()
        rows = {
            (maker, model): _price(f"{maker}/{model}", _as_of(_money(row), day), table.batch.get(maker))
            for (maker, model), row in table.rows.items()
        }
        told = {key: replace(price, source=table.sources[key[0]]) for key, price in rows.items()}
        return cls(table.version, told, table.free, table.origins)

    def with_overrides(self, overrides: Mapping[str, Mapping[str, Json]]) -> "Prices":
        """The same with an application's own rows: provider, then model, then the fields of `catalogue.toml`.

        Raises `ConfigurationError` for a row that is not one.
        """
        if not overrides:
            return self
        own = {
            (provider, model): _price(f"{provider}/{model}", row, None)
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
        price = closest(self.rows, provider, model) or (FREE if provider in self._free else None)
        self._found[provider, model] = price
        return price

    def provider_at(self, base_url: str) -> str | None:
        """Whose prices hold at a URL, for a host behind the `openai` provider.

        >>> Prices.load().provider_at("https://api.mistral.ai/v1")
        'mistral'
        """
        return next((maker for origin, maker in self._origins.items() if at_home(base_url, [origin])), None)


def _money(row: Json) -> Json:
    return {name: row[name] for name in row if name in ROW}


def _as_of(row: Json, day: date) -> Json:
    """A row with the rates that hold on a day."""
    if "from" in row and day >= date.fromisoformat(row["from"]):
        return {name: value for name, value in row.items() if name not in KINDS} | row["then"]
    return row


def _price(name: str, row: Json, batch: str | None) -> Price:
    for given in row:
        if given not in ROW:
            raise ConfigurationError(f"The price of {name} has a field {given!r}.{did_you_mean(near(given, ROW))}")
    long: Json | None = row.get("long")
    if (long is None) != ("above" not in row):
        raise ConfigurationError(f"The price of {name} has one of `above` and `long`: give both or none.")
    factor = _number(name, "batch", row.get("batch", batch or "1"))
    rates = _rates(name, row)
    far = _rates(f"{name} (long)", long) if long is not None else None
    cheaper = _times(rates, factor)
    if "batch_cached" in row:
        cheaper = replace(cheaper, cached=_pico(name, "batch_cached", row["batch_cached"]))
    discounted = factor != 1 or "batch_cached" in row
    return Price(
        rates,
        row.get("context", 0),
        row.get("above", 0),
        far,
        batch=cheaper if discounted else None,
        batch_long=_times(far, factor) if far is not None and discounted else None,
    )


def _rates(name: str, row: Json) -> Rates:
    read = {field: _pico(name, field, row[field]) for field in KINDS if field in row}
    if "input" not in read or "output" not in read:
        raise ConfigurationError(f"The price of {name} needs `input` and `output`, in dollars per million tokens.")
    return Rates(**{"cached": read["input"], **read})


def _times(rates: Rates, factor: Decimal) -> Rates:
    given = {name: value for name in KINDS if (value := getattr(rates, name)) is not None}
    return Rates(**{name: int(value * factor) for name, value in given.items()})


def _pico(name: str, field: str, value: Any) -> int:
    pico = _number(name, field, value) * 1_000_000
    if pico < 0 or pico != int(pico):
        raise ConfigurationError(
            f"The price of {name} has {field}={value!r}: give dollars per million tokens, in steps of 0.000001."
        )
    return int(pico)


def _number(name: str, field: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise ConfigurationError(f"The price of {name} has {field}={value!r}, which is no number of dollars.")
    return number
