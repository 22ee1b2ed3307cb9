"""How much a vote on an answer is thought to tell: where opinions differ, where none is sure, where nobody looked yet.

    value = (disagreement + uncertainty + novelty) / 3, each from 0 to 1

Opinions are chances that the answer is good, as one vote, thumb or signal has it. *Disagreement* is four times their
variance: 1 where half say 1 and half say 0 (Seung, Opper & Sompolinsky 1992, "Query by committee"). *Uncertainty* is
1 − |2m − 1|, m their mean with one more opinion of ½: 1 for an answer that nothing is known of (Lewis & Gale 1994,
"A sequential algorithm for training text classifiers"). *Novelty* is how far the question is from those reviewed
(`topic.py`; Sener & Savarese 2018, arXiv 1708.00489). It knows no store.
"""

from collections.abc import Sequence
from typing import NamedTuple

from regista.feedback.labels import COMPLAINTS

PRIOR = 0.5
THUMB = 0.8
"""What a thumb up says: who clicks is not who reads closely. An assumption, not measured."""
AGAINST = frozenset((*COMPLAINTS, "abandoned", "correction", "negative", "regenerated", "rephrased", "stopped_early"))
"""Signals that speak against an answer; `positive` speaks for one, and others say nothing of it."""


class Worth(NamedTuple):
    """Why an item is asked about; each part is from 0 to 1."""

    disagreement: float
    uncertainty: float
    novelty: float

    @property
    def value(self) -> float:
        return sum(self) / len(self)


def worth(opinions: Sequence[float], novelty: float) -> Worth:
    """What a vote is worth, given the opinions there are and how new the question is.

    >>> worth([], 1.0)
    Worth(disagreement=0.0, uncertainty=1.0, novelty=1.0)
    >>> worth([1.0, 0.0], 0.0)
    Worth(disagreement=1.0, uncertainty=1.0, novelty=0.0)
    """
    n = len(opinions)
    mean = (PRIOR + sum(opinions)) / (1 + n)
    own = sum(opinions) / n if n else PRIOR
    apart = 4 * sum((one - own) ** 2 for one in opinions) / n if n else 0.0
    return Worth(min(1.0, apart), 1 - abs(2 * mean - 1), novelty)


def opinion(kind: str, name: str, value: float | None, confidence: float) -> float | None:
    """The chance that an answer is good as a piece of feedback on it has it; None where it says nothing of that.

    A score counts where it is from 0 to 1, as a judge's is.

    >>> opinion("thumb", "", -1.0, 1.0), opinion("signal", "wrong", None, 0.9), opinion("comment", "", None, 1.0)
    (0.2, 0.1, None)
    """
    if kind == "thumb" and value:
        return THUMB if value > 0 else round(1 - THUMB, 9)
    if kind == "score" and value is not None and 0 <= value <= 1:
        return value
    if kind == "correction":
        return round(1 - THUMB, 9)
    if kind == "signal" and (name in AGAINST or name == "positive"):
        return confidence if name == "positive" else round(1 - confidence, 9)
    return None


def spread(labels: Sequence[str]) -> float:
    """How far votes for labels differ: the share of their pairs that do.

    >>> spread(["a", "a", "b"]), spread(["a"])
    (0.6666666666666666, 0.0)
    """
    pairs = len(labels) * (len(labels) - 1)
    return sum(one != other for one in labels for other in labels) / pairs if pairs else 0.0


def graded(grade: float, of: int) -> float:
    """What a grade says: the worst, 1, is 0, and the best of so many is 1.

    >>> graded(3, 5)
    0.5
    """
    return min(1.0, max(0.0, (grade - 1) / (of - 1)))


def why(made: Worth, sent_by: str) -> str:
    """Why an item was picked, in words; not which way opinions lean, for that would lead who is asked.

    >>> why(Worth(0.0, 1.0, 0.9), "")
    'nothing sure is known of it (1.00), a new topic (0.90)'
    """
    if sent_by:
        return f"sent by {sent_by}"
    told = (
        (made.disagreement, "opinions differ"),
        (made.uncertainty, "nothing sure is known of it"),
        (made.novelty, "a new topic"),
    )
    reasons = [f"{words} ({part:.2f})" for part, words in sorted(told, key=lambda one: -one[0]) if part >= 0.5]
    return ", ".join(reasons) or f"the next of what is left ({made.value:.2f})"
