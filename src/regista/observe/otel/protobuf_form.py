"""OTLP in protobuf, by the official definitions: they are `regista[otel]`.

https://github.com/open-telemetry/opentelemetry-proto. The whole request is read at once: where one byte of it is wrong,
it is refused.
"""

import base64
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from regista.core.errors import MissingExtraError, RequestError
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

try:
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceRequest,
        ExportTraceServiceResponse,
    )
    from opentelemetry.proto.trace.v1 import trace_pb2
except ImportError as error:
    raise MissingExtraError("OTLP in protobuf", "opentelemetry-proto", "otel") from error


def read(body: bytes, rest: Rest = at_once) -> Decoded:
    """See `regista.observe.otel.decode.Form`."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise RequestError(
            f"This is no OTLP request to export traces in protobuf ({str(error).rstrip('.')}): it is cut off, "
            "compressed without a word of it in Content-Encoding, holds text that is not UTF-8, or is something else."
        ) from None
    spans: list[OtlpSpan] = []
    rejected, reason = 0, ""
    for of_resource in request.resource_spans:
        resource = _attributes(of_resource.resource.attributes, Room())
        for of_scope in of_resource.scope_spans:
            scope = of_scope.scope.name
            schema_url = of_scope.schema_url or of_resource.schema_url
            room = SPANS - len(spans) - rejected
            for turn, span in enumerate(of_scope.spans[: max(room, 0)], 1):
                if not turn % AT_A_TIME:
                    rest()
                try:
                    spans.append(_read(span, resource, scope, schema_url))
                except ValueError as error:
                    rejected += 1
                    reason = reason or f"A span cannot be read: {error}."
            rejected += max(len(of_scope.spans) - max(room, 0), 0)
    return Decoded(tuple(spans), rejected, reason or (TOO_MANY if rejected else ""))


def _read(span: trace_pb2.Span, resource: Json, scope: str, schema_url: str) -> OtlpSpan:
    room = Room()
    room.dropped = span.dropped_attributes_count + span.dropped_events_count + span.dropped_links_count
    parent = span.parent_span_id
    events, links, status = span.events, span.links, span.status
    return OtlpSpan(
        trace_id_of(span.trace_id.hex()),
        span_id_of(span.span_id.hex()),
        span_id_of(parent.hex(), required=False) if parent else "",
        span.name,
        span.kind,
        number(span.start_time_unix_nano),
        number(span.end_time_unix_nano),
        _attributes(span.attributes, room),
        tuple([_event(event, room) for event in events[: room.first(len(events), EVENTS)]]) if events else (),
        tuple([(link.trace_id.hex(), link.span_id.hex()) for link in links[: room.first(len(links), LINKS)]]),
        status.code,
        status.message,
        span.trace_state,
        resource,
        scope,
        schema_url,
        room.dropped,
    )


def _event(event: trace_pb2.Span.Event, room: Room) -> Event:
    room.dropped += event.dropped_attributes_count
    return Event(event.name, number(event.time_unix_nano), _attributes(event.attributes, room))


def _attributes(pairs: Any, room: Room) -> Json:
    count = len(pairs)
    if room.first(count, ATTRIBUTES) < count:
        pairs = pairs[:ATTRIBUTES]
    return {pair.key: _value(pair.value, room, DEPTH) for pair in pairs}


def _value(value: Any, room: Room, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    reader = _READERS.get(kind)
    return reader(value, room, depth) if reader else None


def _array(value: Any, room: Room, depth: int) -> Any:
    values = value.array_value.values
    if not depth:
        room.dropped += len(values)
        return None
    return [_value(one, room, depth - 1) for one in values[: room.first(len(values))]]


def _mapping(value: Any, room: Room, depth: int) -> Any:
    values = value.kvlist_value.values
    if not depth:
        room.dropped += len(values)
        return None
    return {pair.key: _value(pair.value, room, depth - 1) for pair in values[: room.first(len(values))]}


_READERS: dict[str | None, Callable[[Any, Room, int], Any]] = {
    "int_value": lambda value, room, depth: value.int_value,
    "double_value": lambda value, room, depth: value.double_value,
    "bool_value": lambda value, room, depth: value.bool_value,
    "array_value": _array,
    "kvlist_value": _mapping,
    "bytes_value": lambda value, room, depth: base64.b64encode(value.bytes_value).decode(),
}


def write(spans: Iterable[OtlpSpan]) -> bytes:
    """See `regista.observe.otel.decode.Form`. Spans of one resource and scope are written together if they follow."""
    request = ExportTraceServiceRequest()
    for resource, of_resource in groupby(spans, key=lambda span: span.resource):
        resource_spans = request.resource_spans.add()
        _put(resource_spans.resource.attributes, resource)
        for (scope, schema_url), of_scope in groupby(of_resource, key=lambda span: (span.scope, span.schema_url)):
            scope_spans = resource_spans.scope_spans.add(schema_url=schema_url)
            scope_spans.scope.name = scope
            for span in of_scope:
                _write(span, scope_spans.spans.add())
    return request.SerializeToString()


def reply(rejected: int, reason: str) -> bytes:
    """See `regista.observe.otel.decode.Form`."""
    response = ExportTraceServiceResponse()
    if rejected:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = reason
    return response.SerializeToString()


def _write(span: OtlpSpan, written: Any) -> None:
    written.trace_id = bytes.fromhex(span.trace_id)
    written.span_id = bytes.fromhex(span.id)
    written.parent_span_id = bytes.fromhex(span.parent_id)
    written.trace_state = span.state
    written.name = span.name
    written.kind = span.kind
    written.start_time_unix_nano = span.start_ns
    written.end_time_unix_nano = span.end_ns
    written.dropped_attributes_count = min(span.dropped, 0xFFFFFFFF)
    written.status.code = span.status
    written.status.message = span.message
    _put(written.attributes, span.attributes)
    for event in span.events:
        _put(written.events.add(name=event.name, time_unix_nano=event.time_ns).attributes, event.attributes)
    for trace, id in span.links:
        written.links.add(trace_id=bytes.fromhex(trace), span_id=bytes.fromhex(id))


def _put(pairs: Any, attributes: Json) -> None:
    for key, value in attributes.items():
        _set(pairs.add(key=key).value, value)


def _set(written: Any, value: Any) -> None:
    for kind, set_value in _SETTERS:
        if isinstance(value, kind):
            set_value(written, value)
            return
    if value is not None:
        written.string_value = str(value)


def _set_int(written: Any, value: int) -> None:
    if -INT64 - 1 <= value <= INT64:
        written.int_value = value
    else:
        written.string_value = str(value)


def _set_array(written: Any, value: Any) -> None:
    written.array_value.SetInParent()
    for one in value:
        _set(written.array_value.values.add(), one)


def _set_mapping(written: Any, value: Json) -> None:
    written.kvlist_value.SetInParent()
    _put(written.kvlist_value.values, value)


_SETTERS: tuple[tuple[Any, Callable[[Any, Any], None]], ...] = (
    (str, lambda written, value: setattr(written, "string_value", value)),
    (bool, lambda written, value: setattr(written, "bool_value", value)),
    (int, _set_int),
    (float, lambda written, value: setattr(written, "double_value", value)),
    (dict, _set_mapping),
    ((list, tuple), _set_array),
    (bytes, lambda written, value: setattr(written, "bytes_value", value)),
)
