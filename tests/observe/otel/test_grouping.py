from itertools import permutations
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.observe.otel.conftest import SECOND, START, TRACE, golden, got
from tests.observe.otel.test_decode import NAMES

from regista.core.nouns import Message, Span, Trace, Usage
from regista.observe.otel.bounds import INT64
from regista.observe.otel.grouping import by_trace, merged, received_again, trace_of
from regista.observe.otel.nouns import Received
from regista.observe.wire import decode_trace, encode_trace
from regista.store import connect
from regista.store.traces import find, write


def shape(trace: Trace) -> list[tuple[str, int, float, float]]:
    """Spans by name, parent, start and duration in seconds."""
    return [(span.name, span.parent, span.start_ns / SECOND, span.duration_ns / SECOND) for span in trace.spans]


def chat(number: int, parent: int = 0, start: float = 0, **fields: object) -> Received:
    return got(number, parent, start, **{"stage": "generate", "model": "m", "usage": Usage(10, 5), **fields})  # type: ignore[arg-type]


def test_parents_come_before_their_children_whatever_the_order_they_came_in() -> None:
    spans = [
        got(1, duration=9, name="root"),
        got(2, 1, 1, 3, name="first"),
        got(3, 2, 2, name="inner"),
        got(4, 1, 5, name="second"),
    ]
    expected = [("root", -1, 0, 9), ("first", 0, 1, 3), ("inner", 1, 2, 1), ("second", 0, 5, 1)]
    traces = [trace_of(order) for order in permutations(spans)]
    assert shape(traces[0]) == expected and all(trace == traces[0] for trace in traces)
    assert (traces[0].started_ns, traces[0].duration_ns) == (START, 9 * SECOND)


