"""A conversation ended where it should have gone on: without an answer, or with a question back."""

import re
from dataclasses import dataclass

from regista.core.nouns import Evidence, Feedback
from regista.core.registry import option
from regista.feedback.found import answered, signal
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation, Turn
from regista.text.refusals import declines

_ASKED = re.compile(r"[^.!?\n]*\?\s*$")
_COURTESY = re.compile(
    r"\b(?:anything else|(?:else|more|further) (?:I|we) can|help you with|like me to)\b", re.IGNORECASE
)


@signals.add
@dataclass
class Abandoned:
    """Tells that a conversation which is over ended with a failed, cut or refused answer, or one that asked back.

    Whether anything else is wanted, and other courtesies, are no questions. No confidence here is measured.
    """

    failed: float = option(0.9, "confidence where the last request failed")
    cut: float = option(0.7, "confidence where its answer was cut off")
    refused: float = option(0.7, "confidence where it was refused")
    asked: float = option(0.5, "confidence where the answer asked something back")

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        if not conversation.over or at != len(conversation.turns) - 1:
            return []
        turn = conversation.turns[at]
        confidence, evidence = self._ended(turn)
        if not confidence:
            return []
        return [signal(conversation, "abandoned", turn, turn.ended_ns, confidence, evidence=evidence)]

    def _ended(self, turn: Turn) -> tuple[float, tuple[Evidence, ...]]:
        by_status = {"error": self.failed, "cancelled": self.cut}
        if turn.status != "ok":
            return by_status[turn.status], ()
        if turn.refused or declines(turn.answer):
            return self.refused, answered(turn, 0, len(turn.answer))
        asked = _ASKED.search(turn.answer[-400:])
        if asked is None or _COURTESY.search(asked[0].lower()):
            return 0.0, ()
        start = max(len(turn.answer) - 400, 0) + asked.start()
        start += len(asked[0]) - len(asked[0].lstrip())
        return self.asked, answered(turn, start, len(turn.answer.rstrip()))
