"""Our answer comes back edited in a later request: what a user makes of it is how they would have had it."""

from dataclasses import dataclass

from regista.core.nouns import Evidence, Feedback
from regista.core.registry import option
from regista.feedback.edits import edit
from regista.feedback.found import signal
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation


@signals.add
@dataclass
class Edited:
    """Tells that an answer was changed before it came back; `value` is the share of its words that was kept.

    An answer cut off at its end was shortened by a client to save room, and one with little left was replaced by a
    program: neither counts. The evidence is the edited text as a whole.
    """

    least: float = option(0.3, "share of the words that must be kept")
    confidence: float = option(0.8, "confidence; not measured")

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        turn, before = conversation.turns[at], conversation.before(at)
        if before is None or not turn.returned or not before.answer:
            return []
        if before.answer.strip().startswith(turn.returned.strip().rstrip("….")):
            return []
        made = edit(before.answer, turn.returned)
        if made.kept < self.least or not made.distance:
            return []
        evidence = (Evidence(turn.trace, "returned", 0, len(turn.returned), turn.returned),)
        return [signal(conversation, "edited", before, turn.started_ns, self.confidence, made.kept, evidence)]
