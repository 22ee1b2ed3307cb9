"""All signals of a turn, and which of them are shown by default. It knows no single one."""

from functools import cache

from regista.core.nouns import Feedback
from regista.feedback.labels import HIDDEN
from regista.feedback.signals import Signal, signals
from regista.feedback.turns import Conversation


def derive(conversation: Conversation, at: int | None = None) -> list[Feedback]:
    """What the turn at this place (the last without one) says, by all signals, shown by default or not.

    Call it for each turn when its answer is out, and for the last once more when the conversation is `over`: what is
    told of an ended conversation only comes then.
    """
    place = len(conversation.turns) - 1 if at is None else at
    return [found for signal in _all() for found in signal.find(conversation, place)]


def is_shown(feedback: Feedback) -> bool:
    """Whether it is shown by default: unless too many findings of a signal were wrong where it was measured."""
    return feedback.kind != "signal" or feedback.name not in HIDDEN


@cache
def _all() -> tuple[Signal, ...]:
    return tuple(signals.build(name) for name in signals.names())
