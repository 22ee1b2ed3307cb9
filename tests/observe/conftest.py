"""Fixtures: traces, and a store to put them in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from regista.core.nouns import Citation, Trace, Usage
from regista.observe.recorder import Recorder


def record(question: str) -> Trace:
    recorder = Recorder("club", "9c0ffee1d2a34b56", "embedded/reader", "default")
    with recorder.span("retrieve") as span:
        span.decide("1 hit", "lexical")
        span.set(hits=[{"document": "a.md", "start": 0, "end": 4, "score": 0.5}])
    with recorder.span("generate", "embedded/reader"):
        recorder.first_token()
    cited = (Citation("a.md", 0, 4, "text", 1),)
    return recorder.finish("ok", "", "miss", Usage(10, 5, 2, 1), 1500, "2026-11", question, "It says so [1].", cited)


@pytest.fixture
def make_trace() -> Callable[[str], Trace]:
    return record


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path / 'regista.db'}"
