"""What users say without being asked: one file a family of signals.

A signal looks at one turn of a conversation and tells what it says of an answer, most often the one before it. Those
that read words give the confidence that `benchmarks/feedback` measured; that of the others is a judgement, named where
it stands.
"""

from typing import Protocol

from regista.core.nouns import Feedback
from regista.core.registry import Registry
from regista.feedback.turns import Conversation


class Signal(Protocol):
    """Finds what a turn says of an answer."""

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        """The feedback of the turn at this place, told from it and the turns before it."""
        ...


signals = Registry[Signal](__name__, "signal")
