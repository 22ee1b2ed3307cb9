"""What may pass: one file per guardrail, the same one for requests, retrieved chunks, tool results and streams.

A guardrail only finds; what happens to a finding (pass, mask, block) is its `action`, carried out in
`serve/screen.py` for whole texts and for streams.
"""

from typing import Protocol

from regista.core.nouns import Action, Finding
from regista.core.registry import Registry


class Guardrail(Protocol):
    """Finds what must not pass in a text."""

    action: Action

    def find(self, text: str) -> list[Finding]:
        """Whole findings in `text`, in order, without overlap."""
        ...

    def pending(self, text: str) -> int:
        """The offset from which `text`, if more came, could still become a finding; `len(text)` if nothing could.

        A stream releases what stands before it and holds the rest.
        """
        ...


guardrails = Registry[Guardrail](__name__, "guardrail")
