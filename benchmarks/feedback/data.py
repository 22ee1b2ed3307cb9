"""The labelled turns: a file of contexts (a question and its answer) and of turns that came after them."""

from pathlib import Path
from typing import NamedTuple

import msgspec

HERE = Path(__file__).parent / "data"


class Turn(NamedTuple):
    """A user's words after an answer, or an `answer` alone; `context` numbers the contexts of one file from 1."""

    context: int
    text: str
    question: str
    answer: str
    labels: frozenset[str]


class Line(msgspec.Struct):
    """One line of a file: a context, a turn after one, or an answer."""

    context: int = 0
    question: str = ""
    answer: str = ""
    after: int = 0
    turn: str = ""
    labels: list[str] = []


def turns(name: str) -> list[Turn]:
    """The turns of a file, in order: see `benchmarks.feedback.signals`."""
    lines = _lines(name)
    contexts = {line.context: line for line in lines if line.context}
    return [
        Turn(line.after, line.turn, contexts[line.after].question, contexts[line.after].answer, frozenset(line.labels))
        for line in lines
        if line.turn
    ]


def answers(name: str) -> list[tuple[str, bool]]:
    """Answers, and whether each is a refusal."""
    return [(line.answer, "refusal" in line.labels) for line in _lines(name) if line.after and not line.turn]


def _lines(name: str) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in (HERE / f"{name}.jsonl").read_bytes().splitlines()]
