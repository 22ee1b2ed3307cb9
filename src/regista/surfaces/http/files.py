"""`/v1/files`: what batches read and write, as OpenAI's Files API has it. A file is its tenant's alone.

https://platform.openai.com/docs/api-reference/files
"""

import asyncio
from collections.abc import Iterator

from regista.app.platform import Platform
from regista.core.errors import RegistaError, RequestError
from regista.core.nouns import Json
from regista.store import batches, files
from regista.store.batches import SECOND_NS
from regista.store.files import File
from regista.store.keys import Key
from regista.surfaces.http.answering import Presence
from regista.surfaces.http.paging import limit_of, oldest_first, page, query_of, whole_number
from regista.surfaces.http.uploads import read_form
from regista.surfaces.http.wire import Receive, Scope, Send, encode, respond

PURPOSE = "batch"
KEPT_S = 30 * 86_400
"""How long a file stays where nobody says: OpenAI's thirty days for the input of batches."""
SHORTEST_S = 3600
KEPT = "expires_after[seconds]"
"""The field of a form that says for how many seconds the file is kept."""
PAGE = 10_000
BELOW = "/v1/files/"


async def upload(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /v1/files`: take a file in; nobody sees it before it is whole."""
    database = platform.database
    file = await asyncio.to_thread(files.begin, database, key.tenant, "", PURPOSE)
    count = 0

    async def write(block: bytes) -> None:
        nonlocal count
        await asyncio.to_thread(files.append, database, file, count, block)
        count += 1

    try:
        form = await read_form(scope, receive, platform.max_file, files.PART, write)
        if form.file_name is None:
            raise RequestError("The form holds no field 'file'.", param="file")
        purpose = form.fields.get("purpose", "")
        if purpose != PURPOSE:
            raise RequestError(f"'purpose' is {purpose!r}: files are taken for {PURPOSE!r} alone.", param="purpose")
        kept_s = whole_number(form.fields.get(KEPT, str(KEPT_S)), KEPT, SHORTEST_S, KEPT_S)
        whole = await asyncio.to_thread(files.finish, database, file, purpose, form.file_name, kept_s * SECOND_NS)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(files.remove, database, file))
        raise
    await respond(send, 200, encode(wire(whole)))


async def list_files(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/files`."""
    query = query_of(scope)
    limit = limit_of(query, PAGE, PAGE)
    oldest = oldest_first(query)

    def listed() -> bytes:
        purpose, after = query.get("purpose", ""), query.get("after", "")
        found = files.listing(
            platform.database, key.tenant, purpose=purpose, after=after, limit=limit + 1, oldest=oldest
        )
        return encode(page([wire(file) for file in found], limit))

    await respond(send, 200, await asyncio.to_thread(listed))


async def read(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/files/{id}` and `GET /v1/files/{id}/content`."""
    name, _, what = str(scope["path"]).removeprefix(BELOW).partition("/")
    file = await asyncio.to_thread(files.find, platform.database, key.tenant, name)
    if what == "content":
        with Presence(receive, platform.loop):
            await _send_content(platform, file, send)
    elif not what:
        await respond(send, 200, encode(wire(file)))
    else:
        raise RegistaError(f"A file has no {what!r}: it has a /content.", status=404, code="unknown_url")


async def delete(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`DELETE /v1/files/{id}`: refused while a batch reads it."""
    name = str(scope["path"]).removeprefix(BELOW)
    file = await asyncio.to_thread(files.find, platform.database, key.tenant, name)
    reader = await asyncio.to_thread(batches.read_by, platform.database, file.id)
    if reader:
        raise RequestError(
            f"The batch {reader} still reads {file.id}: cancel it first.", code="file_in_use", status=409
        )
    await asyncio.to_thread(files.remove, platform.database, file.id)
    await respond(send, 200, encode({"id": file.id, "object": "file", "deleted": True}))


async def _send_content(platform: Platform, file: File, send: Send) -> None:
    headers = [
        (b"content-type", b"application/octet-stream"),
        (b"content-length", b"%d" % file.bytes),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    blocks = files.blocks(platform.database, file.id)
    while (block := await asyncio.to_thread(_next, blocks)) is not None:
        await send({"type": "http.response.body", "body": block, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _next(blocks: Iterator[bytes]) -> bytes | None:
    return next(blocks, None)


def wire(file: File) -> Json:
    """A file as OpenAI writes it."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": file.created_ns // SECOND_NS,
        "expires_at": None if file.expires_ns is None else file.expires_ns // SECOND_NS,
        "filename": file.name,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }
