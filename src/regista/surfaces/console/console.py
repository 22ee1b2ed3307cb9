"""The console's routes: who may come in, which page an address names, and how what goes wrong is told."""

import asyncio
import time
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

from regista.app.platform import STATE, Platform
from regista.core.errors import AuthenticationError, NotAllowedError, NotFoundError, RegistaError, RequestError
from regista.core.nouns import Json
from regista.core.version import VERSION
from regista.store.keys import Key, listing
from regista.surfaces.console.assets import Assets
from regista.surfaces.console.forms import Form
from regista.surfaces.console.live import Tails
from regista.surfaces.console.pages import ACTIONS, BELOW, NAVIGATION, PAGES, Action, Page
from regista.surfaces.console.rendering import BARE, NOT_KEPT, as_json, page, wants_json
from regista.surfaces.console.sessions import LASTS_S, Sessions
from regista.surfaces.http.gateway import LOCAL_HOSTS
from regista.surfaces.http.paging import query_of
from regista.surfaces.http.wire import Receive, Scope, Send, error_body, headers_of, read_body, respond

HOME = "/console"
LOGIN = "/console/login"
LOGOUT = "/console/logout"
STATIC = "/console/static/"
LIVE = "/console/traces/live"
LARGEST = 1 << 20
"""Bytes of a form."""
FIELDS = 200
"""Fields of a form."""

_T = TypeVar("_T")


class Console:
    """The pages over one platform: an ASGI application for what is below `/console`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._sessions = Sessions(platform.application.folder.path / STATE)
        self._assets = Assets()
        self._tails = Tails(platform)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, receive, send)
        except RegistaError as error:
            await self._tell_wrong(scope, send, error)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = str(scope["method"]), str(scope["path"])
        headers = headers_of(scope)
        _refuse_foreign_pages(headers, local=not self._platform.keyring.required)
        if path.startswith(STATIC):
            await self._assets.answer(send, path.removeprefix(STATIC), BARE)
        elif path == LOGIN:
            await (self._log_in(scope, receive, send) if method == "POST" else self._door(scope, send))
        elif path == LOGOUT and method == "POST":
            await self._leave(send)
        elif method == "GET":
            await self._show(scope, receive, send, path.rstrip("/"), await self._check(headers))
        elif method == "POST" and (found := _below(ACTIONS, path)) is not None:
            await self._do(scope, receive, send, found, await self._check(headers))
        else:
            raise RequestError(f"{path} does not take {method}.", code="method_not_allowed", status=405)

    async def _show(self, scope: Scope, receive: Receive, send: Send, path: str, by: str) -> None:
        # Who has a key is called as it is, whatever the address says.
        query = query_of(scope) | ({"by": by} if by else {})
        if path == LIVE:
            await self._tails.follow(query, headers_of(scope).get(b"last-event-id", b""), receive, send)
            return
        found, rest = _page(path)
        data = await found.show(self._platform, query, rest)
        await self._tell(scope, send, data, found.title, found.template)

    async def _do(self, scope: Scope, receive: Receive, send: Send, found: tuple[Action, str], by: str) -> None:
        """Do what a form asks for, and go on to where that leads, or show what came of it."""
        action, rest = found
        done = await action.act(self._platform, Form(await _form(scope, receive), by), rest)
        if isinstance(done, str) and wants_json(headers_of(scope).get(b"accept", b"")):
            await self._tell(scope, send, {"goes_to": done}, action.title, action.template)
        elif isinstance(done, str):
            await respond(send, 303, b"", [*BARE, *NOT_KEPT, (b"location", done.encode("ascii"))])
        else:
            await self._tell(scope, send, done, action.title, action.template)

    async def _tell(self, scope: Scope, send: Send, data: Json, title: str, template: str) -> None:
        """A view's data, as JSON to who wants that, else as a page."""
        if wants_json(headers_of(scope).get(b"accept", b"")):
            body, headers = await asyncio.to_thread(as_json, data)
        else:
            frame = self._frame(str(scope["path"]).rstrip("/")) | {"title": title}
            body, headers = await asyncio.to_thread(page, template, data, frame)
        await respond(send, 200, body, headers)

    def _frame(self, path: str) -> Json:
        """What every page shows around its own."""
        health = self._platform.health()
        return {
            "application": health["application"],
            "variant": health["variant"],
            "problems": health["problems"],
            "path": path,
            "base": self._assets.base,
            "version": VERSION,
            "navigation": [(group, [(at, PAGES[at].title) for at in paths]) for group, paths in NAVIGATION],
        }

    # Who

    async def _check(self, headers: Mapping[bytes, bytes]) -> str:
        """Let in who has a session, or a key with the right to make others, and return the name of their key.

        Raises:
            AuthenticationError: for others.
        """
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() == "bearer":
            return _admin(await self._platform.keyring.check(token.strip())).name
        name = await asyncio.to_thread(self._session, headers.get(b"cookie", b"").decode("latin-1"))
        if name is None:
            raise AuthenticationError(
                "The console is closed. `regista up` prints the address that opens it; "
                "a key made with `regista keys add NAME --admin` opens it too.",
                code="console_closed",
            )
        return name

    def _session(self, cookies: str) -> str | None:
        """The name of the key of a request's session, empty without a key; None where no session holds."""
        start = f"{self._sessions.cookie}="
        given = [cookie.removeprefix(start) for one in cookies.split(";") if (cookie := one.strip()).startswith(start)]
        session = self._sessions.read(given[0]) if given else None
        if session is None or not session.key:
            return None if session is None else ""
        now = time.time_ns()
        keys = [key for key in listing(self._platform.database) if key.prefix == session.key and key.admin]
        return next((key.name for key in keys if key.state(now) == "active"), None)

    async def _door(self, scope: Scope, send: Send) -> None:
        """`GET /console/login`: come in by a ticket in the address, which does not stay there; without one, a form."""
        query = query_of(scope)
        goes_to = _inside(query.get("next", ""))
        ticket = query.get("ticket", "")
        if ticket and await asyncio.to_thread(self._sessions.admits, ticket):
            await self._admit(scope, send, "", goes_to)
            return
        problem = "This address was of an earlier start: the last `regista up` printed a new one." if ticket else ""
        await self._closed(send, 401 if ticket else 200, problem, goes_to)

    async def _log_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """`POST /console/login`: come in by a ticket, or by a key with the right to make others."""
        form = await _form(scope, receive)
        token, goes_to = form.get("token", "").strip(), _inside(form.get("next", ""))
        if await asyncio.to_thread(self._sessions.admits, token):
            await self._admit(scope, send, "", goes_to)
            return
        try:
            key = _admin(await self._platform.keyring.check(token))
        except RegistaError as error:
            what = error.message if token.startswith("rk-") else "This is neither the last start's token nor a key."
            await self._closed(send, 401, what, goes_to)
            return
        await self._admit(scope, send, key.prefix, goes_to)

    async def _admit(self, scope: Scope, send: Send, key: str, goes_to: str) -> None:
        value = await asyncio.to_thread(self._sessions.open, key)
        await self._set_cookie(send, value, LASTS_S, goes_to, _encrypted(headers_of(scope)))

    async def _leave(self, send: Send) -> None:
        await self._set_cookie(send, "", 0, LOGIN, encrypted=False)

    async def _set_cookie(self, send: Send, value: str, seconds: int, goes_to: str, encrypted: bool) -> None:
        name = await asyncio.to_thread(lambda: self._sessions.cookie)
        cookie = f"{name}={value}; Path={HOME}; HttpOnly; SameSite=Strict; Max-Age={seconds}"
        cookie += "; Secure" if encrypted else ""
        headers = [
            *BARE,
            *NOT_KEPT,
            (b"set-cookie", cookie.encode()),
            (b"location", goes_to.encode("latin-1", "replace")),
        ]
        await respond(send, 303, b"", headers)

    # What went wrong

    async def _tell_wrong(self, scope: Scope, send: Send, error: RegistaError) -> None:
        """An error as a page, or as JSON to who wants that; to who is not in, the way in."""
        if wants_json(headers_of(scope).get(b"accept", b"")):
            body, headers = as_json(error_body(error))
            await respond(send, error.status, body, headers)
            return
        path = str(scope["path"])
        if error.status == 401:
            headers = headers_of(scope)
            asked = scope.get("query_string", b"").decode("latin-1")
            goes_to = f"{path}?{asked}" if asked else path
            if scope["method"] != "GET":
                # What a form would have done is no page: back to the one that it stands on.
                _, slash, rest = headers.get(b"referer", b"").decode("latin-1").partition("://")[2].partition("/")
                goes_to = _inside(slash + rest)
            # A browser keeps the cookie back from a link of another site, and sends it with the page's own reload.
            again = headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site")
            await self._closed(send, 401, "", goes_to, again=again)
            return
        frame = self._frame(path) | {"title": "Not here" if error.status == 404 else "Something is wrong"}
        data: Json = {"message": error.message, "code": error.code, "status": error.status}
        body, headers = await asyncio.to_thread(page, "error.html", data, frame)
        await respond(send, error.status, body, headers)

    async def _closed(self, send: Send, status: int, problem: str, goes_to: str, *, again: bool = False) -> None:
        data: Json = {"problem": problem, "next": goes_to if goes_to != HOME else "", "again": again}
        frame: Json = {"base": self._assets.base, "version": VERSION, "title": "Log in"}
        body, headers = await asyncio.to_thread(page, "login.html", data, frame)
        await respond(send, status, body, headers)