def test_a_trace_tells_what_its_spans_tell() -> None:
    spans = [
        got(
            1, duration=9, stage="chain", question="Why?", resource={"service.name": "shop"}, status="error", error="no"
        ),
        chat(2, 1, 1, question="inner", answer="Because.", first_token_ns=SECOND // 2),
    ]
    trace = trace_of(spans, "acme", "key-1")
    assert (trace.id, trace.application, trace.model, trace.tenant, trace.key) == (TRACE, "shop", "m", "acme", "key-1")
    assert (trace.status, trace.error, trace.question, trace.answer) == ("error", "no", "Why?", "Because.")
    assert (trace.first_token_ns, trace.usage, trace.cost_nano) == (3 * SECOND // 2, Usage(10, 5), None)
    assert trace.calls == ()
    assert trace_of([*spans, chat(3, 1, 5, answer="At last.")]).answer == "At last."


def test_what_an_agent_counts_its_calls_do_too() -> None:
    agent = got(1, duration=9, stage="agent", usage=Usage(100, 50), cost_nano=7)
    calls = [chat(2, 1, cost_nano=3), chat(3, 1, 2, cost_nano=4)]
    assert trace_of([agent, *calls]).usage == Usage(100, 50)
    assert trace_of([agent, *calls]).cost_nano == 7
    silent = msgspec.structs.replace(agent, usage=None, cost_nano=None)
    assert trace_of([silent, *calls]).usage == Usage(20, 10)
    assert trace_of([silent, *calls, got(4, 2, usage=Usage(1, 1))]).usage == Usage(20, 10)
    assert trace_of([silent, *calls]).cost_nano == 7
    assert trace_of([silent, *calls, chat(4, 1)]).cost_nano is None, "An unknown cost is not a cost of nothing."
    assert trace_of([agent, *calls, chat(4, 1)]).cost_nano == 7
    assert trace_of([chat(1, usage=Usage(INT64)), chat(2, usage=Usage(INT64))]).usage == Usage(INT64)


def test_a_span_that_came_twice_is_one_and_the_later_report_counts() -> None:
    early, late = got(2, 1, duration=1, name="early"), got(2, 1, duration=3, name="late")
    for spans in ([got(1, duration=9), early, late, early], [late, early, got(1, duration=9)]):
        assert [span.name for span in trace_of(spans).spans] == ["", "late"]


def test_a_parent_that_never_comes_leaves_a_root_that_names_it() -> None:
    trace = trace_of([got(2, 1, 1, name="a"), got(3, 1, 4, name="b")])
    assert shape(trace) == [("a", -1, 0, 1), ("b", -1, 3, 1)]
    assert {span.attributes["parent_id"] for span in trace.spans} == {f"{1:016x}"}
    assert (trace.started_ns, trace.duration_ns) == (START + SECOND, 4 * SECOND)


def test_of_several_roots_that_without_a_parent_speaks_for_the_trace() -> None:
    trace = trace_of([got(9, 8, 0, question="orphan"), got(1, 0, 1, question="root")])
    assert trace.question == "root"


def test_a_child_with_another_clock_is_moved_into_its_parent_with_all_below_it() -> None:
    far = -3_600
    spans = [
        got(1, duration=10, name="root"),
        got(2, 1, far, 4, name="skewed", resource={"host": "b"}),
        got(3, 2, far + 1, 1, name="inner", resource={"host": "b"}),
        got(4, 1, 3_600, 20, name="longer", resource={"host": "c"}),
        got(5, 1, 12, 1, name="after", resource={}),
    ]
    trace = trace_of(spans)
    assert sorted(shape(trace)) == [
        ("after", 0, 12, 1),  # the same clock: something went on after the answer
        ("inner", 1, 4, 1),
        ("longer", 0, 0, 20),
        ("root", -1, 0, 10),
        ("skewed", 0, 3, 4),
    ]
    assert {s.name: s.attributes.get("skew_ns", 0) // SECOND for s in trace.spans}["skewed"] == 3_603
    assert (trace.started_ns, trace.duration_ns) == (START, 10 * SECOND)


def test_parents_in_a_circle_are_taken_apart() -> None:
    trace = trace_of(
        [got(1, 3, 0, name="a"), got(2, 1, 1, name="b"), got(3, 2, 2, name="c"), got(4, 4, 3, name="self")]
    )
    assert [(span.name, span.parent) for span in trace.spans] == [("a", -1), ("b", 0), ("c", 1), ("self", -1)]


def test_a_chain_of_thirty_thousand_spans_is_no_harder() -> None:
    trace = trace_of([got(number, number - 1, number / 1000, 100) for number in range(30_000, 0, -1)])
    assert trace.spans[-1].parent == 29_998


def test_spans_are_sorted_to_their_traces() -> None:
    other = msgspec.structs.replace(got(2), trace_id="f" * 32)
    assert by_trace([got(1), other, got(3)]) == {TRACE: [got(1), got(3)], "f" * 32: [other]}


def test_a_service_without_a_name_is_no_application() -> None:
    assert trace_of([got(1, resource={"service.name": "unknown_service:python"})]).application == ""


@pytest.mark.parametrize("name", NAMES)
def test_what_was_received_is_stored_and_had_back(name: str, tmp_path: Path) -> None:
    database = connect(f"sqlite://{tmp_path / 'regista.db'}")
    for trace_id, spans in by_trace(golden(name)).items():
        trace = trace_of(spans)
        with database.transaction() as transaction:
            assert write(transaction, [trace]) == 1
        stored = find(database, trace_id)
        assert stored == decode_trace(encode_trace(trace))
        assert sorted(received_again(stored), key=lambda span: span.id) == sorted(spans, key=lambda span: span.id)
    database.close()


def test_a_trace_of_openinference_reads_as_its_chain() -> None:
    trace = trace_of(golden("openinference-rag"))
    assert [(span.stage, span.parent) for span in trace.spans] == [
        ("chain", -1),
        ("retrieve", 0),
        ("guard", 0),
        ("tools", 0),
        ("generate", 0),
    ]
    assert (trace.application, trace.model, trace.question) == ("bakery", "good", "How hot is the oven for bread?")
    assert trace.usage.input_tokens == 12 and trace.status == "ok"


def test_a_failed_stage_says_why() -> None:
    tool = next(span for span in trace_of(golden("genai-events")).spans if span.stage == "tools")
    assert (tool.decision, tool.reason) == ("error", "TimeoutError: the timer does not answer")


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
spans_ = st.lists(
    st.builds(
        got,
        st.integers(1, 6),
        st.integers(0, 7),
        st.integers(-5, 5),
        st.integers(0, 6),
        name=texts,
        stage=st.sampled_from(["generate", "tools", "chain"]),
        model=st.sampled_from(["", "m"]),
        usage=st.none() | st.builds(Usage, st.integers(0, 9), st.integers(0, 9), charged_nano=st.none() | st.just(0)),
        cost_nano=st.none() | st.integers(0, 9),
        status=st.sampled_from(["ok", "error", "cancelled"]),
        error=texts,
        question=texts,
        decision=texts,
        reason=texts,
        messages=st.sampled_from([(), (Message("user", "q", {"name": "n"}),)]),
        resource=st.sampled_from([{}, {"service.name": "a"}, {"service.name": "b"}]),
        attributes=st.dictionaries(texts, st.integers(0, 3), max_size=2),
    ),
    min_size=1,
    max_size=8,
)


@given(spans_, st.randoms(use_true_random=False))
def test_the_order_and_the_number_of_reports_change_nothing(spans: list[Received], random: Random) -> None:
    again = [*spans, *spans]
    random.shuffle(again)
    assert trace_of(again) == trace_of(spans)


@given(spans_, spans_)
def test_late_spans_are_merged_as_if_they_had_been_in_time(early: list[Received], late: list[Received]) -> None:
    trace = trace_of(early, "tenant", "key")
    assert merged(trace, late) == trace_of([*early, *late], "tenant", "key")
    assert merged(trace, ()) == trace


@given(spans_)
def test_a_child_starts_within_the_trace_and_after_its_parent(spans: list[Received]) -> None:
    placed: tuple[Span, ...] = trace_of(spans).spans
    for index, span in enumerate(placed):
        assert span.parent < index
        assert span.start_ns >= (placed[span.parent].start_ns if span.parent >= 0 else 0)
    assert len(placed) == len({span.id for span in spans})
