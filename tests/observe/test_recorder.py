from collections.abc import Generator

import pytest

from regista.core.errors import ProviderError
from regista.observe.recorder import Recorder, made_id


@pytest.fixture
def recorder() -> Recorder:
    return Recorder("club", "variant", "model", "tenant")


def test_spans_nest_in_the_span_that_is_open(recorder: Recorder) -> None:
    with recorder.span("retrieve"):
        with recorder.span("embed"), recorder.span("tokenize"):
            pass
        with recorder.span("search"):
            pass
    with recorder.span("generate"):
        pass
    spans = recorder.finish("ok").spans
    assert [(s.stage, s.parent) for s in spans] == [
        ("retrieve", -1),
        ("embed", 0),
        ("tokenize", 1),
        ("search", 0),
        ("generate", -1),
    ]


def test_times_count_from_the_start_and_a_child_lies_within_its_parent(recorder: Recorder) -> None:
    with recorder.span("outer"), recorder.span("inner"):
        recorder.first_token()
    trace = recorder.finish("ok")
    outer, inner = trace.spans
    assert 0 <= outer.start_ns <= inner.start_ns <= trace.first_token_ns <= inner.start_ns + inner.duration_ns
    assert inner.start_ns + inner.duration_ns <= outer.start_ns + outer.duration_ns <= trace.duration_ns


def test_what_a_stage_decided_is_on_its_span(recorder: Recorder) -> None:
    with recorder.span("cache", "exact") as span:
        span.set(key="k")
        span.decide("miss", "never asked")
        span.set(age=3)
    kept = recorder.finish("ok").spans[0]
    assert (kept.name, kept.decision, kept.reason, kept.attributes) == (
        "exact",
        "miss",
        "never asked",
        {"key": "k", "age": 3},
    )


def test_an_error_of_our_own_is_told_in_full(recorder: Recorder) -> None:
    with pytest.raises(ProviderError), recorder.span("generate"):
        raise ProviderError("The provider answered 500.")
    span = recorder.finish("error").spans[0]
    assert (span.decision, span.reason) == ("error", "ProviderError: The provider answered 500.")


def test_the_message_of_a_foreign_error_is_not_kept(recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="sk-secret"), recorder.span("generate") as span:
        span.decide("stop")
        raise ValueError("bad header: sk-secret")
    span = recorder.finish("error").spans[0]
    assert (span.decision, span.reason) == ("error", "ValueError")


def test_a_client_that_leaves_is_no_error(recorder: Recorder) -> None:
    def stream() -> Generator[int]:
        with recorder.span("generate"):
            yield 1

    answer = stream()
    next(answer)
    answer.close()
    span = recorder.finish("cancelled").spans[0]
    assert (span.decision, span.reason) == ("cancelled", "GeneratorExit")


def test_a_span_closed_late_does_not_adopt_what_comes_after(recorder: Recorder) -> None:
    def stream() -> Generator[int]:
        with recorder.span("late"):
            yield 1

    with recorder.span("outer"):
        answer = stream()
        next(answer)
    answer.close()
    with recorder.span("after"):
        pass
    assert [(s.stage, s.parent) for s in recorder.finish("ok").spans] == [("outer", -1), ("late", 0), ("after", -1)]


def test_a_span_still_open_at_the_end_lasts_until_then(recorder: Recorder) -> None:
    recorder.span("open").__enter__()
    trace = recorder.finish("cancelled")
    assert trace.spans[0].start_ns + trace.spans[0].duration_ns == trace.duration_ns


def test_only_the_first_token_counts(recorder: Recorder) -> None:
    recorder.first_token()
    first = recorder.finish("ok").first_token_ns
    recorder.first_token()
    assert recorder.finish("ok").first_token_ns == first > 0


def test_ids_are_32_hexadecimal_digits_and_differ(recorder: Recorder) -> None:
    other = Recorder("club", "variant", "model", "tenant")
    assert len(bytes.fromhex(recorder.trace_id)) == 16
    assert recorder.trace_id != other.trace_id
    assert Recorder("club", "v", "m", "t", "ab" * 16).finish("ok").id == "ab" * 16


def test_an_unknown_price_is_not_a_price_of_nothing(recorder: Recorder) -> None:
    assert recorder.finish("ok").cost_nano is None


def test_an_id_begins_with_its_second_and_ends_by_chance() -> None:
    one, other = (made_id(1_795_000_000_999_999_999) for _ in range(2))
    assert one[:8] == other[:8] == f"{1_795_000_000:08x}"
    assert one[8:] != other[8:]
    assert made_id(1_795_000_001_000_000_000) > one


def test_a_recorder_makes_an_id_of_when_it_began() -> None:
    recorder = Recorder("club", "v", "m", "default")
    assert recorder.trace_id[:8] == f"{recorder.started_ns // 10**9:08x}"