def _page(path: str) -> tuple[Page, str]:
    """The page of a path, and what follows the page's own."""
    found = _below(PAGES, path) or _below(BELOW, path)
    if found is not None:
        return found
    raise NotFoundError(f"The console has no page {path[:200]}. It has: {', '.join(PAGES)}.")


def _below(table: Mapping[str, _T], path: str) -> tuple[_T, str] | None:
    """What a table has at a path, or for all below one, with what follows the table's own or stands for its `*`."""
    if path in table:
        return table[path], ""
    for at, one in table.items():
        before, star, after = at.partition("*")
        rest = path[len(before) : len(path) - len(after)]
        if rest and (star or at[-1] == "/") and path.startswith(before) and path.endswith(after):
            return one, rest
    return None


async def _form(scope: Scope, receive: Receive) -> Mapping[str, str]:
    """The fields of a form, those of one name as the last. Raises `RequestError` where it is too large."""
    body = (await read_body(scope, receive, LARGEST)).decode("latin-1")
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=FIELDS))
    except ValueError:
        raise RequestError(f"A form has at most {FIELDS} fields.") from None


def _admin(key: Key) -> Key:
    if not key.admin:
        raise NotAllowedError(
            f"The key {key.name!r} does not open the console: what everybody asked is seen there. "
            "One that does: regista keys add NAME --admin"
        )
    return key


def _refuse_foreign_pages(headers: Mapping[bytes, bytes], *, local: bool) -> None:
    """No page of another origin may ask, nor one whose name was made to lead here (DNS rebinding)."""
    host = headers.get(b"host", b"").decode("latin-1")
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    origin = headers.get(b"origin", b"").decode("latin-1")
    foreign = bool(origin) and origin.partition("://")[2] != host
    # A link from elsewhere may lead here (without the cookie, which is strict); nothing else from elsewhere may.
    across = headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site")
    if foreign or (local and name not in LOCAL_HOSTS) or (across and headers.get(b"sec-fetch-mode") != b"navigate"):
        raise NotAllowedError("The console answers its own pages only, under the address `regista up` printed.")


def _encrypted(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the browser came over TLS, as who ends it in front of this server says."""
    return headers.get(b"x-forwarded-proto") == b"https"


def _inside(path: str) -> str:
    """Where to go after the login: a page of the console, whatever the address said."""
    inside = (path == HOME or path.startswith((f"{HOME}/", f"{HOME}?"))) and path.isascii() and path.isprintable()
    return path if inside and not path.startswith((LOGIN, LOGOUT)) else HOME
