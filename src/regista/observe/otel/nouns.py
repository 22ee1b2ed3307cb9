"""What OpenTelemetry sends, and what it means once a convention has been read: plain values, all optional but the ids.

Times are nanoseconds since 1970, as in `core.nouns`; ids are lower-case hexadecimal digits, 32 of a trace and 16 of a
span. They know no encoding, no convention and no store.
"""

from typing import Literal

from msgspec import Struct

from regista.core.nouns import Hit, Json, Message, Usage

SERVER, CLIENT = 2, 3
"""Kinds of spans (`Span.SpanKind` of opentelemetry/proto/trace/v1/trace.proto)."""
ERROR = 2
"""The one status code that says something: 0 is unset, 1 is ok."""


class Event(Struct, frozen=True):
    """Something that happened within a span."""

    name: str
    time_ns: int = 0
    attributes: Json = {}


class OtlpSpan(Struct, frozen=True, array_like=True):
    """A span as it travels, with what its request said once for many: its resource, its scope and its schema.

    `links` are (trace id, span id). `dropped` counts what it lost on the way and here: attributes, events, links,
    elements of lists.
    """

    trace_id: str
    id: str
    parent_id: str = ""
    name: str = ""
    kind: int = 0
    start_ns: int = 0
    end_ns: int = 0
    attributes: Json = {}
    events: tuple[Event, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    status: int = 0
    message: str = ""
    state: str = ""
    resource: Json = {}
    scope: str = ""
    schema_url: str = ""
    dropped: int = 0


class Decoded(Struct, frozen=True):
    """The spans of a request. `rejected` of them could not be read; `reason` says why the first could not."""

    spans: tuple[OtlpSpan, ...]
    rejected: int = 0
    reason: str = ""


class Score(Struct, frozen=True):
    """What somebody thought of a span, or of the whole trace or session it belongs to: a number, a label, or both."""

    name: str
    value: float | None = None
    label: str = ""
    explanation: str = ""
    time_ns: int = 0
    target: Literal["span", "trace", "session"] = "span"


class Received(Struct, frozen=True, omit_defaults=True):
    """A span in Regista's words, whatever convention it came in.

    `stage` is a word of `core.nouns.Span.stage` where they mean the same: generate, tools, retrieve, embed, guard,
    prompt; else rerank, agent, chain, evaluate, memory, or `other`. `status` is ok, error or cancelled. `usage` and
    `cost_nano` are None where the span says nothing of them. `first_token_ns` counts from its start, 0 where unknown.
    `question` and `answer` are texts to show; `messages` went to a model and `answers` came back, in OpenAI's shape.
    `attributes` is what no convention claims, `dropped` counts what found no room in all of this.
    """

    trace_id: str
    id: str
    parent_id: str = ""
    name: str = ""
    stage: str = "other"
    start_ns: int = 0
    duration_ns: int = 0
    first_token_ns: int = 0
    status: str = "ok"
    error: str = ""
    model: str = ""
    provider: str = ""
    usage: Usage | None = None
    cost_nano: int | None = None
    session: str = ""
    user: str = ""
    question: str = ""
    answer: str = ""
    messages: tuple[Message, ...] = ()
    answers: tuple[Message, ...] = ()
    documents: tuple[Hit, ...] = ()
    scores: tuple[Score, ...] = ()
    events: tuple[Event, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    decision: str = ""
    reason: str = ""
    attributes: Json = {}
    resource: Json = {}
    scope: str = ""
    schema_url: str = ""
    dropped: int = 0
