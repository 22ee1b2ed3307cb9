"""HTTP in and out: bodies read within a limit, JSON and errors written in the shape of who is asked. Knows no route."""

import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, cast

import msgspec

from regista.core.errors import RegistaError, RequestError, TooLargeError
from regista.core.nouns import Json

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

JSON_TYPE = (b"content-type", b"application/json")
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}
"""HTTP status to the `type` OpenAI gives it. Of others, those below 500 are the first, and the rest an `api_error`."""
ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
"""The same for Anthropic's API."""
FINAL = frozenset({"provider_key_refused", "configuration_error", "unknown_name", "missing_package"})
"""Codes of errors that stay until a person has done something, though their status looks as if they might pass."""
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")

encode = msgspec.json.Encoder().encode


class ClientLeft(Exception):
    """The client closed the connection before its request was read."""


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The request's body, at most `limit` bytes of it; refused by its declared length before a byte is read."""
    declared = headers_of(scope).get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if message["type"] == "http.disconnect":
            raise ClientLeft
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise _too_large(limit)
    return b"".join(parts)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"The request is larger than {limit >> 20} MB. Send less, or raise REGISTA_MAX_BODY_MB.")


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The request's headers by their lower-case names; of one that comes twice, the last. Made once a request."""
    headers: dict[bytes, bytes] | None = scope.get("regista.headers")
    if headers is None:
        headers = scope["regista.headers"] = dict(scope["headers"])
    return headers


def decode_object(body: bytes) -> Json:
    """A JSON object; of a key that comes twice the last holds, here and further on.

    Raises `RequestError` saying where it stops being one, or that it is nested too deeply to be read.
    """
    try:
        value = msgspec.json.decode(body)
    except RecursionError:
        raise nested_too_deeply() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        half = " A \\u escape in it may be half of a surrogate pair." if _HALF_PAIR.search(body) else ""
        raise RequestError(f"The body is not JSON: {error}.{half}", code="invalid_json") from None
    if not isinstance(value, dict):
        raise RequestError(
            'The body is JSON but not an object. Send {"model": …, "messages": […]}.', code="invalid_json"
        )
    return cast("Json", value)


def nested_too_deeply() -> RequestError:
    """For JSON with so many levels that it could not be read, or not be written again for who answers."""
    return RequestError("The body is nested too deeply. Send it flatter.", code="nested_too_deeply")


async def respond(send: Send, status: int, body: bytes, headers: Headers = (JSON_TYPE,)) -> None:
    """Send a whole answer."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def error_body(error: RegistaError) -> Json:
    """An error in OpenAI's shape: https://platform.openai.com/docs/guides/error-codes."""
    kind = TYPES.get(error.status) or (TYPES[400] if error.status < 500 else "api_error")
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}}


def anthropic_error_body(error: RegistaError) -> Json:
    """An error in Anthropic's shape, with Regista's code beside it: https://platform.claude.com/docs/en/api/errors."""
    kind = ANTHROPIC_TYPES.get(error.status) or (ANTHROPIC_TYPES[400] if error.status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": error.message, "code": error.code}}


ErrorShape = Callable[[RegistaError], Json]


async def respond_error(send: Send, error: RegistaError, headers: Headers = (), shape: ErrorShape = error_body) -> None:
    """Send an error; what the upstream said about when to come back is passed on.

    OpenAI's and Anthropic's clients ask again after every 409 and 5xx unless `x-should-retry` says not to.
    """
    extra = list(headers)
    if error.status == 409 or error.code in FINAL:
        extra.append((b"x-should-retry", b"false"))
    if error.retry_after and error.retry_after.isprintable():
        extra.append((b"retry-after", error.retry_after.encode("latin-1", "replace")))
    if error.status == 401:
        extra.append((b"www-authenticate", b"Bearer"))
    await respond(send, error.status, encode(shape(error)), [JSON_TYPE, *extra])
