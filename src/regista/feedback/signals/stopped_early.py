"""The client left before the end of the answer."""

from dataclasses import dataclass

from regista.core.nouns import Feedback
from regista.core.registry import option
from regista.feedback.found import answered, signal
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation


@signals.add
@dataclass
class StoppedEarly:
    """Tells that the stream was cut from outside; `value` is how many characters of the answer had gone out."""

    reading: float = option(0.9, "confidence where some of the answer had gone out; not measured")
    waiting: float = option(0.5, "confidence where none had: a client that gave up waiting looks the same")
    shown: int = option(80, "how many of the last characters that went out are kept as evidence")

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        turn = conversation.turns[at]
        if turn.status != "cancelled":
            return []
        out = len(turn.answer)
        evidence = answered(turn, max(out - self.shown, 0), out) if out else ()
        confidence = self.reading if out else self.waiting
        return [signal(conversation, "stopped_early", turn, turn.ended_ns, confidence, float(out), evidence)]
