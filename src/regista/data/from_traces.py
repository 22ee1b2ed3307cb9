"""Examples made of traces: each question once, what is personal or secret hidden, and a count of what was left out.

It knows no store and no file.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from regista.core.digest import digest
from regista.core.nouns import Trace
from regista.data.dataset import Example, put, same
from regista.serve.guardrails import guardrails
from regista.serve.screen import Guards, screen

MASKING = ("secrets", "pii")
"""The guardrails that look at what becomes an example, whatever the application itself screens."""


class Made(NamedTuple):
    """Examples in the order they came; how many were left out, by why; how many places were masked, by kind."""

    examples: Sequence[Example]
    left_out: dict[str, int]
    masked: dict[str, int]


def masking() -> Guards:
    """What hides secrets and personal data in what becomes an example."""
    return [(name, guardrails.build(name)) for name in MASKING]


def example_of(trace: Trace, reference: str = "") -> Example:
    """A trace as an example, nothing hidden yet; `reference` is the answer as it should have been."""
    # A caller may send one id with several requests.
    own = digest([trace.id, trace.started_ns])
    said = (trace.question, trace.answer, trace.id, trace.variant, trace.model, trace.status)
    return Example(own, *said, trace.started_ns, reference)


def examples_of(traces: Iterable[Trace], guards: Guards) -> Made:
    """An example for each question of traces, the oldest trace first: see `chosen`."""
    return chosen(map(example_of, traces), guards)


def chosen(examples: Iterable[Example], guards: Guards, known: Iterable[Example] = ()) -> Made:
    """`known` examples and others, one for each question that differs in more than spaces and case: the last is taken.

    `guards` look at what the others say: what they would mask is masked, and what they would block is left out.
    """
    kept = {same(one.input): one for one in known}
    left_out, masked = Counter[str](), Counter[str]()
    for one in examples:
        shown, kinds = _masked(one, guards)
        if shown is None:
            left_out["blocked by a guardrail"] += 1
            continue
        if not shown.input.strip():
            left_out["without a question"] += 1
            continue
        masked += kinds
        left_out["asked again"] += put(kept, shown)
    return Made(list(kept.values()), dict(+left_out), dict(masked))


def _masked(example: Example, guards: Guards) -> tuple[Example | None, Counter[str]]:
    """An example as the guardrails let it go on, with what they hid; None where they do not."""
    said: list[str] = []
    kinds = Counter[str]()
    for text in (example.input, example.output, example.reference):
        shown, verdicts = screen(text, guards)
        if any(verdict.action == "block" for verdict in verdicts):
            return None, Counter()
        said.append(shown)
        kinds.update(finding.kind for verdict in verdicts for finding in verdict.findings)
    return replace(example, input=said[0], output=said[1], reference=said[2]), kinds
