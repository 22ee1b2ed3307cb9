r"""Characters that a reader does not see but a model reads, told apart from those that writing needs.

Zero-width joiners shape Persian, Indic and emoji sequences, variation selectors choose an emoji's or an
ideograph's form, tag characters make three flags: those stay (UTS #51, UAX #31 A1, RGI emoji 16). All other
invisible characters carry text past the eye. Knows nothing about what is done with them.
"""

import re
from collections.abc import Iterator

_INVISIBLE = {
    "control": r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufff9-\ufffb\ufffe\uffff",
    "zero_width": r"\xad\u034f\u180e\u200b-\u200d\u2060-\u2065\ufeff",
    "bidi": r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f",
    "filler": r"\u115f\u1160\u17b4\u17b5\u3164\uffa0",
    "variation_selector": r"\ufe00-\ufe0f\U000e0100-\U000e01ef",
    "tag": r"\U000e0000-\U000e007f",
    "surrogate": r"\ud800-\udfff",
}
_ALL = "".join(_INVISIBLE.values())

_PICTURE = r"\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001fbff"
_IDEOGRAPH = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RIGHT_TO_LEFT = r"\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
_JOINING = (
    r"\u0600-\u08ff\u0900-\u0dff\u0e80-\u109f\u1780-\u17b3\u17b6-\u18aa\ufb50-\ufdff\ufe70-\ufefc\U00011000-\U000114ff"
)
_FLAGS = "|".join(  # England, Scotland, Wales: the only tag sequences in general use
    "".join(chr(0xE0000 + ord(letter)) for letter in region) for region in ("gbeng", "gbsct", "gbwls")
)

_NEEDED = "|".join(
    (
        rf"\U0001f3f4(?:{_FLAGS})\U000e007f",
        rf"(?<=[\ufe0f{_PICTURE}])\u200d(?=[{_PICTURE}])",
        rf"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])",
        rf"(?<=[#*0-9{_PICTURE}])[\ufe0e\ufe0f]",
        rf"(?<=[{_IDEOGRAPH}\u1000-\u109f\u2200-\u22ff])[\ufe00-\ufe02\U000e0100-\U000e01ef]",
        rf"(?<=[{_RIGHT_TO_LEFT}])[\u061c\u200e\u200f]|[\u061c\u200e\u200f](?=[{_RIGHT_TO_LEFT}])",
    )
)
_SCAN = re.compile(f"{_NEEDED}|" + "|".join(f"(?P<{kind}>[{chars}]+)" for kind, chars in _INVISIBLE.items()))
_ASCII = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ANY = re.compile(f"[{_ALL}]")
_TAIL = re.compile(rf"[{_ALL}]*\U0001f3f4?")
_MARKS = r"\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MARK_RUN = re.compile(f"[{_MARKS}]+")


def invisible(text: str) -> Iterator[tuple[str, int, int]]:
    """Runs of invisible characters that the writing around them does not need: kind, start, end; in order."""
    if text.isascii():
        if text.isprintable() or _ASCII.search(text) is None:
            return iter(())
    elif _ANY.search(text) is None:
        return iter(())
    return ((match.lastgroup, *match.span()) for match in _SCAN.finditer(text) if match.lastgroup)


def invisible_tail(text: str) -> int:
    """Where a run of invisible characters at the end of `text` begins, with the black flag tags may follow."""
    last = text[-1:]
    if " " <= last <= "~" or not (last == "\U0001f3f4" or _ANY.match(last)):
        return len(text)
    return len(text) - _end(_TAIL, text[::-1])


def mark_runs(text: str) -> Iterator[tuple[int, int]]:
    """Runs of combining marks of the general diacritical blocks: start, end; in order."""
    return iter(()) if text.isascii() else (match.span() for match in _MARK_RUN.finditer(text))


def mark_tail(text: str) -> int:
    """Where a run of combining marks at the end of `text` begins."""
    return len(text) if text[-1:].isascii() else len(text) - _end(_MARK_RUN, text[::-1])


def _end(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match else 0
