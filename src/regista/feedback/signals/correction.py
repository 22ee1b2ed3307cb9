"""A user says that something else was meant: "no, I meant the under-13s"."""

from dataclasses import dataclass

from regista.core.nouns import Feedback
from regista.feedback.found import said
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation


@signals.add
@dataclass
class Correction:
    """Tells from the user's words that they, or the answer, had something else in mind than was asked."""

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        return said(conversation, at, {"correction": 1.0})
