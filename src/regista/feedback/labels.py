"""What a user's words may say of the answer before them: the labels, what each means, and which are shown by default.

The eight complaints are those of FITS (Xu et al. 2022, arXiv 2208.03270; Yuan et al. 2023, arXiv 2306.13588), as
chapter 10 of Huyen's *AI Engineering* (2025) has them. Which label is shown is decided by `benchmarks/feedback`: from a
precision of .9 on, among five findings or more, on the words of an author whom nothing was made from.
"""

from msgspec import Struct


class Label(Struct, frozen=True):
    """`says` is what the user does, for people to read. `shown` is False where too many findings are wrong."""

    says: str
    shown: bool = True


COMPLAINTS = {
    "clarifies": Label("asks for the same again, or says what was asked for", shown=False),
    "unanswered": Label(
        "says that the answer is none, is beside the question, or leaves them to find it alone", shown=False
    ),
    "points_to_results": Label("points to the place in the sources that has the answer", shown=False),
    "use_results": Label("says to use the sources or to look it up"),
    "wrong": Label("says that the answer is wrong or rests on nothing", shown=False),
    "incomplete": Label("says that the answer is not specific, complete or detailed", shown=False),
    "unconfident": Label("says that the answer is not sure of itself", shown=False),
    "repetitive": Label("says that the answer repeats itself or is rude"),
}
FIGURES = frozenset({"length"})
"""Signals that every conversation has: figures of it, and nothing that was found."""
LABELS = {
    **COMPLAINTS,
    "correction": Label("corrects what was meant, by them or as it was understood"),
    "rephrased": Label("asks the question before in other words", shown=False),
    "negative": Label("is displeased with the answer", shown=False),
    "positive": Label("is pleased with the answer, or thanks for it"),
    "refusal": Label("is answered by a refusal"),
}
AGAINST = frozenset(
    ("negative", "correction", "wrong", "unanswered", "unconfident", "repetitive", "stopped_early", "regenerated")
)
"""Signals that speak against the answer they are about."""
HIDDEN = tuple(sorted(FIGURES.union(name for name, label in LABELS.items() if not label.shown)))
"""Signals that are not shown by default."""
