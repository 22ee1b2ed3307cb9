"""How much of what was said a trace keeps: all, with what is personal hidden, or nothing but figures and decisions.

Knows a trace, and not what is personal: `Hide` says that.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

from msgspec.structs import replace

from regista.core.nouns import Json, Span, Trace
from regista.core.user import digested, pseudonym

Capture = Literal["full", "masked", "off"]
Hide = Callable[[str], str]
"""A text with what is personal or secret in it replaced."""

TELLING = frozenset(
    ("guardrail", "action", "policy", "model", "provider", "document", "parent_id", "state", "kept_for", "trace")
)
"""Attributes whose texts are names and decisions, never what somebody said."""
_NAME = re.compile(r"[\w.:/+-]{0,64}(?:, [\w.:/+-]{1,64}){0,20}")
"""What a stage is called: a model that asks for a tool may call it anything."""
_KEY = re.compile(r"[0-9a-f]{32}")
"""What the exact cache gives as its reason: the digest of a request."""
_LONGEST = 200
"""Characters of a name."""
_PLAIN = frozenset({"authenticate"})
"""Stages whose reason is a name."""


def bare(trace: Trace) -> Trace:
    """A trace without a word of what was said, retrieved or thought: times, tokens, cost, status and decisions stay.

    Of an error its class stays; of a citation, where it points; of a user's name, its digest.
    """
    failed = next((span.reason for span in reversed(trace.spans) if span.decision == "error"), "")
    return replace(
        trace,
        error=_class_of(failed) if trace.error else "",
        question="",
        answer="",
        citations=tuple([replace(citation, quote="") for citation in trace.citations]),
        spans=tuple([_bare(span) for span in trace.spans]),
        calls=tuple([replace(call, reason="") for call in trace.calls]),
        user=digested(trace.user),
    )


def hidden(trace: Trace, hide: Hide) -> Trace:
    """A trace in which all texts are as `hide` lets them go on. A user's name that does not is kept as a digest."""
    return replace(
        trace,
        error=hide(trace.error),
        question=hide(trace.question),
        answer=hide(trace.answer),
        citations=tuple([replace(citation, quote=hide(citation.quote)) for citation in trace.citations]),
        spans=tuple([_hidden(span, hide) for span in trace.spans]),
        calls=tuple([replace(call, reason=hide(call.reason)) for call in trace.calls]),
        user=hidden_user(trace.user, hide),
    )


def hidden_user(user: str, hide: Hide) -> str:
    """A user's name as it may be kept: that of an e-mail address is a digest."""
    return user if hide(user) == user else pseudonym(user)


def figures(attributes: Mapping[str, Any]) -> Json:
    """Attributes without their texts, but for those that are `TELLING`."""
    kept = {name: _figure(name, value) for name, value in attributes.items()}
    return {name: value for name, value in kept.items() if value is not None}


def hidden_in(value: Any, hide: Hide) -> Any:
    """A plain value in which all texts are as `hide` lets them go on."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Mapping):
        return {name: hidden_in(one, hide) for name, one in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [hidden_in(one, hide) for one in cast("Sequence[Any]", value)]
    return value


def _bare(span: Span) -> Span:
    kept = span.stage in _PLAIN or _KEY.fullmatch(span.reason)
    reason = span.reason if kept else _class_of(span.reason) if span.decision in ("error", "cancelled") else ""
    name = span.name if _NAME.fullmatch(span.name) else ""
    return replace(span, name=name, reason=reason, attributes=figures(span.attributes))


def _hidden(span: Span, hide: Hide) -> Span:
    attributes = cast("Json", hidden_in(span.attributes, hide)) if span.attributes else span.attributes
    return replace(span, name=hide(span.name), reason=hide(span.reason), attributes=attributes)


def _class_of(reason: str) -> str:
    """The class of an error, which a stage's reason begins with."""
    name = reason.partition(":")[0]
    return name if name.isidentifier() else "error"


def _figure(name: str, value: Any) -> Any:
    """What stays of a value; None for nothing."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if name in TELLING and len(value) <= _LONGEST else None
    if isinstance(value, Mapping):
        return figures(cast("Mapping[str, Any]", value)) or None
    if isinstance(value, list | tuple):
        return [kept for one in cast("Sequence[Any]", value) if (kept := _figure(name, one)) is not None] or None
    return None
