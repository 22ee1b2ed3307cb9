"""A conversation as the gateway saw it, turn by turn. It knows nothing about how turns were told to belong together."""

from typing import Literal

from msgspec import Struct

Way = Literal["begins", "continues", "regenerates", "rewords"]
"""How a turn follows another: not at all, with a next question, with the same one, or with the last one changed."""


class Turn(Struct, frozen=True, gc=False):
    """One question and its answer, as they were before the model and as they went out. Times are nanoseconds.

    `after` is the trace of the turn it follows: of the answer it goes on from, or of the turn it repeats or rewords.
    `returned` is that answer as this turn's request gave it back, where it was not as it had gone out. A `cancelled`
    turn's `answer` is what had gone out by then. `refused` says that the provider or a guardrail refused.
    """

    trace: str
    question: str
    answer: str
    started_ns: int
    duration_ns: int = 0
    status: Literal["ok", "error", "cancelled"] = "ok"
    way: Way = "begins"
    after: str = ""
    returned: str = ""
    refused: bool = False

    @property
    def ended_ns(self) -> int:
        """When the answer was out."""
        return self.started_ns + self.duration_ns


class Conversation(Struct, frozen=True):
    """Turns in the order they were asked. `over` says that nobody is thought to go on with it."""

    session: str
    turns: tuple[Turn, ...]
    over: bool = False

    def before(self, at: int) -> Turn | None:
        """The turn that the turn at this place follows, or nothing."""
        after = self.turns[at].after
        return next((turn for turn in reversed(self.turns[:at]) if turn.trace == after), None) if after else None
