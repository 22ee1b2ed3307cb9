"""`regista forget`: deletes old requests, or all that is kept of one user, for good."""

import json
from collections.abc import Iterator
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from regista.app.erasing import Erasure, tenant_of
from regista.app.erasing_process import Order, run
from regista.core.errors import RequestError
from regista.core.settings import settings
from regista.store import Database, erasing, forgetting
from regista.surfaces.cli._place import existing_store, resolve, store_url
from regista.surfaces.cli._since import start_of
from regista.text.shown import line, moment


def forget(
    app: Annotated[str | None, Parameter(help="A folder, or a name under apps/.")] = None,
    *,
    before: Annotated[
        str | None, Parameter(help="Older than '30d', '12w' or '24h', or than a day such as 2026-11-01 (UTC).")
    ] = None,
    user: Annotated[
        str | None, Parameter(help="All of this end user, wherever it is kept, and look for it after.")
    ] = None,
    tenant: Annotated[str | None, Parameter(help="Whose user, where several tenants have one of that name.")] = None,
    yes: Annotated[bool, Parameter(negative="", help="Do it. Without it, only say how many.")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Delete requests that began before a time, or those of one user: rows, stages, every question and answer.

    Sums by the hour and the ledger stay, without a name. By age, copies stay too: datasets, exports. Of a user they
    go: cached answers, feedback, examples, lines of batches, exported days. A server may go on serving.

    Example: regista forget club --user customer-4711 --yes
    """
    folder = resolve(app)
    if (before is None) == (user is None):
        raise RequestError("Say what to forget: --before 30d for what is old, or --user NAME for one user.")
    store = existing_store(folder)
    console = Console(highlight=False, stderr=not yes)
    if user is not None:
        named = tenant_of(store, user, tenant) if store is not None else "default"
        if yes and store is not None:
            return _tell(run(Order(store_url(folder), user, named, str(folder), str(settings()["redis"]))), as_json)
        count = erasing.tenants_of(store, user).get(named, 0) if store is not None else 0
        about, told = f"of the user {line(user)}", {"user": user, "tenant": named, "traces": count}
    else:
        start = start_of(before or "", "--before")
        count = _forgotten(store, start, yes=yes)
        about, told = f"began before {moment(start, long=True)}", {"traces": count, "before_ns": start}
        if yes and not as_json:
            console.print(
                Text(f"Forgot {_many(count)} from before {moment(start, long=True)}. {_STAYS}"), soft_wrap=True
            )
    if as_json:
        print(json.dumps({**told, "forgotten": yes}))
    elif not yes:
        console.print(Text(f"{_many(count)} {about}. To delete them for good, add --yes"), soft_wrap=True)
    return 0 if yes or not count else 1


_STAYS = "Their sums and the ledger are kept."


def _forgotten(store: Database | None, start: int, *, yes: bool) -> int:
    return 0 if store is None else forgetting.forget(store, start) if yes else forgetting.older(store, start)


def _many(count: int) -> str:
    return f"{count:,} request{'s' * (count != 1)}"


def _tell(done: Erasure, as_json: bool) -> int:
    """Say what was done; the exit status, 1 where something may be left."""
    if as_json:
        print(json.dumps(msgspec.to_builtins(done) | {"verified": done.verified, "forgotten": True}, indent=2))
    else:
        Console(highlight=False).print(Text("\n").join(_lines(done)), soft_wrap=True)
    return 0 if done.verified else 1


def _lines(done: Erasure) -> Iterator[Text]:
    yield Text.assemble(
        f"Erased the user {line(done.user)} of the tenant {line(done.tenant)}: ", (_many(done.traces), "bold"), "."
    )
    for place, count in sorted(done.removed.items()):
        yield Text(f"  {place:<20} {count:>10,}")
    for one in done.datasets:
        instead = f"is now {one.by}" if one.by else "held nothing else, and is gone"
        yield Text(f"  dataset {line(one.name)}: version {one.version} {instead}")
    looked = f"{done.looked_for} pieces of what was said were looked for in {done.files} files"
    if done.files and not done.residue:
        yield Text.assemble(("✓ ", "bold green"), f"{looked}: none is left.")
    elif done.residue:
        yield Text.assemble(("✗ ", "bold red"), f"{looked}: some is left in {', '.join(done.residue)}.")
    else:
        yield Text("What is on the server's disk is freed by PostgreSQL (autovacuum).")
    if done.rows:
        told = ", ".join(f"{table} ({count:,})" for table, count in sorted(done.rows.items()))
        yield Text(f"The same words are in rows that are not this user's: {told}.")
    for table, count in done.left.items():
        yield Text(f"✗ {table} still has {count:,} rows.", "bold red")
    for problem in done.problems:
        yield Text(f"✗ {line(problem)}", "bold red")
    if done.since:
        yield Text(f"{_many(done.since)} of this user came meanwhile: type it again.")
    yield Text(f"{_STAYS} Copies elsewhere are not reached: backups, collectors, providers.", "dim")
