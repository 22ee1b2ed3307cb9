"""`/v1/users`: what is kept of one end user, taken away for good, for a key with the right to make keys.

It knows who may ask for that, and not where anything is kept.
"""

import asyncio

from regista.app.platform import ANYONE, Platform
from regista.core.errors import NotAllowedError, NotFoundError, RequestError
from regista.core.nouns import Json
from regista.store.keys import Key
from regista.surfaces.http.paging import query_of
from regista.surfaces.http.wire import Receive, Scope, Send, encode, respond

BELOW = "/v1/users/"
_one_at_a_time = asyncio.Lock()


async def delete(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`DELETE /v1/users/{name}`: erase a user of the key's tenant, or of `tenant`, and say what was done and found.

    It takes from a second to minutes. Erasures come one after the other.
    """
    if not key.admin:
        who = "Without a key nobody erases users here" if key is ANYONE else f"The key {key.name!r} may not do that"
        raise NotAllowedError(f"{who}. Who runs this server makes one that may: regista keys add NAME --admin")
    user = str(scope["path"]).removeprefix(BELOW)
    if not user:
        raise RequestError("Say whom to erase: DELETE /v1/users/NAME.", param="name")
    tenant = query_of(scope).get("tenant", key.tenant)
    async with _one_at_a_time:
        done = await platform.erase(user, tenant)
    others = ", ".join(f"{name} ({count:,})" for name, count in done.elsewhere.items())
    elsewhere = f" Other tenants have requests of one of that name: {others}." if others else ""
    if not (done.traces or done.removed or done.problems):
        message = f"Nothing is kept of a user {user!r} of the tenant {tenant!r}.{elsewhere}"
        raise NotFoundError(message, code="user_not_found", param="name")
    told: Json = {name: getattr(done, name) for name in done.__struct_fields__ if name != "exact_keys"}
    await respond(send, 200, encode({"object": "user", "deleted": True, "verified": done.verified, **told}))
