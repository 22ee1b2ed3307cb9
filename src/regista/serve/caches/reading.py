"""A question taken apart into what another must share to have the same answer. It knows no other question.

Rules over a language's tables (`lexicon.py`), no model: they compare what is said and infer nothing.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence

from msgspec import Struct

from regista.serve.caches.languages import language_of
from regista.serve.caches.lexicon import Lexicon, Phrase, Pole

LONGEST = 400
"""Characters of a question that is still taken apart: what is longer is a text, and no other says the same."""
_TOKEN = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\w+(?:\.\w+)*")
_NUMBER = re.compile(r"\d+(?:\.\d+)*$")
_MEASURE = re.compile(r"(\d+(?:\.\d+)?)([a-z]+)$")
_MINUS = re.compile(r"(?<![\w)])[-−](?=\d)")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3})")
_LOUD = 0.6
"""The share of capitalised words from which capitals tell no names."""


class Reading(Struct, frozen=True, gc=False):
    """What a question asks.

    `kind` is when, why, many …, `whether` for yes or no, and `what` for all else; `might` are the kinds that a *what*
    may be of too. `words` are the content words in order, each as the first of its synonyms; `names` those of them that
    name something. `numbers` are written out with their units. `poles` are the ends of axes it speaks of. `to`, `of`
    and `than` are the words something goes to, comes from and is compared with.
    """

    language: str
    kind: str
    might: frozenset[str]
    words: tuple[str, ...]
    names: frozenset[str]
    numbers: tuple[str, ...]
    units: frozenset[str]
    calendar: frozenset[str]
    negations: int
    poles: frozenset[Pole]
    to: frozenset[str]
    of: frozenset[str]
    than: frozenset[str]
    unordered: bool
    turning: frozenset[str]


class _Token(Struct, gc=False):
    word: str
    name: bool = False


def read(question: str) -> Reading | None:
    """The question taken apart; None where it is long, empty or of no known language.

    >>> read("What are the top five sights in Vienna?").numbers
    ('5',)
    """
    if len(question) > LONGEST:
        return None
    text = unicodedata.normalize("NFKC", question).replace("’", "'")
    lexicon = language_of([match[0].casefold() for match in _TOKEN.finditer(text)])
    if lexicon is None:
        return None
    tokens = _asking(_tokens(text, lexicon), lexicon)
    kind, tokens = _kind(tokens, lexicon)
    return _Reader(lexicon, kind, _joined(tokens, lexicon)).reading()


def _tokens(text: str, lexicon: Lexicon) -> list[_Token]:
    text = _MINUS.sub(" minus ", text)
    for pattern, instead in lexicon.expand:
        text = re.sub(pattern, instead, text, flags=re.IGNORECASE)
    raw = [(_GROUPED.sub("", match[0]), _opens(text, match.start())) for match in _TOKEN.finditer(text)]
    loud = sum(word[0].isupper() for word, _ in raw) > _LOUD * max(len(raw), 3)
    return [_Token(word.casefold(), not loud and _is_name(word, first)) for word, first in raw]


def _opens(text: str, at: int) -> bool:
    """Whether a sentence begins here."""
    before = text[:at].rstrip(" \"'“(")
    return not before or before[-1] in ".!?:\n"


def _is_name(word: str, first: bool) -> bool:
    if word[0].isdigit():
        return not _NUMBER.match(word) and not _MEASURE.match(word)
    within = any(letter.isupper() or letter.isdigit() for letter in word[1:])
    return within or (word[0].isupper() and len(word) > 1 and not first)


def _unit(base: str, factor: float) -> str:
    return f"{factor:g} {base}"


def _asking(tokens: list[_Token], lexicon: Lexicon) -> list[_Token]:
    """The tokens without the courtesies they begin with, unless nothing else is there."""
    for phrase in lexicon.courtesies:
        if len(phrase) < len(tokens) and tuple(token.word for token in tokens[: len(phrase)]) == phrase:
            return _asking(tokens[len(phrase) :], lexicon)
    return tokens


def _kind(tokens: list[_Token], lexicon: Lexicon) -> tuple[str, list[_Token]]:
    """The kind of a question, and its tokens with what told the kind taken out and what it means put in."""
    words = [token.word for token in tokens]
    if words and words[0] in lexicon.auxiliaries:
        return "whether", tokens
    at, size, phrase = _first(words, lexicon.kinds)
    if phrase:
        kind, adds = lexicon.kinds[phrase]
        return kind, tokens[:at] + [_Token(word) for word in adds] + tokens[at + size :]
    return "what", tokens


def _joined(tokens: list[_Token], lexicon: Lexicon) -> list[_Token]:
    """The tokens with phrases read as the words they stand for."""
    made: list[_Token] = []
    while tokens:
        at, size, phrase = _first([token.word for token in tokens], lexicon.phrases)
        if not phrase:
            break
        made += [*tokens[:at], *map(_Token, lexicon.phrases[phrase])]
        tokens = tokens[at + size :]
    return made + tokens


def _first(words: Sequence[str], table: Collection[Phrase]) -> tuple[int, int, Phrase]:
    """Where the first phrase of a table stands, the longest there, with its length; or nothing."""
    longest = max(map(len, table))
    for at in range(len(words)):
        for size in range(min(longest, len(words) - at), 0, -1):
            phrase = tuple(words[at : at + size])
            if phrase in table:
                return at, size, phrase
    return 0, 0, ()


class _Reader:
    """One reading of one question."""

    def __init__(self, lexicon: Lexicon, kind: str, tokens: list[_Token]) -> None:
        self.lexicon = lexicon
        self.kind = kind
        self.tokens = tokens
        self.words: list[str] = []
        self.names: set[str] = set()
        self.numbers: list[str] = []
        self.units: set[str] = set()
        self.roles: dict[str, set[str]] = {"to": set(), "of": set(), "than": set()}

    def reading(self) -> Reading:
        lexicon, said = self.lexicon, [token.word for token in self.tokens]
        role = ""
        for at, token in enumerate(self.tokens):
            if token.word in lexicon.roles:
                role = lexicon.roles[token.word]
            elif not self._passed(at) and (same := self._content(token)):
                if role:
                    self.roles[role].add(same)
                role = ""
        stems = {lexicon.stem(word) for word in said}
        might = {kind for kind, words in lexicon.asked.items() if self.kind == "what" and not stems.isdisjoint(words)}
        return Reading(
            lexicon.name,
            self.kind,
            frozenset(might),
            tuple(self.words),
            frozenset(self.names),
            tuple(sorted(self.numbers)),
            frozenset(self.units),
            frozenset(lexicon.calendar.intersection(said)),
            sum(word in lexicon.negations for word in said),
            frozenset(pole for word in said for pole in self._poles(word)),
            frozenset(self.roles["to"]),
            frozenset(self.roles["of"]),
            frozenset(self.roles["than"]),
            not lexicon.unordered.isdisjoint(said),
            frozenset(lexicon.turning.intersection(said)),
        )

    def _passed(self, at: int) -> bool:
        """Whether the token is a number, a unit of one, or otherwise told elsewhere in the reading."""
        word, lexicon = self.tokens[at].word, self.lexicon
        return self._number(at) or word in lexicon.negations or word in lexicon.calendar

    def _content(self, token: _Token) -> str:
        """Take a content word."""
        same = self._same(token)
        if not same:
            return ""
        self.words.append(same)
        if token.name:
            self.names.add(same)
        return same

    def _same(self, token: _Token) -> str:
        """What stands for a word in comparisons: its unit, pole or first synonym; nothing where it is passed over."""
        word, lexicon = token.word, self.lexicon
        if word in lexicon.units:
            return _unit(*lexicon.units[word])
        if word in lexicon.stop and not token.name:
            return ""
        for axis, end in self._poles(word):
            return f"{axis}{'+-'[end]}"
        return self._stem(word)

    def _stem(self, word: str) -> str:
        stem = word if any(map(str.isdigit, word)) else self.lexicon.stem(word)
        return self.lexicon.same.get(stem, stem)

    def _poles(self, word: str) -> tuple[Pole, ...]:
        """The ends of axes that a word is at, or its stem, or the first of its synonyms."""
        poles = self.lexicon.poles
        return poles.get(word) or poles.get(self.lexicon.stem(word)) or poles.get(self._stem(word), ())

    def _number(self, at: int) -> bool:
        """Take a number, with its unit where one follows."""
        word, lexicon = self.tokens[at].word, self.lexicon
        if word in lexicon.units:
            if at and _value(self.tokens[at - 1].word, lexicon)[0] not in ("", "1"):
                return True
            self.units.add(_unit(*lexicon.units[word]))
            return False
        value, unit = _value(word, lexicon)
        unit = unit or (self.tokens[at + 1].word if at + 1 < len(self.tokens) else "")
        if value and value != "1":
            base, factor = lexicon.units.get(unit, ("", 1.0))
            self.numbers.append(f"{float(value) * factor:g} {base}" if base else value)
        return bool(value)


def _value(word: str, lexicon: Lexicon) -> tuple[str, str]:
    """A number as digits, and the unit written to it, if any."""
    if _NUMBER.match(word):
        return word, ""
    if (measure := _MEASURE.match(word)) and measure[2] in lexicon.units:
        return measure[1], measure[2]
    if word in lexicon.numbers:
        return str(lexicon.numbers[word]), ""
    return (f"{lexicon.ordinals[word]}th", "") if word in lexicon.ordinals else ("", "")
