"""Examples made of traces: each question once, what is personal or secret hidden, and a count of what was left out.

It knows no store and no file.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from regista.core.digest import digest
from regista.core.nouns import Trace
from regista.data.dataset import Example
from regista.serve.screen import Guards, screen


class Made(NamedTuple):
    """Examples, the oldest first; how many traces were left out, by why; how many places were masked, by kind."""

    examples: Sequence[Example]
    left_out: dict[str, int]
    masked: dict[str, int]


def examples_of(traces: Iterable[Trace], guards: Guards) -> Made:
    """An example for each question that differs in more than spaces and case: the newest trace of it is taken.

    `guards` look at questions and answers: what they would mask is masked, and what they would block is left out.
    """
    kept: dict[str, Example] = {}
    left_out, masked = Counter[str](), Counter[str]()
    for trace in traces:
        said = [_masked(text, guards) for text in (trace.question, trace.answer)]
        question, answer = (text for text, _ in said)
        if question is None or answer is None:
            left_out["blocked by a guardrail"] += 1
        elif not question.strip():
            left_out["without a question"] += 1
        else:
            for _, kinds in said:
                masked += kinds
            same = " ".join(question.split()).casefold()
            if kept.pop(same, None) is not None:
                left_out["asked again"] += 1
            kept[same] = Example(
                # A caller may send one id with several requests.
                digest([trace.id, trace.started_ns]),
                question,
                answer,
                trace.id,
                trace.variant,
                trace.model,
                trace.status,
                trace.started_ns,
            )
    return Made(list(kept.values()), dict(left_out), dict(masked))


def _masked(text: str, guards: Guards) -> tuple[str | None, Counter[str]]:
    """A text as the guardrails let it go on, with what they hid; None where they do not."""
    shown, verdicts = screen(text, guards)
    if any(verdict.action == "block" for verdict in verdicts):
        return None, Counter()
    return shown, Counter(finding.kind for verdict in verdicts for finding in verdict.findings)
