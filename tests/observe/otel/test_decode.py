import json
import sys
from collections.abc import Callable
from importlib import import_module

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2
from tests.observe.otel.conftest import GOLDEN, JSON, PROTOBUF, TRACE

from regista.core.errors import MissingExtraError, RequestError
from regista.core.nouns import Json
from regista.observe.otel.bounds import ATTRIBUTES, DEPTH, ELEMENTS, EVENTS, LINKS, SPANS
from regista.observe.otel.decode import decode, form_of, reply
from regista.observe.otel.mapping import received
from regista.observe.otel.nouns import Decoded

NAMES = sorted(path.stem for path in GOLDEN.glob("*.pb"))
SPAN = "00f067aa0ba902b7"


def request(*spans: Json) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def span(**fields: object) -> Json:
    return {"traceId": TRACE, "spanId": SPAN, "name": "chat", **fields}


def pairs(count: int) -> list[Json]:
    return [{"key": f"k{i}", "value": {"intValue": str(i)}} for i in range(count)]


def written(fill: Callable[[ExportTraceServiceRequest], None]) -> bytes:
    """A request with one span in protobuf, with whatever `fill` adds to it."""
    found = ExportTraceServiceRequest()
    found.resource_spans.add().scope_spans.add().spans.add(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN))
    fill(found)
    return found.SerializeToString()


def the_span(found: ExportTraceServiceRequest) -> trace_pb2.Span:
    return found.resource_spans[0].scope_spans[0].spans[0]


@pytest.mark.parametrize("name", NAMES)
def test_what_an_sdk_sends_is_the_same_in_both_encodings(name: str) -> None:
    decoded = decode((GOLDEN / f"{name}.pb").read_bytes(), PROTOBUF)
    assert decoded == decode((GOLDEN / f"{name}.json").read_bytes(), f"{JSON}; charset=utf-8")
    assert len(decoded.spans) >= 3 and not decoded.rejected
    assert {span.resource["service.name"] for span in decoded.spans} == {"bakery"}


@pytest.mark.parametrize("media", [JSON, PROTOBUF])
@pytest.mark.parametrize("name", NAMES)
def test_what_was_read_is_written_again(name: str, media: str) -> None:
    decoded = decode((GOLDEN / f"{name}.pb").read_bytes(), PROTOBUF)
    assert decode(form_of(media).write(list(decoded.spans)), media) == decoded


values = st.recursive(
    st.text(st.characters(codec="utf-8"))
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), values, max_size=4))
def test_every_value_comes_back_from_either_encoding(attributes: Json) -> None:
    first = decode(request(span()), JSON).spans[0]
    spans = [msgspec.structs.replace(first, attributes=attributes, resource=attributes)]
    for media in (JSON, PROTOBUF):
        assert decode(form_of(media).write(spans), media).spans == tuple(spans)


def test_a_number_too_large_for_a_database_stays_text() -> None:
    value = {"intValue": "9" * 30}
    assert decode(request(span(attributes=[{"key": "k", "value": value}])), JSON).spans[0].attributes == {"k": "9" * 30}
    late = decode(request(span(startTimeUnixNano=str((1 << 64) - 1))), JSON).spans[0]
    same = decode(written(lambda found: setattr(the_span(found), "start_time_unix_nano", (1 << 64) - 1)), PROTOBUF)
    assert late.start_ns == same.spans[0].start_ns == (1 << 63) - 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"doubleValue": "NaN"}, "nan"),
        ({"doubleValue": 1}, "1.0"),
        ({"boolValue": False}, "False"),
        ({"bytesValue": "AQI="}, "AQI="),
        ({"stringValue": ""}, ""),
        ({"arrayValue": {}}, "[]"),
        ({"kvlistValue": {"values": [{"key": "a"}]}}, "{'a': None}"),
        ({}, "None"),
        (None, "None"),
    ],
)
def test_values_of_json_are_what_protobuf_would_have(value: Json | None, expected: str) -> None:
    assert (
        str(decode(request(span(attributes=[{"key": "k", "value": value}])), JSON).spans[0].attributes["k"]) == expected
    )


