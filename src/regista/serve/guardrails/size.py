"""Refuses what is too long, and letters under towers of combining marks.

It knows nothing about tokens: a model's context window is the gateway's to keep.
"""

from dataclasses import dataclass

from regista.core.nouns import Action, Finding
from regista.core.registry import option
from regista.serve.guardrails import guardrails
from regista.text.unicode import mark_runs, mark_tail


@guardrails.add
@dataclass
class Size:
    """Finds the characters beyond `characters` and runs of more than `marks` combining marks."""

    action: Action = option("block", "pass, mask (cut the surplus) or block")
    characters: int = option(100_000, "the most characters a text may have")
    marks: int = option(8, "the most combining marks on one letter")

    def find(self, text: str) -> list[Finding]:
        return self.find_at(text, 0)

    def find_at(self, text: str, offset: int) -> list[Finding]:
        """What `find` finds in a text of which `text` is the part from `offset` on."""
        room = max(self.characters - offset, 0)
        if len(text) <= room and text.isascii():
            return []
        towers = [
            Finding("combining_marks", start + self.marks, min(end, room))
            for start, end in mark_runs(text)
            if end - start > self.marks and start + self.marks < room
        ]
        return [*towers, Finding("characters", room, len(text))] if len(text) > room else towers

    def pending(self, text: str) -> int:
        return mark_tail(text)
