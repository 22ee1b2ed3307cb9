"""In which lines two texts differ, to look at and to apply. Knows no page."""

from collections.abc import Iterator
from difflib import unified_diff
from typing import NamedTuple

MOST = 4_000
"""Lines compared of each text."""
_END = "\\ No newline at end of file"


class Line(NamedTuple):
    """A line of a diff: `sign` is `+`, `-`, a space for what both have, or `@` for where the next ones stand."""

    sign: str
    text: str


def lines(old: str, new: str) -> list[Line]:
    """What to take from `old` and to add to have `new`, with three lines around each; none where they are the same.

    >>> [sign for sign, _ in lines("a\\nb\\n", "a\\nc\\n")]
    ['@', ' ', '-', '+']
    """
    return [Line(one[0], one[1:].rstrip("\n")) for one in list(_unified(old, new, "", ""))[2:]]


def patch(old: str, new: str, path: str) -> str:
    """What `git apply` takes to make a file that says `old` say `new`; empty where they are the same or too long.

    >>> print(patch("a", "b\\n", "x.prompt"), end="")
    --- a/x.prompt
    +++ b/x.prompt
    @@ -1 +1 @@
    -a
    \\ No newline at end of file
    +b
    """
    if max(len(_lines(old)), len(_lines(new))) > MOST:
        return ""
    return "".join(
        one if one.endswith("\n") else f"{one}\n{_END}\n" for one in _unified(old, new, f"a/{path}", f"b/{path}")
    )


def _unified(old: str, new: str, before: str, after: str) -> Iterator[str]:
    return unified_diff(_lines(old)[:MOST], _lines(new)[:MOST], before, after)


def _lines(text: str) -> list[str]:
    """Its lines as git has them: no other character ends one."""
    *whole, last = text.split("\n")
    return [*(f"{one}\n" for one in whole), *([last] if last else [])]
