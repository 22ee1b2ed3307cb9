"""What a language has to say about questions: the words that make two of them differ. Tables, no rules.

A language is one `Lexicon` in a file of its own, listed in `languages.py`. It knows no cache.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

Phrase = tuple[str, ...]
Pole = tuple[int, int]


class Lexicon(Struct, frozen=True):
    """One language. All words are in lower case.

    `marks` are the function words that tell the language, each with how surely; `foreign` are those of others.
    `expand` are patterns and what is written in their place, so that no word has an apostrophe. `courtesies` may
    begin a question and ask nothing.
    """

    name: str
    marks: Mapping[str, float]
    foreign: frozenset[str]
    expand: tuple[tuple[str, str], ...]
    courtesies: tuple[Phrase, ...]
    auxiliaries: frozenset[str]
    """Words that open a question answered by yes or no."""
    kinds: Mapping[Phrase, tuple[str, Phrase]]
    """What tells the kind of a question (when, why, many …), and the words it adds."""
    asked: Mapping[str, frozenset[str]]
    """Kinds that a question with *what* or *which* may be of too, by one of these words: *which city* is *where*."""
    phrases: Mapping[Phrase, Phrase]
    """Phrases and the words they are read as."""
    stop: frozenset[str]
    """Words without content, or with some that changes nothing in what is asked: *the*, *exactly*."""
    negations: frozenset[str]
    stem: Callable[[str], str]
    same: Mapping[str, str]
    """Stems of words for one thing, each with the stem of the first of them."""
    poles: Mapping[str, tuple[Pole, ...]]
    """Words at an end of an axis, such as cheapest and most expensive, with axes and ends."""
    numbers: Mapping[str, int]
    ordinals: Mapping[str, int]
    units: Mapping[str, tuple[str, float]]
    """A unit's base and how many of it: a week is 7 days."""
    calendar: frozenset[str]
    roles: Mapping[str, str]
    """Words after which stands where something goes (`to`), whence it comes (`of`), what it is set against (`than`)."""
    unordered: frozenset[str]
    """Words beside which it does not matter what is named first: *and*, *difference*."""
    turning: frozenset[str]
    """Words by which a sentence may be turned round and say the same: *by*, *be*, *of*."""


def groups(table: str, stem: Callable[[str], str]) -> dict[str, str]:
    """A table of synonyms, set apart by semicolons, as stem to the stem of the first of them.

    >>> groups("buy purchase; big large", str)["large"]
    'big'
    """
    alike = (group.split() for group in table.split(";"))
    return {stem(word): stem(words[0]) for words in alike for word in words}


def poles(table: str, stem: Callable[[str], str]) -> dict[str, tuple[Pole, ...]]:
    """A table of axes, set apart by semicolons, as word, and as its stem, to its axes and ends.

    >>> poles("hot warm | cold", str)["cold"]
    ((0, 1),)
    """
    found: dict[str, tuple[Pole, ...]] = {}
    for axis, ends in enumerate(table.split(";")):
        for end, words in enumerate(ends.split("|")):
            for form in {form for word in words.split() for form in (word, stem(word))}:
                found[form] = (*found.get(form, ()), (axis, end))
    return found


def phrases(table: str) -> dict[Phrase, Phrase]:
    """A table of phrases, a line each, `phrase, phrase = words`, as phrase to what it is read as.

    >>> phrases("set up, put in = install")["put", "in"]
    ('install',)
    """
    rows = (line.partition("=") for line in table.strip().splitlines())
    return {tuple(phrase.split()): tuple(read.split()) for left, _, read in rows for phrase in left.split(",")}


def measures(table: Iterable[str]) -> dict[str, tuple[str, float]]:
    """Lines `base factor word word …` as word to base and factor.

    >>> measures(["day 7 week weeks"])["weeks"]
    ('day', 7.0)
    """
    rows = (line.split() for line in table)
    return {word: (base, float(factor)) for base, factor, *words in rows for word in words}
