"""What a user's words say of the answer before them, by the rules of a language. It sees no context but the words."""

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import msgspec
from msgspec import Struct

from regista.text.atoms import Atoms

FILE = "english.toml"
READ = 600
"""How many characters are read: who writes more writes a new task, and says what was wrong at its beginning."""


class Rule(Struct, frozen=True):
    """Signs of one label, one a line; a text with one of `unless` is excused."""

    label: str
    signs: str
    unless: str = ""


class Language(Struct, frozen=True):
    """The rules of a language. `parts` are what signs name in braces, `tasks` what marks a task about words."""

    tasks: str
    parts: dict[str, str]
    rules: list[Rule]


class Told(Struct, frozen=True, gc=False):
    """A label that a text tells, by the words from `start` to `end`."""

    label: str
    start: int
    end: int


class Signs(NamedTuple):
    """What the rules find in a text: the labels it tells, each once, and those of which it has signs but an excuse."""

    told: tuple[Told, ...]
    excused: frozenset[str]


def told(text: str) -> tuple[Told, ...]:
    """The labels that a text tells, each once, in the order of the rules.

    >>> [one.label for one in told("No, I meant the under-13s")], told("No problem, I'll ask the coach")
    (['correction'], ())
    """
    return signs(text).told


@lru_cache(maxsize=1_024)
def signs(text: str) -> Signs:
    """What the rules find in a text, excused or not.

    >>> signs("No thanks, that's all").excused
    frozenset({'positive'})
    """
    clean, places = cleaned(text)
    rules = _compiled()
    found: dict[str, Told] = {}
    excused: set[str] = set()
    for place in rules.atoms.may_hold(clean):
        label, pattern, unless = rules.signs[place]
        if label in found or label in excused or not (sign := pattern.search(clean)):
            continue
        if (unless and unless.search(clean)) or rules.task.search(clean):
            excused.add(label)
        else:
            found[label] = Told(label, *offsets(places, *sign.span()))
    return Signs(tuple(found.values()), frozenset(excused))


@lru_cache(maxsize=1_024)
def cleaned(text: str) -> tuple[str, list[int] | None]:
    """A text as the rules read it, and the place in `text` of each of its characters; None where that is the same.

    In lower case, with single spaces and straight apostrophes; each letter of a quotation stands as `q`.

    >>> cleaned("Say  'It\u2019s mine'")[0]
    "say 'qqqq qqqq'"
    """
    head = text[:READ]
    spaced = " ".join(head.split())
    places = None if spaced == head else _kept(head)
    lower = spaced.lower()
    if len(lower) != len(spaced):  # a few capitals have two small letters
        lower = "".join(letter.lower()[:1] for letter in spaced)
    plain = lower.replace("’", "'").replace("‘", "'")
    return (_QUOTED.sub(_masked, plain) if _QUOTE.search(plain) else plain), places


def offsets(places: list[int] | None, start: int, end: int) -> tuple[int, int]:
    """Where a stretch of a cleaned text, not an empty one, stands in the text itself."""
    return (start, end) if places is None else (places[start], places[end - 1] + 1)


def _kept(head: str) -> list[int]:
    """The places of the characters that are left when runs of space are made one, and those at the ends none."""
    places: list[int] = []
    for word in _WORD.finditer(head):
        if places:
            places.append(places[-1] + 1)
        places.extend(range(word.start(), word.end()))
    return places


def _masked(quotation: re.Match[str]) -> str:
    return _LETTER.sub("q", quotation[0])


class _Compiled(NamedTuple):
    """Each sign with its label and what excuses it, the pattern of tasks, and which signs a text may hold."""

    signs: list[tuple[str, re.Pattern[str], re.Pattern[str] | None]]
    task: re.Pattern[str]
    atoms: Atoms


@cache
def _compiled() -> _Compiled:
    text = files(__package__ or "").joinpath(FILE).read_text(encoding="utf-8")
    language = msgspec.convert(tomllib.loads(text), Language)

    def lines(table: str) -> list[str]:
        for name, part in language.parts.items():
            table = table.replace(f"{{{name}}}", part)
        return table.splitlines()

    excused = {rule.label: _pattern(lines(rule.unless)) if rule.unless else None for rule in language.rules}
    signs = [(rule.label, sign) for rule in language.rules for sign in lines(rule.signs)]
    # A turn has the letters of a few signs: to try all of them takes fifty times as long.
    atoms = Atoms([sign for _, sign in signs])
    patterns = [(label, _pattern([sign]), excused[label]) for label, sign in signs]
    return _Compiled(patterns, _pattern(lines(language.tasks)), atoms)


def _pattern(signs: list[str]) -> re.Pattern[str]:
    """One pattern for any of the signs, as whole words; where a sign begins or ends in no letter, it may touch one."""
    return re.compile(rf"(?:(?<!\w)|(?=\W))(?:{'|'.join(signs)})(?:(?!\w)|(?<=\W))")


_WORD = re.compile(r"\S+")
_QUOTE = re.compile(r"[\"'“”„«»]")
_QUOTED = re.compile(r"(?<!\w)'(?:[^']|'(?=\w))+'(?!\w)|\"[^\"]+\"|[“„«][^”“»]+[”“»]")
_LETTER = re.compile(r"[^\W_]|(?<=.)'(?=\w)")
