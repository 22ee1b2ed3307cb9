"""The next question asks the same in other words, or is the last one changed in its place."""

from dataclasses import dataclass

from regista.core.nouns import Feedback
from regista.core.registry import option
from regista.feedback.features import alike
from regista.feedback.found import quoted, said, signal
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation


@signals.add
@dataclass
class Rephrased:
    """Tells by shared words and pieces of words. One changed in its place has `value` the share left as it was."""

    least: float = option(0.4, "share of its letters that a question changed in its place must keep")
    confidence: float = option(0.8, "confidence for a question changed in its place; not measured")

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        turn, before = conversation.turns[at], conversation.before(at)
        if before is None or turn.way != "rewords":
            return said(conversation, at, {"rephrased": 1.0})
        share = alike(before.question, turn.question)
        if share < self.least:
            return []
        evidence = quoted(turn, 0, len(turn.question))
        return [signal(conversation, "rephrased", before, turn.started_ns, self.confidence, share, evidence)]
