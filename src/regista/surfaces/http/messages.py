"""`POST /v1/messages` and `/v1/messages/count_tokens`: Anthropic's API over whatever model is asked for."""

from regista.app.platform import Platform
from regista.store.keys import Key
from regista.surfaces.http.answering import Surface
from regista.surfaces.http.messages_request import counted_of, request_of
from regista.surfaces.http.messages_wire import Events, whole
from regista.surfaces.http.wire import (
    JSON_TYPE,
    Receive,
    Scope,
    Send,
    anthropic_error_body,
    decode_object,
    encode,
    read_body,
    respond,
)

create = Surface(read=request_of, whole=whole, events=Events, error=anthropic_error_body, id_header=b"request-id")
"""Answers a request of the Messages API."""


async def count(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """Count the tokens of a request: as its provider does where that can, else about. A header says which it was."""
    request = counted_of(decode_object(await read_body(scope, receive, platform.max_body)))
    found, exact = await platform.count_tokens(request, key)
    said = (b"x-regista-count", b"exact" if exact else b"estimate")
    await respond(send, 200, encode({"input_tokens": found}), [JSON_TYPE, said])
