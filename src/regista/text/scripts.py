"""Which script a text is written in, by its letters: no model, no table beside a few ranges of Unicode.

It knows no language: Latin letters may be English or Turkish.
"""

import re
from collections import Counter

RANGES = {
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "cyrillic": "\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f",
    "armenian": "\u0530-\u058f",
    "hebrew": "\u0590-\u05ff",
    "arabic": "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc",
    "devanagari": "\u0900-\u097f",
    "bengali": "\u0980-\u09ff",
    "gurmukhi": "\u0a00-\u0a7f",
    "gujarati": "\u0a80-\u0aff",
    "tamil": "\u0b80-\u0bff",
    "telugu": "\u0c00-\u0c7f",
    "kannada": "\u0c80-\u0cff",
    "malayalam": "\u0d00-\u0d7f",
    "sinhala": "\u0d80-\u0dff",
    "thai": "\u0e00-\u0e7f",
    "georgian": "\u10a0-\u10ff\u1c90-\u1cbf",
    "ethiopic": "\u1200-\u139f",
    "kana": "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
}
"""Script to what stands in a class of a regular expression (https://www.unicode.org/Public/UNIDATA/Scripts.txt)."""
READ = 4_000
"""Characters from the beginning that are looked at."""
_LETTERS = re.compile("|".join(f"(?P<{name}>[{chars}]+)" for name, chars in RANGES.items()))


def script_of(text: str) -> str:
    """The script most letters are of, `kana` where any are (Japanese mixes them with Han); empty without letters.

    >>> script_of("Где мой заказ #12?"), script_of("注文はどこですか"), script_of("4-3-3")
    ('cyrillic', 'kana', '')
    """
    if text.isascii():
        return "latin" if any(map(str.isalpha, text[:READ])) else ""
    counts: Counter[str] = Counter()
    for match in _LETTERS.finditer(text[:READ]):
        counts[match.lastgroup or ""] += len(match[0])
    if counts["kana"]:
        return "kana"
    return max(counts, key=lambda name: counts[name], default="")
