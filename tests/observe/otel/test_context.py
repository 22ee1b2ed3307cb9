import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.observe.otel.conftest import TRACE

from regista.observe.otel.context import RANDOM, SAMPLED, Context, headers, parse

SPAN, OWN = "00f067aa0ba902b7", "b7ad6b7169203331"


def test_a_context_is_read() -> None:
    context = parse(f"00-{TRACE}-{SPAN}-01", ["congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"])
    assert context == Context(TRACE, SPAN, SAMPLED, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")
    assert context is not None and context.sampled


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0g",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE}-{SPAN}",
        f"0-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01more",
        f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
    ],
)
def test_what_is_no_context_begins_a_trace_whatever_the_state_is(header: str) -> None:
    assert parse(header, ["a=1"]) is None


@pytest.mark.parametrize(
    "header", [f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-comes-then", f"00-{TRACE}-{SPAN}-ff"]
)
def test_later_versions_and_flags_are_read_as_far_as_they_are_known(header: str) -> None:
    context = parse(header)
    assert context is not None and (context.trace_id, context.parent_id) == (TRACE, SPAN)
    sent = headers(context.trace_id, OWN, context.flags, context.state)
    assert sent in (f"traceparent: 00-{TRACE}-{OWN}-0{flags}\r\n".encode() for flags in (1, 3))


def test_a_call_names_the_span_it_is_made_from_and_passes_the_state_on() -> None:
    context = parse(f"00-{TRACE}-{SPAN}-00", [" a=1 , b@v=2", "", "c=3"])
    assert context is not None and not context.sampled
    sent = headers(TRACE, OWN, context.flags, context.state)
    assert sent == f"traceparent: 00-{TRACE}-{OWN}-00\r\ntracestate: a=1,b@v=2,c=3\r\n".encode()
    assert headers(TRACE, OWN, SAMPLED | RANDOM) == f"traceparent: 00-{TRACE}-{OWN}-03\r\n".encode()
    assert headers(TRACE, OWN) == f"traceparent: 00-{TRACE}-{OWN}-01\r\n".encode()


@pytest.mark.parametrize(
    "state",
    ["a", "a=", "=1", "A=1", "a=1,a=2", "a=b=c", "a=\u00e9", "a=" + "x" * 257, ",".join(f"k{i}=1" for i in range(33))],
)
def test_a_state_that_is_invalid_is_left_out_and_the_context_kept(state: str) -> None:
    context = parse(f"00-{TRACE}-{SPAN}-01", ["fine=1", state])
    assert context is not None and context.state == ""


def test_a_state_of_the_largest_size_is_kept() -> None:
    state = ",".join(["k" * 256 + "=" + "v" * 256, *(f"k{i}=1" for i in range(31))])
    context = parse(f"00-{TRACE}-{SPAN}-01", [state])
    assert context is not None and context.state == state
    more = ",".join(f"k{i}={'v' * 250}" for i in range(9))
    assert parse(f"00-{TRACE}-{SPAN}-01", [more]) == Context(TRACE, SPAN, SAMPLED), "No server takes it all."


ids = st.integers(1, (1 << 64) - 1)


@given(ids, ids, st.integers(0, 3))
def test_what_is_sent_is_read(trace: int, span: int, flags: int) -> None:
    lines = headers(f"{trace:032x}", f"{span:016x}", flags, "a=1").decode().split("\r\n")
    (_, sent), (_, state) = (line.split(": ") for line in lines if line)
    assert parse(sent, [state]) == Context(f"{trace:032x}", f"{span:016x}", flags, "a=1")
