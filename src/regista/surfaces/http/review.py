"""`/v1/review`: what people are asked to judge, for programs that ask them.

For a key with the right to make others: questions and answers of everybody are told here.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from regista.app.platform import ANYONE, Platform
from regista.app.reviews.desk import LONGEST, LONGEST_NAME, Asked, Desk
from regista.app.reviews.opening import desk_of, desks_of
from regista.core.errors import NotAllowedError, NotFoundError, RequestError
from regista.core.nouns import Json
from regista.store.keys import Key
from regista.surfaces.http.reading import read
from regista.surfaces.http.wire import Receive, Scope, Send, decode_object, encode, read_body, respond

BELOW = "/v1/review/"
LARGEST = 1 << 20
"""Bytes of a request: it holds one text at most."""
_Name = Annotated[str, Meta(max_length=LONGEST_NAME)]
_Text = Annotated[str, Meta(max_length=LONGEST)]


class _Who(Struct, forbid_unknown_fields=True):
    by: _Name = ""


class _Said(Struct, forbid_unknown_fields=True):
    """One of `choice`, `skip` and `correction`, or a `comment`, which may stand beside a choice."""

    by: _Name = ""
    choice: int | str = ""
    skip: bool = False
    comment: _Text = ""
    correction: _Text = ""
    side: Literal["", "a", "b"] = ""


async def list_queues(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /v1/review`: the queues, how much is left in each and what the votes are worth."""
    _check(key)
    desks = await desks_of(platform)
    rows = await asyncio.to_thread(lambda: [told(desk) for desk in desks])
    await respond(send, 200, encode({"object": "list", "data": rows, "has_more": False}))


async def act(platform: Platform, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
    """`POST /v1/review/{queue}/next`, `…/undo`, and `…/{item}` with what is said of it."""
    _check(key)
    name, _, what = str(scope["path"]).removeprefix(BELOW).partition("/")
    if not what or "/" in what:
        raise NotFoundError(f"A queue has /next, /undo and /ITEM, not {what[:40]!r}.", code="unknown_url")
    desk = await desk_of(platform, name)
    body = decode_object((await read_body(scope, receive, LARGEST)) or b"{}")
    if what in ("next", "undo"):
        by = _who(key, read(body, _Who, f"one for /{what}").by)
        if what == "undo":
            await asyncio.to_thread(desk.undo, by)
        await respond(send, 200, encode(_asked(desk, await desk.next(by))))
        return
    said = read(body, _Said, "one for an item")
    by = _who(key, said.by)
    await respond(send, 200, encode(await _take(platform, desk, what, by, said)))


def told(desk: Desk, by: str = "") -> Json:
    """A queue with its figures."""
    amount, health = desk.sum(), desk.health(by)
    figures: Json = msgspec.to_builtins(health)
    return {
        "object": "review.queue",
        "name": desk.place.queue,
        "title": desk.queue.title,
        "question": desk.queue.question,
        "kind": desk.queue.kind,
        "annotators": desk.queue.annotators,
        "items": amount.items,
        "open": amount.open,
        "votes": amount.votes,
        "people": amount.annotators,
        **{name: figures[name] for name in ("median_s", "agreement", "kappa", "repeats", "side_a", "why")},
    }


async def _take(platform: Platform, desk: Desk, item: str, by: str, said: _Said) -> Json:
    """Do what is said of an item; what came of it."""
    ends = [bool(said.choice != ""), said.skip, bool(said.correction)]
    if sum(ends) > 1 or not (any(ends) or said.comment):
        raise RequestError("Send one of 'choice', 'skip' and 'correction', or a 'comment'.", param="choice")
    done: Json = {"object": "review.vote", "item": item, "by": by}
    if said.comment:
        await asyncio.to_thread(desk.comment, item, by, said.comment)
        platform.hearing.count("comment", "reviewer", new=True)
    if said.skip:
        await asyncio.to_thread(desk.skip, item, by)
        done["skipped"] = True
    elif said.correction:
        await asyncio.to_thread(desk.correct, item, by, said.correction, said.side)
        platform.hearing.count("correction", "reviewer", new=True)
        done["dataset"] = desk.queue.dataset
    elif said.choice != "":
        voted = await asyncio.to_thread(desk.vote, item, by, str(said.choice))
        platform.hearing.count(voted.kind, "reviewer", new=voted.new)
        done |= {"kind": voted.kind, "choice": said.choice, "new": voted.new}
    return done


def _asked(desk: Desk, asked: Asked | None) -> Json:
    queue = desk.queue
    scale: Sequence[Json] = [
        {"choice": one.name if queue.labels else n, "name": one.name, "anchor": one.anchor, "example": one.example}
        for n, one in enumerate(queue.choices, 1)
    ]
    item: Json | None = None
    if asked is not None:
        parts = {**asked.worth._asdict(), "value": asked.worth.value}
        item = {
            "id": asked.id,
            "question": asked.question,
            "answers": [{"side": one.side, "text": one.text, "error": one.error} for one in asked.answers],
            "why": asked.why,
            "worth": parts,
            "until": asked.until_ns // 10**9,
        }
    return {
        "object": "review.item",
        "queue": desk.place.queue,
        "kind": queue.kind,
        "question": queue.question,
        "about": queue.about,
        "scale": scale,
        "item": item,
    }


def _who(key: Key, by: str) -> str:
    """Who judges: the name that was sent, or the key's."""
    return by.strip() or ("" if key is ANYONE else key.name)


def _check(key: Key) -> None:
    if key is not ANYONE and not key.admin:
        raise NotAllowedError(
            f"The key {key.name!r} may not review: what everybody asked is seen there. "
            "One that may: regista keys add NAME --admin"
        )
