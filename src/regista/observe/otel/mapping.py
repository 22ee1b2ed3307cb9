"""Reads a span by the tables of `conventions`: one way for all, as they are mixed within one trace and one span.

Knows the tables' shapes, and no convention.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple, cast

from regista.core.nouns import Hit, Json, Message, Usage
from regista.observe.otel import conventions as tables
from regista.observe.otel.bounds import ELEMENTS, INT64, NAME, SHOWN, TEXT, plain
from regista.observe.otel.messages import documents_of, instructions, messages_of, parsed, shown
from regista.observe.otel.nouns import ERROR, Event, OtlpSpan, Received, Score

NANO = 1_000_000_000
_SEGMENTS = 12
"""Segments in the name of an indexed attribute; the longest of the conventions has nine."""
_LONGEST = 200
"""Characters of a name that a convention may have: longer ones are not worth remembering."""


class _Place(NamedTuple):
    """Where an attribute belongs: `slot`, and which of those that may fill it (`rank`, the lowest counts).

    Or an element of a list: its index, and the path within it.
    """

    slot: str
    rank: int = 0
    read: Callable[[Any], Any] = str
    path: tuple[str, ...] = ()


def received(span: OtlpSpan) -> Received:
    """A span in Regista's words. What cannot be what its name says stays among `attributes`."""
    found = _Found(span)
    slots = found.slots
    messages = (*found.messages("system", "system"), *found.messages("messages", "user"))
    answers = found.messages("answers", "assistant")
    status, error = _status(span, slots)
    usage = {name: slots.pop(name) for name in tables.USAGE if name in slots}
    return Received(
        span.trace_id,
        span.id,
        span.parent_id,
        plain(span.name),
        _stage(span.attributes, found.rest),
        span.start_ns,
        max(span.end_ns - span.start_ns, 0),
        found.first_token_ns,
        status,
        error,
        plain(slots.get("model", "")),
        plain(slots.get("provider", "")).lower(),
        Usage(**usage) if usage else None,
        _cost(slots),
        plain(slots.get("session", "")),
        plain(slots.get("user", "")),
        found.shown("question", messages, "user"),
        found.shown("answer", answers, ""),
        messages,
        answers,
        found.documents(),
        tuple(found.scores()),
        tuple(found.events),
        span.links,
        plain(slots.get("decision", "")),
        plain(slots.get("reason", ""), SHOWN),
        found.left_over(),
        span.resource,
        plain(span.scope),
        plain(span.schema_url),
        found.dropped,
    )


