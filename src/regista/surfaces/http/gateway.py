"""The routes of the gateway and what is common to them: who asks, how large, how errors leave.

A bare ASGI application: on the path of every request, a framework costs more than the work.
"""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from regista.app.platform import ANYONE, Platform
from regista.core.errors import NotAllowedError, NotFoundError, RegistaError, did_you_mean, near
from regista.store.keys import Key
from regista.surfaces.http import chat, embeddings, pages
from regista.surfaces.http.wire import ClientLeft, Receive, Scope, Send, headers_of, respond_error

Route = Callable[[Platform, Key, Scope, Receive, Send], Awaitable[None]]

ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/v1/chat/completions"): chat.complete,
    ("POST", "/v1/embeddings"): embeddings.embed,
    ("GET", "/v1/models"): pages.models,
    ("GET", "/metrics"): pages.metrics,
}
OPEN_ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/healthz"): pages.health,
    ("GET", "/"): pages.welcome,
}
"""Routes that need no key."""
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_log = logging.getLogger(__name__)


class Gateway:
    """The ASGI application over one platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = False

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._answer(scope, receive, watched)
        except ClientLeft:
            return
        except RegistaError as error:
            await respond_error(send, error)
        except Exception as error:
            # The last boundary: the fault is recorded with its traceback here and told without it there.
            _log.exception("A request failed in a way nobody foresaw")
            if started:
                raise
            await respond_error(
                send, RegistaError(f"Something failed inside ({type(error).__name__}); the log has it.")
            )

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = (scope["method"], scope["path"])
        if (handler := ROUTES.get(route)) is not None:
            await handler(self._platform, await self._who(scope), scope, receive, send)
        elif (handler := OPEN_ROUTES.get(route)) is not None:
            await handler(self._platform, ANYONE, scope, receive, send)
        else:
            raise _no_route(*route)

    async def _who(self, scope: Scope) -> Key:
        """The key of the request. Before the first key is made, whoever is on this machine may ask."""
        keyring = self._platform.keyring
        headers = headers_of(scope)
        if not keyring.required:
            _refuse_foreign_pages(headers)
            return ANYONE
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        return await keyring.check(token.strip() if scheme.lower() == "bearer" else "")


def _refuse_foreign_pages(headers: dict[bytes, bytes]) -> None:
    """Without keys, a web page of another origin must not be able to ask (CSRF, DNS rebinding)."""
    host = headers.get(b"host", b"").decode("latin-1")
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    origin = headers.get(b"origin", b"").decode("latin-1")
    if name not in LOCAL_HOSTS or (origin and origin.partition("://")[2] != host):
        raise NotAllowedError(
            "Without keys only this machine may ask, and no web page of another origin. "
            "Make a key: regista keys add NAME"
        )


def _no_route(method: str, path: str) -> RegistaError:
    known = {**ROUTES, **OPEN_ROUTES}
    methods = [m for m, p in known if p == path]
    if methods:
        return RegistaError(f"{path} takes {', '.join(methods)}, not {method}.", code="method_not_allowed", status=405)
    hint = did_you_mean(near(path, {p for _, p in known}))
    return NotFoundError(f"There is no {path} here.{hint}", code="unknown_url")
