"""`/v1/batches`: many requests from one file, as OpenAI's Batch API has it. A batch is its tenant's alone.

https://platform.openai.com/docs/api-reference/batch
"""

import asyncio
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from regista.app.platform import Platform
from regista.core.errors import RegistaError
from regista.core.nouns import Json
from regista.store import batches
from regista.store.batches import SECOND_NS, Batch, Order
from regista.store.keys import Key
from regista.surfaces.http.files import KEPT_S, SHORTEST_S
from regista.surfaces.http.paging import limit_of, page, query_of
from regista.surfaces.http.reading import read as read_shape
from regista.surfaces.http.wire import Receive, Scope, Send, decode_object, encode, read_body, respond

ENDPOINTS = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings")
"""What the lines of a batch may ask."""
BELOW = "/v1/batches/"
SHOWN = 20
MOST_SHOWN = 100
ENDED = {"completed": "completed_at", "failed": "failed_at", "expired": "expired_at", "cancelled": "cancelled_at"}
"""The status a batch ends in to the field with the time."""


class _Kept(Struct):
    anchor: Literal["created_at"]
    seconds: Annotated[int, Meta(ge=SHORTEST_S, le=KEPT_S)]


class _Create(Struct):
    input_file_id: str
    endpoint: Literal["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"]
    completion_window: Literal["24h"]
    metadata: (
        Annotated[dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)]
        | None
    ) = field(default=None)
    output_expires_after: _Kept | None = None


_KNOWN = {"endpoint": ", ".join(ENDPOINTS), "completion_window": "24h"}


async def create(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /v1/batches`: it is checked and run in the background."""
    body = decode_object(await read_body(scope, receive, platform.max_body))
    asked = read_shape(body, _Create, "one for a batch", _KNOWN)
    order = Order(
        platform.application.name,
        key.tenant,
        key.prefix,
        "gateway",
        asked.endpoint,
        asked.input_file_id,
        asked.metadata or {},
        asked.output_expires_after.seconds if asked.output_expires_after is not None else None,
    )
    made = await asyncio.to_thread(batches.create, platform.database, order)
    await respond(send, 200, encode(wire(made)))


async def list_batches(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/batches`."""
    query = query_of(scope)
    limit = limit_of(query, SHOWN, MOST_SHOWN)
    found = await asyncio.to_thread(
        batches.listing, platform.database, key.tenant, after=query.get("after", ""), limit=limit + 1
    )
    await respond(send, 200, encode(page([wire(batch) for batch in found], limit)))


async def read(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/batches/{id}`."""
    name = str(scope["path"]).removeprefix(BELOW)
    batch = await asyncio.to_thread(batches.find, platform.database, key.tenant, name)
    await respond(send, 200, encode(wire(batch)))


async def act(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /v1/batches/{id}/cancel`."""
    name, _, what = str(scope["path"]).removeprefix(BELOW).partition("/")
    if what != "cancel":
        raise RegistaError(f"A batch has no {what!r}: it has a /cancel.", status=404, code="unknown_url")
    batch = await asyncio.to_thread(batches.cancel, platform.database, key.tenant, name)
    await respond(send, 200, encode(wire(batch)))


def wire(batch: Batch) -> Json:
    """A batch as OpenAI writes it. Its files are named once they are whole."""
    ended = batch.ended_ns is not None
    moments = {
        "in_progress_at": batch.started_ns,
        "expires_at": batch.expires_ns,
        "finalizing_at": batch.finalizing_ns,
        "cancelling_at": batch.cancelling_ns,
        **{field: batch.ended_ns if status == batch.status else None for status, field in ENDED.items()},
    }
    used = batch.usage
    errors = [{"code": e.code, "message": e.message, "line": e.line, "param": e.param} for e in batch.errors]
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "model": batch.model or None,
        "errors": {"object": "list", "data": errors} if errors else None,
        "input_file_id": batch.input_file,
        "completion_window": "24h",
        "status": batch.status,
        "output_file_id": (batch.output_file or None) if ended else None,
        "error_file_id": (batch.error_file or None) if ended else None,
        "created_at": batch.created_ns // SECOND_NS,
        **{name: None if ns is None else ns // SECOND_NS for name, ns in moments.items()},
        "request_counts": {"total": batch.total, "completed": batch.completed, "failed": batch.failed},
        "usage": {
            "input_tokens": used.input_tokens,
            "input_tokens_details": {"cached_tokens": used.cached_tokens},
            "output_tokens": used.output_tokens,
            "output_tokens_details": {"reasoning_tokens": used.reasoning_tokens},
            "total_tokens": used.input_tokens + used.output_tokens,
        },
        "metadata": batch.metadata or None,
    }
