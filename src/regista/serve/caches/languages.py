"""The languages whose questions can be told apart. A question in no language of these has no semantic cache."""

from collections.abc import Sequence

from regista.serve.caches.english import ENGLISH
from regista.serve.caches.lexicon import Lexicon

LEXICONS: tuple[Lexicon, ...] = (ENGLISH,)
_SHORT = 4
"""Words up to which one weak sign is enough: “capital of France”."""


def language_of(words: Sequence[str]) -> Lexicon | None:
    """The language whose function words these words of a text have, or None. Words are in lower case.

    >>> language_of("what is the capital of france".split()).name
    'english'
    >>> language_of("was ist die hauptstadt von frankreich".split())
    """
    for lexicon in LEXICONS:
        seen = sum(lexicon.marks.get(word, 0.0) for word in set(words))
        others = sum(word in lexicon.foreign for word in set(words))
        if seen > others and seen >= (0.5 if len(words) <= _SHORT else 1.0):
            return lexicon
    return None
