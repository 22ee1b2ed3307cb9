"""Review: the queues there are, and what somebody is asked in one, with how far people agree beside it."""

import asyncio
from collections.abc import Mapping, Sequence

from regista.app.platform import Platform
from regista.app.review_files import read
from regista.app.reviews.desk import Asked, Desk, Side
from regista.app.reviews.opening import desk_of, desks_of, send_to
from regista.core.errors import RequestError
from regista.core.nouns import Json
from regista.feedback.review.health import TIE
from regista.feedback.review.queue import DEFAULT
from regista.store import review
from regista.store.feedback import about
from regista.store.review import LeaseOverError
from regista.store.trace_pages import Listed
from regista.surfaces.console.forms import Form
from regista.surfaces.console.shown import address

HOME = "/console/review"
PAIRED = (
    ("a", "A is better", "ArrowLeft", "←"),
    ("b", "B is better", "ArrowRight", "→"),
    (TIE, "Neither", "ArrowDown", "↓"),
)
"""What is said of two answers: the choice, its words, its key and the key's sign."""


async def show(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """The list's data."""
    desks = await desks_of(platform)
    by = query.get("by", "").strip()
    return {"by": by, "queues": await asyncio.to_thread(lambda: [_row(desk, by) for desk in desks])}


async def show_one(platform: Platform, query: Mapping[str, str], rest: str) -> Json:
    """One queue's data, with what `by` is asked next: it is theirs from now on, for the time of a lease."""
    desk = await desk_of(platform, rest)
    by = query.get("by", "").strip()
    asked = await desk.next(by) if by else None
    side = query.get("edit", "")
    return {
        **await asyncio.to_thread(_row, desk, by),
        "by": by,
        "about": desk.queue.about,
        "asked": asked,
        "why": _why(asked),
        "choices": _choices(desk),
        "scale": desk.queue.choices,
        "edited": _edited(asked, side) if "edit" in query else None,
        "dataset": desk.queue.dataset,
        "lease_s": desk.queue.lease_s,
        "kept": query.get("kept", ""),
        "late": query.get("late", ""),
    }


async def act(platform: Platform, form: Form, rest: str) -> str:
    """What was pressed: a choice, or to leave it out, take back, note or keep as gold. Goes on to the next."""
    desk = await desk_of(platform, rest)
    given = form.values
    by = form.by or given.get("by", "").strip()
    item, does = given.get("item", ""), given.get("do", "vote")
    goes: dict[str, str] = {}
    try:
        if does == "vote":
            voted = await asyncio.to_thread(desk.vote, item, by, given.get("choice", ""))
            platform.hearing.count(voted.kind, "reviewer", new=voted.new)
        elif does == "skip":
            await asyncio.to_thread(desk.skip, item, by)
        elif does == "undo":
            await asyncio.to_thread(desk.undo, by)
        elif does == "note":
            await asyncio.to_thread(desk.comment, item, by, given.get("text", ""))
            platform.hearing.count("comment", "reviewer", new=True)
            goes["kept"] = "note"
        elif does == "gold":
            await asyncio.to_thread(desk.correct, item, by, _lines(given.get("text", "")), _side(given))
            platform.hearing.count("correction", "reviewer", new=True)
            goes["kept"] = desk.queue.dataset
        else:
            raise RequestError(f"{does[:20]!r} is nothing that can be done here.", param="do")
    except LeaseOverError as error:
        goes["late"] = error.message
    return address(f"{HOME}/{rest}", {"by": "" if form.by else by, **goes})


async def take(platform: Platform, form: Form, rest: str) -> str:
    """Have a trace judged before what is drawn; goes back to it."""
    name = form.values.get("queue", "") or DEFAULT
    found = await asyncio.to_thread(about, platform.database, _id(rest))
    if found.application != platform.application.name:
        raise RequestError(f"Answers of {platform.application.name} are reviewed here, and of nothing else.")
    await send_to(platform, name, rest, form.by or "the console")
    return f"/console/traces/{rest}"


def standing(platform: Platform, trace: Listed) -> Json:
    """Which queues a trace may be sent to, and how far people are with it in those it is in. Blocks."""
    ours = trace.application == platform.application.name
    known, _ = read(platform.application.folder.path)
    return {
        "offered": ours,
        "queues": sorted((name for name, one in known.items() if not one.pairwise), key=lambda name: name != DEFAULT),
        "standing": [one for one in review.of_trace(platform.database, trace.id) if one.votes or one.sent_by],
    }


def _row(desk: Desk, by: str) -> Json:
    """A queue with its figures, and how much of it is left for somebody."""
    health = desk.health(by)
    return {
        "name": desk.place.queue,
        "title": desk.queue.title or desk.place.queue,
        "question": desk.queue.question,
        "kind": desk.queue.kind,
        "annotators": desk.queue.annotators,
        "sum": desk.sum(),
        "left": desk.left(by),
        "mine": desk.mine(by),
        "health": health,
        "unit": "grades" if desk.queue.kind == "grades" else "",
    }


def _why(asked: Asked | None) -> list[Json]:
    """The parts of what a vote is thought to tell, each with what it means."""
    if asked is None:
        return []
    says = {
        "disagreement": "opinions of it differ",
        "uncertainty": "nothing sure is known of it",
        "novelty": "its topic is new",
    }
    return [{"name": name, "says": says[name], "value": value} for name, value in asked.worth._asdict().items()]


def _choices(desk: Desk) -> Sequence[Json]:
    """The buttons, with their keys."""
    if desk.queue.pairwise:
        return [{"value": value, "name": name, "key": key, "sign": sign} for value, name, key, sign in PAIRED]
    return [
        {"value": one.name if desk.queue.labels else str(n), "name": one.name or str(n), "key": str(n), "sign": str(n)}
        for n, one in enumerate(desk.queue.choices, 1)
    ]


def _edited(asked: Asked | None, side: str) -> Json | None:
    """The answer that is to be edited: that of a side, or the first."""
    if asked is None:
        return None
    one = next((one for one in asked.answers if one.side == side), asked.answers[0])
    return {"side": one.side, "text": one.text}


def _side(given: Mapping[str, str]) -> Side:
    known: dict[str, Side] = {"a": "a", "b": "b"}
    return known.get(given.get("side", ""), "")


def _lines(text: str) -> str:
    """A text as it was before a browser's form ended its lines otherwise."""
    return text.replace("\r\n", "\n")


def _id(given: str) -> str:
    if len(given) != 32 or set(given) - set("0123456789abcdef"):
        raise RequestError(f"{given[:40]!r} is no trace's id.", param="trace")
    return given
