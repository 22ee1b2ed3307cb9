"""A complaint about the answer before, of the eight kinds of FITS. It knows no tone: see `sentiment`."""

from dataclasses import dataclass

from regista.core.nouns import Feedback
from regista.feedback.found import said
from regista.feedback.labels import COMPLAINTS
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation


@signals.add
@dataclass
class Complaint:
    """Tells from the user's words what is wrong with the answer before; a finding has the complaint's name."""

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        return said(conversation, at, dict.fromkeys(COMPLAINTS, 1.0))
