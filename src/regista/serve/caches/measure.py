"""The share of false hits while it runs, from the sample: with an interval that holds at every look. Needs numpy.

It knows neither where labels come from nor what they are of.
"""

from collections.abc import Sequence

from msgspec import Struct

from regista.stats import confidence_sequence
from regista.store.caches import Calibration, Label


class FalseHits(Struct, frozen=True):
    """Of `hits` sampled, `wrong` would have been false; their true share lies between `low` and `high`."""

    hits: int
    wrong: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.wrong / self.hits if self.hits else 0.0


def false_hits(made: Calibration, labels: Sequence[Label]) -> FalseHits:
    """What the labels learned since a calibration say of the hits it serves.

    The interval is a confidence sequence at 95 %, so that it may be looked at after every label.
    """
    served = [label for label in labels if label.at_ns > made.made_ns and _served(made, label)]
    if not served:
        return FalseHits(0, 0, 0.0, 1.0)
    wrong = [0.0 if label.same else 1.0 for label in served]
    interval = confidence_sequence(wrong)
    return FalseHits(len(served), round(sum(wrong)), interval.low, interval.high)


def broken(made: Calibration, measured: FalseHits) -> str:
    """Why a calibration no longer holds, or nothing."""
    if measured.low <= made.bound:
        return ""
    return (
        f"{measured.wrong} of {measured.hits} sampled hits were false (at least {measured.low:.1%}), "
        f"beyond the bound of {made.bound:.1%}"
    )


def _served(made: Calibration, label: Label) -> bool:
    return made.threshold is not None and label.likeness >= made.threshold
