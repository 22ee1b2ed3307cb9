"""English words cut to stems, and which of them carry a question. It knows no other language.

The stemmer is a short table of endings, not Porter's: it need only make a question's "pressing"
meet a sentence's "press", and an ending cut too far on both sides does no harm.
"""

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_POSSESSIVE = re.compile(r"['’]s?$")
_ENDINGS = (
    ("ies", "y"), ("ied", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"),
    ("ations", ""), ("ation", ""), ("ings", ""), ("ing", ""), ("ions", ""), ("ion", ""), ("ments", ""), ("ment", ""),
    ("edly", ""), ("ed", ""), ("ly", ""), ("s", ""),
)  # fmt: skip
_KEPT = ("ss", "us", "is", "eed")
_SHORTEST = 3
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_DIGITS = {str(digit): word for digit, word in enumerate(_NUMBERS)}

_STOP_WORDS = """
a about above after again all also am an and any are as at be because been before being but by can cannot compare
compared comparison could define defined definition describe did differ difference different do does doing don down
each example explain few for from further get gets getting got had has have having he her here hers him his how i if
in into is it its itself just made make makes making many may me mean might more most much must my no nor not now of
off on once only or other our ours out over own please s said same say says shall she should so some such t tell than
that the their them then there these they thing this those through to too under until up us use very was way we were
what when where which while who whom whose why will with would you your
"""
STOP = frozenset(_STOP_WORDS.split())
"""Words that carry no question of their own: function words, and those that only say how to answer (“compare”)."""


@lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """One word's stem: lower case, a common ending cut, digits up to twelve as words.

    >>> stem("Pressing"), stem("presses"), stem("scans"), stem("scanning"), stem("6")
    ('press', 'press', 'scan', 'scan', 'six')
    """
    word = _POSSESSIVE.sub("", word.casefold())
    word = _DIGITS.get(word, word)
    for ending, instead in _ENDINGS:
        if word.endswith(_KEPT) or not word.endswith(ending) or len(word) - len(ending) < _SHORTEST:
            continue
        word = word[: -len(ending)] + instead
        break
    if len(word) > _SHORTEST and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    return word[:-1] if len(word) > _SHORTEST and word.endswith("e") else word


def stems(text: str) -> list[str]:
    """The stems of all words of a text, in order.

    >>> stems("The box-to-box midfielder carries it.")
    ['the', 'box', 'to', 'box', 'midfielder', 'carry', 'it']
    """
    return [stem(word) for word in _WORD.findall(text)]


def content_stems(question: str) -> list[str]:
    """The stems of the words that carry a question, each once, in order.

    >>> content_stems("What does the winger have to do?")
    ['winger']
    """
    return list(dict.fromkeys(stem(word) for word in _WORD.findall(question) if word.casefold() not in STOP))


def names(question: str) -> list[str]:
    """Words a question writes like a proper name, an acronym or a number, its first word left out.

    A question written in capitals throughout has no such words, for they would tell nothing.

    >>> names("What did Klopp say about xT in 2018?")
    ['Klopp', 'xT', '2018']
    """
    words = _WORD.findall(question)
    marked = [word for word in words[1:] if word[0].isdigit() or word.lower() != word != "I"]
    return marked if len(marked) * 2 <= len(words) else []
