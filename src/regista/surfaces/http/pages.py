"""The small routes: what can be asked for, whether all is well, figures for Prometheus."""

from time import time

from regista.app.platform import Platform
from regista.core.version import VERSION
from regista.store.keys import Key
from regista.surfaces.http.wire import JSON_TYPE, Receive, Scope, Send, encode, respond

METRICS_TYPE = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


async def models(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/models`: applications first, then the models they name."""
    created = int(time())
    rows = [{"id": name, "object": "model", "created": created, "owned_by": owner} for name, owner in platform.models()]
    await respond(send, 200, encode({"object": "list", "data": rows}))


async def health(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /healthz`: 200 while requests are served. What is wrong beside them is told where no keys are needed."""
    health = platform.health()
    shown = {"status": health["status"]} if platform.keyring.required else health
    await respond(send, 200, encode(shown), [JSON_TYPE])


async def metrics(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /metrics`: https://prometheus.io/docs/instrumenting/exposition_formats/."""
    await respond(send, 200, platform.metrics_text(), [METRICS_TYPE])


async def welcome(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /`: what this is, for whoever opens the address in a browser."""
    names = [name for name, owner in platform.models() if owner == "regista"]
    text = f"Regista {VERSION}. Applications: {', '.join(names)}. Ask at POST /v1/chat/completions.\n"
    await respond(send, 200, text.encode(), [(b"content-type", b"text/plain; charset=utf-8")])
