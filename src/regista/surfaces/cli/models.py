"""`regista models`: an application's models, what they cost, hold and can do, and whether they are there."""

import os
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

import cyclopts
import msgspec
from cyclopts import Parameter, validators
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from regista.app.application import biller_of, capabilities_of, prices_of
from regista.app.folder import read
from regista.app.reaching import Reached, chosen, reach
from regista.app.schema import Settings
from regista.core.errors import MissingExtraError, UnknownNameError
from regista.models.capabilities import Capabilities, CapabilityTable
from regista.models.catalogue import catalogue
from regista.models.hosts import hosts
from regista.models.prices import Price, Prices, Rates
from regista.models.providers import providers
from regista.surfaces.cli._loop import run_async
from regista.surfaces.cli._place import resolve
from regista.text.shown import duration, line, money

App = Annotated[str | None, Parameter(help="A folder, or a name under apps/.")]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")]
STYLES = {
    "reached": "green",
    "key missing": "yellow",
    "refused": "bold red",
    "not reached": "bold red",
    "failed": "bold red",
}
SOON_DAYS = 60
_WIDE = 110

models = cyclopts.App(
    name="models",
    help="List an application's models and their prices; check that they are there.\n\nExample: regista models club",
)


@models.default
def list_models(
    app: App = None,
    *,
    host: Annotated[str | None, Parameter(help="All that is known of this provider instead: groq, anthropic …")] = None,
    as_json: AsJson = False,
) -> None:
    """List models with prices in dollars for a million tokens, how many tokens they hold, and what they can do."""
    if host is not None:
        rows, version = _of_host(host), Prices.load().version
    else:
        settings = read(resolve(app)).settings
        rows, version = _of_application(settings), prices_of(settings).version
    if as_json:
        print(msgspec.json.encode(rows).decode())
    else:
        _show(rows, version, () if host is not None else ("name",))


@models.command(name="hosts")
def list_hosts(*, as_json: AsJson = False) -> None:
    """List the providers a model may be of: where each is, and whether its key is there.

    Example: regista models hosts
    """
    rows = [_host(name) for name in providers.names()]
    if as_json:
        print(msgspec.json.encode(rows).decode())
        return
    table = _table("name", "URL", "key", "is set")
    for row in rows:
        there = Text("–", "dim") if not row["key"] else Text("yes", "green") if row["set"] else Text("no", "yellow")
        table.add_row(row["name"], Text(row["url"] or "–"), row["key"] or "–", there)
    Console(highlight=False).print(table)


