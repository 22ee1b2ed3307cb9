"""OTLP in JSON: protobuf's mapping, but for ids, which are hexadecimal, and enumerations, which are numbers.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. Each span is read on its own, so that one that cannot
be read spoils no other.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Raw, Struct

from regista.core.errors import RequestError
from regista.core.nouns import Json
from regista.observe.otel.bounds import (
    AT_A_TIME,
    ATTRIBUTES,
    DEPTH,
    EVENTS,
    INT64,
    LINKS,
    SPANS,
    TOO_MANY,
    Rest,
    Room,
    at_once,
)
from regista.observe.otel.identity import number, span_id_of, trace_id_of
from regista.observe.otel.nouns import Decoded, Event, OtlpSpan


class _Value(Struct, rename="camel", gc=False):
    """`AnyValue`: at most one of these."""

    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    bool_value: bool | None = None
    array_value: "_Array | None" = None
    kvlist_value: "_Pairs | None" = None
    bytes_value: str | None = None


class _Pair(Struct, gc=False):
    key: str = ""
    value: _Value | None = None


class _Array(Struct, gc=False):
    values: list[_Value] | None = None


class _Pairs(Struct, gc=False):
    values: list[_Pair] | None = None


class _Status(Struct, gc=False):
    code: int | None = None
    message: str | None = None


class _Event(Struct, rename="camel", gc=False):
    name: str | None = None
    time_unix_nano: int | str | None = None
    attributes: list[_Pair] | None = None
    dropped_attributes_count: int | None = None


class _Link(Struct, rename="camel", gc=False):
    trace_id: str | None = None
    span_id: str | None = None


class _Span(Struct, rename="camel", gc=False):
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    trace_state: str | None = None
    name: str | None = None
    kind: int | None = None
    start_time_unix_nano: int | str | None = None
    end_time_unix_nano: int | str | None = None
    attributes: list[_Pair] | None = None
    dropped_attributes_count: int | None = None
    events: list[_Event] | None = None
    dropped_events_count: int | None = None
    links: list[_Link] | None = None
    dropped_links_count: int | None = None
    status: _Status | None = None


class _Scope(Struct, gc=False):
    name: str | None = None


class _ScopeSpans(Struct, rename="camel", gc=False):
    scope: _Scope | None = None
    spans: list[Raw] | None = None
    schema_url: str | None = None


class _Resource(Struct, gc=False):
    attributes: list[_Pair] | None = None


class _ResourceSpans(Struct, rename="camel", gc=False):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None
    schema_url: str | None = None


class _Request(Struct, rename="camel", gc=False):
    resource_spans: list[_ResourceSpans] | None = None


_request = msgspec.json.Decoder(_Request).decode
_span = msgspec.json.Decoder(_Span).decode


def read(body: bytes, rest: Rest = at_once) -> Decoded:
    """See `regista.observe.otel.decode.Form`."""
    try:
        request = _request(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(
            f"This is no OTLP request to export traces in JSON: {_said(error)}. "
            'It begins with {"resourceSpans": […]} and is UTF-8.'
        ) from None
    spans: list[OtlpSpan] = []
    rejected, reason = 0, ""
    for of_resource in request.resource_spans or ():
        resource = _attributes((of_resource.resource and of_resource.resource.attributes) or (), Room())
        for of_scope in of_resource.scope_spans or ():
            scope = (of_scope.scope and of_scope.scope.name) or ""
            schema_url = of_scope.schema_url or of_resource.schema_url or ""
            sent = of_scope.spans or ()
            room = SPANS - len(spans) - rejected
            for turn, raw in enumerate(sent[: max(room, 0)], 1):
                if not turn % AT_A_TIME:
                    rest()
                try:
                    spans.append(_read(_span(raw), resource, scope, schema_url))
                except (ValueError, RecursionError) as error:
                    rejected += 1
                    reason = reason or f"A span cannot be read: {_said(error)}."
            rejected += max(len(sent) - max(room, 0), 0)
    return Decoded(tuple(spans), rejected, reason or (TOO_MANY if rejected else ""))


def _said(error: BaseException) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error).rstrip(".")


def _read(span: _Span, resource: Json, scope: str, schema_url: str) -> OtlpSpan:
    room = Room()
    room.dropped = (
        number(span.dropped_attributes_count) + number(span.dropped_events_count) + number(span.dropped_links_count)
    )
    events = span.events or ()
    links = span.links or ()
    status = span.status or _Status()
    return OtlpSpan(
        trace_id_of(span.trace_id or ""),
        span_id_of(span.span_id or ""),
        span_id_of(span.parent_span_id, required=False) if span.parent_span_id else "",
        span.name or "",
        span.kind or 0,
        number(span.start_time_unix_nano),
        number(span.end_time_unix_nano),
        _attributes(span.attributes or (), room),
        tuple([_event(event, room) for event in events[: room.first(len(events), EVENTS)]]),
        tuple([(link.trace_id or "", link.span_id or "") for link in links[: room.first(len(links), LINKS)]]),
        status.code or 0,
        status.message or "",
        span.trace_state or "",
        resource,
        scope,
        schema_url,
        room.dropped,
    )


def _event(event: _Event, room: Room) -> Event:
    room.dropped += number(event.dropped_attributes_count)
    return Event(event.name or "", number(event.time_unix_nano), _attributes(event.attributes or (), room))


def _attributes(pairs: Sequence[_Pair], room: Room) -> Json:
    kept = pairs[: room.first(len(pairs), ATTRIBUTES)]
    return {pair.key: _value(pair.value, room, DEPTH) for pair in kept}


def _value(value: _Value | None, room: Room, depth: int) -> Any:
    if value is None:
        return None
    if value.string_value is not None:
        return value.string_value
    if value.array_value is not None or value.kvlist_value is not None:
        return _container(value, room, depth)
    if value.int_value is not None:
        return _int(value.int_value)
    if value.double_value is not None:
        return float(value.double_value)
    return value.bool_value if value.bool_value is not None else value.bytes_value


def _container(value: _Value, room: Room, depth: int) -> Any:
    listed = (value.array_value and value.array_value.values) or ()
    pairs = (value.kvlist_value and value.kvlist_value.values) or ()
    if not depth:
        room.dropped += len(listed) + len(pairs)
        return None
    if value.array_value is not None:
        return [_value(one, room, depth - 1) for one in listed[: room.first(len(listed))]]
    return {pair.key: _value(pair.value, room, depth - 1) for pair in pairs[: room.first(len(pairs))]}


def _int(value: int | str) -> int | str:
    """A number of 64 bits; whatever else it is stays text."""
    try:
        found = int(value)
    except ValueError:
        return value
    return found if -INT64 - 1 <= found <= INT64 else str(found)


def write(spans: Iterable[OtlpSpan]) -> bytes:
    """See `regista.observe.otel.decode.Form`. Spans of one resource and scope are written together if they follow."""
    resources: list[Json] = []
    for resource, of_resource in groupby(spans, key=lambda span: span.resource):
        scopes: list[Json] = []
        for (scope, schema_url), of_scope in groupby(of_resource, key=lambda span: (span.scope, span.schema_url)):
            written = [_written(span) for span in of_scope]
            scopes.append({"scope": {"name": scope}, "schemaUrl": schema_url, "spans": written})
        resources.append({"resource": {"attributes": _pairs(resource)}, "scopeSpans": scopes})
    return msgspec.json.encode({"resourceSpans": resources})


def reply(rejected: int, reason: str) -> bytes:
    """See `regista.observe.otel.decode.Form`."""
    if not rejected:
        return b"{}"
    return msgspec.json.encode({"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": reason}})


def _written(span: OtlpSpan) -> Json:
    return {
        "traceId": span.trace_id,
        "spanId": span.id,
        "parentSpanId": span.parent_id,
        "traceState": span.state,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _pairs(span.attributes),
        "droppedAttributesCount": span.dropped,
        "events": [
            {"name": event.name, "timeUnixNano": str(event.time_ns), "attributes": _pairs(event.attributes)}
            for event in span.events
        ],
        "links": [{"traceId": trace, "spanId": id} for trace, id in span.links],
        "status": {"code": span.status, "message": span.message},
    }


def _pairs(attributes: Json) -> list[Json]:
    return [{"key": key, "value": _any(value)} for key, value in attributes.items()]


def _any(value: Any) -> Json:
    for kind, write_value in _WRITERS:
        if isinstance(value, kind):
            return write_value(value)
    return {} if value is None else {"stringValue": str(value)}


def _int_value(value: int) -> Json:
    return {"intValue": str(value)} if -INT64 - 1 <= value <= INT64 else {"stringValue": str(value)}


def _double_value(value: float) -> Json:
    # JSON has no word for what is not finite; protobuf's mapping has NaN, Infinity and -Infinity.
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(str(value))
    return {"doubleValue": special or value}


_WRITERS: tuple[tuple[Any, Callable[[Any], Json]], ...] = (
    (str, lambda value: {"stringValue": value}),
    (bool, lambda value: {"boolValue": value}),
    (int, _int_value),
    (float, _double_value),
    (dict, lambda value: {"kvlistValue": {"values": _pairs(value)}}),
    ((list, tuple), lambda value: {"arrayValue": {"values": [_any(one) for one in value]}}),
    (bytes, lambda value: {"bytesValue": base64.b64encode(value).decode()}),
)
