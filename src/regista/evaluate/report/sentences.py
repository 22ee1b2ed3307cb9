"""What a report says in words: the same sentences in every form of it.

It knows no form: names and ids in its sentences are other people's text, and each form makes them harmless.
"""

import time
from collections.abc import Iterator
from typing import Literal, NamedTuple

from regista.core.evaluation import Comparison, Correction, Decision, Difference, Estimate, Outcome, Report
from regista.evaluate.report.figures import between, count, number, p_value, share
from regista.text.shown import duration, money

Verdict = Literal["better", "worse", "same", "open"]


class Mark(NamedTuple):
    """A verdict as a symbol and a word, so that none is told by colour alone."""

    symbol: str
    word: str


VERDICTS: dict[Verdict, Mark] = {
    "better": Mark("▲", "better"),
    "worse": Mark("▼", "worse"),
    "same": Mark("=", "the same"),
    "open": Mark("?", "open"),
}
OUTCOMES: dict[Outcome, Mark] = {
    "pass": Mark("✓", "pass"),
    "regression": Mark("✗", "regression"),
    "undecided": Mark("?", "undecided"),
}


def verdict(difference: Difference) -> Verdict:
    """What a difference shows: open unless its adjusted p value is below one less the level.

    The same is only what did not differ in a single case.
    """
    if difference.pairs and not (difference.wins or difference.losses or difference.difference):
        return "same"
    if not difference.p_adjusted < 1 - difference.level:
        return "open"
    return "better" if (difference.difference > 0) == (difference.better == "higher") else "worse"


def headline_of_report(report: Report) -> str:
    """The figure that decides, in a sentence."""
    estimate = next((each for each in report.estimates if each.scorer == report.headline), None)
    if estimate is None or estimate.mean is None:
        return f"{report.headline} has no value: no output of {count(report.cases, 'case')} could be scored."
    clusters = f" in {count(estimate.clusters, 'cluster')}" if estimate.clusters < estimate.cases else ""
    low, high = number(estimate.low), number(estimate.high)
    return (
        f"{report.headline} is {number(estimate.mean)}, between {low} and {high} "
        f"({share(estimate.level)} interval, {count(estimate.cases, 'case')}{clusters})."
    )


def headline_of_comparison(comparison: Comparison) -> str:
    """What the scorer that decides says of the candidate."""
    difference = next((each for each in comparison.differences if each.scorer == comparison.headline), None)
    if difference is None:
        return f"{comparison.headline} could not be compared: no case has a value on both sides."
    return f"{answer_of_comparison(comparison)}: {_by(difference)}."


def answer_of_comparison(comparison: Comparison) -> str:
    """The same without its figures, and without a full stop."""
    difference = next((each for each in comparison.differences if each.scorer == comparison.headline), None)
    found = verdict(difference) if difference else None
    if found in (None, "open"):
        return f"No difference on {comparison.headline} is shown"
    if found == "same":
        return f"No case differs on {comparison.headline}"
    return f"The candidate is {VERDICTS[found].word} on {comparison.headline}"


def headline_of_decision(decision: Decision) -> str:
    """The gate's answer, and what would decide where it has none."""
    more = decision.more_cases
    needed = f" About {count(more, 'more case')} would decide." if decision.outcome == "undecided" and more else ""
    return {
        "pass": "The candidate passes.",
        "regression": "The candidate does not pass.",
        "undecided": "The cases do not decide." + needed,
    }[decision.outcome]


def _by(difference: Difference) -> str:
    return (
        f"{number(difference.baseline)} → {number(difference.candidate)}, {number(difference.difference, sign=True)} "
        f"{between(difference.low, difference.high, sign=True)}, p = {p_value(difference.p_adjusted)}".replace(
            "= <", "< "
        )
    )


def evidence(difference: Difference) -> str:
    """What a difference rests on: pairs, wins, losses and ties, and what could have been found."""
    told = ", ".join(
        (
            count(difference.wins, "win"),
            count(difference.losses, "loss", "losses"),
            count(difference.ties, "tie"),
        )
    )
    clusters = f" in {count(difference.clusters, 'cluster')}" if difference.clusters < difference.pairs else ""
    finds = "" if difference.mde is None else f"; this finds differences from {number(difference.mde)} (power .8)"
    return f"{told} in {count(difference.pairs, 'pair')}{clusters}{finds}."


def left_out(estimate: Estimate) -> str:
    """What the mean leaves out, and how far that could move it; nothing where every output has a value."""
    outputs = estimate.ok + estimate.unscored + estimate.error
    parts = (
        count(estimate.error, "error") if estimate.error else "",
        f"{estimate.unscored:,} unscored" if estimate.unscored else "",
    )
    missing = " and ".join(filter(None, parts))
    return f"{missing} of {count(outputs, 'output')}: {_bounds('the mean', estimate)}." if missing else ""


def left_out_of_pairs(difference: Difference) -> str:
    """As `left_out`, for cases that have no value on a side."""
    if not difference.missing:
        return ""
    have = "has" if difference.missing == 1 else "have"
    missing = f"{count(difference.missing, 'case')} {have} no value on a side"
    return f"{missing}: {_bounds('the difference', difference)}."


def _bounds(what: str, figure: Estimate | Difference) -> str:
    if figure.worst is None or figure.best is None:
        return f"{what} could be anything"
    sign = isinstance(figure, Difference)
    return f"{what} is {number(figure.worst, sign=sign)} at worst and {number(figure.best, sign=sign)} at best"


def corrected(correction: Correction) -> str:
    """A judge's figure as people's labels correct it."""
    if correction.refused:
        return f"Not corrected: {correction.refused}"
    figures = f"{number(correction.mean)} {between(correction.low, correction.high)}"
    return f"Corrected by {count(correction.labels, 'label')} of people: {figures} ({correction.method})."


def notes_on(estimate: Estimate) -> Iterator[str]:
    """All there is to say about an estimate beside its figures."""
    if told := left_out(estimate):
        yield told
    if estimate.corpus is not None:
        yield f"Over the whole run: {number(estimate.corpus)}."
    if estimate.correction is not None:
        yield corrected(estimate.correction)
    yield from estimate.warnings


def notes_on_difference(difference: Difference) -> Iterator[str]:
    """All there is to say about a difference beside its figures."""
    yield evidence(difference)
    if told := left_out_of_pairs(difference):
        yield told
    yield from difference.warnings


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """What was run, when, and what it cost."""
    yield "variant", f"{report.variant} {report.variant_digest[:12]}".strip()
    yield "answered by", report.target
    yield "suite", f"{report.suite} {report.suite_digest[:12]}".strip()
    repeat = f", {report.repeat} times each" if report.repeat > 1 else ""
    yield "cases", f"{report.cases:,}{repeat}"
    yield "started", f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(report.started_ns / 1e9))} UTC"
    yield "took", duration(report.duration_ns)
    yield "cost", "unknown: a model has no price" if report.cost_nano is None else money(report.cost_nano)
    yield "run", report.run
