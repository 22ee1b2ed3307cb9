"""Which of many patterns a text may hold, by the letters that each cannot do without. Finds no place.

RE2 takes from every pattern the pieces of plain text of which one must be there, and looks for those of all patterns
in one pass (Cox 2012, "Regular Expression Matching with a Trigram Index", names the way). Where `sieve` reads patterns
whole, and so has to learn each kind of text anew, this knows a text it never saw as fast as any other: better for many
long patterns with gaps, worse where what makes the difference is not letters.
"""

from collections.abc import Sequence
from typing import Any

import re2  # pyright: ignore[reportMissingTypeStubs] - it has none

from regista.text.sieve import loosened

_re2: Any = re2


class Atoms:
    """Patterns of `re`, without flags, in lower case, looked for in texts in lower case.

    Raises:
        ValueError: RE2 cannot read a pattern, or not as `re` does.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._filter = _re2.Filter()
        for pattern in patterns:
            try:
                self._filter.Add(loosened(pattern))
            except _re2.error as error:
                raise ValueError(f"RE2 cannot read the pattern {pattern!r}.") from error
        if patterns:
            self._filter.Compile()
        self._any = bool(patterns)

    def may_hold(self, text: str) -> list[int]:
        """The places of the patterns that `text` may hold, in their order."""
        return sorted(self._filter.Match(text.encode("utf-8", "replace"), True)) if self._any else []