class _Found:
    """The attributes and events of one span, each where it belongs; `rest` is what belongs nowhere."""

    def __init__(self, span: OtlpSpan) -> None:
        self.dropped = span.dropped
        self.slots: dict[str, Any] = {}
        self.rest: Json = {}
        self.events: list[Event] = []
        self.first_token_ns = 0
        self._span = span
        self._ranks: dict[str, int] = {}
        self._raw: dict[str, tuple[str, Any]] = {}
        self._trees: dict[str, dict[str, Any]] = {}
        self._told: dict[str, list[tuple[Any, str]]] = {}
        self._results: list[tuple[Json, int]] = []
        self._sort(span.attributes)
        for event in span.events:
            _EVENTS.get(event.name, _Found._keep)(self, event)
        self._first_token()

    def _sort(self, attributes: Json) -> None:
        for name, value in attributes.items():
            place = _place(name) if len(name) <= _LONGEST else None
            if place is None:
                self.rest[name] = value
            elif place.path:
                self._plant(name, place, value)
            else:
                self._fill(name, place, value)

    def _fill(self, name: str, place: _Place, value: Any) -> None:
        slot = place.slot
        before = self._ranks.get(slot)
        try:
            read = place.read(value)
        except (ValueError, OverflowError):
            self.rest[name] = value
            return
        if before is not None and before <= place.rank:
            self.rest[name] = value
            return
        if before is not None:
            beaten, its = self._raw[slot]
            self.rest[beaten] = its
        self.slots[slot], self._ranks[slot], self._raw[slot] = read, place.rank, (name, value)

    def _plant(self, name: str, place: _Place, value: Any) -> None:
        """Put a value where its path leads, in a tree of mappings."""
        tree = self._trees.setdefault(place.slot, {})
        for segment in place.path[:-1]:
            below = tree.setdefault(segment, {})
            if not isinstance(below, dict):
                self.rest[name] = value
                return
            tree = cast("dict[str, Any]", below)
        if tree.setdefault(place.path[-1], value) is not value:
            self.rest[name] = value

    # What events tell

    def _keep(self, event: Event) -> None:
        kept: Json = {name[:NAME]: self.text(value) for name, value in event.attributes.items()}
        self.events.append(Event(plain(event.name), event.time_ns, kept))

    def _say(self, event: Event) -> None:
        slot, role = tables.MESSAGES[event.name]
        whole = [event.attributes[name] for name in tables.CONTENT if name in event.attributes]
        told: list[Any] = [parsed(value) for value in whole] or [_nested(event.attributes)]
        self._told.setdefault(slot, []).extend((one, role) for one in told)

    def _detail(self, event: Event) -> None:
        self._sort(event.attributes)

    def _result(self, event: Event) -> None:
        parts = {part: event.attributes.get(name) for part, name in tables.RESULTS.items()}
        self._results.append((parts, event.time_ns))

    def _begin(self, event: Event) -> None:
        began = event.time_ns - self._span.start_ns
        self.first_token_ns = self.first_token_ns or max(began, 0)

    def _first_token(self) -> None:
        if "first_token_ns" in self.slots:
            self.first_token_ns = int(self.slots["first_token_ns"])
        elif "first_token_s" in self.slots:
            self.first_token_ns = min(round(self.slots["first_token_s"] * NANO), INT64)

    # What it all comes to

    def messages(self, slot: str, role: str) -> tuple[Message, ...]:
        """The messages of a slot, as a value, as indexed attributes or as events, whichever there are first."""
        value = parsed(self.slots.get(slot))
        if isinstance(value, dict) and slot in cast("Json", value):
            value = cast("Json", value)[slot]
        if value is None and slot in self._trees:
            value = _lists(self._trees[slot])
        if slot == "system":
            told: Iterator[Message] = instructions(value) if value is not None else iter(())
        elif value is not None:
            told = messages_of(value, role)
        else:
            told = (message for one, by in self._told.get(slot, ()) for message in messages_of(one, by))
        return self._bounded(told)

    def documents(self) -> tuple[Hit, ...]:
        """What was retrieved."""
        value = parsed(self.slots.get("documents"))
        return tuple(documents_of(value if value is not None else _lists(self._trees.get("documents", {}))))

    def scores(self) -> Iterator[Score]:
        """What was thought of it, in events and in attributes."""
        for parts, time_ns in self._results:
            yield _score(parts, time_ns, "span")
        for target in ("span", "trace", "session"):
            for parts in _lists(self._trees.get(target, {})):
                if isinstance(parts, dict):
                    yield _score(cast("Json", parts), self._span.end_ns, target)

    def shown(self, slot: str, messages: tuple[Message, ...], role: str) -> str:
        """The question or the answer: the value where it is meant to be read, else what the messages say."""
        value, kind = self.slots.get(slot, ""), self.slots.get(f"{slot}_type", "")
        said = shown(messages, role) if not value or "json" in kind else ""
        if value and said:  # a whole request or response stays as it is, beside what it says
            self.rest[self._raw[slot][0]] = value
        return plain(said or value, SHOWN)

    def left_over(self) -> Json:
        """What no convention claims, texts cut to their bound."""
        return {name[:NAME]: self.text(value) for name, value in self.rest.items()}

    def text(self, value: Any) -> Any:
        """A value, cut where it is text that is too long."""
        if isinstance(value, str) and len(value) > TEXT:
            self.dropped += 1
            return value[:TEXT]
        return value

    def _bounded(self, told: Iterable[Message]) -> tuple[Message, ...]:
        messages = tuple(told)
        self.dropped += max(len(messages) - ELEMENTS, 0)
        return tuple([self._cut(message) for message in messages[:ELEMENTS]])

    def _cut(self, message: Message) -> Message:
        content = message.content
        if isinstance(content, list):
            parts = [{name: self.text(value) for name, value in part.items()} for part in content]
            return Message(message.role, parts, message.rest)
        return (
            message if not content or len(content) <= TEXT else Message(message.role, self.text(content), message.rest)
        )


