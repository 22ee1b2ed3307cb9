"""`/v1/feedback`: what somebody thinks of an answer, for a key; and the widget, for a page that has no key but a token.

Feedback on another tenant's trace finds no trace.
"""

import asyncio
import re
import time
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, TypeVar, get_args

from msgspec import Meta, Struct
from msgspec.structs import replace

from regista.app.platform import ANYONE, Platform
from regista.app.schema import Feedback as Settings
from regista.core.errors import NotAllowedError, NotFoundError, RegistaError, RequestError, TooLargeError
from regista.core.nouns import Feedback, FeedbackKind
from regista.feedback.derive import is_shown
from regista.feedback.labels import HIDDEN
from regista.store import conversations, review
from regista.store import feedback as rows
from regista.store.feedback import About, Kept, Source, identity
from regista.store.keys import Key
from regista.surfaces.http.feedback_wire import LONGEST, Given, check, trace_of, value_of, wire
from regista.surfaces.http.paging import limit_of, page, query_of
from regista.surfaces.http.reading import read
from regista.surfaces.http.wire import (
    JSON_TYPE,
    Headers,
    Receive,
    Scope,
    Send,
    decode_object,
    encode,
    headers_of,
    read_body,
    respond,
    respond_error,
)

LARGEST = 1 << 20
"""Bytes of a request: it holds one text, and nothing else that is long."""
USUAL, MOST = 100, 1_000
WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8)
"""A trace is stored a moment after its answer: so it is looked for again after these."""
WIDGET = "feedback_widget.js"
BELOW = "/v1/feedback/"
_HIDDEN: dict[str, tuple[str, ...]] = {"shown": HIDDEN, "all": ()}
_KINDS: tuple[FeedbackKind, ...] = get_args(FeedbackKind)
_SOURCES: tuple[Source, ...] = get_args(Source)
T = TypeVar("T")


class _ByToken(Struct, forbid_unknown_fields=True):
    """What a page may send. Of each kind the last counts, so that nobody fills a store with one token."""

    token: Annotated[str, Meta(max_length=200)]
    trace: Annotated[str, Meta(max_length=64)]
    kind: Literal["thumb", "comment", "correction"]
    value: float | Literal["up", "down"] | None = None
    text: Annotated[str, Meta(max_length=LONGEST)] = ""


