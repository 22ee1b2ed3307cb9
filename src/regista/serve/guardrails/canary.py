"""Notices when a system prompt leaks: its canary token, however written, or a long verbatim run of its words.

The platform supplies both. It knows nothing about meaning: a paraphrase passes.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from regista.core.nouns import Action, Finding
from regista.core.registry import option, port
from regista.serve.guardrails import guardrails

_WORD = re.compile(r"\w+")
_BETWEEN = r"[\s\-_.,|*`\"']{0,3}"
_WIDEST = 4
"""The most characters that a written-out canary has for one of its own."""


def _encodings(canary: str) -> Iterator[str]:
    """The canary in hexadecimal and base64, less the characters that depend on what stands around it."""
    plain = canary.encode()
    yield plain.hex()
    for shift in range(3):
        code = base64.b64encode(b"\0" * shift + plain).decode()
        first, last = (0, 2, 3)[shift], len(code) - (0, 3, 2)[(shift + len(plain)) % 3]
        yield code[first:last]
        yield code[first:last].translate(str.maketrans("+/", "-_"))


@guardrails.add
@dataclass
class Canary:
    """Finds `canary` (spaced, hyphenated, in any case, base64, hexadecimal) and runs of `system_prompt` (`prompt`)."""

    action: Action = option("block", "pass, mask or block")
    words: int = option(12, "the fewest consecutive words of the system prompt that are a leak")
    canary: str = port("")
    system_prompt: str = port("")
    _needles: list[str] = field(default_factory=list[str], init=False, repr=False)
    _pattern: re.Pattern[str] | None = field(default=None, init=False, repr=False)
    _opening: re.Pattern[str] = field(default=_WORD, init=False, repr=False)
    _hint: re.Pattern[str] = field(default=_WORD, init=False, repr=False)
    _longest: int = field(default=0, init=False, repr=False)
    _prompt: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        letters = [char for char in self.canary.lower() if char.isalnum()]
        if len(letters) > 1:
            self._needles = ["".join(letters), *dict.fromkeys(_encodings(self.canary))]
            spaced = _BETWEEN.join(map(re.escape, letters))
            exact = "|".join(map(re.escape, self._needles[1:]))
            self._pattern = re.compile(f"(?i:{spaced})|{exact}")
            self._hint = re.compile(_BETWEEN.join(f"[{char}{char.upper()}]" for char in letters[:4]))
            self._longest = max(map(len, self._needles)) * _WIDEST
            # Where one of them may begin: its first two characters, or its first at the very end.
            opening = [f"{re.escape(n[0])}(?:{re.escape(n[1])}|$)" for n in self._needles[1:]]
            self._opening = re.compile(f"(?i:{letters[0]}{_BETWEEN}(?:{letters[1]}|$))|" + "|".join(opening))
        prompt = _WORD.findall(self.system_prompt.lower())
        if len(prompt) >= self.words:
            self._prompt = f" {' '.join(prompt)} "

    def find(self, text: str) -> list[Finding]:
        found = [Finding("prompt", *span, "[PROMPT]") for span in self._runs(text)]
        for match in self._pattern.finditer(text) if self._pattern and self._may_hold(text) else ():
            if not any(match.start() < each.end and each.start < match.end() for each in found):
                found.append(Finding("canary", *match.span(), "[CANARY]"))
        return sorted(found, key=lambda each: each.start)

    def _may_hold(self, text: str) -> bool:
        """Whether the whole pattern is worth its time: the first letters, or an encoding as it stands, are there."""
        return self._hint.search(text) is not None or any(needle in text for needle in self._needles[1:])

    def pending(self, text: str) -> int:
        cut = min(self._open_canary(text), self._open_run(text))
        for finding in self.find(text):
            if finding.start < cut < finding.end:
                cut = finding.start
        return cut

    def _runs(self, text: str) -> Iterator[tuple[int, int]]:
        """The longest stretches of at least `words` words that stand so in the prompt."""
        if not self._prompt:
            return
        spans = [match.span() for match in _WORD.finditer(text)]
        spoken = [text[start:end].lower() for start, end in spans]
        first = 0
        while first + self.words <= len(spans):
            last = first + self.words
            if f" {' '.join(spoken[first:last])} " not in self._prompt:
                first += 1
                continue
            while last < len(spans) and f" {' '.join(spoken[first : last + 1])} " in self._prompt:
                last += 1
            yield spans[first][0], spans[last - 1][1]
            first = last

    def _open_run(self, text: str) -> int:
        """Where the longest run of the prompt's words that reaches the end of `text` begins."""
        if not self._prompt or not text:
            return len(text)
        spans = [match.span() for match in _WORD.finditer(text)]
        said = "" if spans and spans[-1][1] == len(text) else " "
        cut = len(text)
        for start, end in reversed(spans):
            said = f" {text[start:end].lower()}{said}"
            if said not in self._prompt:
                break
            cut = start
        return cut

    def _open_canary(self, text: str) -> int:
        """Where the end of `text` begins to spell the canary, in whatever form."""
        if not self._pattern:
            return len(text)
        for match in self._opening.finditer(text, max(len(text) - self._longest, 0)):
            tail = text[match.start() :]
            letters = "".join(filter(str.isalnum, tail)).lower()
            if self._needles[0].startswith(letters) or any(n.startswith(tail) for n in self._needles[1:]):
                return match.start()
        return len(text)
