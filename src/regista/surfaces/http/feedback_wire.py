"""Feedback as `/v1/feedback` takes and tells it. What each kind must and may have is a table; no I/O."""

import math
import re
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

from regista.core.errors import RequestError
from regista.core.nouns import Feedback, Json
from regista.store.feedback import Kept

LONGEST = 100_000
"""Characters of a text: as many as a trace keeps of an answer."""
_TRACE = re.compile(r"(?:[a-z]{2,10}[-_])?([0-9a-f]{32})(?:[0-9a-f]{8})?")
_BY_WORD = {"up": 1.0, "down": -1.0}


class _Kind(NamedTuple):
    """What a kind must have, what it may have besides, and what its value may be (any number where that is None)."""

    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()
    values: tuple[float, ...] | None = None
    hint: str = ""


KINDS = {
    "thumb": _Kind(("value",), values=(1.0, -1.0), hint='"up" or "down", or 1 or -1'),
    "score": _Kind(("name", "value"), hint="a number"),
    "label": _Kind(("name",)),
    "comment": _Kind(("text",)),
    "correction": _Kind(("text",)),
    "preference": _Kind(("trace", "other"), ("value", "side"), (0.0,), "0 where neither is preferred, else nothing"),
}
"""What may be sent of each kind, beside what all of them have."""
_OWN = ("value", "name", "text", "other", "side")


class Given(Struct, forbid_unknown_fields=True):
    """Feedback as a client sends it: see `regista.core.nouns.Feedback`, and docs/feedback.md."""

    kind: Literal["thumb", "score", "label", "comment", "correction", "preference"]
    trace: Annotated[str, Meta(max_length=64)] = ""
    session: Annotated[str, Meta(max_length=64)] = ""
    span: Annotated[int, Meta(ge=0)] | None = None
    value: float | Literal["up", "down"] | None = None
    name: Annotated[str, Meta(max_length=100)] = ""
    text: Annotated[str, Meta(max_length=LONGEST)] = ""
    other: Annotated[str, Meta(max_length=64)] = ""
    side: Literal["", "a", "b"] = ""
    by: Annotated[str, Meta(max_length=200)] = ""
    source: Literal["user", "reviewer"] = "user"
    id: Annotated[str, Meta(max_length=200)] = ""


def check(given: Given) -> None:
    """Raise `RequestError` where something is missing, too much, or no sense."""
    kind = KINDS[given.kind]
    if not given.trace and not given.session:
        raise RequestError("Feedback is about an answer: send its 'trace', or a 'session'.", param="trace")
    if given.span is not None and not given.trace:
        raise RequestError("A span is one of a trace: send its 'trace' too.", param="trace")
    for name in kind.needs:
        sent = getattr(given, name)
        if sent is None or (isinstance(sent, str) and not sent.strip()):
            raise RequestError(f"A {given.kind} needs {name!r}{f': {kind.hint}' if kind.hint else ''}.", param=name)
    for name in _OWN:
        if getattr(given, name) not in (None, "") and name not in (*kind.needs, *kind.takes):
            has = ", ".join((*kind.needs, *kind.takes))
            raise RequestError(f"A {given.kind} has no {name!r}: it has {has}.", param=name)
    value = value_of(given)
    if value is not None and not (math.isfinite(value) and (kind.values is None or value in kind.values)):
        raise RequestError(f"The value of a {given.kind} is {kind.hint}, not {value:g}.", param="value")


def value_of(given: Given) -> float | None:
    """The value as a number."""
    return _BY_WORD[given.value] if isinstance(given.value, str) else given.value


def trace_of(given: str, param: str) -> str:
    """The trace's id in an id, which may be an answer's (`chatcmpl-…`); raises `RequestError` where it is neither."""
    if (found := _TRACE.fullmatch(given.strip().lower())) is None:
        raise RequestError(
            f"{param!r} is no trace's id: it is 32 hexadecimal digits, as the header x-regista-trace has them, "
            "or an answer's id.",
            param=param,
        )
    return found[1]


def wire(kept: Kept) -> Json:
    """Feedback as it is told. Times are seconds since 1970."""
    one = kept.feedback
    return {
        "id": kept.id.hex(),
        "object": "feedback",
        "created_at": one.made_ns // 10**9,
        **{name: getattr(one, name) for name in Feedback.__struct_fields__ if name not in ("made_ns", "evidence")},
        "application": kept.application,
        "evidence": [
            {"trace": words.trace, "of": words.of, "start": words.start, "end": words.end, "text": words.text}
            for words in one.evidence
        ],
    }
