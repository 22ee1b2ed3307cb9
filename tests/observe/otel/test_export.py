import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.observe.otel.conftest import JSON, PROTOBUF, SECOND, START, TRACE

from regista.core.nouns import Call, Citation, Span, Trace, Usage
from regista.observe.otel.bounds import INT64
from regista.observe.otel.decode import decode, form_of
from regista.observe.otel.export import scored, span_id, spans_of
from regista.observe.otel.grouping import trace_of
from regista.observe.otel.mapping import received
from regista.observe.otel.nouns import Score

SECRETS = ("a secret question", "a secret answer", "a secret passage", "the tenant", "the key")
TRACE_OF_OURS = Trace(
    id=TRACE,
    application="club",
    variant="9c0ffee1d2a34b56",
    model="openai/gpt-x",
    tenant="the tenant",
    started_ns=START,
    duration_ns=2 * SECOND,
    first_token_ns=SECOND,
    status="ok",
    error="",
    cached="miss",
    usage=Usage(30, 12, 4, 2),
    cost_nano=1500,
    price_version="2026-11",
    question="a secret question",
    answer="a secret answer",
    citations=(Citation("a.md", 0, 6, "a secret passage", 1),),
    spans=(
        Span("authenticate", "", -1, 0, 5, "allowed", "the key"),
        Span("retrieve", "", -1, 10, 100, "2 hits", "hybrid", {"hits": [{"text": "a secret passage"}], "kept": 2}),
        Span("generate", "openai/gpt-x", -1, 200, SECOND, "stop"),
        Span("guard response", "pii", 2, 300, 50, "error", "ProviderError: it failed"),
    ),
    calls=(
        Call("openai", "gpt-x", "answer", "error", Usage(), True, 0, START + 210, 100, 0, "The provider answered 503."),
        Call("bedrock", "nova", "fallback", "ok", Usage(30, 12, 4, 2), True, 1500, START + 400, SECOND // 2, 70),
    ),
    key="the key",
)
SCORES = (
    Score("thumb", 1.0, "up", "", START + SECOND),
    Score("correction", None, "", "It was Lyon.", START + 3 * SECOND),
)


@pytest.mark.parametrize("media", [JSON, PROTOBUF])
def test_nothing_that_was_said_goes_out_unless_it_is_asked_for(media: str) -> None:
    write = form_of(media).write
    quiet, whole = (write(spans_of(TRACE_OF_OURS, content=content)) for content in (False, True))
    assert [secret for secret in SECRETS if secret.encode() in quiet] == []
    assert [secret for secret in SECRETS if secret.encode() in whole] == list(SECRETS[:3])
    assert b"2 hits" in quiet and b"hybrid" in whole and b"hybrid" not in quiet


def test_the_latest_conventions_are_followed() -> None:
    root, _, retrieve, generate, guard, failed, call = spans_of(TRACE_OF_OURS, content=True)
    assert {span.schema_url for span in (root, call)} == {"https://opentelemetry.io/schemas/gen-ai/1.42.0"}
    assert (root.name, root.kind, root.parent_id, root.resource) == (
        "invoke_workflow club",
        2,
        "",
        {"service.name": "club"},
    )
    assert root.attributes["gen_ai.operation.name"] == "invoke_workflow"
    assert root.attributes["gen_ai.response.time_to_first_chunk"] == 1.0
    assert json.loads(root.attributes["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "a secret answer"}], "finish_reason": "stop"}
    ]
    assert (retrieve.attributes["gen_ai.operation.name"], retrieve.parent_id) == ("retrieval", root.id)
    assert (call.name, call.kind) == ("chat nova", 3)
    assert call.attributes["gen_ai.provider.name"] == "aws.bedrock"
    assert call.attributes["gen_ai.usage.input_tokens"] == 30
    assert call.attributes["gen_ai.usage.cache_read.input_tokens"] == 4
    assert call.attributes["gen_ai.usage.reasoning.output_tokens"] == 2
    assert (failed.status, failed.message, failed.attributes["error.type"]) == (
        2,
        "The provider answered 503.",
        "_OTHER",
    )
    assert {failed.parent_id, call.parent_id} == {generate.id}
    assert (guard.parent_id, guard.status, guard.message) == (generate.id, 2, "ProviderError: it failed")
    counted = [
        span for span in (root, retrieve, generate, guard, failed) if "gen_ai.usage.input_tokens" in span.attributes
    ]
    assert counted == [failed], "What calls count is counted once."


def test_a_request_of_protobuf_is_read_by_the_official_library() -> None:
    request = ExportTraceServiceRequest.FromString(form_of(PROTOBUF).write(spans_of(TRACE_OF_OURS)))
    (of_resource,) = request.resource_spans
    (of_scope,) = of_resource.scope_spans
    assert len(of_scope.spans) == 7 and of_scope.scope.name == "regista"
    assert len({span.span_id for span in of_scope.spans}) == 7


@pytest.mark.parametrize("media", [JSON, PROTOBUF])
def test_scores_go_out_as_events_and_come_back(media: str) -> None:
    spans = decode(form_of(media).write(spans_of(TRACE_OF_OURS, SCORES)), media).spans
    assert [event.name for event in spans[0].events] == ["gen_ai.evaluation.result"] * 2
    assert spans[0].events[0].attributes == {
        "gen_ai.evaluation.name": "thumb",
        "gen_ai.evaluation.score.value": 1.0,
        "gen_ai.evaluation.score.label": "up",
    }
    assert received(spans[0]).scores == SCORES


def test_scores_that_come_later_are_a_span_below_the_root() -> None:
    late = scored(TRACE_OF_OURS, SCORES)
    assert (late.trace_id, late.parent_id) == (TRACE, span_id(TRACE, START))
    assert (late.start_ns, late.end_ns) == (START + SECOND, START + 3 * SECOND)
    assert received(late).scores == SCORES and received(late).stage == "evaluate"
    assert late.id == scored(TRACE_OF_OURS, SCORES).id != scored(TRACE_OF_OURS, SCORES[:1]).id


def test_two_requests_of_one_trace_have_spans_of_their_own() -> None:
    later = msgspec.structs.replace(TRACE_OF_OURS, started_ns=START + 1)
    assert not {span.id for span in spans_of(TRACE_OF_OURS)} & {span.id for span in spans_of(later)}


def test_a_trace_without_an_application_is_a_chat() -> None:
    raw = msgspec.structs.replace(TRACE_OF_OURS, application="", calls=(), spans=())
    (root,) = spans_of(raw)
    assert (root.name, root.resource) == ("chat openai/gpt-x", {"service.name": "regista"})
    assert root.attributes["gen_ai.provider.name"] == "openai"


counts = st.integers(0, INT64)
usages = st.builds(Usage, counts, counts, counts, counts, counts, counts, counts, st.none() | counts)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
statuses = st.sampled_from(["ok", "error", "cancelled"])
near = st.integers(0, 10 * SECOND)


def consistent(trace: Trace, error: str, at: int) -> Trace:
    """A trace with an error only where it failed, calls within it, and no cost of theirs where its own is unknown."""
    calls = tuple(
        msgspec.structs.replace(
            call, started_ns=trace.started_ns + at, cost_nano=None if trace.cost_nano is None else call.cost_nano
        )
        for call in trace.calls
    )
    return msgspec.structs.replace(trace, error=error if trace.status == "error" else "", calls=calls)


traces = st.builds(
    consistent,
    st.builds(
        Trace,
        id=st.integers(1, (1 << 128) - 1).map(lambda number: f"{number:032x}"),
        application=texts,
        variant=texts,
        model=texts.filter(bool),
        tenant=texts,
        started_ns=st.integers(1, INT64 // 2),
        duration_ns=near,
        first_token_ns=near,
        status=statuses,
        error=st.just(""),
        cached=texts,
        usage=usages,
        cost_nano=st.none() | counts,
        price_version=texts,
        question=texts,
        answer=texts,
        citations=st.just(()),
        spans=st.lists(
            st.builds(
                Span, texts, texts, st.just(-1), near, near, texts | statuses, texts, st.dictionaries(texts, texts)
            ),
            max_size=3,
        ).map(tuple),
        calls=st.lists(
            st.builds(
                Call,
                texts,
                texts,
                st.just("answer"),
                statuses,
                usages,
                st.booleans(),
                st.none() | counts,
                near,
                near,
                near,
            ),
            max_size=2,
        ).map(tuple),
    ),
    texts,
    near,
)


@pytest.mark.parametrize("media", [JSON, PROTOBUF])
@given(trace=traces, content=st.booleans())
def test_what_goes_out_comes_back_the_same(media: str, trace: Trace, content: bool) -> None:
    decoded = decode(form_of(media).write(spans_of(trace, content=content)), media)
    assert not decoded.rejected
    again = trace_of([received(span) for span in decoded.spans])
    for field in ("id", "model", "variant", "cached", "price_version", "cost_nano", "usage", "status", "error"):
        assert getattr(again, field) == getattr(trace, field), field
    assert (again.started_ns, again.duration_ns) == (trace.started_ns, trace.duration_ns)
    if trace.first_token_ns:  # else that of a call is taken, whose answer may never have got out
        assert again.first_token_ns == trace.first_token_ns
    assert (again.question, again.answer) == ((trace.question, trace.answer) if content else ("", ""))
    assert again.application == (trace.application or "regista")
    known = {(span.stage, span.start_ns, span.duration_ns, span.decision) for span in again.spans}
    assert {(span.stage, span.start_ns, span.duration_ns, span.decision) for span in trace.spans if span.stage} <= known
    if content:
        assert {span.reason for span in trace.spans if span.stage} <= {span.reason for span in again.spans}


def test_the_root_stands_below_the_span_of_the_client_that_asked() -> None:
    kept = {"parent_id": "00f067aa0ba902b7", "flags": 1, "state": "a=1"}
    came = (msgspec.structs.replace(TRACE_OF_OURS.spans[0], attributes=kept), *TRACE_OF_OURS.spans[1:])
    root, *others = spans_of(msgspec.structs.replace(TRACE_OF_OURS, spans=came))
    assert (root.parent_id, root.state) == ("00f067aa0ba902b7", "a=1")
    assert {span.parent_id for span in others} == {root.id, others[2].id}
    assert spans_of(TRACE_OF_OURS)[0].parent_id == ""


def test_spans_of_requests_that_share_a_trace_have_ids_of_their_own() -> None:
    ids = {span_id(TRACE, START + request, index) for request in range(100) for index in range(-1, 50)}
    assert len(ids) == 100 * 51 and all(len(id) == 16 and int(id, 16) for id in ids)
    assert span_id("0" * 32, 0, 0) != "0" * 16
