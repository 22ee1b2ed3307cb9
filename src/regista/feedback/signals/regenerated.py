"""The same question was sent again with the same history, though it had been answered."""

from dataclasses import dataclass

from regista.core.nouns import Feedback
from regista.core.registry import option
from regista.feedback.found import quoted, signal
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation


@signals.add
@dataclass
class Regenerated:
    """Tells that another answer was asked for. What failed is sent again by every client, and so does not count."""

    seconds: float = option(600.0, "how long after the answer the question may come again")
    talking: float = option(0.9, "confidence within a conversation; not measured")
    alone: float = option(0.6, "confidence for a first question, which a program may send twice; not measured")

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        turn, before = conversation.turns[at], conversation.before(at)
        if turn.way != "regenerates" or before is None or not before.answer or before.status == "error":
            return []
        if turn.started_ns - before.ended_ns > self.seconds * 1e9:
            return []
        talking = any(one.way == "continues" for one in conversation.turns[:at])
        confidence = self.talking if talking else self.alone
        evidence = quoted(turn, 0, len(turn.question))
        return [signal(conversation, "regenerated", before, turn.started_ns, confidence, evidence=evidence)]
