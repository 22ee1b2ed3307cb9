"""Writes blocks of text as Markdown lines, for loaders of formats that have structure but no lines."""

import re

SPACE = re.compile(r"[ \t\n\f\r\u00a0]+")


class Writer:
    """Puts text down piece by piece; runs of space become one, and gaps asked for twice become one.

    Within a heading or a table row, which are one line each, a gap is a space.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._newlines = 0
        self._space = False
        self._prefix = ""
        self._in_line = False
        self._in_code = False

    def write(self, text: str) -> None:
        """Text of the current block."""
        if self._in_code:
            self._parts.append(text)
            return
        words = SPACE.sub(" ", text)
        if not words.strip(" "):
            self._space = self._space or bool(words)
            return
        self._put(words.strip(" "), self._space or words.startswith(" "))
        self._space = words.endswith(" ")

    def gap(self, blank: bool = False) -> None:
        """What follows begins a line, after a blank one if `blank`."""
        self._space = True
        if not self._in_line and not self._in_code:
            self._newlines = max(self._newlines, 1 + blank)

    def item(self) -> None:
        """What follows is an item of a list."""
        self._prefix = self._prefix if self._in_line else "- "

    def heading(self, level: int) -> None:
        """What follows, up to `end_line`, is a heading."""
        self._begin_line("#" * level + " ", blank=True)

    def begin_row(self) -> None:
        """What follows, up to `end_line`, is a table's row; each of its cells ends with `end_cell`."""
        self._begin_line("| ", blank=False)

    def end_cell(self) -> None:
        self._put("|", space=True)
        self._space = True

    def end_line(self, blank: bool = False) -> None:
        self._in_line, self._prefix = False, ""
        self.gap(blank)

    def begin_code(self) -> None:
        """What follows, up to `end_code`, keeps its spaces and lines."""
        self.gap(blank=True)
        if not self._in_line:
            self._put("```\n", space=False)
            self._in_code = True

    def end_code(self) -> None:
        if self._in_code:
            self._put("" if self._parts[-1].endswith("\n") else "\n", space=False)
            self._put("```", space=False)
            self._in_code = False
        self.gap(blank=True)

    def text(self) -> str:
        """Everything so far."""
        return "".join(self._parts).strip()

    def _begin_line(self, prefix: str, blank: bool) -> None:
        self.gap(blank)
        self._in_line, self._prefix = True, prefix

    def _put(self, text: str, space: bool) -> None:
        if self._newlines and self._parts:
            self._parts.append("\n" * self._newlines)
        elif space and self._parts and not self._prefix:
            self._parts.append(" ")
        self._parts.append(self._prefix + text)
        self._newlines, self._prefix = 0, ""
