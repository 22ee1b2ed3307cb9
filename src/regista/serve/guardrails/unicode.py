"""Removes characters a reader does not see: zero-width, bidirectional, tag and control characters, stray selectors.

It runs first: other guardrails then read the text as a person would. Which characters writing needs is
`regista.text.unicode`'s knowledge.
"""

from dataclasses import dataclass

from regista.core.nouns import Action, Finding
from regista.core.registry import option
from regista.serve.guardrails import guardrails
from regista.text.unicode import invisible, invisible_tail


@guardrails.add
@dataclass
class Unicode:
    """Finds invisible characters; `kind` is control, zero_width, bidi, filler, variation_selector, tag or surrogate."""

    action: Action = option("mask", "pass, mask (remove them) or block")

    def find(self, text: str) -> list[Finding]:
        return [Finding(kind, start, end) for kind, start, end in invisible(text)]

    def pending(self, text: str) -> int:
        return invisible_tail(text)
