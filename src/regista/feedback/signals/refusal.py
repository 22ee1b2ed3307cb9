"""The answer is a refusal: the provider's or a guardrail's, or in words."""

from dataclasses import dataclass

from regista.core.nouns import Feedback
from regista.core.registry import option
from regista.feedback.found import answered, signal
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation
from regista.text.refusals import declines


@signals.add
@dataclass
class Refusal:
    """Tells that an answer declines, or is nothing but that it does not know."""

    confidence: float = option(0.95, "confidence where the words tell it")

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        turn = conversation.turns[at]
        why = declines(turn.answer)
        if not (turn.refused or why):
            return []
        words = why.partition(": ")[2]
        start = max(turn.answer.replace("’", "'").find(words), 0) if words else 0
        end = start + len(words) if words else len(turn.answer)
        confidence = 1.0 if turn.refused else self.confidence
        evidence = answered(turn, start, min(end, len(turn.answer)))
        return [signal(conversation, "refusal", turn, turn.ended_ns, confidence, evidence=evidence)]
