"""How long a conversation was. Whether long is good is the application's to know: a helpdesk wants few turns."""

from dataclasses import dataclass

from regista.core.nouns import Feedback
from regista.feedback.found import signal
from regista.feedback.signals import signals
from regista.feedback.turns import Conversation


@signals.add
@dataclass
class Length:
    """Counts the turns of a conversation that is over; one asked again or changed in its place counts as one."""

    def find(self, conversation: Conversation, at: int) -> list[Feedback]:
        if not conversation.over or at != len(conversation.turns) - 1:
            return []
        turns = sum(turn.way in ("begins", "continues") for turn in conversation.turns)
        made_ns = conversation.turns[at].ended_ns
        return [signal(conversation, "length", None, made_ns, 1.0, float(turns))]