def test_ids_may_be_in_capitals_and_a_parent_of_zeros_is_none() -> None:
    found = decode(request(span(traceId=TRACE.upper(), parentSpanId="0" * 16)), JSON).spans[0]
    assert (found.trace_id, found.parent_id) == (TRACE, "")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"traceId": "0" * 32}, "traceId"),
        ({"traceId": "S/kvNXezTaajzpKdDg5HNg=="}, "32 hexadecimal digits"),
        ({"traceId": ""}, "traceId"),
        ({"spanId": "12"}, "spanId"),
        ({"parentSpanId": "xyz"}, "spanId"),
        ({"name": 7}, "Expected `str | null`, got `int`"),
        ({"attributes": {"a": 1}}, "Expected `array | null`"),
        ({"startTimeUnixNano": "noon"}, "noon"),
        ({"startTimeUnixNano": "9" * 5000}, "digits"),
        ({"attributes": [{"key": "k", "value": {"doubleValue": "much"}}]}, "much"),
    ],
)
def test_a_span_that_cannot_be_read_spoils_no_other(fields: Json, said: str) -> None:
    decoded = decode(request(span(), span(**fields), span(**fields)), JSON)
    assert (len(decoded.spans), decoded.rejected) == (1, 2)
    assert decoded.reason.startswith("A span cannot be read: ") and said in decoded.reason


def test_a_span_without_an_id_spoils_no_other_in_protobuf() -> None:
    def fill(found: ExportTraceServiceRequest) -> None:
        found.resource_spans[0].scope_spans[0].spans.add(trace_id=b"short")

    decoded = decode(written(fill), PROTOBUF)
    assert (len(decoded.spans), decoded.rejected) == (1, 1) and "traceId" in decoded.reason


def test_the_reply_says_what_was_rejected_in_the_encoding_of_the_request() -> None:
    some = Decoded((), 2, "A span cannot be read: why.")
    assert json.loads(reply(some, JSON)) == {
        "partialSuccess": {"rejectedSpans": "2", "errorMessage": "A span cannot be read: why."}
    }
    answered = ExportTraceServiceResponse.FromString(reply(some, PROTOBUF))
    assert (answered.partial_success.rejected_spans, answered.partial_success.error_message) == (2, some.reason)
    assert (reply(Decoded(()), JSON), reply(Decoded(()), PROTOBUF)) == (b"{}", b"")


def test_another_content_type_is_refused_with_what_to_set() -> None:
    with pytest.raises(RequestError, match="OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf") as refused:
        decode(b"", "text/plain")
    assert refused.value.status == 415


def test_without_the_extra_only_protobuf_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "regista.observe.otel.protobuf_form", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.collector.trace.v1.trace_service_pb2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'regista\[otel\]'"):
        decode(b"", PROTOBUF)
    assert decode(request(span()), JSON).spans
    monkeypatch.undo()
    import_module("regista.observe.otel.protobuf_form")


# Bad input


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"\xff"',
        b'{"resourceSpans": 1}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [1' + b"]" * 9,
        b"[" * 1_000_000,
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"[" * 1_000_000,
        b"\x1f\x8b\x08",
    ],
    ids=range(9),
)
def test_a_body_that_is_no_json_request_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError, match="no OTLP request"):
        decode(body, JSON)


@pytest.mark.parametrize(
    "body",
    [
        (GOLDEN / "openinference.pb").read_bytes()[:-7],  # cut off
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",  # gzip
        b'{"resourceSpans": []}',
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",  # a length that never ends
        written(lambda found: setattr(the_span(found), "name", "abc")).replace(b"abc", b"\xff\xfe\xfd"),
    ],
    ids=["cut", "gzip", "json", "length", "not UTF-8"],
)
def test_a_body_that_is_no_protobuf_request_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError, match="no OTLP request"):
        decode(body, PROTOBUF)


def test_text_that_is_not_utf_8_rejects_its_span_alone_in_json() -> None:
    decoded = decode(request(span(), span(name="XX")).replace(b"XX", b"\xff\xfe"), JSON)
    assert (len(decoded.spans), decoded.rejected) == (1, 1) and "utf-8" in decoded.reason


def test_attributes_beyond_the_bound_are_dropped_and_counted() -> None:
    in_json = decode(request(span(attributes=pairs(100_000), droppedAttributesCount=5)), JSON).spans[0]

    def fill(found: ExportTraceServiceRequest) -> None:
        the_span(found).dropped_attributes_count = 5
        for number in range(100_000):
            the_span(found).attributes.add(key=f"k{number}").value.int_value = number

    in_protobuf = decode(written(fill), PROTOBUF).spans[0]
    for found in (in_json, in_protobuf):
        assert list(found.attributes.values()) == list(range(ATTRIBUTES))
        assert found.dropped == 100_000 - ATTRIBUTES + 5
        assert received(found).dropped == found.dropped


