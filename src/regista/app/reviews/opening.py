"""The review queues of a running platform."""

import asyncio
from collections.abc import Sequence
from typing import Any

from regista.app.platform import Platform
from regista.app.review_files import queue, queues
from regista.app.reviews.desk import Desk
from regista.app.reviews.drawing import Embed, send
from regista.core.errors import NotFoundError, RequestError, UnknownNameError
from regista.feedback.review.queue import Queue
from regista.store.review import Place


async def desk_of(platform: Platform, name: str) -> Desk:
    """One queue. Raises `NotFoundError` where there is none of that name, `FolderError` where a file is broken."""
    try:
        found = await asyncio.to_thread(queue, platform.application.folder.path, name)
    except UnknownNameError as error:
        raise NotFoundError(error.message, code="queue_not_found") from None
    return _desk(platform, name, found)


async def desks_of(platform: Platform) -> list[Desk]:
    """All of them. Raises as `desk_of`."""
    found = await asyncio.to_thread(queues, platform.application.folder.path)
    return [_desk(platform, name, one) for name, one in found.items()]


async def send_to(platform: Platform, name: str, trace: str, by: str) -> None:
    """Have a trace judged first. Raises as `desk_of`, and `RequestError` where the queue compares two answers."""
    desk = await desk_of(platform, name)
    if desk.queue.pairwise:
        raise RequestError(f"The queue {name} compares two answers: send a trace to one that judges one.")
    await send(platform.database, desk.place, trace, by, desk.embed)


def _desk(platform: Platform, name: str, queue: Queue) -> Desk:
    place = Place(platform.application.name, name)
    return Desk(platform.database, platform.application.folder.path, place, queue, _embed(platform))


def _embed(platform: Platform) -> Embed | None:
    """The embedder that the application retrieves with, if it has one."""
    if not platform.embedding:
        return None

    async def embed(texts: Sequence[str]) -> Any:
        return (await platform.embed("default", texts))[1]

    return embed
