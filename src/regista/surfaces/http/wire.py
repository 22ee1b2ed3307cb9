"""HTTP in and out: bodies read within a limit, JSON and errors written in OpenAI's shape. Knows no route."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, cast

import msgspec

from regista.core.errors import ProviderError, RegistaError, RequestError, TooLargeError
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
"""HTTP status to the `type` OpenAI gives it; anything else is an `api_error`."""

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
    """The request's headers by their lower-case names."""
    return dict(scope["headers"])


def decode_object(body: bytes) -> Json:
    """A JSON object; raises `RequestError` saying where it stops being one."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"The body is not JSON: {error}.", code="invalid_json") from None
    if not isinstance(value, dict):
        raise RequestError(
            'The body is JSON but not an object. Send {"model": …, "messages": […]}.', code="invalid_json"
        )
    return cast("Json", value)


async def respond(send: Send, status: int, body: bytes, headers: Headers = (JSON_TYPE,)) -> None:
    """Send a whole answer."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def error_body(error: RegistaError) -> Json:
    """An error in OpenAI's shape: https://platform.openai.com/docs/guides/error-codes."""
    kind = TYPES.get(error.status, "api_error")
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}}


async def respond_error(send: Send, error: RegistaError, headers: Headers = ()) -> None:
    """Send an error; what the upstream said about when to come back is passed on."""
    extra = list(headers)
    if isinstance(error, ProviderError) and error.retry_after:
        extra.append((b"retry-after", error.retry_after.encode("latin-1", "replace")))
    if error.status == 401:
        extra.append((b"www-authenticate", b"Bearer"))
    await respond(send, error.status, encode(error_body(error)), [JSON_TYPE, *extra])
