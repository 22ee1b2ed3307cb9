"""The models of the application: what they are, whether they are well, what they cost, and how they did lately."""

import asyncio
from collections.abc import Mapping

import msgspec

from regista.app.application import biller_of, capabilities_of, prices_of
from regista.app.platform import Platform
from regista.app.schema import Model, Settings
from regista.core.nouns import Json, Upstream
from regista.models.capabilities import FEATURES, CapabilityTable
from regista.models.prices import Prices, Rates
from regista.store import Database, rollups
from regista.store.rollups import Rollup
from regista.surfaces.console.stretches import LENGTHS, Stretch, stretch

_MILLION = 1e6 / 1e12
"""Pico-dollars for a token in dollars for a million."""


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The page's data."""
    settings = platform.application.folder.settings
    states = {one.name: one for one in platform.upstreams.state()}
    return await asyncio.to_thread(_read, platform.database, settings, states, stretch(query.get("range", ""), "7d"))


def _read(database: Database, settings: Settings, states: Mapping[str, Upstream], over: Stretch) -> Json:
    called = rollups.read(
        database, "calls", ("model",), since_s=over.since_s, until_s=over.until_s, grain_s=over.grain_s
    )
    did = {one.model: one for one in called}
    prices, facts = prices_of(settings), capabilities_of(settings)
    rows = [_row(name, model, settings, prices, facts) for name, model in settings.models.items()]
    for row in rows:
        row["did"] = did.get(row["billed_as"])
        row["state"] = msgspec.to_builtins(states[row["name"]]) if row["name"] in states else None
    known = {row["billed_as"] for row in rows}
    return {
        "range": over.name,
        "ranges": list(LENGTHS),
        "models": rows,
        "others": _dearest_first([one for one in called if one.model not in known]),
        "price_version": prices.version,
        "spent_nano": sum(one.cost_nano for one in called),
    }


def _row(name: str, model: Model, settings: Settings, prices: Prices, facts: CapabilityTable) -> Json:
    row: Json = {"name": name, "model": model.model, "pool": model.balance, "fallbacks": model.fallbacks}
    if model.balance:
        return row | {"billed_as": "", "price": None, "can": [], "context": None, "retires": None}
    biller = biller_of(model.model, model.options.get("base_url", ""), prices, settings.prices)
    price, known = prices.price(biller, model.name), facts.of(biller, model.name)
    return row | {
        "billed_as": f"{biller}/{model.name}",
        "price": _dollars(price.rates) if price is not None else None,
        "can": [feature for feature in FEATURES if getattr(known, feature)],
        "context": known.context or (price.context if price is not None else 0) or None,
        "retires": known.retires,
    }


def _dollars(rates: Rates) -> Json:
    """Rates in dollars for a million tokens."""
    return {name: getattr(rates, name) * _MILLION for name in ("input", "output", "cached")}


def _dearest_first(found: list[Rollup]) -> list[Rollup]:
    return sorted(found, key=lambda one: (-one.cost_nano, -one.count, one.model))
