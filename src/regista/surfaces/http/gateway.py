"""The routes of the gateway and what is common to them: who asks, how large, how errors leave.

A bare ASGI application: on the path of every request, a framework costs more than the work.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from regista.app.platform import ANYONE, Platform
from regista.core.errors import NotAllowedError, NotFoundError, RegistaError, did_you_mean, near
from regista.store.keys import Key
from regista.surfaces.http import (
    batches,
    chat,
    completions,
    embeddings,
    feedback,
    files,
    keys,
    messages,
    otlp,
    pages,
    responses,
    review,
    users,
)
from regista.surfaces.http.wire import (
    ClientLeft,
    ErrorShape,
    Receive,
    Scope,
    Send,
    anthropic_error_body,
    error_body,
    headers_of,
    nested_too_deeply,
    respond_error,
)

Route = Callable[[Platform, Key, Scope, Receive, Send], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Open = Callable[[Platform], App]
"""Makes what answers below a path and asks by itself who is there; called in a thread, at the first request for it."""
NOTHING: Mapping[str, Open] = MappingProxyType({})

ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/v1/chat/completions"): chat.complete,
    ("POST", "/v1/completions"): completions.complete,
    ("POST", "/v1/embeddings"): embeddings.embed,
    ("POST", "/v1/messages"): messages.create,
    ("POST", "/v1/messages/count_tokens"): messages.count,
    ("POST", "/v1/responses"): responses.respond,
    ("POST", "/v1/otlp/v1/traces"): otlp.traces,
    ("POST", "/v1/otlp/v1/metrics"): otlp.nothing_else,
    ("POST", "/v1/otlp/v1/logs"): otlp.nothing_else,
    ("POST", "/v1/files"): files.upload,
    ("GET", "/v1/files"): files.list_files,
    ("POST", "/v1/batches"): batches.create,
    ("GET", "/v1/batches"): batches.list_batches,
    ("GET", "/v1/models"): pages.models,
    ("GET", "/v1/feedback"): feedback.tell,
    ("POST", "/v1/feedback"): feedback.give,
    ("GET", "/v1/review"): review.list_queues,
    ("GET", "/v1/keys"): keys.list_keys,
    ("POST", "/v1/keys"): keys.create,
    ("GET", "/metrics"): pages.metrics,
}
OPEN_ROUTES: dict[tuple[str, str], Route] = {
    ("OPTIONS", "/v1/feedback/widget"): feedback.preflight,
    ("POST", "/v1/feedback/widget"): feedback.give_by_token,
    ("GET", "/v1/feedback/widget.js"): feedback.widget,
    ("GET", "/healthz"): pages.health,
    ("GET", "/"): pages.welcome,
}
"""Routes that need no key."""
BELOW: dict[tuple[str, str], Route] = {
    ("GET", "/v1/models/"): pages.model,
    ("DELETE", "/v1/keys/"): keys.delete,
    ("DELETE", "/v1/users/"): users.delete,
    ("DELETE", "/v1/feedback/"): feedback.withdraw,
    ("GET", "/v1/files/"): files.read,
    ("DELETE", "/v1/files/"): files.delete,
    ("GET", "/v1/batches/"): batches.read,
    ("POST", "/v1/batches/"): batches.act,
    ("POST", "/v1/review/"): review.act,
}
"""Routes of everything below a path, which ends in a slash."""
ANTHROPIC = "/v1/messages"
"""The path whose errors, and those of all below it, have Anthropic's shape."""
KEY = "regista.key"
"""Where the scope of a request from inside of this process has its key: no client writes there."""
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_log = logging.getLogger(__name__)


class Gateway:
    """The ASGI application over one platform, with what is `mounted` on it by the paths it begins at."""

    def __init__(self, platform: Platform, mounted: Mapping[str, Open] = NOTHING) -> None:
        self._platform = platform
        self._mounted = mounted
        self._apps: dict[str, App] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            await self._answer(scope, receive, send)
        except ClientLeft:
            return
        except RegistaError as error:
            await _refuse(send, scope, error)
        except Exception as error:  # noqa: BLE001 - the last boundary: recorded with its traceback, told without it
            try:
                await _refuse(send, scope, _told(error))
            except RuntimeError:
                # An answer had begun: that it breaks off is all that can still be told.
                raise error from None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = (scope["method"], scope["path"])
        if (handler := ROUTES.get(route)) is not None:
            await handler(self._platform, await self._who(scope), scope, receive, send)
        elif (handler := OPEN_ROUTES.get(route)) is not None:
            await handler(self._platform, ANYONE, scope, receive, send)
        elif (handler := _below(*route)) is not None:
            await handler(self._platform, await self._who(scope), scope, receive, send)
        elif (start := self._mount(route[1])) is not None:
            await (await self._app(start))(scope, receive, send)
        else:
            raise _no_route(*route)

    def _mount(self, path: str) -> str | None:
        return next((start for start in self._mounted if path == start or path.startswith(f"{start}/")), None)

    async def _app(self, start: str) -> App:
        app = self._apps.get(start)
        if app is None:
            made = await asyncio.to_thread(self._mounted[start], self._platform)
            app = self._apps.setdefault(start, made)
        return app

    async def _who(self, scope: Scope) -> Key:
        """The key of the request. Before the first key is made, whoever is on this machine may ask."""
        if (known := scope.get(KEY)) is not None:
            return known
        keyring = self._platform.keyring
        headers = headers_of(scope)
        if not keyring.required:
            _refuse_foreign_pages(headers)
            return ANYONE
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            token = headers.get(b"x-api-key", b"").decode("latin-1")
        return await keyring.check(token.strip())


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


def _told(error: Exception) -> RegistaError:
    """What a client is told of a fault nobody foresaw."""
    if isinstance(error, RecursionError):
        # What could just be read may be too deep to be written again, with more of the stack in use.
        return nested_too_deeply()
    _log.error("A request failed in a way nobody foresaw", exc_info=error)
    return RegistaError(f"Something failed inside ({type(error).__name__}); the log has it.")


async def _refuse(send: Send, scope: Scope, error: RegistaError) -> None:
    if scope["path"].startswith(otlp.PATH):
        await otlp.refuse(send, scope, error)
    else:
        await respond_error(send, error, shape=_shape(scope))


def _shape(scope: Scope) -> ErrorShape:
    path: str = scope["path"]
    return anthropic_error_body if path == ANTHROPIC or path.startswith(f"{ANTHROPIC}/") else error_body


def _below(method: str, path: str) -> Route | None:
    return next((route for (m, above), route in BELOW.items() if m == method and path.startswith(above)), None)


def _no_route(method: str, path: str) -> RegistaError:
    known = [*ROUTES, *OPEN_ROUTES]
    methods = [m for m, p in known if p == path] + [m for m, above in BELOW if path.startswith(above)]
    if methods:
        return RegistaError(f"{path} takes {', '.join(methods)}, not {method}.", code="method_not_allowed", status=405)
    hint = did_you_mean(near(path, {p for _, p in known}))
    return NotFoundError(f"There is no {path} here.{hint}", code="unknown_url")
