from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.core.errors import ProviderError
from regista.models.sse import LONGEST, Event, Splitter

STREAM = b'data: {"a": 1}\n\n: a comment\n\nevent: ping\ndata: x\ndata: y\n\ndata: [DONE]\n\n'


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_are_the_same_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    splitter, events = Splitter(), list[Event]()
    places = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(places):
        events += splitter.feed(STREAM[start:end])
    assert [(e.name, e.data) for e in events] == [(b"", b'{"a": 1}'), (b"ping", b"x\ny"), (b"", b"[DONE]")]
    assert splitter.rest == b""


def test_carriage_returns_are_line_ends_too() -> None:
    assert [e.data for e in Splitter().feed(STREAM.replace(b"\n", b"\r\n"))][-1] == b"[DONE]"


@pytest.mark.parametrize("part", [b"data:", b"data: ", b"event: ping\ndata", b"event: ping", b": ping", b""])
def test_an_event_without_data_is_none(part: bytes) -> None:
    """See https://html.spec.whatwg.org/multipage/server-sent-events.html#dispatchMessage."""
    assert Splitter().feed(part + b"\n\n") == []


def test_an_event_that_is_not_whole_waits() -> None:
    splitter = Splitter()
    assert splitter.feed(b"data: 1\n") == []
    assert splitter.rest == b"data: 1\n"


def test_an_event_that_never_ends_is_not_kept_for_ever() -> None:
    splitter, block = Splitter(), b"x" * (1 << 20)
    for _ in range(LONGEST // len(block)):
        assert splitter.feed(block) == []
    with pytest.raises(ProviderError, match="16 MB"):
        splitter.feed(block)
