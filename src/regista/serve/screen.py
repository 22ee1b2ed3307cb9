"""Runs guardrails over whole texts and over streams: what is found passes, is masked, or blocks.

It knows nothing about what guardrails look for. A guardrail that fails has found nothing out, so it blocks,
unless it carries an `on_error` action of its own that says otherwise.
"""

from collections.abc import Sequence
from typing import Protocol, cast

from regista.core.nouns import Action, Finding, Verdict
from regista.serve.guardrails import Guardrail
from regista.serve.vault import Vault

Guards = Sequence[tuple[str, Guardrail]]
"""Guardrails in the order they read a text, each with its name in configuration."""


class Positional(Protocol):
    """What a guardrail has beside `find` where its findings depend on where in the whole a text stands."""

    def find_at(self, text: str, offset: int) -> list[Finding]:
        """What `find` finds in a whole of which `text` is the part from `offset` on."""
        ...


def screen(text: str, guards: Guards, vault: Vault | None = None) -> tuple[str, list[Verdict]]:
    """`text` as the guardrails let it go on, and their verdicts in order. A block ends it: its text is empty.

    With a `vault`, a guardrail that declares itself `reversible` has its findings hidden there, so that
    they can be restored; without one their own replacement stands, for good.
    """
    verdicts: list[Verdict] = []
    for name, guard in guards:
        try:
            findings = guard.find(text)
        except Exception as error:  # noqa: BLE001 - a guardrail's failure, whatever it is, is a verdict
            verdicts.append(_failed(name, guard, text, error))
        else:
            verdicts.append(_judge(name, guard, text, findings, vault) if findings else Verdict(name, "pass", text))
        text = verdicts[-1].text
        if verdicts[-1].action == "block":
            break
    return text, verdicts


def finds_nothing(text: str, guards: Guards) -> bool:
    """Whether no guardrail has anything to say of a text: the common case, told without a verdict from each."""
    try:
        return not any(guard.find(text) for _, guard in guards)
    except Exception:  # noqa: BLE001 - `screen` meets it again, and makes it a verdict
        return False


class StreamScreen:
    """Screens a text that arrives in pieces: what leaves, joined, is what `screen` makes of the whole.

    Each guardrail reads what the one before let go, one character of what it already released as context,
    and holds from its `pending` on. A finding thus never leaves in part. What stays undecided for more than
    `limit` characters is blocked, not released.
    """

    def __init__(self, guards: Guards, vault: Vault | None = None, limit: int = 8192) -> None:
        self._guards = guards
        self._stages = [_Stage(name, guard, vault, limit) for name, guard in guards]
        self._untouched = True
        self.blocked: Verdict | None = None

    @property
    def verdicts(self) -> list[Verdict]:
        """One verdict a guardrail so far, up to a block; offsets count in all that the guardrail read; no text."""
        verdicts: list[Verdict] = []
        for stage in self._stages:
            verdicts.append(stage.verdict)
            if verdicts[-1].action == "block":
                break
        return verdicts

    def push(self, text: str) -> str:
        """What may leave now that `text` has arrived."""
        if self.blocked:
            return ""
        self._untouched = False
        for stage in self._stages:
            text = stage.push(text)
            if stage.blocked:
                self.blocked = stage.verdict
                return ""
            if not text:
                return ""
        return text

    def finish(self, text: str = "") -> str:
        """What was held and the last piece, at the end of the stream: nothing more can become a finding."""
        if self.blocked or (self._untouched and finds_nothing(text, self._guards)):
            return "" if self.blocked else text
        for stage in self._stages:
            text = stage.push(text, last=True)
            if stage.blocked:
                self.blocked = stage.verdict
                return ""
        return text


class _Stage:
    """One guardrail on a stream: holds `context + held`, where `context` is the last character it released."""

    def __init__(self, name: str, guard: Guardrail, vault: Vault | None, limit: int) -> None:
        self.name = name
        self.blocked = False
        self._guard = guard
        # Not an isinstance check: those of protocols cost more than screening a short answer.
        self._positional = cast("Positional | None", guard if hasattr(guard, "find_at") else None)
        self._vault = vault
        self._limit = limit
        self._text = ""
        self._context = 0
        self._offset = 0
        self._findings: list[Finding] = []
        self._reason = ""

    @property
    def verdict(self) -> Verdict:
        action: Action = "block" if self.blocked else self._guard.action if self._findings else "pass"
        return Verdict(self.name, action, "", self._reason or _reason(self._findings), tuple(self._findings))

    def push(self, piece: str, last: bool = False) -> str:
        text = self._text + piece
        start = self._context
        found: list[Finding] = []
        try:
            cut = len(text) if last else max(self._guard.pending(text), start)
            if cut > start and self._positional is None:
                found = self._guard.find(text)
            elif cut > start and self._positional:
                found = _moved(self._positional.find_at(text[start:cut], self._offset + start), start)
        except Exception as error:  # noqa: BLE001 - a guardrail's failure, whatever it is, is a verdict
            verdict = _failed(self.name, self._guard, "", error)
            self.blocked, self._reason = verdict.action == "block", verdict.reason
            cut = len(text)
        out = self._treated(text, start, cut, found) if found else text[start:cut]
        if len(text) - cut > self._limit:
            self.blocked = True
            self._reason = f"{self.name} could not decide within {self._limit} characters"
        if cut > start:
            self._offset += cut - 1
            self._context = 1
            text = text[cut - 1 :]
        self._text = text
        return "" if self.blocked else out

    def _treated(self, text: str, start: int, cut: int, found: list[Finding]) -> str:
        """`text[start:cut]` after the guardrail's action on what was found there."""
        found = [finding for finding in found if start <= finding.start and finding.end <= cut]
        self._findings += _moved(found, self._offset)
        if found and self._guard.action == "block":
            self.blocked = True
        if found and self._guard.action == "mask":
            return _mask(text, found, self._vault if _reversible(self._guard) else None, start, cut)
        return text[start:cut]


def _judge(name: str, guard: Guardrail, text: str, findings: list[Finding], vault: Vault | None) -> Verdict:
    if guard.action == "mask":
        text = _mask(text, findings, vault if _reversible(guard) else None, 0, len(text))
    elif guard.action == "block":
        text = ""
    return Verdict(name, guard.action, text, _reason(findings), tuple(findings))


def _failed(name: str, guard: Guardrail, text: str, error: Exception) -> Verdict:
    action: Action = "pass" if getattr(guard, "on_error", "block") == "pass" else "block"
    # The message of a foreign exception may quote the text; its type cannot.
    return Verdict(name, action, "" if action == "block" else text, f"{name} failed: {type(error).__name__}")


def _mask(text: str, findings: list[Finding], vault: Vault | None, start: int, end: int) -> str:
    """`text[start:end]` with its findings replaced."""
    parts: list[str] = []
    for finding in findings:
        parts.append(text[start : finding.start])
        hidden = text[finding.start : finding.end]
        parts.append(finding.replacement if vault is None else vault.hide(finding.kind, hidden))
        start = finding.end
    parts.append(text[start:end])
    return "".join(parts)


def _moved(findings: list[Finding], by: int) -> list[Finding]:
    return [Finding(each.kind, each.start + by, each.end + by, each.replacement) for each in findings]


def _reason(findings: Sequence[Finding]) -> str:
    """What was found, by kind: `2 email, 1 phone`."""
    if not findings:
        return ""
    kinds = [finding.kind for finding in findings]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))


def _reversible(guard: Guardrail) -> bool:
    return bool(getattr(guard, "reversible", False))
