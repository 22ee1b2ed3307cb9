"""A review queue as `reviews/NAME.toml` writes it: the question, the scale with its anchors, and what is drawn.

Reads no file.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

HOUR_NS = 3_600 * 10**9
LENGTHS_H = {"h": 1, "d": 24, "w": 168}
FEWEST, MOST = 2, 9
"""Grades or labels of a queue: each has a digit as its key."""

Line = Annotated[str, Meta(min_length=1, max_length=500)]
Since = Annotated[str, Meta(pattern=r"^([1-9][0-9]{0,3}[hdw])?$", description='Write a time such as "24h" or "7d".')]
Dataset = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description='Name a dataset by a-z, 0-9, - and _, such as "gold".'),
]


class Choice(Struct, frozen=True):
    """`[[grades]]` or `[[labels]]`: `anchor` is what deserves it, `example` an answer that does.

    A label needs its `name`; a grade is known by its place, the worst being 1, and may have one.
    """

    anchor: Line
    name: Annotated[str, Meta(max_length=60)] = ""
    example: Annotated[str, Meta(max_length=4_000)] = ""


class Traces(Struct, frozen=True):
    """`[traces]`: which are drawn, the newest first; all of the application that have an answer, without it.

    `signal` draws those of which the gateway found it. Two `variants`, by how their digests begin, are for pairs: one
    answer is of each.
    """

    status: Literal["", "ok", "error", "cancelled"] = ""
    model: Annotated[str, Meta(max_length=200)] = ""
    since: Since = ""
    signal: Annotated[str, Meta(max_length=60)] = ""
    variants: Annotated[tuple[Annotated[str, Meta(min_length=4, max_length=16)], ...], Meta(max_length=2)] = ()


class Queue(Struct, frozen=True):
    """A whole `reviews/NAME.toml`, checked. It has `grades`, or `labels`, or is `pairwise`.

    Each item is asked of so many `annotators`, who have `lease_s` for it. A share of `blind_repeats` of what one is
    asked is what one has judged before. What was edited goes to the `dataset`.
    """

    question: Line
    title: Annotated[str, Meta(max_length=100)] = ""
    about: Annotated[str, Meta(max_length=4_000)] = ""
    grades: Annotated[tuple[Choice, ...], Meta(max_length=MOST)] = ()
    labels: Annotated[tuple[Choice, ...], Meta(max_length=MOST)] = ()
    pairwise: bool = False
    annotators: Annotated[int, Meta(ge=1, le=20)] = 2
    lease_s: Annotated[int, Meta(ge=30, le=86_400)] = 600
    blind_repeats: Annotated[float, Meta(ge=0, le=0.5)] = 0.1
    dataset: Dataset = "gold"
    traces: Traces = field(default_factory=Traces)

    @property
    def kind(self) -> Literal["grades", "labels", "pairs"]:
        return "pairs" if self.pairwise else "grades" if self.grades else "labels"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What is chosen from, in the order of the keys; nothing for pairs."""
        return self.grades or self.labels

    def since_ns(self, now_ns: int) -> int:
        """From when traces are drawn."""
        since = self.traces.since
        return now_ns - int(since[:-1]) * LENGTHS_H[since[-1]] * HOUR_NS if since else 0


DEFAULT = "answers"
"""The queue that is there without any file; `reviews/answers.toml` takes its place."""
DEFAULTS = {
    DEFAULT: Queue(
        question="Does the answer give the person who asked what they need?",
        title="Answers",
        grades=(
            Choice("False, or harmful to who acts on it.", "harmful"),
            Choice("Beside the question, or says nothing that helps.", "useless"),
            Choice("Some of what was asked; something important is missing or wrong.", "partly"),
            Choice("What was asked, with a flaw that does no harm.", "good"),
            Choice("What was asked: right, whole and clear.", "perfect"),
        ),
    )
}
