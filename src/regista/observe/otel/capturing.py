"""The same of a span that somebody sent: how much of what was said in it is kept.

It is done before spans become a trace, so that late ones still find their places in it.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from regista.core.nouns import Json
from regista.core.user import digested
from regista.observe.capture import Hide, hidden_in, hidden_user
from regista.observe.otel.nouns import Event, Received

_OF_THE_SENDER = ("service.", "telemetry.", "deployment.")
"""How attributes of a resource begin that say what runs, and nothing of what it does."""
_SAID = ("error", "question", "answer", "reason", "name")
_PARTS = ("messages", "answers", "documents", "scores", "events", "attributes", "resource")
"""Fields of a span that are texts, or hold some."""


def bare(span: Received) -> Received:
    """A span without a word of what was said: see `regista.observe.capture.bare`."""
    return replace(
        span,
        error="error" if span.error else "",
        question="",
        answer="",
        messages=(),
        answers=(),
        documents=tuple([replace(hit, text="", title="", heading="") for hit in span.documents]),
        scores=tuple([replace(score, explanation="") for score in span.scores]),
        events=tuple([Event(event.name, event.time_ns) for event in span.events]),
        reason="",
        user=digested(span.user),
        attributes=_numbers(span.attributes),
        resource={name: value for name, value in span.resource.items() if name.startswith(_OF_THE_SENDER)},
    )


def _numbers(attributes: Json) -> Json:
    """The numbers among attributes. What they are called is the sender's choice: a `document` may be one's text, and
    in lists and mappings are vectors of texts, numbers of tokens and arguments of tools."""
    return {name: value for name, value in attributes.items() if isinstance(value, bool | int | float)}


def hidden(span: Received, hide: Hide) -> Received:
    """A span in which all texts but ids are as `hide` lets them go on."""
    changed: Json = {name: hide(getattr(span, name)) for name in _SAID}
    for name in _PARTS:
        if value := getattr(span, name):
            plain: Any = hidden_in(msgspec.to_builtins(value), hide)
            changed[name] = msgspec.convert(plain, _TYPES[name])
    return replace(span, user=hidden_user(span.user, hide), **changed)


_TYPES = {field.name: field.type for field in msgspec.structs.fields(Received)}