def test_events_links_and_elements_beyond_the_bound_are_dropped_and_counted() -> None:
    numbers: Json = {"arrayValue": {"values": [{"intValue": 1}] * (ELEMENTS + 7)}}
    found = decode(
        request(
            span(
                events=[{"name": "e"}] * (EVENTS + 3),
                links=[{"traceId": TRACE, "spanId": SPAN}] * (LINKS + 4),
                attributes=[{"key": "a", "value": numbers}, {"key": "b", "value": numbers}],
            )
        ),
        JSON,
    ).spans[0]
    assert (len(found.events), len(found.links)) == (EVENTS, LINKS)
    assert (len(found.attributes["a"]), len(found.attributes["b"])) == (ELEMENTS, 0)
    assert found.dropped == 3 + 4 + 7 + ELEMENTS + 7
    assert decode(form_of(PROTOBUF).write([found]), PROTOBUF).spans[0] == found


@pytest.mark.parametrize("media", [JSON, PROTOBUF])
def test_spans_beyond_the_bound_are_rejected(media: str) -> None:
    (one,) = decode(request(span()), JSON).spans
    other = msgspec.structs.replace(one, scope="other")
    decoded = decode(form_of(media).write([one] * (SPANS - 1) + [other] * 3 + [one]), media)
    assert (len(decoded.spans), decoded.rejected) == (SPANS, 3)
    assert str(SPANS) in decoded.reason


def nested(depth: int) -> AnyValue:
    value = AnyValue(string_value="core")
    for _ in range(depth):
        outer = AnyValue()
        outer.array_value.values.append(value)
        value = outer
    return value


def test_values_nested_too_deeply_are_cut_off_there() -> None:
    def fill(found: ExportTraceServiceRequest) -> None:
        the_span(found).attributes.add(key="k").value.CopyFrom(nested(DEPTH + 5))

    in_protobuf = decode(written(fill), PROTOBUF).spans[0]
    value: Json = {"stringValue": "core"}
    for _ in range(DEPTH + 5):
        value = {"arrayValue": {"values": [value]}}
    in_json = decode(request(span(attributes=[{"key": "k", "value": value}])), JSON).spans[0]
    for found in (in_protobuf, in_json):
        assert str(found.attributes["k"]) == "[" * DEPTH + "None" + "]" * DEPTH
        assert found.dropped == 1


def nested_bytes(depth: int) -> bytes:
    """A request in protobuf with a value in so many lists, which the library itself would not write."""

    def field(number: int, payload: bytes) -> bytes:
        length = len(payload)
        return bytes([number << 3 | 2, length & 127 | 128, length >> 7 & 127 | 128, length >> 14]) + payload

    value = field(1, b"core")
    for _ in range(depth):
        value = field(5, field(1, value))
    ids = field(1, bytes.fromhex(TRACE)) + field(2, bytes.fromhex(SPAN))
    return field(1, field(2, field(2, ids + field(9, field(1, b"k") + field(2, value)))))


def test_a_request_nested_beyond_reason_is_refused() -> None:
    deep = '{"arrayValue":{"values":[' * 4_000 + "]}}" * 4_000
    body = request(span(attributes=[{"key": "k", "value": "DEEP"}])).replace(b'"DEEP"', deep.encode())
    with pytest.raises(RequestError, match="nested too deeply"):
        decode(body, JSON)
    assert decode(nested_bytes(2), PROTOBUF).spans[0].attributes == {"k": [["core"]]}
    with pytest.raises(RequestError, match="no OTLP request"):
        decode(nested_bytes(90), PROTOBUF)


def test_a_text_of_ten_megabytes_is_read() -> None:
    body = request(span(attributes=[{"key": "input.value", "value": {"stringValue": "x" * 10_000_000}}]))
    found = received(decode(body, JSON).spans[0])
    assert len(found.question) == 100_000


@given(st.data())
def test_a_spoilt_body_is_read_or_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    media, suffix = data.draw(st.sampled_from([(JSON, "json"), (PROTOBUF, "pb")]))
    body = bytearray((GOLDEN / f"{name}.{suffix}").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode(bytes(body), media)
    except RequestError as refused:
        assert refused.status == 400
    else:
        assert all(msgspec.msgpack.encode(received(found)) for found in decoded.spans)
