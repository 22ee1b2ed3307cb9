"""`regista models`: which models an application names, and what they cost."""

from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from regista.app.application import prices_of
from regista.app.folder import read
from regista.surfaces.cli._place import resolve


def models(app: str | None = None, *, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """List the models an application names, with prices in dollars for a million tokens.

    Example: regista models club

    Parameters
    ----------
    app
        A folder with a regista.toml, or the name of one under apps/.
    as_json
        Print a JSON array.
    """
    settings = read(resolve(app)).settings
    prices = prices_of(settings)
    rows: list[dict[str, object]] = []
    for name, model in settings.models.items():
        price = prices.price(*model.model.split("/", 1))
        rows.append(
            {
                "name": name,
                "model": model.model,
                "input": None if price is None else price.rates.input / 1_000_000,
                "output": None if price is None else price.rates.output / 1_000_000,
            }
        )
    if as_json:
        print(msgspec.json.encode(rows).decode())
        return
    table = Table("name", "model", "input $/M", "output $/M", title=f"Prices of {prices.version}", title_justify="left")
    for row in rows:
        table.add_row(*("unknown" if value is None else str(value) for value in row.values()))
    Console(highlight=False).print(table)
