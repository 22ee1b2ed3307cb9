"""What an answer comes to, so that answers in other words can be counted as one. Text in, text out."""

import re
import unicodedata

import msgspec

_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_SAID = re.compile(
    r"^[\W_]*(?:(?:so|thus|hence|therefore)\b[,\s]*)?(?:the\s+)?(?:final\s+)?answer\b(?:\s+is\b)?\s*[:=]?[\s*_`]*(\S.*)$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[$€£]?\s*([+-]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?\s*%?")
_AROUND = " \t\r\n.,;:!?*_`'\"()[]{}"


def final(text: str) -> str:
    r"""The answer a text ends with, in a form that is the same for the same answer.

    JSON as a value, whatever its order and spaces; else what stands in the last `\boxed{…}`, or after the last line
    that begins with "answer:"; else the whole text. Numbers by their value, words without case and marks around them.

    >>> final("2 + 2 = 4.\nFinal answer: **4.0**"), final('{"b": 1, "a": 2}') == final('{"a":2,"b":1}')
    ('4', True)
    """
    stripped = text.strip()
    if stripped[:1] in ("{", "["):
        try:
            return msgspec.json.encode(msgspec.json.decode(stripped), order="sorted").decode()
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            pass
    return _normal(_said(stripped))


def _said(text: str) -> str:
    boxed: list[str] = _BOXED.findall(text)
    if boxed:
        return boxed[-1]
    for line in reversed(text.splitlines()):
        if found := _SAID.match(line.strip()):
            return found[1]
    return text


def _normal(text: str) -> str:
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(_AROUND)
    number = _NUMBER.fullmatch(plain)
    return _value(*number.groups("")) if number else plain


def _value(sign: str, whole: str, fraction: str) -> str:
    """A number as it is always written, however long: rounding would make others of it.

    >>> _value("-", "1,000", "50"), _value("+", "007", "0")
    ('-1000.5', '7')
    """
    fraction = fraction.rstrip("0")
    value = (whole.replace(",", "").lstrip("0") or "0") + (f".{fraction}" if fraction else "")
    return f"-{value}" if sign == "-" and value != "0" else value
