"""`/v1/keys`: the keys of this server, for a key with the right to make them; any other sees itself alone.

A key is told once, to who made it.
"""

import asyncio
import time
from typing import Annotated

from msgspec import Meta, Struct

from regista.app.platform import ANYONE, Platform
from regista.core.errors import NotAllowedError
from regista.core.limits import NANO
from regista.core.nouns import Json
from regista.store.database import Database
from regista.store.keys import Key, add, listing, revoke
from regista.store.usage import standings
from regista.surfaces.http.reading import read
from regista.surfaces.http.wire import Receive, Scope, Send, decode_object, encode, read_body, respond

BELOW = "/v1/keys/"


class _Add(Struct, forbid_unknown_fields=True):
    name: str
    tenant: Annotated[str, Meta(min_length=1)] = "default"
    days: float | None = None
    models: list[str] = []
    limits: list[str] = []
    admin: bool = False


async def list_keys(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/keys`: each with what it has used of its limits."""
    rows = await asyncio.to_thread(_listed, platform.database, key)
    await respond(send, 200, encode({"object": "list", "data": rows, "has_more": False}))


async def create(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /v1/keys`: make one. The answer's `key` is not told again."""
    _check(key)
    body = decode_object(await read_body(scope, receive, platform.max_body))
    wanted = read(body, _Add, "one for a key")
    token = await asyncio.to_thread(
        add,
        *(platform.database, wanted.name, wanted.tenant, wanted.days),
        models=wanted.models,
        limits=wanted.limits,
        admin=wanted.admin,
    )
    made = await platform.keyring.check(token)
    await respond(send, 201, encode(_wire(made, [], time.time_ns()) | {"key": token}))


async def delete(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`DELETE /v1/keys/{name}`: end one. It is refused within a second."""
    _check(key)
    ended = await asyncio.to_thread(revoke, platform.database, str(scope["path"]).removeprefix(BELOW))
    await respond(send, 200, encode({"object": "key", "name": ended.name, "prefix": ended.prefix, "deleted": True}))


def _check(key: Key) -> None:
    if not key.admin:
        who = (
            "Without a key nobody makes or ends keys here" if key is ANYONE else f"The key {key.name!r} may not do that"
        )
        raise NotAllowedError(f"{who}. Who runs this server makes one that may: regista keys add NAME --admin")


def _listed(database: Database, asking: Key) -> list[Json]:
    now = time.time_ns()
    keys = [key for key in listing(database) if asking.admin or key.prefix == asking.prefix]
    return [_wire(key, _used(database, key, now), now) for key in keys]


def _used(database: Database, key: Key, now: int) -> list[Json]:
    return [
        {"limit": str(one.limit), "used": one.used, "of": one.limit.amount, "ends_at": one.ends_ns // NANO}
        for one in standings(database, key, now)
    ]


def _wire(key: Key, used: list[Json], now: int) -> Json:
    times = {"created_at": key.created_ns, "expires_at": key.expires_ns, "revoked_at": key.revoked_ns}
    return {
        "object": "key",
        "name": key.name,
        "tenant": key.tenant,
        "prefix": key.prefix,
        "state": key.state(now),
        "models": key.models,
        "limits": used or [{"limit": str(limit)} for limit in key.limits],
        "admin": key.admin,
        **{name: None if at is None else at // NANO for name, at in times.items()},
    }
