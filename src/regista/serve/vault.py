"""Keeps what was masked in one request, so that its answer can be unmasked for the one who asked.

A vault lives as long as its request and is never stored. It knows nothing about what is personal:
guardrails find that.
"""

import re

_SHAPE = re.compile(r"\[[A-Z][A-Z0-9_]*_\d+\]")


class Vault:
    """The values masked in one request, by the placeholder that stands in for each.

    Placeholders are numbered in order of appearance, so that two requests which differ in masked values
    alone read the same to a model and to a cache. A placeholder is no capability: only those this vault
    gave out are restored, and only to values that its own request held.
    """

    def __init__(self) -> None:
        self._placeholders: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._values)

    def hide(self, kind: str, value: str) -> str:
        """The placeholder for `value`, such as `[EMAIL_1]`: the same for the same value of a kind."""
        placeholder = self._placeholders.get((kind, value))
        if placeholder is None:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            placeholder = self._placeholders[kind, value] = f"[{kind.upper()}_{self._counts[kind]}]"
            self._values[placeholder] = value
        return placeholder

    def restore(self, text: str) -> str:
        """`text` with this vault's placeholders replaced by their values; all others stay as they are."""
        if not self._values or "[" not in text:
            return text
        return _SHAPE.sub(lambda match: self._values.get(match[0], match[0]), text)

    def conceal(self, text: str) -> str:
        """`text` with this vault's values replaced by their placeholders: what a trace keeps of a restored answer."""
        for placeholder, value in self._values.items():
            text = text.replace(value, placeholder)
        return text

    def unfinished(self, text: str) -> int:
        """Where a placeholder that `text` ends in the middle of begins; `len(text)` if none does."""
        start = text.rfind("[")
        tail = text[start:]
        if start >= 0 and "]" not in tail and any(known.startswith(tail) for known in self._values):
            return start
        return len(text)


class Restorer:
    """Restores a stream: holds back a placeholder until it is whole, and nothing else."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._held = ""

    def push(self, text: str) -> str:
        """What of the stream may leave now, restored."""
        text = self._held + text
        cut = self._vault.unfinished(text)
        self._held = text[cut:]
        return self._vault.restore(text[:cut])

    def finish(self, text: str = "") -> str:
        """What was held and the last piece, at the end of the stream."""
        held, self._held = self._held + text, ""
        return self._vault.restore(held)
