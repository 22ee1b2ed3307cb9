"""What was thought of an answer, as pages show it. Knows no page."""

from regista.core.nouns import Feedback, Json
from regista.feedback.derive import is_shown


def thought(one: Feedback) -> Json:
    """Feedback with the words it rests on; `shown` says whether such signals are right often enough to be shown."""
    told: Json = {name: getattr(one, name) for name in ("kind", "source", "name", "value", "text", "by", "confidence")}
    return told | {
        "made_ns": one.made_ns,
        "shown": is_shown(one),
        "evidence": [{"trace": each.trace, "of": each.of, "text": each.text} for each in one.evidence],
    }
