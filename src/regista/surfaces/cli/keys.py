"""`regista keys`: bearer keys of a server: add, list, revoke."""

import json
import sys
import time
from typing import Annotated, NamedTuple

import cyclopts
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from regista.core.nouns import Json
from regista.store import Database, connect
from regista.store.keys import Key, add, listing, revoke
from regista.store.usage import Standing, standings
from regista.surfaces.cli._place import existing_store, resolve, store_url
from regista.text.shown import line, moment

App = Annotated[str | None, Parameter(help="A folder, or a name under apps/.")]

keys = cyclopts.App(
    name="keys", help="Make, list and revoke the keys clients send. A server with any key asks for one."
)
_COLUMNS = ("name", "key", "tenant", "state")
_TIMES = ("made", "ends")
_WIDE = 110
_STYLES = {"active": "green", "expired": "yellow", "revoked": "dim"}


@keys.command(name="add")
def add_key(
    name: Annotated[str, Parameter(help="Who will use it.")],
    app: App = None,
    *,
    tenant: Annotated[str, Parameter(help="Whose it is: tenants share no cache and are counted apart.")] = "default",
    days: Annotated[float | None, Parameter(help="How long it lasts; without it, until it is revoked.")] = None,
    models: Annotated[
        str, Parameter(help="What it may ask for, with commas: 'club,openai/*'. Without it, everything.")
    ] = "",
    limit: Annotated[
        list[str] | None,
        Parameter(
            negative="",
            help="What it may use in a minute, day or month (UTC): '60 requests/minute', '200000 tokens/day', "
            "'$5/month'. May be given several times.",
        ),
    ] = None,
    admin: Annotated[bool, Parameter(negative="", help="It may make and end keys over HTTP, at /v1/keys.")] = False,
) -> None:
    """Make a key and print it. It is not stored and cannot be shown again.

    Example: regista keys add web --models club --limit '60 requests/minute' --limit '$5/month'
    """
    folder = resolve(app)
    patterns = [pattern.strip() for pattern in models.split(",")] if models else []
    token = add(connect(store_url(folder)), name, tenant, days, models=patterns, limits=limit or (), admin=admin)
    print(token)
    if sys.stdout.isatty():
        lasts = "until it is revoked" if days is None else f"for {days:g} days"
        Console(stderr=True, highlight=False).print(
            Text(f"The key {name!r} of {folder.name} is good {lasts}. Keep it now: it is not shown again.", "dim")
        )


@keys.command(name="list")
def list_keys(
    app: App = None, *, as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False
) -> None:
    """List all keys: how they start, whose they are, whether they still open anything, and what is used of limits."""
    folder = resolve(app)
    store = existing_store(folder)
    now = time.time_ns()
    found = [_Shown(key, key.state(now), _standings(store, key, now)) for key in listing(store)] if store else []
    if as_json:
        print(json.dumps([one.builtins() for one in found], indent=2))
    elif found:
        console = Console(highlight=False)
        console.print(_table(found, console.width))
    else:
        print(f"{folder.name} has no keys: it serves this machine alone. Make one: regista keys add NAME {folder.name}")


@keys.command(name="revoke")
def revoke_key(
    key: Annotated[str, Parameter(help="The key's name, or how it starts.", allow_leading_hyphen=True)], app: App = None
) -> None:
    """End a key. Running servers refuse it within a second."""
    ended = revoke(connect(store_url(resolve(app))), key)
    Console(highlight=False).print(Text(f"Revoked: {line(ended.name)} ({ended.prefix}…)."))


class _Shown(NamedTuple):
    """A key with what is told about it. Limits of a key that opens nothing any more are no use to anyone."""

    key: Key
    state: str
    standings: list[Standing]

    def builtins(self) -> Json:
        limits = [
            {"limit": str(one.limit), "used": one.used, "of": one.limit.amount, "ends_ns": one.ends_ns}
            for one in self.standings
        ] or [{"limit": str(limit)} for limit in self.key.limits]
        return {**msgspec.to_builtins(self.key), "limits": limits, "state": self.state}


def _standings(store: Database, key: Key, now: int) -> list[Standing]:
    return standings(store, key, now) if key.state(now) == "active" else []


def _table(found: list[_Shown], width: int) -> Table:
    """A narrow terminal has no place for times beside what keys may do."""
    may = any(one.key.models or one.key.admin for one in found)
    limited = any(one.key.limits for one in found)
    times = width >= _WIDE or not (may or limited)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    columns = [*_COLUMNS, *(_TIMES if times else ()), *(["may ask"] if may else []), *(["used"] if limited else [])]
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name == "used")
    for key, state, used in found:
        ends = key.revoked_ns if key.revoked_ns is not None else key.expires_ns
        made = [Text(moment(key.created_ns)), Text("–" if ends is None else moment(ends))] if times else []
        table.add_row(
            Text(line(key.name)),
            Text(f"{key.prefix}…", "cyan"),
            Text(line(key.tenant)),
            Text(state, _STYLES[state]),
            *made,
            *([_may(key)] if may else []),
            *([Text("\n".join(map(str, used or key.limits)) or "–")] if limited else []),
        )
    return table


def _may(key: Key) -> Text:
    models = ", ".join(map(line, key.models)) or "everything"
    return Text(f"{models}, and make keys" if key.admin else models)
