"""A view's data as a page or as JSON, with the headers that keep what it shows from running. Knows no view."""

import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from regista.core.nouns import Json
from regista.surfaces.console.shown import FILTERS
from regista.surfaces.http.wire import JSON_TYPE, Headers, encode

HTML_TYPE = (b"content-type", b"text/html; charset=utf-8")
SAFE: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # without any, a browser says of its own forms that they come from nowhere
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
"""What every answer of the console says."""
NOT_KEPT: Headers = ((b"cache-control", b"no-store"), (b"vary", b"accept, cookie"))
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types htmx"
)
"""https://www.w3.org/TR/CSP3/: only scripts of this very answer run, and they load nothing from elsewhere."""
BARE: Headers = ((b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"), *SAFE)
"""The headers of an answer that is no page."""


@lru_cache(1)
def templates() -> Environment:
    """The templates. What they are given is escaped, and a name that is not there is an error."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    told: Any = environment
    told.filters.update(FILTERS)
    told.globals.update(FILTERS)
    return environment


def page(template: str, data: Json, frame: Json) -> tuple[bytes, Headers]:
    """A page of a template over a view's data. `frame` is what all pages show around it."""
    nonce = secrets.token_urlsafe(18)
    body = templates().get_template(template).render(**data, frame=frame | {"nonce": nonce}).encode("utf-8", "replace")
    policy = POLICY.format(nonce=nonce).encode()
    return body, [HTML_TYPE, (b"content-security-policy", policy), *SAFE, *NOT_KEPT]


def as_json(data: Json) -> tuple[bytes, Headers]:
    """The same data for machines."""
    return encode(data), [JSON_TYPE, *BARE, *NOT_KEPT]


def wants_json(accept: bytes) -> bool:
    """Whether an `Accept` header asks for JSON rather than for a page.

    >>> wants_json(b"application/json"), wants_json(b"text/html,application/json;q=0.9"), wants_json(b"*/*")
    (True, False, False)
    """
    kinds = [kind.partition(b";")[0].strip().lower() for kind in accept.split(b",")]
    return b"application/json" in kinds and b"text/html" not in kinds


def fragment(template: str, name: str, **data: Any) -> str:
    """What a template's macro makes of some data: a row of a list, by itself."""
    return str(getattr(templates().get_template(template).module, name)(**data))


def event(data: str, id: int) -> bytes:
    """A server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    told = "".join(f"data: {one}\n" for one in data.splitlines() if one.strip())
    return f"id: {id}\n{told}\n".encode("utf-8", "replace")
