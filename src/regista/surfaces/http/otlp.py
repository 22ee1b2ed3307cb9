"""`/v1/otlp`: spans from any OpenTelemetry SDK, by OTLP over HTTP. They are the tenant's whose key they come with.

https://opentelemetry.io/docs/specs/otlp/#otlphttp. What comes is stored a moment later, and shown as traces.
"""

import asyncio
import zlib
from functools import partial

from regista.app.platform import Platform
from regista.core.errors import MissingExtraError, NotFoundError, RegistaError, RequestError, TooLargeError
from regista.observe.otel.bounds import Rest
from regista.observe.otel.decode import decode, form_of, is_loaded, reply
from regista.observe.otel.nouns import Decoded
from regista.store.keys import Key
from regista.surfaces.http.wire import Receive, Scope, Send, encode, headers_of, read_body, respond

PATH = "/v1/otlp"
"""The path below which all is OTLP: the endpoint that an SDK is given."""
MOST = 4 << 20
"""Bytes of a request in protobuf, unpacked. One in JSON says the same in more, and may be as long as any other."""
ENCODINGS = {b"", b"identity", b"gzip", b"deflate"}
_ANY_HEADER = 47
"""For zlib: 15 bits of window, and gzip's header or its own."""
CODES = {400: 3, 401: 16, 403: 7, 404: 5, 405: 12, 413: 3, 415: 3, 422: 3, 429: 8, 503: 14, 504: 4}
"""HTTP status to that of https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto; of others 13."""
_INTERNAL = 13


async def traces(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /v1/otlp/v1/traces`: what can be read is taken, and how many spans could not be is told."""
    headers = headers_of(scope)
    media = headers.get(b"content-type", b"").decode("latin-1")
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    if encoding not in ENCODINGS:
        raise RequestError(
            f"Traces come as they are or with gzip, not with {encoding[:40].decode('latin-1')!r}. "
            "Set OTEL_EXPORTER_OTLP_COMPRESSION=gzip where they are sent from.",
            code="unsupported_encoding",
            status=415,
        )
    if not is_loaded(media):
        await asyncio.to_thread(_load, media)
    limit = MOST if _in_protobuf(scope) else platform.max_body
    body = await read_body(scope, receive, limit)
    packed = encoding not in (b"", b"identity")
    # What is packed takes a thread: how much it is, is not known.
    size = limit if packed else len(body)
    decoded = await platform.intake.take(key.tenant, size, partial(_decoded, body, media, packed, limit))
    await respond(send, 200, reply(decoded, media), [(b"content-type", _media(scope))])


async def nothing_else(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """Metrics and logs, which an SDK sends too unless it is told not to."""
    raise NotFoundError(
        "Traces alone are taken here. Set OTEL_METRICS_EXPORTER=none and OTEL_LOGS_EXPORTER=none where they are sent "
        "from.",
        code="unknown_url",
    )


async def refuse(send: Send, scope: Scope, error: RegistaError) -> None:
    """Answer with an error as OTLP has it: a `google.rpc.Status` in the encoding of the request."""
    code = CODES.get(error.status, _INTERNAL)
    if _in_protobuf(scope):
        message = error.message.encode()
        body = b"\x08%b\x12%b%b" % (_varint(code), _varint(len(message)), message)
    else:
        body = encode({"code": code, "message": error.message})
    headers = [(b"content-type", _media(scope))]
    if error.retry_after:
        headers.append((b"retry-after", error.retry_after.encode("latin-1", "replace")))
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await respond(send, error.status, body, headers)


def _load(media: str) -> None:
    try:
        form_of(media)
    except MissingExtraError as error:
        raise RequestError(
            f"This server reads traces in JSON alone: {error.message} Or set "
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/json where they are sent from.",
            code=error.code,
            status=415,
        ) from None


def _decoded(body: bytes, media: str, packed: bool, limit: int, rest: Rest) -> Decoded:
    return decode(_unpacked(body, limit) if packed else body, media, rest)


def _unpacked(body: bytes, limit: int) -> bytes:
    """What was packed with gzip, or with zlib."""
    packed = zlib.decompressobj(_ANY_HEADER)
    try:
        plain = packed.decompress(body, limit + 1)
    except zlib.error as error:
        raise RequestError(f"The body is not packed as Content-Encoding says: {error}.") from None
    if len(plain) > limit:
        raise TooLargeError(f"The request is larger than {limit >> 20} MB unpacked. Send fewer spans at a time.")
    if not packed.eof or packed.unused_data:
        raise RequestError("The body ends before or after what is packed in it does.")
    return plain


def _in_protobuf(scope: Scope) -> bool:
    return _media(scope) == b"application/x-protobuf"


def _media(scope: Scope) -> bytes:
    """The content type of the answer: that of the request where it is protobuf, else JSON."""
    media = headers_of(scope).get(b"content-type", b"").partition(b";")[0].strip().lower()
    return media if media == b"application/x-protobuf" else b"application/json"


def _varint(number: int) -> bytes:
    """https://protobuf.dev/programming-guides/encoding/#varints."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