async def give(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /v1/feedback`: 201 for what is new, 200 for what takes the place of earlier feedback or is the same."""
    given = read(decode_object(await _body(scope, receive)), Given, "feedback")
    check(given)
    trace = trace_of(given.trace, "trace") if given.trace else trace_of(given.session, "session")
    about = await _patiently(lambda: rows.about(platform.database, trace, tenant=key.tenant))
    if given.other:
        other = trace_of(given.other, "other")
        if other == trace:
            raise RequestError("'trace' and 'other' are the same answer: a preference is between two.", param="other")
        await _patiently(lambda: rows.about(platform.database, other, tenant=key.tenant))
    if given.span is not None and given.span >= about.spans:
        raise RequestError(f"The trace has {about.spans} spans, counted from 0: no {given.span}.", param="span")
    by = given.by or ("" if key is ANYONE else key.name)
    await _store(platform, replace(_kept(given, about, by), key="" if key is ANYONE else key.name), send)


async def give_by_token(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /v1/feedback/widget`: the same from a page, for one answer, with the token that came with it."""
    headers = _allowed(platform, scope)
    try:
        sent = read(decode_object(await _body(scope, receive)), _ByToken, "feedback from a page")
        given = Given(sent.kind, sent.trace, value=sent.value, text=sent.text)
        check(given)
        trace = trace_of(sent.trace, "trace")
        started_ns = platform.hearing.check(trace, sent.token)
        about = await _patiently(lambda: rows.about(platform.database, trace, started_ns=started_ns))
        await _store(platform, _kept(given, about, "", by_token=True), send, headers)
    except RegistaError as error:
        # A page may read why it was refused.
        await respond_error(send, error, headers)


async def preflight(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`OPTIONS /v1/feedback/widget`: that a page of another origin may send, if it may."""
    headers = [
        *_allowed(platform, scope),
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", b"content-type"),
        (b"access-control-max-age", b"600"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def widget(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/feedback/widget.js`: the script, which pages of any origin may load."""
    _configured(platform)
    headers = [
        (b"content-type", b"text/javascript; charset=utf-8"),
        (b"cache-control", b"public, max-age=3600"),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"cross-origin"),
    ]
    await respond(send, 200, await asyncio.to_thread(_script), headers)


async def tell(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/feedback`: of one `trace`, the oldest first; or of the key's tenant, the newest first."""
    query = query_of(scope)
    limit = limit_of(query, USUAL, MOST)
    kind: FeedbackKind | None = _one_of(query, "kind", _KINDS)
    source: Source | None = _one_of(query, "source", _SOURCES)
    hidden = _HIDDEN[_one_of(query, "signals", tuple(_HIDDEN)) or "shown"]
    trace = trace_of(query["trace"], "trace") if "trace" in query else ""

    def newest() -> list[Kept]:
        tenant = key.tenant
        return rows.recent(platform.database, tenant=tenant, kind=kind, source=source, hidden=hidden, limit=limit + 1)

    def of_trace() -> list[Kept]:
        rows.about(platform.database, trace, tenant=key.tenant)
        return [
            one
            for one in rows.of_trace(platform.database, trace, key.tenant)
            if (is_shown(one.feedback) or not hidden)
            and kind in (None, one.feedback.kind)
            and source in (None, one.feedback.source)
        ]

    found = await (_patiently(of_trace) if trace else asyncio.to_thread(newest))
    await respond(send, 200, encode(page([wire(one) for one in found], limit)))


async def withdraw(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`DELETE /v1/feedback/{id}`: take feedback back, by the key it was given with, or one that may make keys.

    For any other key there is none, nor are there signals, which nobody gave.
    """
    given = str(scope["path"]).removeprefix(BELOW).lower()
    known = re.fullmatch("[0-9a-f]{32}", given) is not None
    gone = await asyncio.to_thread(_withdrawn, platform, key, bytes.fromhex(given)) if known else None
    if gone is None:
        raise NotFoundError(f"There is no feedback {given[:40]!r} of yours.", code="feedback_not_found", param="id")
    await respond(send, 200, encode({"id": given, "object": "feedback", "deleted": True}))


def _withdrawn(platform: Platform, key: Key, id: bytes) -> Kept | None:
    """Feedback that is gone now; None where there was none that this key may take back."""
    with platform.database.transaction() as transaction:
        known = rows.known(transaction, id)
        own = "" if key is ANYONE else key.name
        mine = known is not None and (known.tenant, known.key) == (key.tenant, own)
        if known is None or known.feedback.kind == "signal" or not (mine or key.admin):
            return None
        rows.withdraw(transaction, [id])
        if known.feedback.source == "reviewer":
            review.withdrawn(transaction, id)
        return known


async def _body(scope: Scope, receive: Receive) -> bytes:
    try:
        return await read_body(scope, receive, LARGEST)
    except TooLargeError:
        raise TooLargeError(f"Feedback is larger than 1 MB: its text may have {LONGEST:,} characters.") from None


async def _patiently(find: Callable[[], T]) -> T:
    """What is found, or is a moment later."""
    for wait_s in WAITS_S:
        try:
            return await asyncio.to_thread(find)
        except NotFoundError:
            await asyncio.sleep(wait_s)
    return await asyncio.to_thread(find)


def _one_of(query: dict[str, str], name: str, known: tuple[T, ...]) -> T | None:
    """Which of these a parameter asks for, if it is there; raises `RequestError` for none of them."""
    if name not in query:
        return None
    for one in known:
        if one == query[name]:
            return one
    raise RequestError(f"{name!r} is {query[name][:20]!r}. Known: {', '.join(map(str, known))}.", param=name)


def _kept(given: Given, about: About, by: str, *, by_token: bool = False) -> Kept:
    """Feedback as it is stored: in the place of what the same person said of the same thing before."""
    made = Feedback(
        given.kind,
        given.source,
        time.time_ns(),
        trace=trace_of(given.trace, "trace") if given.trace else "",
        span=given.span,
        session=trace_of(given.session, "session") if given.session else "",
        name=given.name.strip(),
        value=value_of(given),
        text=given.text,
        other=trace_of(given.other, "other") if given.other else "",
        side=given.side,
        by=by,
    )
    if given.id:
        return Kept(identity("sent", about.tenant, given.id), made, about.tenant, about.application)
    # Several comments stand beside each other; of all else, and of what a page sends, the last one counts.
    words = made.text if made.kind == "comment" and not by_token else ""
    answers = sorted((made.trace, made.other))
    what = (made.kind, made.source, answers, made.span, made.session, made.name, by, by_token, words)
    return Kept(identity("said", about.tenant, *what), made, about.tenant, about.application)


async def _store(platform: Platform, kept: Kept, send: Send, headers: Headers = ()) -> None:
    stored, new = await asyncio.to_thread(_stored, platform, kept)
    platform.hearing.count(stored.feedback.kind, stored.feedback.source, new=new)
    await respond(send, 201 if new else 200, encode(wire(stored)), [JSON_TYPE, *headers])


def _stored(platform: Platform, kept: Kept) -> tuple[Kept, bool]:
    """Feedback as it is now stored, and whether there was none of its id."""
    made = kept.feedback
    if made.trace and not made.session:
        session = conversations.session_of(platform.database.query, made.trace)
        kept = replace(kept, feedback=replace(made, session=session))
    with platform.database.transaction() as transaction:
        before = rows.known(transaction, kept.id)
        if before is not None and replace(before.feedback, made_ns=made.made_ns) == kept.feedback:
            return before, False
        rows.put(transaction, [kept])
    return kept, before is None


def _configured(platform: Platform) -> Settings:
    settings = platform.hearing.settings
    if settings is None:
        raise NotFoundError(
            "This application takes no feedback from pages: add a [feedback] table to its regista.toml.",
            code="no_widget",
        )
    return settings


def _allowed(platform: Platform, scope: Scope) -> Headers:
    """The headers that let a page read the answer. Raises `NotAllowedError` for a page of an unnamed origin."""
    settings, headers = _configured(platform), headers_of(scope)
    origin = headers.get(b"origin", b"")
    if not origin or origin.partition(b"://")[2] == headers.get(b"host", b""):
        return [(b"vary", b"Origin")]
    if origin.decode("latin-1") not in settings.origins:
        raise NotAllowedError(
            "Pages of this origin may not send feedback here: name it in regista.toml, [feedback] origins.",
            code="origin_not_allowed",
        )
    return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]


@cache
def _script() -> bytes:
    return files("regista.surfaces.http").joinpath(WIDGET).read_bytes()
