"""Words as the lexical index sees them: folded to ASCII, lower case, stemmed. English stems; other words stay whole."""

from functools import cache

import tantivy

MAX_WORD = 40
"""Bytes of the longest word kept; what is longer is data, not a word."""


@cache
def analyzer() -> tantivy.TextAnalyzer:
    """The analyzer of the index and of everything that compares words with it."""
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for step in (
        tantivy.Filter.remove_long(MAX_WORD),
        tantivy.Filter.lowercase(),
        tantivy.Filter.ascii_fold(),
        tantivy.Filter.stemmer("english"),
    ):
        builder = builder.filter(step)
    return builder.build()


@cache
def _stop_words() -> frozenset[str]:
    words = (
        "a about above after again all am an and any are as at be because been before being below between both but by "
        "can could did do does doing down during each few for from further had has have having he her here hers him "
        "his how i if in into is it its itself just me more most my no nor not of off on once only or other our out "
        "over own same she should so some such than that the their them then there these they this those through to "
        "too under until up very was we were what when where which while who whom why will with would you your"
    )
    return frozenset(analyzer().analyze(words))


def terms(text: str) -> list[str]:
    """The words of `text` that carry meaning, in order; all its words where none does.

    >>> terms("The players who were running"), terms("to be or not to be")
    (['player', 'run'], ['to', 'be', 'or', 'not', 'to', 'be'])
    """
    words = analyzer().analyze(text)
    return [word for word in words if word not in _stop_words()] or words