_EVENTS: dict[str, Callable[[_Found, Event], None]] = {
    **dict.fromkeys(tables.MESSAGES, _Found._say),  # pyright: ignore[reportPrivateUsage] - its own table
    **dict.fromkeys(tables.FIRST_TOKEN, _Found._begin),  # pyright: ignore[reportPrivateUsage]
    tables.DETAILS: _Found._detail,  # pyright: ignore[reportPrivateUsage]
    tables.RESULT: _Found._result,  # pyright: ignore[reportPrivateUsage]
}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    raise ValueError("no text")


def _count(value: Any) -> int:
    """A number of tokens; some senders write it as text or with a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("no number")
    return min(max(int(value), 0), INT64)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("no number")
    found = float(value) if not isinstance(value, int) else value
    if not isfinite(found) or found < 0:
        raise ValueError("no number of anything")
    return min(found, INT64)


def _any(value: Any) -> Any:
    return value


def _slots() -> Iterator[tuple[str, _Place]]:
    """The exact names of all conventions, and where they belong."""
    for table, read in (
        (tables.TEXTS, _text),
        ({name: (tables.USAGE[name], *tables.COUNTS.get(name, ())) for name in tables.USAGE}, _count),
        (tables.NUMBERS, _number),
        (tables.VALUES, _any),
    ):
        for slot, names in table.items():
            yield from ((name, _Place(slot, rank, read)) for rank, name in enumerate(names))


_EXACT = dict(_slots())
_INDEXED = re.compile(
    f"({'|'.join(re.escape(name) for name in tables.INDEXED)})" + r"\.(\d{1,9})(?:\.(.+))?", re.DOTALL
)


@lru_cache(16_384)
def _place(name: str) -> _Place | None:
    """Where an attribute of this name belongs; None for those no convention has. Remembered: names come again."""
    if name in _EXACT:
        return _EXACT[name]
    match = _INDEXED.fullmatch(name)
    if match is None:
        return None
    listed, index, within = match.groups()
    spoken = [part for part in (within or "").split(".") if part not in tables.SILENT]
    if len(spoken) > _SEGMENTS:
        return None
    return _Place(tables.INDEXED[listed], path=(index, *(spoken or ["content"])))


def _lists(tree: dict[str, Any]) -> list[Any]:
    """The elements of a tree in the order of their indices."""
    return [_plain(tree[index]) for index in sorted(tree, key=int)]


def _plain(node: Any) -> Any:
    """A tree whose mappings with nothing but indices have become lists. As deep as the names of attributes are."""
    if not isinstance(node, dict):
        return node
    known = cast("dict[str, Any]", node)
    if known and all(key.isascii() and key.isdigit() and len(key) < 10 for key in known):
        return _lists(known)
    return {key: _plain(value) for key, value in known.items()}


def _nested(attributes: Json) -> Json:
    """The attributes of an event as a message: some are JSON text."""
    return {name.removeprefix("gen_ai.event."): parsed(value) for name, value in attributes.items()}


def _score(parts: Json, time_ns: int, target: Any) -> Score:
    value = parts.get("score")
    known = isinstance(value, int | float) and isfinite(value)
    name, label, explanation = (str(parts.get(part) or "") for part in ("name", "label", "explanation"))
    number = float(cast("float", value)) if known else None
    return Score(plain(name), number, plain(label), plain(explanation, SHOWN), time_ns, target)


def _stage(attributes: Json, rest: Json) -> str:
    for name, stages in tables.STAGES.items():
        value = attributes.get(name)
        if isinstance(value, str):
            stage = stages.get(value.lower()) if stages else plain(value)
            if stage:
                rest.pop(name, None)
                return stage
    return next((stage for name, stage in tables.EVIDENCE.items() if name in attributes), "other")


def _status(span: OtlpSpan, slots: dict[str, Any]) -> tuple[str, str]:
    """How it ended, and why. An exception that was recorded says more than nothing."""
    nothing: Json = {}
    thrown = next((event.attributes for event in span.events if event.name == "exception"), nothing)
    kind = str(slots.get("error_type") or thrown.get("exception.type") or "")
    if kind in tables.CANCELLED:
        return "cancelled", plain(span.message, SHOWN)
    if span.status != ERROR:
        return "ok", ""
    said = span.message or str(thrown.get("exception.message") or "")
    whole = said if kind == "_OTHER" or kind in said else f"{kind}: {said}" if said else kind
    return "error", plain(whole, SHOWN)


def _cost(slots: dict[str, Any]) -> int | None:
    if "cost_nano" in slots:
        return int(slots["cost_nano"])
    return min(round(slots["cost"] * NANO), INT64) if "cost" in slots else None