@models.command(name="check")
def check_models(
    *names: Annotated[str, Parameter(help="Which models; without any, all of the application.")],
    app: App = None,
    seconds: Annotated[float, Parameter(help="The longest wait for one.", validator=validators.Number(gt=0))] = 30.0,
    as_json: AsJson = False,
) -> int:
    """Ask each model one short question and say how it did. Ends with status 1 if one could not be reached.

    Example: regista models check default --app club
    """
    settings = read(resolve(app)).settings
    asked = chosen(settings, names)
    columns = (TextColumn("Asking"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(asked))
        told = run_async(reach(settings, asked, seconds, lambda r: bar.update(task, advance=1, description=r.name)))
    if as_json:
        print(msgspec.json.encode(told).decode())
    else:
        _show_reached(told, capabilities_of(settings), Console(highlight=False))
    return int(any(found.state != "reached" for found in told))


# Lists


def _of_application(settings: Settings) -> list[dict[str, Any]]:
    prices, facts = prices_of(settings), capabilities_of(settings)
    rows: list[dict[str, Any]] = []
    for name, model in settings.models.items():
        if model.balance:
            rows.append(_row(name, f"one of {', '.join(model.balance)}", None, Capabilities()))
            continue
        biller = biller_of(model.model, model.options.get("base_url", ""), prices, settings.prices)
        price = prices.price(biller, model.name)
        rows.append(_row(name, model.model, price, facts.of(biller, model.name)))
    return rows


def _of_host(host: str) -> list[dict[str, Any]]:
    known = sorted(catalogue().sources)
    if host not in known:
        raise UnknownNameError("provider with known models", host, known)
    prices, facts = Prices.load(), CapabilityTable.load()
    return [
        _row(model, f"{maker}/{model}", price, facts.of(maker, model))
        for (maker, model), price in prices.rows.items()
        if maker == host
    ]


def _row(name: str, model: str, price: Price | None, facts: Capabilities) -> dict[str, Any]:
    return {
        "name": name,
        "model": model,
        **_dollars("", price.rates if price is not None else None),
        **_dollars("batch_", price.batch if price is not None else None),
        "source": price.source if price is not None else "",
        **msgspec.to_builtins(facts),
        "context": facts.context or (price.context if price is not None else 0) or None,
    }


def _dollars(prefix: str, rates: Rates | None) -> dict[str, float | None]:
    """Rates in dollars for a million tokens; None where there are none."""
    names = ("input", "output", "cached", "write", "write_1h", "audio")
    found = {name: None if rates is None else getattr(rates, name) for name in names}
    return {f"{prefix}{name}": None if value is None else value / 1_000_000 for name, value in found.items()}


def _show(rows: list[dict[str, Any]], version: str, first: tuple[str, ...]) -> None:
    console = Console(highlight=False)
    wide = console.width >= _WIDE
    more = ("cached", "batch in", "holds", "answers", "can") if wide else ("holds",)
    columns = (*first, "model", "input", "output", *more)
    table = _table(*columns, right=("input", "output", "cached", "batch in", "holds", "answers"))
    for row in rows:
        cells = {name: _price(row[name]) for name in ("input", "output", "cached")}
        cells |= {
            "batch in": _price(row["batch_input"]),
            "holds": _count(row["context"]),
            "answers": _count(row["answer"]),
        }
        cells |= {"name": line(row["name"]), "model": line(row["model"]), "can": ", ".join(_can(row))}
        table.add_row(*(Text(cells[name]) for name in columns))
    console.print(table)
    console.print(Text(f"Dollars for a million tokens, as of {version}; – is unknown.", "dim"))


def _can(row: dict[str, Any]) -> Iterable[str]:
    names = ("tools", "images", "json_schema", "logprobs", "reasoning", "embeddings")
    yield from (name for name in names if row[name])
    if row["retires"]:
        yield f"until {row['retires']}"


def _price(dollars: float | None) -> str:
    """Dollars with all their digits, two at least after the point."""
    if dollars is None:
        return "–"
    whole, _, part = f"{dollars:.6f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def _count(tokens: int | None) -> str:
    """Tokens in three digits: 1,048,576 as 1.05M."""
    if not tokens:
        return "–"
    return f"{tokens / 1e6:.3g}M" if tokens >= 1_000_000 else f"{tokens / 1e3:.3g}k"


def _host(name: str) -> dict[str, Any]:
    row = hosts().get(name)
    keys = ([row.key] if row.key else []) if row is not None else KEYS.get(name, [])
    try:
        url = next((option.default for option in providers.options(name) if option.name == "base_url"), None)
    except MissingExtraError as error:
        url = error.message
    return {"name": name, "url": url or "", "key": " or ".join(keys), "set": any(os.environ.get(key) for key in keys)}


KEYS = {
    "anthropic": ["ANTHROPIC_API_KEY"],
    "bedrock": ["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID"],
    "gemini": ["GEMINI_API_KEY"],
}
"""The usual keys of the providers that are no row of `hosts.toml`."""


# The check


def _show_reached(told: list[Reached], facts: CapabilityTable, console: Console) -> None:
    table = _table("name", "model", "state", "time", "tokens", "cost", right={"time", "tokens", "cost"})
    for found in told:
        used = f"{found.usage.input_tokens}+{found.usage.output_tokens}" if found.usage is not None else "–"
        cost = money(found.cost_nano) if found.state == "reached" else "–"
        table.add_row(
            Text(line(found.name)),
            Text(line(found.model)),
            Text(found.state, STYLES[found.state]),
            Text(duration(found.duration_ns)),
            used,
            cost,
        )
    console.print(table)
    for found in told:
        for remark in _remarks(found, facts):
            console.print(Text.assemble("\n", (f"{line(found.name)}: ", "bold"), line(remark)), soft_wrap=True)


def _remarks(found: Reached, facts: CapabilityTable) -> Iterable[str]:
    """What is wrong with a model, and what will be."""
    if found.problem:
        yield found.problem
    provider, _, model = found.model.partition("/")
    retires = facts.of(provider, model).retires
    if retires is not None and (date.fromisoformat(retires) - date.today()).days <= SOON_DAYS:
        yield f"{model} is served until {retires}: choose another."
    if found.state == "reached" and found.cost_nano is None:
        yield f'No price is known, so nothing counts what it costs: add [prices."{found.model}"] to regista.toml.'


def _table(*names: str, right: Iterable[str] = ()) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold", justify="right" if name in right else "left")
    return table
