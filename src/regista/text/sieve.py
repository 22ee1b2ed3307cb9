"""Which of many patterns a text may hold, told in one pass of one automaton. Knows no pattern and finds no place.

RE2 (https://github.com/google/re2) reads each character once for all patterns together, where `re` tries them one after
another at every character. It has no look-around and knows fewer letters, so a pattern is loosened first: what the
sieve lets through is to be asked exactly, and what it holds back is not there.
"""

import re
from collections.abc import Sequence
from typing import Any

import re2  # pyright: ignore[reportMissingTypeStubs] - it has none

_re2: Any = re2
_LOOK_AROUND = re.compile(r"\(\?<?[=!](?:\\.|[^()\\]|\((?:\\.|[^()\\])*\))*\)")
_ESCAPED = re.compile(r"\\(.)")
_WIDER = {"w": r"\S", "d": r"\pN"}
"""Classes that hold letters and digits of all scripts in `re` and only those of ASCII in RE2, by what covers them."""
_UNREADABLE = re.compile(r"\\[WDSsbBAZ1-9]|\(\?P|\[\^[^\]]*\\[wd]")
_MEMORY = 64 << 20


class Sieve:
    """Patterns of `re`, without flags, each looked for as whole words in texts of one line.

    Raises:
        ValueError: RE2 cannot read a pattern, or not as `re` does.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        options = _re2.Options()
        options.max_mem = _MEMORY
        options.log_errors = False
        self._set = _re2.Set.SearchSet(options)
        for pattern in patterns:
            try:
                # Beside ASCII, everything counts as the end of a word.
                self._set.Add(rf"(?:^|\W)(?:{loosened(pattern)})(?:\W|$)")
            except _re2.error as error:
                raise ValueError(f"RE2 cannot read the pattern {pattern!r}.") from error
        self._set.Compile()

    def may_hold(self, text: str) -> list[int]:
        """The places of the patterns that `text` may hold, in their order."""
        found: list[int] | None = self._set.Match(text.encode("utf-8", "replace"))
        return sorted(found) if found else []


def loosened(pattern: str) -> str:
    r"""A pattern that RE2 reads and that matches wherever `pattern` does.

    >>> loosened(r"last \w+day(?! of (the|a) week)")
    'last \\S+day'
    """
    bare = _LOOK_AROUND.sub("", pattern)
    if found := _UNREADABLE.search(bare):
        raise ValueError(f"{found[0]!r} in the pattern {pattern!r} is not the same in RE2.")
    return _ESCAPED.sub(lambda one: _WIDER.get(one[1], one[0]), bare)
