"""The small routes: what can be asked for, whether all is well, figures for Prometheus."""

from datetime import UTC, datetime
from time import time

from regista.app.platform import Platform
from regista.core.errors import NotFoundError, UnknownNameError
from regista.core.nouns import Json
from regista.core.version import VERSION
from regista.store.keys import Key
from regista.surfaces.http.wire import JSON_TYPE, Receive, Scope, Send, encode, respond

METRICS_TYPE = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


STARTED = int(time())
"""What models are said to be of: they are known since this process is."""


async def models(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/models`: what the key may ask for: applications, then the models they name.

    In words OpenAI's and Anthropic's SDKs know.
    """
    rows = [_model(name, owner) for name, owner in platform.models() if key.may_ask(name)]
    ends = {"first_id": rows[0]["id"] if rows else None, "last_id": rows[-1]["id"] if rows else None}
    await respond(send, 200, encode({"object": "list", "data": rows, **ends, "has_more": False}))


async def model(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/models/{id}`: one of the same; the id is the rest of the path."""
    name: str = scope["path"].removeprefix("/v1/models/")
    owners = dict(platform.models())
    key.check_model(name, owners)
    if name not in owners:
        raise NotFoundError(
            UnknownNameError("application or model", name, owners).message, code="model_not_found", param="model"
        )
    await respond(send, 200, encode(_model(name, owners[name])))


def _model(name: str, owner: str) -> Json:
    openai: Json = {"id": name, "object": "model", "created": STARTED, "owned_by": owner}
    return openai | {"type": "model", "display_name": name, "created_at": datetime.fromtimestamp(STARTED, UTC)}


async def health(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /healthz`: 200 while requests are served, 503 once it ends: who asks next should ask elsewhere.

    What is wrong beside them is told where no keys are needed.
    """
    health = platform.health()
    shown = {"status": health["status"]} if platform.keyring.required else health
    await respond(send, 503 if platform.draining else 200, encode(shown), [JSON_TYPE])


async def metrics(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /metrics`: https://prometheus.io/docs/instrumenting/exposition_formats/."""
    await respond(send, 200, await platform.metrics_text(), [METRICS_TYPE])


async def welcome(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /`: what this is, for whoever opens the address in a browser."""
    names = [name for name, owner in platform.models() if owner == "regista"]
    text = f"Regista {VERSION}. Applications: {', '.join(names)}. Ask at POST /v1/chat/completions.\n"
    await respond(send, 200, text.encode(), [(b"content-type", b"text/plain; charset=utf-8")])
