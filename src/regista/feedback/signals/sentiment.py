"""Whether a user is pleased or displeased with the answer before: not whether what they speak of pleases them."""

from dataclasses import dataclass

from regista.core.nouns import Feedback
from regista.feedback.found import said
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation


@signals.add
@dataclass
class Sentiment:
    """Tells praise and thanks (`positive`, 1) and displeasure (`negative`, -1) from the user's words."""

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        return said(conversation, at, {"positive": 1.0, "negative": -1.0})
