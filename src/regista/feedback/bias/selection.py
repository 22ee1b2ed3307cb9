"""Whether those who give feedback are not like the rest, and what the mean would be had all answered alike."""

# pyright: reportMissingTypeStubs=false

from collections.abc import Hashable, Sequence

import numpy as np
from scipy.special import chdtrc

from regista.feedback.bias.meter import Bias, listed, outside, percent
from regista.stats.inputs import Floats, codes
from regista.stats.intervals import Interval, normal_quantile, wilson


def selection(scores: Sequence[float | None], outcomes: Sequence[Hashable], level: float = 0.95) -> Bias:
    """How much higher the mean score would be had every outcome been rated as often as it occurred.

    `scores` has None where nobody rated, `outcomes` what is known of every answer (a status, a topic, a judge's
    verdict). The reweighted mean gives each rating the inverse of its outcome's response rate (Horvitz & Thompson 1952,
    with rates estimated); its interval and that of the difference are of their influence functions, which hold what
    the rates leave uncertain. Found where response rates differ (Pearson's chi-square) and the difference is not 0.
    `rows` has both means and the response rate of each outcome. An outcome nobody rated has no weight that helps: it is
    left out, and said. ValueError for fewer than two ratings.

    >>> made = selection([1, 1, 1, None] * 20 + [0, None, None, None] * 20, ["fine"] * 80 + ["cut off"] * 80)
    >>> made.found, round(made.estimate.estimate, 2)
    (True, -0.25)
    """
    code, count = codes(outcomes, len(scores))
    rated = np.array([score is not None for score in scores])
    y = np.array([0.0 if score is None else float(score) for score in scores])
    if rated.sum() < 2 or not np.isfinite(y).all():
        raise ValueError(f"{int(rated.sum())} of {len(scores)} are rated: give at least two ratings, all finite.")
    names = [str(name) for name in dict.fromkeys(outcomes)]
    total = np.bincount(code, minlength=count)
    answered = np.bincount(code, rated, count).astype(np.float64)
    each = zip(names, answered, total, strict=True)
    rates = [(f"rated: {name}", wilson(int(one), int(of), level)) for name, one, of in each]
    silent = [name for name, number in zip(names, answered, strict=True) if not number]
    kept = (answered > 0)[code]
    plain, reweighted, difference = _means(y[kept], rated[kept], code[kept], count, level)
    p = _p_value(answered, total)
    found = p < 1 - level and outside(difference, 0.0)
    rows = (("as rated", plain), ("reweighted", reweighted), *rates)
    sentence = _sentence(plain, reweighted, rates, found)
    if silent:
        share = percent(float(total[answered == 0].sum() / total.sum()))
        sentence += f" Nobody rated {listed(silent)} ({share} of all): nothing is known of those."
    return Bias("selection", difference, 0.0, found, sentence, rows)


def _means(
    y: Floats, rated: np.ndarray, code: np.ndarray, count: int, level: float
) -> tuple[Interval, Interval, Interval]:
    """The mean of ratings, the reweighted one, and how much higher that is."""
    total = np.maximum(np.bincount(code, minlength=count), 1)
    answered = np.maximum(np.bincount(code, rated, count), 1)
    rate, mean = answered / total, np.bincount(code, y * rated, count) / answered
    raw, all_rate = float(y[rated].mean()), float(rated.mean())
    even = float(mean[code].mean())
    of_raw = rated * (y - raw) / all_rate
    of_even = rated * (y - mean[code]) / rate[code] + mean[code] - even
    z = normal_quantile(level)

    def made(estimate: float, influence: Floats, method: str) -> Interval:
        half = z * float(influence.std(ddof=1)) / y.size**0.5
        return Interval(estimate - half, estimate + half, estimate, level, method)

    return (
        made(raw, of_raw, "mean"),
        made(even, of_even, "inverse propensity"),
        made(even - raw, of_even - of_raw, "inverse propensity less mean"),
    )


def _p_value(answered: Floats, total: np.ndarray) -> float:
    """Pearson's chi-square of response rates that are all the same; 1 where there is one outcome, or all or none."""
    rate = float(answered.sum() / total.sum())
    if len(total) < 2 or rate in (0.0, 1.0):
        return 1.0
    statistic = float(((answered - total * rate) ** 2 / (total * rate * (1 - rate))).sum())
    return float(chdtrc(len(total) - 1, statistic))


def _sentence(plain: Interval, even: Interval, rates: list[tuple[str, Interval]], found: bool) -> str:
    ordered = sorted(rates, key=lambda rate: rate[1].estimate)
    (rarely, least), (often, most) = ordered[0], ordered[-1]
    if not found:
        return "No sign that those who rate differ from the rest in a way that moves the mean."
    return (
        f"Of what is '{often.removeprefix('rated: ')}' {percent(most.estimate)} are rated, of what is "
        f"'{rarely.removeprefix('rated: ')}' {percent(least.estimate)}: the mean of {plain.estimate:.2g} would be "
        f"{even.estimate:.2g} ({even.low:.2g} to {even.high:.2g}) had all been rated alike."
    )
