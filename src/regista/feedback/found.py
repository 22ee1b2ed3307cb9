"""Findings of the gateway as feedback. It knows how one is written down, and not what is found."""

from collections.abc import Iterable

from regista.core.nouns import Evidence, Feedback
from regista.feedback.head import Read, read
from regista.feedback.turns import Conversation, Turn


def signal(
    conversation: Conversation,
    name: str,
    about: Turn | None,
    made_ns: int,
    confidence: float,
    value: float = 1.0,
    evidence: tuple[Evidence, ...] = (),
) -> Feedback:
    """A signal about one turn's answer; without one about the conversation as a whole."""
    return Feedback(
        "signal",
        "gateway",
        made_ns,
        trace=about.trace if about else "",
        session=conversation.session,
        name=name,
        value=value,
        confidence=confidence,
        evidence=evidence,
    )


def quoted(turn: Turn, start: int, end: int) -> tuple[Evidence, ...]:
    """Words of a turn's question."""
    return (Evidence(turn.trace, "question", start, end, turn.question[start:end]),)


def answered(turn: Turn, start: int, end: int) -> tuple[Evidence, ...]:
    """Words of a turn's answer."""
    return (Evidence(turn.trace, "answer", start, end, turn.answer[start:end]),)


def said(conversation: Conversation, at: int, values: dict[str, float]) -> list[Feedback]:
    """What the words of a turn that goes on from another say of its answer: those labels that have a value."""
    turn, before = conversation.turns[at], conversation.before(at)
    if before is None or turn.way != "continues":
        return []
    return [
        signal(conversation, one.label, before, turn.started_ns, one.confidence, values[one.label], _of(turn, one))
        for one in told(turn, before, values)
    ]


def told(turn: Turn, before: Turn, labels: Iterable[str]) -> list[Read]:
    """Which of these labels a turn's words tell."""
    wanted = set(labels)
    return [one for one in read(turn.question, before.question, before.answer) if one.label in wanted]


def _of(turn: Turn, one: Read) -> tuple[Evidence, ...]:
    return quoted(turn, one.start, one.end)
